// The kitchen's screen during a service: several people on one table, several screens in one kitchen, and a network that comes and goes.

import { join } from "node:path";
import type { BrowserContext, Locator, Page } from "@playwright/test";
import { NO_NETWORK, desktop, expect, expectAccessible, expectTouchable, inspect, phone, signIn, test } from "../fixtures";

test.use({ house: "kitchen" });

const television = { viewport: { width: 1920, height: 1080 }, deviceScaleFactor: 1, hasTouch: false, isMobile: false };

interface Wish {
  dish_id: number;
  qty: number;
  note?: string;
  hold?: boolean;
  options?: { group: string; choice: string }[];
}

interface Ordered {
  order: number;
  round: number;
  lines: { line_id: number; name: string; state: string; round: number }[];
}

// What a phone sends, without the phone.
async function order(context: BrowserContext, table: number, ...items: Wish[]): Promise<Ordered> {
  const answer = await context.request.post("/api/orders", { data: { table_id: table, items } });
  expect(answer.status(), await answer.text()).toBe(201);
  const { order_id: id, round } = (await answer.json()) as { order_id: number; round: number };
  const whole = (await (await context.request.get(`/api/orders/${id}`)).json()) as { lines: Ordered["lines"] };
  return { order: id, round, lines: whole.lines.filter((line) => line.round === round) };
}

async function post(context: BrowserContext, path: string, data: object = {}) {
  const answer = await context.request.post(path, { data });
  expect(answer.status(), await answer.text()).toBe(200);
}

const card = (page: Page, { order, round }: Ordered, column: string) => page.getByTestId(`slip-${order}-${round}-${column}`);
const bump = (page: Page, { order, round }: Ordered, column: string) => page.getByTestId(`bump-${order}-${round}-${column}`);
const column = (page: Page, name: string): Locator => page.getByRole("region", { name });

interface Slip {
  order_id: number;
  round: number;
  lines: { course: number; state: string }[];
}

// Every test begins with an empty stove; removals of the tests before may still be told of.
test.beforeEach(async ({ request }) => {
  expect((await request.post("/api/auth/login", { data: { username: "gerant", pin: "1234" } })).status()).toBe(200);
  const { slips } = (await (await request.get("/api/kitchen")).json()) as { slips: Slip[] };
  for (const { order_id, round, lines } of slips.filter((slip) => slip.lines.length > 0)) {
    for (const { course } of lines.filter((line) => line.state === "held")) await request.post(`/api/orders/${order_id}/courses/${course}/fire`);
    for (const state of ["ready", "served"]) await request.post(`/api/kitchen/slips/${order_id}/${round}`, { data: { state } });
  }
});

