// What a service asks of the order page: choices, courses, wines, removals, tables that move, and several phones at once. Each test has
// tables of its own.

import type { Locator, Page } from "@playwright/test";
import { type Device, expect, expectTouchable, inspect as look, phone, signIn, test } from "../fixtures";

test.use({ house: "ordering" });

const euros = (text: string) => new RegExp(`^${text}\\s€$`);

// A finger where there is touch, a mouse where there is none.
let touch: (target: Locator) => Promise<void>;
let inspect: (page: Page, name: string) => Promise<void>;
test.beforeEach(({}, { project }) => {
  const hasTouch = (project.use as typeof phone).hasTouch;
  touch = (target) => (hasTouch ? target.tap() : target.click());
  inspect = async (page, name) => {
    const sheet = page.locator("dialog[open]");
    if (await sheet.count()) {
      const overflow = await sheet.evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
      expect(overflow, `${name}: nothing wider than the sheet`).toBeLessThanOrEqual(0);
    }
    await look(page, `${name}-${project.name}`);
  };
});

async function at(device: Device, who: string, table: number): Promise<Page> {
  const page = await device.newPage();
  await signIn(page, who, `/table/${table}`);
  await expect(page.getByTestId("item-12")).toBeVisible();
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  return page;
}

// On a phone the lines are folded into the bar.
async function unfold(page: Page) {
  const bar = page.getByTestId("unfold");
  if ((page.viewportSize()?.width ?? 0) < 1024 && (await bar.getAttribute("aria-expanded")) === "false") await touch(bar);
}

async function fold(page: Page) {
  const bar = page.getByTestId("unfold");
  if ((page.viewportSize()?.width ?? 0) < 1024 && (await bar.getAttribute("aria-expanded")) === "true") await touch(bar);
}

async function send(page: Page) {
  await touch(page.getByTestId("send"));
  await expect(page.getByTestId("send")).toBeDisabled();
  await expect(page.getByTestId("bill")).toBeVisible();
}

async function orderOf(page: Page) {
  const id = (await page.getByTestId("bill").getAttribute("href"))?.split("/").pop();
  return (await page.request.get(`/api/orders/${id}`)).json();
}

const typed = (page: Page, id: number) => page.getByTestId(`line-${id}`);

test("a steak is asked about with one tap, noted with two, and priced to the cent", async ({ device }) => {
  const page = await at(await device(), "alice", 1);
  await touch(page.getByTestId("item-11"));
  const sheet = page.getByTestId("choose");
  await expect(sheet.getByTestId("allergens")).toHaveText("Allergènes : Lait");
  await expectTouchable(sheet.getByTestId("option-Saignant"), sheet.getByTestId("option-Béarnaise"));
  await inspect(page, "20-choix");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("count"), "nothing is added without an answer").toHaveText("0 article");

  await touch(page.getByTestId("item-11"));
  await expect(sheet.getByTestId("option-Béarnaise"), "said before it is chosen").toContainText("Œufs");
  await touch(sheet.getByTestId("option-Béarnaise"));
  await expect(sheet.getByTestId("allergens"), "what the answer brings is declared with it").toHaveText("Allergènes : Lait, Œufs, Sulfites");
  await expect(sheet).toContainText("31,00");
  await touch(sheet.getByTestId("option-Saignant"));
  await expect(sheet, "the last required answer closes the sheet").toBeHidden();
  await expect(page.getByTestId("total")).toHaveText(euros("31,00"));
  await expect(typed(page, 11)).toContainText("Saignant, Béarnaise");

  await touch(typed(page, 11).getByTestId("line-edit"));
  const line = page.getByTestId("line-sheet");
  await touch(line.getByTestId("option-Gratin dauphinois"));
  await touch(line.getByRole("button", { name: "Sauce à part" }));
  await line.getByTestId("line-note").press("End");
  await line.getByTestId("line-note").pressSequentially(", coupée en deux");
  await touch(line.getByRole("button", { name: "Un de plus" }));
  await expect(line.getByTestId("line-price")).toHaveText(euros("68,00"));
  await inspect(page, "21-ligne");
  await touch(line.getByTestId("line-done"));
  await expect(page.getByTestId("total")).toHaveText(euros("68,00"));
  await page.reload();
  await expect(page.getByTestId("total"), "the phone keeps it").toHaveText(euros("68,00"));
  await send(page);

  const order = await orderOf(page);
  expect(order.total).toBe(68);
  expect(order.lines).toHaveLength(1);
  expect(order.lines[0]).toMatchObject({ qty: 2, unit_price: 34, note: "Sauce à part, coupée en deux" });
  expect(order.lines[0].options.map((option: { choice: string }) => option.choice)).toEqual(["Saignant", "Béarnaise", "Gratin dauphinois"]);
  await unfold(page);
  await expect(page.getByTestId("sent-course-2")).toContainText("Saignant, Béarnaise, Gratin dauphinois");
});

