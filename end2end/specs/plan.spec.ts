// The plan: live on every phone, quick to reach, and drawn by whoever runs the house.

import type { Locator, Page } from "@playwright/test";
import { desktop, expect, expectTouchable, inspect, NO_NETWORK, phone, signIn, test } from "../fixtures";

test.use({ house: "plan" });

// Taking an order as another program does, with the session of a page.
async function orderByProgram(page: Page, table: number, item = 12) {
  const answer = await page.request.post("/api/orders", { data: { table_id: table, items: [{ item_id: item, qty: 1 }] } });
  expect(answer.status()).toBe(201);
  return (await answer.json()).order_id as number;
}

// Counts the calls that read the plan as a whole.
function countFloorCalls(page: Page) {
  const calls = { floor: 0 };
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/call/floor") calls.floor++;
  });
  return calls;
}

test("a phone sees what others do, table by table, without asking for the plan", async ({ device }, { project }) => {
  const screen = project.name === "phone" ? phone : desktop;
  const bobs = await device(screen);
  const [alice, bob] = [await (await device(phone)).newPage(), await bobs.newPage()];
  await signIn(alice, "alice");
  // A clock that the test can set; until then it goes as always.
  await bob.clock.install();
  await signIn(bob, "bob");
  const table = bob.getByTestId("table-7");
  await expect(table).toContainText("Libre");
  await expect(bob.getByTestId("connection")).toContainText("En ligne");
  const calls = countFloorCalls(bob);
  const order = await orderByProgram(alice, 7);
  await expect(table).toContainText("En cours");
  await expect(table).toContainText("Alice");
  await expect(table).toContainText("24,00");
  await expect(table).toContainText(/0\smin/);
  const lines = (await (await alice.request.get(`/api/orders/${order}`)).json()).lines as { line_id: number }[];
  await alice.request.post(`/api/kitchen/lines/${lines[0]!.line_id}`, { data: { state: "ready" } });
  await expect(table).toContainText("Prêt");
  expect(calls.floor, "the events said it all").toBe(0);

  await test.step("a table that nobody serves begins to wait by the phone's own clock, with no network at all", async () => {
    await orderByProgram(alice, 8);
    await expect(bob.getByTestId("table-8")).toContainText("En cours");
    bobs.announce(...NO_NETWORK);
    await bobs.context.setOffline(true);
    await bob.clock.fastForward(16 * 60_000);
    await expect(bob.getByTestId("table-8")).toContainText("Attend", { timeout: 15_000 });
    await expect(bob.getByTestId("table-8")).toContainText(/16\smin/);
    await expect(table, "a dish at the pass for so long").toContainText("trop long");
    await bobs.context.setOffline(false);
  });
  await inspect(bob, `plan-service-${project.name}`);
  if (project.name === "phone") {
    await bob.getByTestId("as-list").tap();
    await expect(bob.getByRole("complementary", { name: "En salle" })).toContainText("Attend");
    await inspect(bob, "plan-liste");
    await expectTouchable(bob.getByRole("link", { name: "Table 20" }));
  }
});

test("a number typed on the plan leads to its table", async ({ device }, { project }) => {
  const screen = project.name === "phone" ? phone : desktop;
  const page = await (await device(screen)).newPage();
  await signIn(page, "alice");
  await expect(page.getByTestId("table-5")).toBeVisible();
  if (project.name === "desktop") {
    await page.keyboard.type("12");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/table\/12$/);
    await page.goBack();
    await expect(page.getByTestId("table-5")).toBeVisible();
    await page.keyboard.type("42");
    await page.keyboard.press("Enter");
  } else {
    await page.getByTestId("jump").tap();
    await inspect(page, "plan-numero");
    await expectTouchable(page.getByTestId("jump-1"), page.getByTestId("jump-go"));
    await page.getByTestId("jump-4").tap();
    await page.getByTestId("jump-2").tap();
    await page.getByTestId("jump-go").tap();
  }
  await expect(page.getByTestId("jump-wrong")).toHaveText("Aucune table « 42 » sur le plan.");
  await expect(page).toHaveURL(/\/plan$/);
  await page.getByRole("button", { name: "Effacer le dernier caractère" }).click();
  await page.getByTestId("jump-go").click();
  await expect(page).toHaveURL(/\/table\/4$/);
});