test("a full evening is readable on every screen", async ({ device }) => {
  test.setTimeout(120_000);
  const hot = await device(television);
  const kitchen = await hot.newPage();
  // The slips of an evening have come one after the other: their ages are written over what the server says.
  const minutes: Record<string, number> = { "13": 17, "14": 12, "15": 6, "16": 2, "17": 8, "18": 0, "19": 20, "20": 4 };
  await kitchen.route("**/call/kitchen", async (route) => {
    const response = await route.fetch();
    const view = (await response.json()) as { slips: { table: string; lines: { told_at: string | null; since: string }[] }[] };
    for (const slip of view.slips) {
      const back = (time: string) => new Date(Date.parse(time) - (minutes[slip.table] ?? 0) * 60_000).toISOString();
      for (const line of slip.lines) Object.assign(line, { told_at: line.told_at && back(line.told_at), since: back(line.since) });
    }
    await route.fulfill({ response, json: view });
  });
  await signIn(kitchen, "alice", "/cuisine");
  const rare = [{ group: "Cuisson", choice: "Saignant" }, { group: "Sauce", choice: "Béarnaise" }];
  const context = hot.context;
  await order(context, 13, { dish_id: 12, qty: 4, options: [{ group: "Cuisson", choice: "À point" }] }, { dish_id: 11, qty: 2, options: rare, note: "Sauce à part" });
  await order(context, 14, { dish_id: 24, qty: 1, note: "Allergie : fruits à coque, prévenir le chef" }, { dish_id: 14, qty: 2 });
  const fired = await order(context, 15, { dish_id: 1, qty: 2 }, { dish_id: 12, qty: 2, hold: true }, { dish_id: 61, qty: 2, hold: true });
  await order(context, 16, { dish_id: 5, qty: 1 }, { dish_id: 6, qty: 3, note: "Bien chaud" }, { dish_id: 27, qty: 2, hold: true });
  const changed = await order(context, 17, { dish_id: 55, qty: 3, options: [{ group: "Cuisson", choice: "Bien cuit" }] }, { dish_id: 57, qty: 3 });
  await order(context, 18, { dish_id: 63, qty: 2 }, { dish_id: 65, qty: 1 });
  const ready = await order(context, 19, { dish_id: 16, qty: 2 }, { dish_id: 30, qty: 1 });
  const soon = await order(context, 20, { dish_id: 2, qty: 2 });
  await post(context, `/api/orders/${fired.order}/courses/2/fire`);
  await post(context, `/api/orders/${changed.order}/lines/${changed.lines[0]!.line_id}/void`, { qty: 1, reason: "Un convive est parti" });
  for (const sent of [ready, soon]) await post(context, `/api/kitchen/slips/${sent.order}/${sent.round}`, { state: "ready" });
  await expect(card(kitchen, changed, "mains")).toContainText("ANNULÉ");
  await expect(card(kitchen, ready, "pass")).toBeVisible();
  await kitchen.getByTestId("all-day").locator("summary").click();
  await expect(kitchen.getByTestId("all-day")).toContainText("6Magret de canard");

  for (const colorScheme of ["light", "dark"] as const) {
    await kitchen.emulateMedia({ colorScheme });
    await kitchen.screenshot({ path: join("screenshots", `kitchen-evening-television-${colorScheme}.png`) });
    await expectAccessible(kitchen, `kitchen-evening-television-${colorScheme}`);
  }
  await kitchen.getByTestId("all-day").locator("summary").click();
  await inspect(kitchen, "kitchen-evening");

  await kitchen.setViewportSize(phone.viewport);
  await kitchen.getByTestId("kitchen-tab-pass").click();
  await expect(column(kitchen, "Plats")).toBeHidden();
  await expect(card(kitchen, ready, "pass")).toBeVisible();
  await expectTouchable(kitchen.getByTestId("kitchen-tab-pass"), kitchen.getByTestId("sound"), kitchen.getByTestId("recall"));
  await inspect(kitchen, "kitchen-pass");
  await kitchen.getByTestId("recall").click();
  await inspect(kitchen, "kitchen-recall");
});

test("two phones and one kitchen screen on one table", async ({ device }) => {
  const [ofAlice, ofBob, pass] = [await device(phone), await device(phone), await device(desktop)];
  const [alice, bob, kitchen] = [await ofAlice.newPage(), await ofBob.newPage(), await pass.newPage()];
  await Promise.all([signIn(alice, "alice", "/table/9"), signIn(bob, "bob", "/table/9"), signIn(kitchen, "charlie", "/cuisine")]);
  await expect(kitchen.getByTestId("connection")).toContainText("En ligne");

  await alice.getByTestId("item-14").tap();
  await bob.getByTestId("item-24").tap();
  await Promise.all([alice.getByTestId("send").tap(), bob.getByTestId("send").tap()]);

  const slips = kitchen.getByRole("article").filter({ hasText: "Table 9" });
  await expect(slips).toHaveCount(2);
  await expect(slips.filter({ hasText: "Bœuf bourguignon" })).toHaveCount(1);
  await expect(slips.filter({ hasText: "Dos de cabillaud" })).toHaveCount(1);
  for (const waiter of [alice, bob]) await expect(waiter.getByTestId("line-state")).toHaveText([/reçu/, /reçu/]);

  await slips.filter({ hasText: "Bœuf bourguignon" }).getByTestId(/^bump-/).click();
  await expect(column(kitchen, "Au passe").getByRole("article")).toHaveCount(1);
  await expect(column(kitchen, "Au passe").getByRole("article")).toContainText("Bœuf bourguignon");
  await expect(column(kitchen, "Plats").getByRole("article").filter({ hasText: "Table 9" })).toContainText("Dos de cabillaud");
  for (const waiter of [alice, bob]) {
    await expect(waiter.getByTestId("line-state").filter({ hasText: "prêt" })).toHaveCount(1);
    await expect(waiter.getByTestId("line-state").filter({ hasText: "reçu" })).toHaveCount(1);
  }
  const tables = (await (await ofAlice.context.request.get("/api/tables")).json()) as { id: number; order_id: number }[];
  const id = tables.find((table) => table.id === 9)!.order_id;
  const whole = (await (await ofAlice.context.request.get(`/api/orders/${id}`)).json()) as { lines: { name: string; round: number }[] };
  expect(whole.lines.map((line) => line.name).sort()).toEqual(["Bœuf bourguignon", "Dos de cabillaud"]);
  expect(whole.lines.map((line) => line.round).sort()).toEqual([1, 2]);
});