test("a course waits until the waiter calls for it", async ({ device }) => {
  const page = await at(await device(), "alice", 2);
  for (const id of [1, 12, 61, 73]) await touch(page.getByTestId(`item-${id}`));
  await unfold(page);
  const courses = page.getByTestId("typed-course");
  await expect(courses.getByRole("heading")).toHaveText(["Tout de suite", "Entrées", "Plats", "Desserts"]);
  await expect(courses.nth(0).getByTestId("course-waits"), "water is not cooked").toHaveCount(0);
  await touch(courses.nth(2).getByTestId("course-waits"));
  await touch(courses.nth(3).getByTestId("course-waits"));
  await expect(page.getByTestId("line-waits")).toHaveCount(2);
  // What joins a course that waits, waits too.
  await touch(typed(page, 12).getByTestId("line-open"));
  await touch(page.getByTestId("option-Saignant"));
  await touch(page.getByTestId("line-done"));
  await inspect(page, "22-services-a-envoyer");
  await send(page);

  const main = page.getByTestId("sent-course-2");
  await expect(page.getByTestId("sent-course-1").getByTestId("line-state")).toHaveText("reçu");
  await expect(main.getByTestId("line-state")).toHaveText("en attente");
  const inKitchen = async (name: string) => {
    const { slips } = await (await page.request.get("/api/kitchen")).json();
    const lines: { name: string; state: string }[] = slips.flatMap((slip: { lines: object[] }) => slip.lines);
    return lines.find((line) => line.name.startsWith(name))?.state ?? "held";
  };
  expect(await inKitchen("Magret"), "the kitchen waits with it").toBe("held");
  await expectTouchable(main.getByTestId("fire"));
  await inspect(page, "23-services-envoyes");
  await touch(main.getByTestId("fire"));
  await expect(main.getByTestId("line-state")).toHaveText("reçu");
  await expect(main.getByTestId("line-called")).toHaveText("réclamé");
  await expect(main.getByTestId("fire"), "called once is called").toHaveCount(0);
  expect(await inKitchen("Magret")).toBe("received");

  await touch(page.getByTestId("sent-course-1").getByTestId("hold"));
  await expect(page.getByTestId("sent-course-1").getByTestId("line-state")).toHaveText("en attente");
  expect(await inKitchen("Soupe")).toBe("held");
});

test("a line comes off freely before it is sent, and comes back for five seconds", async ({ device }) => {
  const page = await at(await device(), "alice", 3);
  await touch(page.getByTestId("item-12"));
  await touch(page.getByTestId("item-57"));
  await touch(page.getByTestId("item-57"));
  await unfold(page);
  await touch(typed(page, 57).getByTestId("line-drop"));
  await expect(typed(page, 57)).toHaveCount(0);
  await expect(page.getByTestId("total")).toHaveText(euros("24,00"));
  await expect(page.getByRole("region", { name: "Messages" })).toContainText("Retiré : Frites maison");
  await touch(page.getByTestId("toast-action"));
  await expect(page.getByTestId("total")).toHaveText(euros("34,00"));
  await expect(page.getByTestId("toast-action")).toHaveCount(0);

  await page.clock.install();
  await touch(typed(page, 57).getByTestId("line-drop"));
  await touch(typed(page, 12).getByTestId("line-drop"));
  await page.clock.fastForward(4_000);
  await expect(page.getByTestId("toast-action")).toHaveCount(2);
  await page.clock.fastForward(1_100);
  await expect(page.getByTestId("toast-action"), "the second thought comes too late").toHaveCount(0);
  await expect(page.getByTestId("total")).toHaveText(euros("0,00"));
});

