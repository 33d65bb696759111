// A dish is ready: the phone of the right waiter sounds, shakes, shows a card and, when nobody looks, a notification; "Pris" tells the kitchen.

import type { BrowserContext, Page } from "@playwright/test";
import { NO_NETWORK, desktop, expect, expectTouchable, inspect, phone, signIn, test } from "../fixtures";

test.use({ house: "pass" });

interface Ordered {
  order: number;
  lines: number[];
}

// What a phone sends, without the phone.
async function order(context: BrowserContext, table: number, ...dishes: [id: number, qty: number][]): Promise<Ordered> {
  const wanted = dishes.length > 0 ? dishes : [[12, 1]];
  const items = wanted.map(([dish_id, qty], i) => ({ dish_id, qty, note: `n° ${i + 1}` }));
  const answer = await context.request.post("/api/orders", { data: { table_id: table, items } });
  expect(answer.status(), await answer.text()).toBe(201);
  const { order_id: id, round } = (await answer.json()) as { order_id: number; round: number };
  const { lines } = (await (await context.request.get(`/api/orders/${id}`)).json()) as { lines: { line_id: number; round: number }[] };
  return { order: id, lines: lines.filter((line) => line.round === round).map((line) => line.line_id) };
}

async function say(context: BrowserContext, line: number, state: string) {
  const answer = await context.request.post(`/api/kitchen/lines/${line}`, { data: { state } });
  expect(answer.status(), await answer.text()).toBe(200);
}

const cards = (page: Page) => page.getByRole("region", { name: "Plats prêts" }).getByRole("article");
const take = (page: Page) => page.getByRole("button", { name: /^Pris/ });
const dishes = (page: Page) => cards(page).getByRole("listitem");

// The cards stand above the plan and move it: no table lies under one, on either screen.
async function expectNothingCovered(page: Page) {
  const before = page.viewportSize();
  for (const screen of [phone, desktop]) {
    await page.setViewportSize(screen.viewport);
    const covered = await page.evaluate(() => {
      const boxes = (what: string) => [...document.querySelectorAll(what)].map((one) => one.getBoundingClientRect());
      const tray = boxes(".pass-tray")[0]!;
      const under = boxes(".plan .spot, .floor-bar, .in-service").filter(({ top, height }) => height > 0 && top < tray.bottom);
      return { shown: tray.height > 0, under: under.length };
    });
    expect(covered, `${screen.viewport.width} px`).toEqual({ shown: true, under: 0 });
  }
  await inspect(page, `pass-plan-${await cards(page).count()}`);
  if (before) await page.setViewportSize(before);
}

interface Called {
  tones: number;
  shakes: number[][];
}

// Counts what reaches loudspeaker and motor, without replacing either.
async function listen(page: Page) {
  await page.addInitScript(() => {
    const called = { tones: 0, shakes: [] as number[][] };
    Object.assign(window, { called });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when?: number) {
      called.tones++;
      return start.call(this, when);
    };
    const vibrate = navigator.vibrate.bind(navigator);
    navigator.vibrate = (pattern) => {
      called.shakes.push([pattern].flat() as number[]);
      return vibrate(pattern);
    };
  });
}

const called = (page: Page) => page.evaluate(() => (window as unknown as { called: Called }).called);

// The tags of what the system shows for this app.
const notified = (page: Page) =>
  page.evaluate(async () => {
    const shown = await (await navigator.serviceWorker.ready).getNotifications();
    return shown.map(({ title, body, tag }) => ({ title, body, tag }));
  });

// As if another app lay over it: a page in a test is always in front.
async function hide(page: Page, hidden: boolean) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

// Everything that waits from an earlier test is served.
test.beforeEach(async ({ request }) => {
  expect((await request.post("/api/auth/login", { data: { username: "gerant", pin: "1234" } })).status()).toBe(200);
  const { slips } = (await (await request.get("/api/kitchen")).json()) as { slips: { order_id: number; round: number; lines: unknown[] }[] };
  for (const { order_id, round } of slips.filter((slip) => slip.lines.length > 0)) {
    for (const state of ["ready", "served"]) await request.post(`/api/kitchen/slips/${order_id}/${round}`, { data: { state } });
  }
});