test("a dish goes its way by taps, two screens agree, and what went too early is called back", async ({ device }) => {
  const [hot, cold] = [await device(desktop), await device(desktop)];
  const [one, other] = [await hot.newPage(), await cold.newPage()];
  await Promise.all([signIn(one, "alice", "/cuisine"), signIn(other, "bob", "/cuisine")]);
  const sent = await order(hot.context, 3, { dish_id: 12, qty: 2 }, { dish_id: 14, qty: 1 });
  const [magret, boeuf] = sent.lines.map((line) => line.line_id);

  const dish = one.getByTestId(`kitchen-next-${magret}`);
  await expect(dish).toContainText("2 Magret de canard");
  await expectTouchable(dish, bump(one, sent, "mains"));
  // Twice, faster than any answer.
  await dish.dblclick();
  await expect(card(one, sent, "pass")).toContainText("Magret de canard");
  await expect(card(other, sent, "pass")).toContainText("Magret de canard");
  await expect(card(other, sent, "mains")).not.toContainText("Magret de canard");
  await expectTouchable(one.getByTestId(`kitchen-recall-${magret}`));

  // Both bump the same slip, neither knowing of the other.
  let known = () => {};
  const both = new Promise<void>((resolve) => (known = resolve));
  for (const page of [one, other]) await page.route("**/call/kitchen", (route) => both.then(() => route.continue()));
  await Promise.all([bump(one, sent, "mains").click(), bump(other, sent, "mains").click()]);
  known();
  for (const page of [one, other]) {
    await expect(card(page, sent, "mains")).toHaveCount(0);
    await expect(card(page, sent, "pass").getByTestId("line-state")).toHaveText(["prêt", "prêt"]);
    await expect(page.getByRole("region", { name: "Messages" })).not.toContainText("serveur");
  }
  await one.getByTestId(`kitchen-recall-${boeuf}`).click();
  await expect(card(other, sent, "mains").getByTestId("line-state")).toHaveText("en cuisine");
  await bump(other, sent, "mains").click();
  // A bump is for the dishes that this screen shows.
  await expect(card(one, sent, "pass").getByTestId("line-state")).toHaveText(["prêt", "prêt"]);
  await bump(one, sent, "pass").click();
  for (const page of [one, other]) await expect(card(page, sent, "pass")).toHaveCount(0);
  await other.getByTestId("recall").click();
  const finished = other.getByTestId(`recall-${sent.order}-${sent.round}-mains`);
  await expect(finished).toBeVisible();
  await expectAccessible(other, "what was finished last");
  await finished.click();
  await expect(card(one, sent, "mains").getByTestId("line-state")).toHaveText(["en cuisine", "en cuisine"]);
});

test("a screen that comes too late is brought up to date, calmly", async ({ device }) => {
  const hot = await device(desktop);
  // The browser itself remarks on every refusal.
  hot.announce(/status of 409/);
  const kitchen = await hot.newPage();
  await signIn(kitchen, "alice", "/cuisine");
  const sent = await order(hot.context, 4, { dish_id: 12, qty: 1 });
  await expect(card(kitchen, sent, "mains")).toBeVisible();
  // This screen hears of nothing for a moment: the dish is taken off, and it is bumped here.
  await kitchen.route("**/call/kitchen", (route) => route.abort());
  hot.announce(...NO_NETWORK);
  await post(hot.context, `/api/orders/${sent.order}/lines/${sent.lines[0]!.line_id}/void`, { qty: 1, reason: "Erreur" });
  await expect(kitchen.getByTestId("kitchen-cut-off")).toBeVisible();
  await bump(kitchen, sent, "mains").click();
  await expect(kitchen.getByRole("region", { name: "Messages" })).toContainText("C’était déjà fait ailleurs");
  await kitchen.unroute("**/call/kitchen");
  await kitchen.getByTestId("kitchen-cut-off").getByRole("button").click();
  await expect(card(kitchen, sent, "mains")).toContainText("ANNULÉ");
  await expect(kitchen.getByTestId("kitchen-cut-off")).toHaveCount(0);
  await card(kitchen, sent, "mains").getByTestId(/^void-seen-/).click();
  await expect(card(kitchen, sent, "mains")).toHaveCount(0);
  const next = await order(hot.context, 4, { dish_id: 12, qty: 1 });
  await kitchen.reload();
  await expect(card(kitchen, next, "mains")).toBeVisible();
  await expect(card(kitchen, sent, "mains"), "what was seen stays seen").toHaveCount(0);
});