test("what was sent comes off with a reason, and a paid share holds the rest", async ({ device }) => {
  const waiter = await device();
  const page = await at(waiter, "alice", 4);
  for (let i = 0; i < 3; i++) await touch(page.getByTestId("item-12"));
  await send(page);
  await unfold(page);
  const line = page.getByTestId("sent-course-2");
  await touch(line.getByTestId(/^sent-\d+$/));
  const sheet = page.getByTestId("take-off");
  await expect(sheet.getByTestId("take-off-now"), "the kitchen was told: say why").toBeDisabled();
  await expectTouchable(sheet.getByRole("button", { name: "Erreur de saisie" }));
  await touch(sheet.getByRole("button", { name: "Erreur de saisie" }));
  await inspect(page, "24-retirer");
  await touch(sheet.getByTestId("take-off-now"));
  await expect(sheet).toBeHidden();
  await expect(line).toContainText(/3\s+commandés, dont 1\s+annulé/);
  await expect(page.getByTestId("total")).toHaveText(euros("48,00"));

  // One of four guests pays and leaves: the rest can no longer be taken off as if nobody had.
  const desk = await at(await device(), "camille", 4);
  const { order_id } = await orderOf(page);
  const paid = await desk.request.post("/api/payments/split", { data: { order_id, cover_number: 1, amount: 12, method: "ESPECES" } });
  expect(paid.status(), await paid.text()).toBe(201);
  await touch(line.getByTestId(/^sent-\d+$/));
  await touch(sheet.getByRole("button", { name: "Un de plus" }));
  await sheet.getByTestId("reason").fill("Partis sans dîner");
  // A refusal is an answer with a status of its own; the browser writes that on its console.
  waiter.announce(/status of 409/);
  await touch(sheet.getByTestId("take-off-now"));
  await expect(page.getByTestId("refusal")).toContainText("Une partie est déjà payée");
});

test("everything taken off, the table is free again", async ({ device }) => {
  const page = await at(await device(), "alice", 6);
  await touch(page.getByTestId("item-57"));
  await send(page);
  await unfold(page);
  await touch(page.getByTestId("table-actions"));
  await expect(page.getByTestId("ask-bill")).toBeVisible();
  await expect(page.getByTestId("release"), "5 € are owed").toHaveCount(0);
  await page.keyboard.press("Escape");
  await touch(page.getByTestId(/^sent-\d+$/));
  await page.getByTestId("reason").fill("Oubli de la cuisine");
  await touch(page.getByTestId("take-off-now"));
  await expect(page.getByTestId("line-state")).toHaveText("annulé");
  await touch(page.getByTestId("table-actions"));
  await touch(page.getByTestId("release"));
  await expect(page).toHaveURL("/plan");
  await expect(page.getByTestId("table-6")).toContainText("Libre");
});

test("guests move, join others and change hands; what is typed goes with them", async ({ device }) => {
  const page = await at(await device(), "alice", 7);
  await touch(page.getByTestId("item-12"));
  await send(page);
  await touch(page.getByTestId("item-61"));
  await touch(page.getByTestId("table-actions"));
  await expectTouchable(page.getByTestId("move"), page.getByTestId("join"), page.getByTestId("hand-over"));
  await inspect(page, "25-actions");
  await touch(page.getByTestId("move"));
  await inspect(page, "26-changer-de-table");
  await touch(page.getByTestId("to-table-8"));
  await expect(page).toHaveURL("/table/8");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Table 8");
  await unfold(page);
  await expect(page.getByTestId("sent-course-2")).toContainText("Magret");
  await expect(typed(page, 61), "typed, not sent, and not lost").toBeVisible();

  // The bill is asked for, and not any more.
  await touch(page.getByTestId("table-actions"));
  await touch(page.getByTestId("ask-bill"));
  await expect(page.getByTestId("actions")).toBeHidden();
  expect((await orderOf(page)).bill_asked).toBe(true);
  await touch(page.getByTestId("table-actions"));
  await expect(page.getByTestId("ask-bill")).toHaveText("Ne plus demander l’addition");
  await touch(page.getByTestId("ask-bill"));
  await expect(page.getByTestId("actions")).toBeHidden();
  expect((await orderOf(page)).bill_asked).toBe(false);

  // Bob has guests at table 9; Alice's join them.
  const bob = await at(await device(), "bob", 9);
  await touch(bob.getByTestId("item-57"));
  await send(bob);
  await touch(page.getByTestId("table-actions"));
  await touch(page.getByTestId("join"));
  await expect(page.getByTestId("to-table-10"), "nobody sits there").toHaveCount(0);
  await touch(page.getByTestId("to-table-9"));
  await expect(page.getByTestId("join-now")).toBeVisible();
  await inspect(page, "27-reunir");
  await touch(page.getByTestId("join-now"));
  await expect(page).toHaveURL("/table/9");
  await unfold(page);
  await expect(typed(page, 61)).toBeVisible();
  await send(page);
  await expect(bob.getByTestId("total"), "Bob sees it without being asked").toHaveText(euros("37,00"));

  // And Bob gives the table to Alice.
  await touch(bob.getByTestId("table-actions"));
  await expect(bob.getByTestId("actions")).toContainText("Suivie par Bob");
  await touch(bob.getByTestId("hand-over"));
  await touch(bob.getByTestId("colleague-1"));
  await expect(bob.getByTestId("colleagues")).toBeHidden();
  expect((await orderOf(bob)).server_name).toBe("Alice");
});