test("the right phone rings, shakes and shows a card; Pris tells the kitchen who comes", async ({ device }) => {
  const [ofAlice, ofBob, pass] = [await device(phone), await device(phone), await device(desktop)];
  const [alice, bob, kitchen] = [await ofAlice.newPage(), await ofBob.newPage(), await pass.newPage()];
  await listen(alice);
  await listen(bob);
  await Promise.all([signIn(alice, "alice"), signIn(bob, "bob"), signIn(kitchen, "charlie", "/cuisine")]);
  for (const page of [alice, bob, kitchen]) await expect(page.getByTestId("connection")).toContainText("En ligne");
  const { lines } = await order(ofAlice.context, 5);
  await say(ofBob.context, lines[0]!, "ready");

  const card = cards(alice).first();
  await expect(card).toContainText("Table 5");
  await expect(card).toContainText("Magret de canard");
  await expect.poll(async () => (await called(alice)).tones, { message: "it sounds" }).toBeGreaterThan(0);
  expect((await called(alice)).shakes, "it shakes").toContainEqual([200, 100, 200]);
  await expect(alice.getByRole("region", { name: "Plats prêts" })).toHaveAttribute("aria-live", "assertive");
  await expectTouchable(take(alice), card.getByRole("link"));
  await inspect(alice, "pass-card");

  await take(alice).tap();
  await expect(cards(alice)).toHaveCount(0);
  await expect(kitchen.getByTestId("seen-by")).toHaveText(/vu par Alice/);
  await inspect(kitchen, "pass-seen");
  await expect(cards(bob), "nobody else is called").toHaveCount(0);
  expect((await called(bob)).tones).toBe(0);
});

test("a table is one card with its dishes; her other phone and the kitchen take them away; the table is one tap away", async ({ device }) => {
  const [first, second] = [await device(phone), await device(desktop)];
  const [one, two] = [await first.newPage(), await second.newPage()];
  // One after the other: two tries under one name in one moment look like guessing.
  await signIn(one, "alice");
  await signIn(two, "alice");
  for (const page of [one, two]) await expect(page.getByTestId("connection")).toContainText("En ligne");
  // Two lines of one dish are carried together.
  const { lines } = await order(first.context, 6, [12, 2], [14, 1], [24, 1], [12, 1], [16, 1]);
  for (const line of lines) await say(first.context, line, "ready");
  await expect(cards(one), "a table is one way to walk").toHaveCount(1);
  await expect(cards(one)).toContainText("Table 6");
  await expect(cards(one)).toContainText("prêt à l’instant");
  const plates = (text: string) => dishes(one).filter({ hasText: text });
  await expect(dishes(one)).toHaveText([/3\s× Magret de canard/, /1\s× Bœuf bourguignon/, /1\s× Dos de cabillaud/, /1\s× Cassoulet/]);
  await expectTouchable(take(one).first(), one.getByTestId("take-all-6"));
  await expectNothingCovered(one);
  await inspect(one, "pass-table");

  await plates("Magret").getByTestId("take").tap();
  await expect(dishes(one)).toHaveCount(3);
  await expect(dishes(two)).toHaveCount(3);
  await say(first.context, lines[1]!, "served");
  await say(first.context, lines[2]!, "recalled");
  await expect(dishes(one)).toHaveText([/Cassoulet/]);
  await expect(dishes(two)).toHaveText([/Cassoulet/]);
  await expect(one.getByTestId("take-all-6"), "for one dish one button is enough").toHaveCount(0);
  await cards(one).first().getByRole("link").tap();
  await expect(one).toHaveURL("/table/6");
  await expect(cards(one), "it waits until somebody says that they come").toHaveCount(1);
});