test("what waits is seen, what is called comes first, what is taken off never just vanishes", async ({ device }) => {
  const hot = await device(desktop);
  const kitchen = await hot.newPage();
  await kitchen.clock.install();
  await signIn(kitchen, "alice", "/cuisine");
  const first = await order(hot.context, 5, { dish_id: 24, qty: 1 });
  const sent = await order(
    hot.context,
    6,
    { dish_id: 2, qty: 2, note: "Allergie : arachide" },
    { dish_id: 11, qty: 1, hold: true, options: [{ group: "Cuisson", choice: "Saignant" }] },
  );
  const starters = card(kitchen, sent, "starters");
  const mains = card(kitchen, sent, "mains");
  const plats = column(kitchen, "Plats").getByRole("article").filter({ hasText: /Table [56]/ });
  await expect(mains).toContainText("en attente");
  await expect(mains).toContainText("Saignant");
  await expect(mains.getByRole("button"), "nothing to tap before it is called").toHaveCount(0);
  await expect(plats).toHaveText([/Table 5/, /Table 6/]);
  await expect(starters).toContainText("Attention Allergie : arachide");
  await expect(starters).toContainText("Nouveau");
  await expect(kitchen.getByTestId("kitchen-news")).toContainText(/Nouveau bon\s:\s(table 5, )?table 6/);

  await post(hot.context, `/api/orders/${sent.order}/courses/2/fire`);
  await expect(mains).toContainText("Réclamé");
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("Réclamé : table 6");
  await expect(plats, "called before sent").toHaveText([/Table 6/, /Table 5/]);

  const [egg, steak] = sent.lines.map((line) => line.line_id);
  await post(hot.context, `/api/orders/${sent.order}/lines/${egg}/void`, { qty: 1, reason: "Un convive de moins" });
  await post(hot.context, `/api/orders/${sent.order}/lines/${steak}/void`, { qty: 1, reason: "A changé d’avis" });
  await expect(starters).toContainText("ANNULÉ 1 × Œuf mayonnaise Un convive de moins");
  await expect(starters.getByTestId(`kitchen-next-${egg}`)).toContainText("1 Œuf mayonnaise");
  await expect(mains).toContainText("ANNULÉ 1 × Entrecôte A changé d’avis");
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("Annulation : table 6");
  await mains.getByTestId(/^void-seen-/).click();
  await expect(mains).toHaveCount(0);
  await expect(starters).toContainText("ANNULÉ");

  await test.step("time passes, and is said in words", async () => {
    await expect(starters).toContainText("0 min");
    await kitchen.clock.fastForward("09:00");
    await expect(starters).toContainText("9 min");
    await expect(starters).not.toContainText("attend");
    await expect(starters, "nine minutes are not ten").toContainText("ANNULÉ");
    await kitchen.clock.fastForward("02:00");
    await expect(starters).toContainText(/11\smin\s*attend/);
    await expect(starters, "ten minutes are enough").not.toContainText("ANNULÉ");
    await expect(starters).not.toContainText("Nouveau");
    await kitchen.clock.fastForward("05:00");
    await expect(starters).toContainText(/16\smin\s*en retard/);
    await bump(kitchen, sent, "starters").click();
    await expect(card(kitchen, sent, "pass")).toContainText("prêt");
  });
  await bump(kitchen, first, "mains").click();
  await expect(card(kitchen, first, "pass")).toBeVisible();
});