test("what one phone says is out is out on all, and never fails at sending", async ({ device }) => {
  const bob = await at(await device(), "bob", 10);
  await bob.getByTestId("search").fill("mousse");
  await touch(bob.getByTestId("item-62"));
  await touch(bob.getByTestId("item-62"));
  await bob.getByTestId("search").fill("");
  await touch(bob.getByTestId("item-57"));
  await expect(bob.getByTestId("send")).toBeEnabled();

  const alice = await at(await device(), "alice", 11);
  await alice.getByTestId("search").fill("mousse");
  await expectTouchable(alice.getByTestId("more-62"));
  await touch(alice.getByTestId("more-62"));
  await expect(alice.getByTestId("allergens")).toHaveText("Allergènes : Lait, Œufs, Soja");
  await inspect(alice, "28-fiche");
  await touch(alice.getByTestId("out-until-morning"));
  await expect(alice.getByTestId("item-62")).toContainText("épuisé");

  await unfold(bob);
  await expect(typed(bob, 62).getByTestId("line-fault")).toHaveText("épuisé");
  await expect(bob.getByTestId("send")).toBeDisabled();
  await inspect(bob, "29-epuise");
  await touch(bob.getByTestId("obstacle"));
  await expect(bob.getByTestId("total")).toHaveText(euros("5,00"));
  await send(bob);

  // A tap on what is out shows its card, where it comes back.
  await touch(alice.getByTestId("item-62"));
  await touch(alice.getByTestId("back-on-menu"));
  await expect(alice.getByTestId("item-62")).toContainText("7,50");
  await touch(alice.getByTestId("item-62"));
  await expect(alice.getByTestId("count")).toHaveText("1 article");
});

test("the wine is offered, by bottle and glass, with and without a network, and never when it is out", async ({ device }) => {
  const waiter = await device();
  const page = await at(waiter, "alice", 12);
  await touch(page.getByTestId("item-12"));
  await expect(page.getByTestId("wine-chip")).toContainText("Cahors");
  await expectTouchable(page.getByTestId("wine-chip"), page.getByTestId("wine-more"));
  await touch(page.getByTestId("wine-more"));
  await expect(page.getByTestId("wine-list").getByRole("listitem")).toHaveCount(3);
  await expect(page.getByTestId("wine-list")).toContainText("La syrah aime le miel de la sauce");
  await inspect(page, "30-vins");
  await touch(page.getByTestId("wine-81"));
  await expect(page.getByTestId("total")).toHaveText(euros("30,50"));
  await touch(page.getByTestId("item-12"));
  await expect(page.getByTestId("wine-chip"), "wine is on the table").toHaveCount(0);

  // Out: the next one is the best.
  const out = await page.request.put("/api/menu/items/35/availability", { data: { available: false } });
  expect(out.ok(), await out.text()).toBe(true);
  await page.getByTestId("search").fill("confit");
  await unfold(page);
  await touch(typed(page, 81).getByTestId("line-drop"));
  await touch(page.getByTestId("item-13"));
  await expect(page.getByTestId("wine-chip"), "Madiran is the wine of the confit, and it is out").toContainText("Cahors");
  expect((await page.request.put("/api/menu/items/35/availability", { data: { available: true } })).ok()).toBe(true);
  await expect(page.getByTestId("wine-chip")).toContainText("Madiran");

  waiter.announce(/net::ERR_INTERNET_DISCONNECTED/, /WebSocket connection to .* failed/);
  await waiter.context.setOffline(true);
  await page.getByTestId("search").fill("cabillaud");
  await touch(page.getByTestId("item-24"));
  await expect(page.getByTestId("wine-chip")).toContainText("Sancerre");
  await touch(page.getByTestId("wine-chip"));
  await expect(typed(page, 45)).toBeVisible();
});