test("a phone comes back to the room that it left, and shows it as it did", async ({ device }, { project }) => {
  const page = await (await device()).newPage();
  await signIn(page, "alice");
  const terrace = page.getByRole("button", { name: "Terrasse" });
  await terrace.click();
  await expect(terrace).toHaveAttribute("aria-pressed", "true");
  const table = page.locator(".plan").getByRole("link").first();
  const name = await table.getAttribute("data-testid");
  await table.click();
  await expect(page).toHaveURL(/\/table\/\d+$/);
  await page.goBack();
  await expect(page.getByTestId(name!), "back from a table").toBeVisible();
  await page.reload();
  await expect(page.getByTestId(name!), "and after a new start").toBeVisible();
  await expect(terrace).toHaveAttribute("aria-pressed", "true");
  if (project.name === "phone") {
    await page.getByTestId("as-list").tap();
    await page.getByRole("complementary", { name: "En salle" }).getByRole("link").first().tap();
    await expect(page).toHaveURL(/\/table\/\d+$/);
    await page.goBack();
    await expect(page.getByTestId("as-list")).toHaveAttribute("aria-pressed", "true");
    await page.getByTestId("as-map").tap();
    await page.reload();
    await expect(page.getByTestId("as-map")).toHaveAttribute("aria-pressed", "true");
    await expect(page.getByTestId(name!)).toBeVisible();
  }
});

test("what this phone has not sent shows on the plan", async ({ device }) => {
  const page = await (await device()).newPage();
  await signIn(page, "alice");
  await page.getByTestId("table-6").click();
  await page.getByTestId("item-12").click();
  await page.getByTestId("item-12").click();
  await page.getByTestId("item-61").or(page.getByTestId("item-1")).first().click();
  await page.goto("/plan");
  await expect(page.getByTestId("table-6").getByTestId("unsent-6")).toContainText("3 à envoyer");
  await expect(page.getByTestId("table-6")).toContainText("Libre");
  await expect(page.getByTestId("unsent-5")).toHaveCount(0);
  await inspect(page, "plan-brouillon");
});

// Where a table stands on the board, in the middle of its box.
async function middle(piece: Locator) {
  const box = await piece.boundingBox();
  if (!box) throw new Error("not on the board");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, width: box.width };
}

// A finger where there is touch, a mouse where there is none: pressed, carried in steps, lifted.
async function carry(page: Page, from: { x: number; y: number }, by: { x: number; y: number }, touch: boolean) {
  const to = { x: from.x + by.x, y: from.y + by.y };
  if (!touch) {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 6 });
    await page.mouse.up();
    return;
  }
  const cdp = await page.context().newCDPSession(page);
  const send = (type: "touchStart" | "touchMove" | "touchEnd", point?: { x: number; y: number }) =>
    cdp.send("Input.dispatchTouchEvent", { type, touchPoints: point ? [point] : [] });
  await send("touchStart", from);
  for (let step = 1; step <= 6; step++) await send("touchMove", { x: from.x + (by.x * step) / 6, y: from.y + (by.y * step) / 6 });
  await send("touchEnd");
  await cdp.detach();
}

