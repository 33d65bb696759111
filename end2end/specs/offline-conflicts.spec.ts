// What others did meanwhile is for a person to decide: one card for each kind, and what was decided is on the server.

import type { APIRequestContext, Page } from "@playwright/test";
import { expect, expectTouchable, inspect, test } from "../fixtures";
import { type Kept, kept, linesAt, nothingWaits, ready, typeAndSend } from "../keeping";

test.use({ house: "offline-conflicts" });

async function order(request: APIRequestContext, table: number, item = 71): Promise<number> {
  const answer = await request.post("/api/orders", { data: { table_id: table, items: [{ item_id: item, qty: 1 }] } });
  expect(answer.status(), await answer.text()).toBe(201);
  return (await answer.json()).order_id;
}

async function settle(request: APIRequestContext, order_id: number) {
  const split = await request.put(`/api/orders/${order_id}/split`, { data: { mode: "equal", parts: 1 } });
  expect(split.status(), await split.text()).toBe(200);
  const { shares } = await split.json();
  const amount = shares.at(-1).amount;
  const paid = await request.post("/api/payments/split", { data: { order_id, cover_number: 1, amount, method: "ESPECES" } });
  expect(paid.status(), await paid.text()).toBe(201);
}

// From now on the old request is never taken: somebody decided, and the till knows.
async function expectOver(page: Page, { ask }: Kept) {
  const answer = await page.request.post("/api/orders/sync", { data: ask.sync });
  expect(answer.status()).toBe(409);
  expect((await answer.json()).code).toBe("intent_over");
}

const card = (page: Page, table: number) => page.getByTestId("queued").filter({ hasText: `Table ${table}` });

async function reconnect(page: Page, conflicts: number) {
  await page.context().setOffline(false);
  await expect(page.getByTestId("decide")).toBeVisible({ timeout: 20_000 });
  await page.getByTestId("decide").getByRole("link").click();
  await expect(page.getByTestId("queued")).toHaveCount(conflicts);
}

test("a table that somebody else opened: add to the open order, another table, or give up with a reason", async ({ device }, { project }) => {
  test.setTimeout(120_000);
  const base = project.name === "phone" ? 0 : 10;
  const page = await ready(await device(), "alice");
  const bob = (await ready(await device(), "bob")).request;
  await page.context().setOffline(true);
  for (const table of [1, 2, 3]) await typeAndSend(page, base + table);
  const before = await kept(page);
  for (const table of [1, 2, 3]) await order(bob, base + table);
  await reconnect(page, 3);
  await expect(card(page, base + 1)).toContainText("Bob a ouvert cette table entre-temps.");
  await expect(card(page, base + 1)).toContainText("1 Magret de canard");
  await expectTouchable(card(page, base + 1).getByTestId("choice-append"), card(page, base + 1).getByTestId("choice-drop"));
  await inspect(page, `41-conflit-${project.name}`);

  await card(page, base + 1).getByTestId("choice-append").click();
  await expect(page.getByTestId("queued")).toHaveCount(2);
  expect((await linesAt(bob, base + 1)).map(({ name }) => name)).toContain("Magret de canard");

  await card(page, base + 2).getByTestId("choice-other_table").click();
  await inspect(page, `41-conflit-autre-table-${project.name}`);
  await page.getByTestId(`to-table-${base + 8}`).click();
  await expect(page.getByTestId("queued")).toHaveCount(1);
  expect(await linesAt(bob, base + 8)).toHaveLength(1);
  expect(await linesAt(bob, base + 2)).toHaveLength(1);

  await card(page, base + 3).getByTestId("choice-drop").click();
  await inspect(page, `41-conflit-abandon-${project.name}`);
  await page.getByTestId("reason-0").click();
  await expect(page.getByTestId("queued")).toHaveCount(0);
  await expect(page.getByTestId("decide")).toHaveCount(0);
  expect(await linesAt(bob, base + 3)).toHaveLength(1);
  for (const old of before) await expectOver(page, old);
  expect(await kept(page)).toEqual([]);
});

test("a bill that was settled meanwhile: nothing is added to it, a person opens a new one", async ({ device }, { project }) => {
  test.setTimeout(120_000);
  const table = project.name === "phone" ? 4 : 14;
  const page = await ready(await device(), "alice");
  const camille = (await ready(await device(), "camille")).request;
  const first = await order(page.request, table);
  await page.goto(`/table/${table}`);
  await expect(page.getByTestId("bill")).toBeVisible();
  await page.context().setOffline(true);
  await typeAndSend(page, table);
  await settle(camille, first);
  await reconnect(page, 1);
  await expect(card(page, table)).toContainText("L’addition de ces clients est déjà réglée.");
  await inspect(page, `44-addition-reglee-${project.name}`);
  await card(page, table).getByTestId("choice-append").click();
  await nothingWaits(page);
  expect((await linesAt(camille, table)).map(({ name }) => name), "an order of its own").toEqual(["Magret de canard"]);
});