test("a long press takes the dish and its wine; so do Shift, the other button and the card", async ({ device }, { project }) => {
  const waiter = await device();
  const page = await at(waiter, "alice", 14);
  const magret = page.getByTestId("item-12");
  await magret.scrollIntoViewIfNeeded();
  const box = (await magret.boundingBox())!;
  const [x, y] = [box.x + 30, box.y + 30];
  if ((project.use as typeof phone).hasTouch) {
    const finger = await waiter.context.newCDPSession(page);
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    await expect(page.getByTestId("total")).toHaveText(euros("52,00"));
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  } else {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await expect(page.getByTestId("total")).toHaveText(euros("52,00"));
    await page.mouse.up();
  }
  await expect(page.getByTestId("count"), "once, whatever the finger does afterwards").toHaveText(/^2\sarticles$/);

  await unfold(page);
  for (const id of [12, 34]) await touch(typed(page, id).getByTestId("line-drop"));
  await magret.click({ modifiers: ["Shift"], position: { x: 30, y: 30 } });
  await expect(page.getByTestId("total")).toHaveText(euros("52,00"));

  for (const id of [12, 34]) await touch(typed(page, id).getByTestId("line-drop"));
  await magret.click({ button: "right", position: { x: 30, y: 30 } });
  await expect(page.getByTestId("total")).toHaveText(euros("52,00"));

  for (const id of [12, 34]) await touch(typed(page, id).getByTestId("line-drop"));
  await touch(page.getByTestId("more-12"));
  await touch(page.getByTestId("add-with-wine"));
  await expect(page.getByTestId("total")).toHaveText(euros("52,00"));

  // A dish that has to be asked about is asked about, and its wine comes along.
  await page.getByTestId("item-11").click({ modifiers: ["Shift"], position: { x: 30, y: 30 } });
  await touch(page.getByTestId("option-Bleu"));
  await expect(page.getByTestId("count")).toHaveText(/^3\sarticles$/);
});

test("two waiters on one table: each keeps what is typed, both see what is sent", async ({ device }) => {
  const alice = await at(await device(), "alice", 15);
  const bob = await at(await device(), "bob", 15);
  await touch(alice.getByTestId("item-12"));
  await touch(bob.getByTestId("item-57"));
  await send(bob);
  await unfold(alice);
  await expect(alice.getByTestId("sent-course-2")).toContainText("Frites maison");
  await expect(typed(alice, 12), "typed is typed").toBeVisible();
  await send(alice);
  await expect(bob.getByTestId("total")).toHaveText(euros("29,00"));
  const order = await orderOf(bob);
  expect(order.lines.map((line: { round: number; name: string }) => [line.round, line.name])).toEqual([
    [1, "Frites maison"],
    [2, "Magret de canard"],
  ]);
});

test("covers are counted beside the order, never in its way", async ({ device }) => {
  const page = await at(await device(), "alice", 16);
  await touch(page.getByRole("button", { name: "Un couvert de moins" }));
  await touch(page.getByTestId("item-12"));
  await send(page);
  expect((await orderOf(page)).covers).toBe(3);
  await touch(page.getByRole("button", { name: "Un couvert de plus" }));
  await touch(page.getByRole("button", { name: "Un couvert de plus" }));
  await touch(page.getByTestId("item-57"));
  await send(page);
  await expect.poll(async () => (await orderOf(page)).covers).toBe(5);

  // A guest leaves without ordering anything: the number alone is corrected, with one tap more.
  await expect(page.getByTestId("keep-covers")).toHaveCount(0);
  await touch(page.getByRole("button", { name: "Un couvert de moins" }));
  await expectTouchable(page.getByTestId("keep-covers"));
  await inspect(page, "31-couverts");
  await touch(page.getByTestId("keep-covers"));
  await expect(page.getByTestId("keep-covers")).toHaveCount(0);
  expect((await orderOf(page)).covers).toBe(4);
  await touch(page.getByRole("button", { name: "Un couvert de plus" }));
  await touch(page.getByRole("button", { name: "Un couvert de moins" }));
  await expect(page.getByTestId("keep-covers"), "nothing to correct").toHaveCount(0);
});