test("the kitchen hears, when somebody wants it to", async ({ device }) => {
  const hot = await device(desktop);
  await hot.context.addInitScript(() => {
    const start = OscillatorNode.prototype.start;
    Object.assign(window, { notes: [] });
    OscillatorNode.prototype.start = function (when) {
      (window as unknown as { notes: number[] }).notes.push(Math.round(this.frequency.value));
      start.call(this, when);
    };
  });
  const kitchen = await hot.newPage();
  const notes = () => kitchen.evaluate(() => (window as unknown as { notes: number[] }).notes.splice(0));
  await signIn(kitchen, "alice", "/cuisine");
  const sound = kitchen.getByTestId("sound");
  await expect(sound).toHaveText("Son coupé");
  await order(hot.context, 7, { dish_id: 12, qty: 1 });
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("table 7");
  expect(await notes(), "silent until it is switched on").toEqual([]);

  await sound.click();
  await expect(sound).toHaveText("Son activé");
  await expect(sound).toHaveAttribute("aria-pressed", "true");
  expect(await notes(), "heard at once").toEqual([660, 880]);
  const sent = await order(hot.context, 8, { dish_id: 12, qty: 1 }, { dish_id: 61, qty: 1, hold: true });
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("Nouveau bon : table 8");
  expect(await notes()).toEqual([660, 880]);
  await post(hot.context, `/api/orders/${sent.order}/courses/3/fire`);
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("Réclamé : table 8");
  expect(await notes()).toEqual([1175, 1175, 1175]);
  await post(hot.context, `/api/orders/${sent.order}/lines/${sent.lines[0]!.line_id}/void`, { qty: 1, reason: "Erreur" });
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("Annulation : table 8");
  expect(await notes()).toEqual([520, 330]);

  await kitchen.reload();
  await expect(sound).toHaveText("Son en veille : touchez l’écran");
  await kitchen.getByRole("heading", { level: 1 }).click();
  await expect(sound).toHaveText("Son activé");
  await sound.click();
  await expect(sound).toHaveText("Son coupé");
});

// What a phone call or a locked screen does to a page: its sound stands still and does not come back while that lasts.
async function interruptible(context: BrowserContext) {
  await context.addInitScript(() => {
    const sound = { contexts: [] as AudioContext[], interrupted: false, notes: 0 };
    Object.assign(window, { sound });
    const resume = AudioContext.prototype.resume;
    AudioContext.prototype.resume = function () {
      return sound.interrupted ? Promise.reject(new DOMException("interrupted", "InvalidStateError")) : resume.call(this);
    };
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      sound.notes++;
      start.call(this, when);
    };
    window.AudioContext = class extends AudioContext {
      constructor() {
        super();
        sound.contexts.push(this);
      }
    };
  });
}

interface Heard {
  contexts: AudioContext[];
  interrupted: boolean;
  notes: number;
}

const interrupt = (page: Page) =>
  page.evaluate(async () => {
    const { sound } = window as unknown as { sound: Heard };
    sound.interrupted = true;
    for (const context of sound.contexts) await context.suspend();
  });

const letThrough = (page: Page) =>
  page.evaluate(() => {
    (window as unknown as { sound: Heard }).sound.interrupted = false;
  });

const heard = (page: Page) => page.evaluate(() => (window as unknown as { sound: Heard }).sound.notes);

// The page comes to the front again, or goes behind another app.
async function show(page: Page, visible: boolean) {
  await page.evaluate((visible) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (visible ? "visible" : "hidden") });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, visible);
}

test("a sound that the browser takes away is said to be gone, and comes back", async ({ device }) => {
  const hot = await device(desktop);
  await interruptible(hot.context);
  const kitchen = await hot.newPage();
  await signIn(kitchen, "alice", "/cuisine");
  const sound = kitchen.getByTestId("sound");
  await sound.click();
  await expect(sound).toHaveText("Son activé");

  await interrupt(kitchen);
  await expect(sound, "the screen does not lie").toHaveText("Son en veille : touchez l’écran");
  const before = await heard(kitchen);
  await order(hot.context, 7, { dish_id: 12, qty: 1 });
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("table 7");
  expect(await heard(kitchen), "nothing is played into a dead loudspeaker").toBe(before);
  await kitchen.getByRole("heading", { level: 1 }).click();
  await expect(sound, "the call goes on").toHaveText("Son en veille : touchez l’écran");

  await letThrough(kitchen);
  await kitchen.getByRole("heading", { level: 1 }).click();
  await expect(sound).toHaveText("Son activé");
  const after = await heard(kitchen);
  await order(hot.context, 8, { dish_id: 12, qty: 1 });
  await expect(kitchen.getByTestId("kitchen-news")).toContainText("table 8");
  expect(await heard(kitchen), "and rings again").toBe(after + 2);

  await test.step("where no touch is needed, being looked at again is enough", async () => {
    await interrupt(kitchen);
    await expect(sound).toHaveText("Son en veille : touchez l’écran");
    await letThrough(kitchen);
    await show(kitchen, false);
    await show(kitchen, true);
    await expect(sound).toHaveText("Son activé");
  });
});