test("tout pris takes a whole table, and each dish is acknowledged; with many tables the others are one tap away", async ({ device }) => {
  const waiter = await device(phone);
  const page = await waiter.newPage();
  await signIn(page, "alice");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  const said: number[] = [];
  for (const table of [1, 2, 3, 4]) {
    const { lines } = await order(waiter.context, table, [12, 1], [24, 2]);
    said.push(...lines);
    for (const line of lines) await say(waiter.context, line, "ready");
  }
  await expect(cards(page), "three tables, and a way to the others").toHaveCount(3);
  await expect(page.getByTestId("pass-more")).toHaveText("+ 1 table");
  await expectNothingCovered(page);
  await page.getByTestId("pass-more").tap();
  await expect(cards(page)).toHaveCount(4);
  await inspect(page, "pass-many");

  // The next card slides to where the finger is: what was not seen there is not taken.
  await page.setViewportSize(phone.viewport);
  const button = page.getByTestId("take-all-1");
  await expect(button).not.toHaveClass(/is-settling/);
  await button.scrollIntoViewIfNeeded();
  const box = (await button.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.touchscreen.tap(x, y);
  await page.touchscreen.tap(x, y);
  await expect(page.getByTestId("pass-1")).toHaveCount(0);
  await expect(page.getByTestId("take-all-2")).not.toHaveClass(/is-settling/);
  await expect(cards(page), "the second of two quick taps takes nobody else's").toHaveCount(3);

  for (const table of [2, 3, 4]) await page.getByTestId(`take-all-${table}`).tap();
  await expect(cards(page)).toHaveCount(0);
  const seen = async () => {
    const { slips } = (await (await waiter.context.request.get("/api/kitchen")).json()) as { slips: { lines: { line_id: number; seen_by: string | null }[] }[] };
    return slips.flatMap((slip) => slip.lines).filter((line) => line.seen_by === "Alice").map((line) => line.line_id);
  };
  await expect.poll(async () => (await seen()).sort(), { message: "dish by dish" }).toEqual(said.sort());
});

test("where the cards are not shown nothing rings: a cook does not hear the waiters' bell", async ({ device }) => {
  const cook = await device(desktop);
  const page = await cook.newPage();
  await listen(page);
  await signIn(page, "bob", "/cuisine");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  const first = await order(cook.context, 15);
  await say(cook.context, first.lines[0]!, "ready");
  await expect(page.getByTestId(`slip-${first.order}-1-pass`)).toBeVisible();
  await page.getByRole("link", { name: "Plan" }).click();
  await expect(cards(page), "it waits there").toHaveCount(1);
  expect((await called(page)).tones, "and was not rung for at the stove").toBe(0);
  const second = await order(cook.context, 16);
  await say(cook.context, second.lines[0]!, "ready");
  await expect(cards(page)).toHaveCount(2);
  expect((await called(page)).tones, "on the plan it rings").toBeGreaterThan(0);
});

test("what was missed without a network is listed once it is back, and Pris without a network is said later", async ({ device }) => {
  const waiter = await device(phone);
  waiter.announce(...NO_NETWORK);
  const page = await waiter.newPage();
  await listen(page);
  await signIn(page, "alice");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  const kitchen = await device(desktop);
  const screen = await kitchen.newPage();
  await signIn(screen, "bob", "/cuisine");
  const { lines } = await order(waiter.context, 7, [12, 1], [12, 1]);
  await say(kitchen.context, lines[0]!, "ready");
  await expect(cards(page)).toHaveCount(1);

  await waiter.context.setOffline(true);
  await expect(page.getByTestId("connection")).toContainText("Hors ligne");
  await take(page).tap();
  await expect(cards(page), "taken, whatever the network says").toHaveCount(0);
  await say(kitchen.context, lines[1]!, "ready");
  await waiter.context.setOffline(false);
  await expect(cards(page), "missed, and listed").toHaveCount(1, { timeout: 45_000 });
  await expect(screen.getByTestId("seen-by")).toHaveText(/vu par Alice/);
});

test("nobody looks: the system shows it, a tap opens the table", async ({ device, till }) => {
  const waiter = await device(phone);
  const context = waiter.context;
  await context.grantPermissions(["notifications"], { origin: till.url });
  const page = await context.newPage();
  // Charlie has no table yet. The browser of a test knows yes and no; the page is to see what a new phone says until it is asked.
  await page.addInitScript(() => {
    let state: NotificationPermission = "default";
    Object.defineProperty(Notification, "permission", { get: () => state });
    Notification.requestPermission = async () => (state = "granted");
  });
  await signIn(page, "charlie");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect(page.getByTestId("notify-offer"), "no table, no reason to ask").toHaveCount(0);
  const { lines } = await order(context, 8, [12, 1], [24, 1]);
  await expect(page.getByTestId("notify-offer")).toBeVisible();
  await inspect(page, "pass-offer");
  await page.getByTestId("notify-yes").tap();
  await expect(page.getByTestId("notify-offer")).toHaveCount(0);

  await say(context, lines[0]!, "ready");
  await expect(cards(page)).toHaveCount(1);
  expect(await notified(page), "somebody looks: the card is enough").toEqual([]);
  await take(page).tap();
  await hide(page, true);
  await say(context, lines[1]!, "ready");
  await expect.poll(() => notified(page)).toEqual([{ title: "Table 8 · prêt au passe", body: "Dos de cabillaud", tag: expect.stringMatching(/^dish-\d+$/) }]);

  // What the worker does with a tap: the browser hands it the notification, here the test does.
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  await worker.evaluate(async () => {
    const scope = self as unknown as { registration: ServiceWorkerRegistration; dispatchEvent(event: Event): void };
    const [notification] = await scope.registration.getNotifications();
    const Tap = (self as unknown as { NotificationEvent: new (type: string, init: object) => Event }).NotificationEvent;
    const tap = new Tap("notificationclick", { notification });
    // A worker is only kept alive for taps that a browser made.
    Object.defineProperty(tap, "waitUntil", { value: (done: Promise<unknown>) => done });
    scope.dispatchEvent(tap);
  });
  await expect(page).toHaveURL("/table/8");
  await expect.poll(() => notified(page), { message: "and it is gone" }).toEqual([]);
});

test("the owner sees how long dishes waited", async ({ device }) => {
  const owner = await device(desktop);
  const page = await owner.newPage();
  await signIn(page, "gerant", "/cuisine");
  const { lines } = await order(owner.context, 9, [12, 1], [12, 1], [12, 1]);
  for (const line of lines) await say(owner.context, line, "ready");
  for (const line of lines.slice(0, 2)) await say(owner.context, line, "served");
  await page.getByTestId("pass-waits").click();
  await expect(page).toHaveURL("/passe");
  await expect(page.getByTestId("waits-whole")).toContainText("Médiane");
  await expect(page.getByTestId("waits-now")).toContainText("1 plat attend");
  await inspect(page, "pass-waits");
});