test("a dish that is out: without it, corrected at the table, or nothing left to send", async ({ device }, { project }) => {
  test.setTimeout(120_000);
  const [one, two] = project.name === "phone" ? [5, 6] : [15, 16];
  const page = await ready(await device(), "alice");
  const bob = (await ready(await device(), "bob")).request;
  await page.context().setOffline(true);
  await page.goto(`/table/${one}`);
  await page.getByTestId("item-12").click();
  await page.getByTestId("item-57").click();
  await page.getByTestId("send").click();
  await expect(page.getByTestId("line-state").first()).toHaveText("ici");
  await typeAndSend(page, two);
  const before = await kept(page);
  await page.goto("/plan");
  expect((await bob.put("/api/menu/items/12/availability", { data: { available: false } })).status()).toBe(204);
  await reconnect(page, 2);
  await expect(card(page, one)).toContainText("Un article est épuisé.");
  await expect(card(page, two).getByTestId("choice-without"), "nothing would be left").toHaveCount(0);
  await inspect(page, `45-epuise-${project.name}`);
  await card(page, one).getByTestId("choice-without").click();
  await expect(page.getByTestId("queued")).toHaveCount(1);
  expect((await linesAt(bob, one)).map(({ name }) => name)).toEqual(["Frites maison"]);

  await card(page, two).getByTestId("choice-correct").click();
  await expect(page).toHaveURL(`/table/${two}`);
  await expect(page.getByTestId("line-12"), "the lines are back").toBeVisible();
  await expect(page.getByTestId("obstacle")).toBeVisible();
  await page.getByTestId("item-57").click();
  await page.getByTestId("obstacle").click();
  await page.getByTestId("send").click();
  await nothingWaits(page);
  await expect.poll(async () => (await linesAt(bob, two)).map(({ name }) => name)).toEqual(["Frites maison"]);
  for (const old of before) await expectOver(page, old);
  expect((await bob.put("/api/menu/items/12/availability", { data: { available: true } })).status()).toBe(204);
});

test("an order that came back and was emptied by hand is given up, and the till is told", async ({ device }, { project }) => {
  const table = project.name === "phone" ? 7 : 17;
  const page = await ready(await device(), "alice");
  const bob = (await ready(await device(), "bob")).request;
  await page.context().setOffline(true);
  await typeAndSend(page, table, 57);
  const before = await kept(page);
  await page.goto("/plan");
  await bob.put("/api/menu/items/57/availability", { data: { available: false } });
  await reconnect(page, 1);
  await card(page, table).getByTestId("choice-correct").click();
  await page.getByTestId("obstacle").click();
  await nothingWaits(page);
  await expect.poll(async () => (await page.request.post("/api/orders/sync", { data: before[0]!.ask.sync })).status()).toBe(409);
  await expectOver(page, before[0]!);
  expect(await linesAt(bob, table)).toEqual([]);
  await bob.put("/api/menu/items/57/availability", { data: { available: true } });
});

test("a price that changed is shown, and accepted by a person", async ({ device }, { project }) => {
  const table = project.name === "phone" ? 9 : 19;
  const page = await ready(await device(), "alice");
  const owner = (await ready(await device(), "gerant")).request;
  await page.context().setOffline(true);
  await typeAndSend(page, table, 61);
  const before = await kept(page);
  await page.goto("/plan");
  const articles: ({ id: number; price: number } & Record<string, unknown>)[] = await (await owner.get("/api/menu/items")).json();
  const { id, available: _a, back_at: _b, pairings: _p, ...dessert } = articles.find((article) => article.id === 61)!;
  const dearer = await owner.put(`/api/menu/items/${id}`, { data: { ...dessert, price: dessert.price + 1 } });
  expect(dearer.status(), await dearer.text()).toBe(200);
  await reconnect(page, 1);
  await expect(card(page, table)).toContainText(/Le prix a changé : \d+,\d\d\s€ maintenant/);
  await inspect(page, `46-prix-${project.name}`);
  await card(page, table).getByTestId("choice-accept").click();
  await nothingWaits(page);
  expect(await linesAt(owner, table)).toHaveLength(1);
  await expectOver(page, before[0]!);
});