interface Locks {
  asked: number;
  released: number;
  last: EventTarget & { onrelease?: () => void };
}

test("the kitchen's screen stays lit, and says so where it may not", async ({ device }) => {
  const hot = await device(desktop);
  await hot.context.addInitScript(() => {
    const locks = { asked: 0, released: 0, last: null as unknown };
    Object.assign(window, { locks });
    const request = async () => {
      locks.asked++;
      locks.last = { release: async () => void locks.released++ };
      return locks.last;
    };
    Object.defineProperty(navigator, "wakeLock", { configurable: true, value: { request } });
  });
  const kitchen = await hot.newPage();
  const locks = () =>
    kitchen.evaluate(() => {
      const { asked, released } = (window as unknown as { locks: Locks }).locks;
      return { asked, released };
    });
  await signIn(kitchen, "alice");
  expect((await locks()).asked, "a waiter's phone may sleep").toBe(0);
  await kitchen.getByRole("link", { name: "Cuisine" }).click();
  await expect.poll(async () => (await locks()).asked).toBe(1);
  await expect(kitchen.getByTestId("may-go-dark")).toHaveCount(0);
  await show(kitchen, false);
  await show(kitchen, true);
  await expect.poll(async () => (await locks()).asked, { message: "the browser took it back: asked again" }).toBe(2);

  await kitchen.evaluate(() => (window as unknown as { locks: Locks }).locks.last.onrelease?.());
  await expect(kitchen.getByTestId("may-go-dark"), "a battery that runs low").toHaveText(/L’écran peut s’éteindre/);
  await show(kitchen, true);
  await expect(kitchen.getByTestId("may-go-dark")).toHaveCount(0);
  const { released } = await locks();
  await kitchen.getByRole("link", { name: "Plan" }).click();
  await expect.poll(async () => (await locks()).released, { message: "given back with the page" }).toBe(released + 1);

  await test.step("an old browser has none, and nothing breaks", async () => {
    const old = await device(desktop);
    await old.context.addInitScript(() => Object.defineProperty(navigator, "wakeLock", { value: undefined }));
    const page = await old.newPage();
    await signIn(page, "bob", "/cuisine");
    await expect(page.getByTestId("may-go-dark")).toBeVisible();
    await expect(card(page, await order(old.context, 9, { dish_id: 12, qty: 1 }), "mains")).toBeVisible();
    await inspect(page, "kitchen-may-go-dark");
  });
});