test("the house is drawn by finger or mouse, and nothing is lost", async ({ device }, { project }) => {
  const touch = project.name === "phone";
  const owners = await device(touch ? phone : desktop);
  const page = await owners.newPage();
  await signIn(page, "gerant");
  const waiter = await (await device(phone)).newPage();
  await signIn(waiter, "alice");
  await expect(waiter.getByTestId("edit-plan")).toHaveCount(0);
  await page.getByTestId("edit-plan").click();
  await expect(page).toHaveURL(/\/plan\/editeur$/);
  const five = page.getByTestId("piece-5");
  await expect(five).toBeVisible();
  await expect(page.getByTestId("save-plan")).toBeDisabled();

  await test.step("a table is carried, and the step is taken back and brought again", async () => {
    const before = await middle(five);
    const board = await page.getByTestId("board").boundingBox();
    await carry(page, before, { x: 40, y: 30 }, touch);
    await expect.poll(async () => (await middle(five)).x - before.x).toBeGreaterThan(25);
    expect((await middle(five)).y - before.y).toBeGreaterThan(15);
    expect(await page.getByTestId("board").boundingBox(), "the board stays under the finger").toEqual(board);
    await expect(page.getByTestId("save-plan")).toBeEnabled();
    await page.getByTestId("undo").click();
    await expect.poll(async () => Math.abs((await middle(five)).x - before.x)).toBeLessThan(1);
    await expect(page.getByTestId("save-plan")).toBeDisabled();
    await page.getByTestId("redo").click();
    await expect.poll(async () => (await middle(five)).x - before.x).toBeGreaterThan(25);
    const scrolled = await page.evaluate(() => [scrollX, scrollY]);
    expect(scrolled, "the page stays under the finger").toEqual([0, 0]);
  });

  await test.step("its corner is pulled, it is turned, renamed, made round", async () => {
    const before = await middle(five);
    const corner = await page.getByTestId("corner").boundingBox();
    await carry(page, { x: corner!.x + 24, y: corner!.y + 24 }, { x: 12, y: 0 }, touch);
    await expect.poll(async () => (await middle(five)).width - before.width).toBeGreaterThan(15);
    await page.getByTestId("turn-on").click();
    await page.getByTestId("turn-45").click();
    await page.getByTestId("table-name").fill("12");
    await expect(page.getByText("Ce nom est déjà pris.")).toBeVisible();
    await page.getByTestId("table-name").fill("Cave");
    await expect(page.getByText("Ce nom est déjà pris.")).toHaveCount(0);
    await page.getByRole("button", { name: "Ronde" }).click();
    await inspect(page, `editeur-table-${project.name}`);
    await expectTouchable(page.getByTestId("undo"), page.getByTestId("turn-on"), page.getByTestId("corner"), page.getByTestId("save-plan"));
  });

  await test.step("a room and a table are added; the arrows move the table", async () => {
    await page.getByTestId("add-room").click();
    await page.getByTestId("room-name").fill("Bar");
    await expect(page.getByTestId("remove-room")).toBeEnabled();
    await inspect(page, `editeur-salle-${project.name}`);
    await page.getByTestId("add-table").click();
    const added = page.getByTestId("piece-5");
    await expect(added).toBeVisible();
    const before = await middle(added);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await middle(added)).x - before.x).toBeGreaterThan(10);
    await page.getByRole("group", { name: "Salles" }).getByRole("button", { name: "Salle", exact: true }).click();
  });

  await test.step("leaving asks, and what is not saved is there again", async () => {
    await page.getByRole("link", { name: "Retour" }).click();
    await page.getByTestId("stay").click();
    await expect(page).toHaveURL(/\/plan\/editeur$/);
    await page.getByRole("link", { name: "Retour" }).click();
    await page.getByTestId("leave").click();
    await expect(page).toHaveURL(/\/plan$/);
    await page.getByTestId("edit-plan").click();
    await expect(page.getByTestId("resumed")).toBeVisible();
    await expect(page.getByTestId("piece-Cave")).toBeVisible();
  });

  await test.step("a refused save leaves the drawing on the board", async () => {
    owners.announce(/Failed to load resource.*409/);
    // Guests sit down at a table that is being removed.
    await page.getByTestId("piece-9").click();
    await page.getByTestId("remove-table").click();
    await orderByProgram(waiter, 9);
    await page.getByTestId("save-plan").click();
    await expect(page.getByTestId("save-problem")).toHaveText("La table 9 a une commande ouverte : elle ne peut pas quitter le plan.");
    await expect(page.getByTestId("piece-Cave")).toBeVisible();
    await page.getByTestId("undo").click();
    await expect(page.getByTestId("piece-9")).toBeVisible();
  });

  await test.step("saved, every phone has the new plan at once", async () => {
    await page.getByTestId("save-plan").click();
    await expect(page.getByRole("region", { name: "Messages" })).toContainText("Plan enregistré");
    await expect(page.getByTestId("save-plan")).toBeDisabled();
    await expect(waiter.getByTestId("table-5")).toContainText("Cave");
    await waiter.getByRole("button", { name: "Bar" }).click();
    await expect(waiter.getByTestId("table-21")).toContainText("Libre");
    await inspect(waiter, `plan-apres-${project.name}`);
    await waiter.getByRole("button", { name: /^Salle/ }).click();
    await inspect(waiter, `plan-tourne-${project.name}`);
  });

  await test.step("another editor who saves first is not erased", async () => {
    const plan = await (await page.request.get("/api/floor")).json();
    plan.rooms[0].tables[0].seats = 3;
    expect((await page.request.put("/api/floor", { data: plan })).status()).toBe(200);
    await page.getByTestId("piece-1").click();
    await page.getByTestId("turn-on").click();
    await page.getByTestId("save-plan").click();
    await expect(page.getByTestId("save-problem")).toContainText("Quelqu’un d’autre vient d’enregistrer le plan");
    await inspect(page, `editeur-refus-${project.name}`);
    await page.getByTestId("start-over").click();
    await page.getByTestId("confirm-start-over").click();
    await expect(page.getByTestId("piece-1")).toContainText("3 places");
    await expect(page.getByTestId("save-plan")).toBeDisabled();
  });
});

test("only whoever runs the house edits its plan", async ({ device }) => {
  const page = await (await device()).newPage();
  await signIn(page, "camille", "/plan/editeur");
  await expect(page.getByText("Le plan se modifie avec un compte de direction.")).toBeVisible();
  await expect(page.getByTestId("board")).toHaveCount(0);
});