test("dishes without an allergen are found by saying so", async ({ device }) => {
  const page = await at(await device(), "alice", 17);
  await page.getByTestId("search").fill("sans lait");
  await expect(page.getByTestId("item-26"), "moules: molluscs, celery, sulphites").toBeVisible();
  await expect(page.getByTestId("item-12"), "magret: milk").toHaveCount(0);
  await expect(page.getByTestId("item-34"), "wine is not eaten").toHaveCount(0);
  await expect(page.getByText("d’après les allergènes déclarés")).toBeVisible();
  await page.getByTestId("search").fill("sans lait saumon");
  await expect(page.getByTestId(/^item-\d+$/)).toHaveCount(0);
});

test("a dish that can be had without it is found, and its sheet warns of the answer that brings it", async ({ device }) => {
  const page = await at(await device(), "alice", 18);
  await page.getByTestId("search").fill("sans oeuf entrec");
  await touch(page.getByTestId("item-11"));
  const sheet = page.getByTestId("choose");
  const sauce = sheet.getByTestId("option-Béarnaise");
  await expect(sauce).toContainText("contient Œufs");
  await expect(sauce.locator(".is-avoided")).toBeVisible();
  await expect(sheet.locator(".is-avoided"), "the other sauces have none").toHaveCount(1);
  await inspect(page, "20-choix-a-eviter");
  await touch(sauce);
  await touch(sheet.getByTestId("option-Bleu"));
  await unfold(page);
  await touch(typed(page, 11).getByTestId("line-open"));
  await expect(page.getByTestId("line-sheet").getByTestId("allergens")).toHaveText("Allergènes : Lait, Œufs, Sulfites");
  await touch(page.getByTestId("option-Béarnaise"));
  await expect(page.getByTestId("line-sheet").getByTestId("allergens"), "taken back").toHaveText("Allergènes : Lait");
  await page.keyboard.press("Escape");
  await fold(page);

  // Two of what was found are two taps on one place; the next search begins anew.
  await page.getByTestId("search").fill("mousse");
  await touch(page.getByTestId("item-62"));
  await touch(page.getByTestId("item-62"));
  await expect(page.getByTestId("count")).toHaveText("3 articles");
  await touch(page.getByTestId("search"));
  await expect(page.getByTestId("search")).toHaveValue("");
});

test("a formule says what each of its parts contains", async ({ device }) => {
  const page = await at(await device(), "alice", 19);
  await page.getByTestId("search").fill("formule");
  await touch(page.getByTestId("more-90"));
  await expect(page.getByTestId("dish").getByTestId("allergens")).toContainText("Œuf mayonnaise : Œufs, Moutarde");
  await inspect(page, "30-fiche-formule");
  await touch(page.getByTestId("dish").getByTestId("add"));
  await expect(page.getByTestId("component-2")).toContainText("Œufs, Moutarde");
  await expect(page.getByTestId("component-24")).toContainText("Poisson, Lait");
  await inspect(page, "30-formule-allergenes");
  await touch(page.getByTestId("component-2"));
  await touch(page.getByTestId("component-24"));
  await touch(page.getByTestId("component-76"));
  await touch(page.getByTestId("formule-add"));
  await unfold(page);
  await touch(typed(page, 90).getByTestId("line-open"));
  const allergens = page.getByTestId("line-sheet").getByTestId("allergens").getByRole("listitem");
  await expect(allergens).toHaveText(["Œuf mayonnaise : Œufs, Moutarde", "Dos de cabillaud : Poisson, Lait", "Limonade : aucun déclaré"]);
});

test("of a menu that did not change nothing travels", async ({ device }) => {
  const waiter = await device();
  const page = await at(waiter, "alice", 20);
  const devtools = await waiter.context.newCDPSession(page);
  await devtools.send("Network.enable");
  const asked = new Set<string>();
  const answers: number[] = [];
  devtools.on("Network.requestWillBeSent", ({ request, requestId }) => {
    if (new URL(request.url).pathname === "/api/menu") asked.add(requestId);
  });
  devtools.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
    if (asked.has(requestId)) answers.push(statusCode);
  });
  await page.reload();
  await expect(page.getByTestId("item-12")).toBeVisible();
  // Once as the page begins, and once more when its socket is open.
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  expect(new Set(answers)).toEqual(new Set([304]));
});