test("the second of two quick taps bumps nobody else's table, and a bump can be undone", async ({ device }) => {
  const hot = await device(desktop);
  const kitchen = await hot.newPage();
  await signIn(kitchen, "alice", "/cuisine");
  // Alike, so that the next card comes to lie exactly where the first one was.
  const [first, second] = [await order(hot.context, 7, { dish_id: 12, qty: 1 }), await order(hot.context, 8, { dish_id: 12, qty: 1 })];
  await expect(card(kitchen, second, "mains")).toBeVisible();
  // Whatever other tests left in the kitchen, both are on the screen and nothing has to be rolled.
  await kitchen.setViewportSize({ width: 1280, height: 6000 });
  await expect(bump(kitchen, first, "mains")).not.toHaveClass(/is-settling/);
  // A card that is new has a line more.
  for (const each of [first, second]) await expect(card(kitchen, each, "mains").locator(".slip-mark.is-new")).toHaveCount(0, { timeout: 20_000 });
  // Nothing above it grows any more: the sentence about a screen that may go dark comes when the browser has refused.
  let before = -1;
  const moved = async () => {
    const y = (await bump(kitchen, first, "mains").boundingBox())!.y;
    const by = Math.abs(y - before);
    before = y;
    return by;
  };
  await expect.poll(moved, { intervals: [500] }).toBe(0);
  const box = (await bump(kitchen, first, "mains").boundingBox())!;
  const next = (await bump(kitchen, second, "mains").boundingBox())!;
  expect([next.x, next.width, next.height], "one below the other").toEqual([box.x, box.width, box.height]);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await kitchen.mouse.click(x, y);
  await kitchen.mouse.click(x, y);
  await expect(card(kitchen, first, "mains")).toHaveCount(0);
  await expect(card(kitchen, first, "pass")).toBeVisible();
  // It lies where the first one was, and once it has been seen there it can be tapped.
  expect((await bump(kitchen, second, "mains").boundingBox())!.y).toBe(box.y);
  await expect(bump(kitchen, second, "mains")).not.toHaveClass(/is-settling/);
  await expect(card(kitchen, second, "mains").getByTestId("line-state")).toHaveText("reçu");
  await expect(card(kitchen, second, "pass")).toHaveCount(0);

  const messages = kitchen.getByRole("region", { name: "Messages" });
  await expect(messages).toContainText(/Table 7\s: tout est prêt/);
  await inspect(kitchen, "kitchen-undo");
  await bump(kitchen, second, "mains").click();
  await expect(card(kitchen, second, "pass")).toBeVisible();
  await messages.locator(".toast", { hasText: "Table 8" }).getByTestId("toast-action").click();
  await expect(card(kitchen, second, "mains").getByTestId("line-state")).toHaveText("en cuisine");
  await expect(card(kitchen, second, "pass")).toHaveCount(0);

  await bump(kitchen, first, "pass").click();
  await expect(card(kitchen, first, "pass")).toHaveCount(0);
  await messages.locator(".toast", { hasText: "tout est servi" }).getByTestId("toast-action").click();
  await expect(card(kitchen, first, "pass").getByTestId("line-state"), "back to where it stood").toHaveText("prêt");
});

test("without a network the last slips stay, and come up to date afterwards", async ({ device }) => {
  const [hot, room] = [await device(desktop), await device(phone)];
  hot.announce(...NO_NETWORK);
  const [kitchen, waiter] = [await hot.newPage(), await room.newPage()];
  await Promise.all([signIn(kitchen, "alice", "/cuisine"), signIn(waiter, "bob")]);
  const sent = await order(room.context, 10, { dish_id: 16, qty: 1 });
  await expect(card(kitchen, sent, "mains")).toBeVisible();
  await hot.context.setOffline(true);
  await expect(kitchen.getByTestId("kitchen-cut-off")).toContainText("Hors ligne");
  await expect(card(kitchen, sent, "mains")).toContainText("Cassoulet");
  await card(kitchen, sent, "mains").getByTestId(/^kitchen-next-/).click();
  await expect(kitchen.getByRole("region", { name: "Messages" })).toContainText("rien n’a été noté");
  await expect(card(kitchen, sent, "mains").getByTestId("line-state"), "the screen does not lie").toHaveText("reçu");
  const missed = await order(room.context, 11, { dish_id: 13, qty: 1 });
  await inspect(kitchen, "kitchen-offline");
  await hot.context.setOffline(false);
  await expect(card(kitchen, missed, "mains")).toContainText("Confit de canard");
  await expect(kitchen.getByTestId("kitchen-cut-off")).toHaveCount(0);
});

test("a storm of events is one question at a time", async ({ device }) => {
  const hot = await device(desktop);
  const kitchen = await hot.newPage();
  await signIn(kitchen, "alice", "/cuisine");
  await expect(kitchen.getByTestId("connection")).toContainText("En ligne");
  let [under, most, asked] = [0, 0, 0];
  await kitchen.route("**/call/kitchen", async (route) => {
    [under, asked] = [under + 1, asked + 1];
    most = Math.max(most, under);
    const answer = await route.fetch();
    under -= 1;
    await route.fulfill({ response: answer });
  });
  const orders = await Promise.all(Array.from({ length: 24 }, () => order(hot.context, 12, { dish_id: 60, qty: 1 })));
  for (const sent of orders) await expect(card(kitchen, sent, "desserts")).toHaveCount(1);
  expect(most, "one question at a time").toBe(1);
  expect(asked, "fewer questions than events").toBeLessThan(48);
  await expect(kitchen.getByTestId("all-day")).toContainText(/24\splats/);
});
