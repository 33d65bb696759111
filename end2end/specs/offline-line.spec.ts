// A network that is neither there nor away: silent sockets, lost answers, doubled requests, and another version at the other end.

import { expect, inspect, measured, test as base } from "../fixtures";
import { kept, lines, nothingWaits, ready, type, typeAndSend } from "../keeping";
import { Line } from "../line";

const test = base.extend<{ line: Line }>({
  line: async ({ till }, use) => {
    const line = await Line.open(till.url);
    await use(line);
    line.close();
  },
});
test.use({ house: "offline-line" });

const SYNC = /^\/api\/orders\/sync$/;

test("a network that falls silent with everything open is noticed in seconds, and so is its return", async ({ device, line }, { project }) => {
  test.setTimeout(120_000);
  const table = project.name === "phone" ? 1 : 11;
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "alice", `/table/${table}`);
  await page.getByTestId("item-12").click();
  line.fallSilent();
  let begun = Date.now();
  await expect(page.getByTestId("connection")).toContainText("Hors ligne", { timeout: 12_000 });
  measured(`a silent network is noticed after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  await page.getByTestId("send").click();
  await expect(page.getByTestId("line-state").first()).toHaveText("ici");
  await expect(page.getByTestId("waiting")).toContainText("1 en attente");
  line.heal();
  begun = Date.now();
  await expect(page.getByTestId("connection")).toContainText("En ligne", { timeout: 12_000 });
  await nothingWaits(page);
  const seconds = (Date.now() - begun) / 1000;
  measured(`its return is noticed, and everything sent, after ${seconds.toFixed(1)} s`);
  expect(seconds, "seconds").toBeLessThan(8);
  expect(await lines(page, table)).toBe(1);
  await test.step("events arrive too: the deaf socket was replaced", async () => {
    await page.request.post("/api/orders", { data: { table_id: table, items: [{ item_id: 57, qty: 1 }] } });
    await expect(page.getByTestId("total")).toContainText("29,00");
  });
});

test("whatever hangs when the network returns, what waits goes out within seconds, from the tab behind, too", async ({ device, line }, { project }) => {
  test.setTimeout(120_000);
  const base = project.name === "phone" ? 18 : 19;
  const phone = await device(undefined, { bypassCSP: true, baseURL: line.url });
  const sender = await ready(phone, "bob");
  const page = await phone.newPage();
  await page.goto(`/table/${base}`);
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  // A tab that lies behind asks nothing by itself.
  await sender.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  const seconds: number[] = [];
  for (const wait of [500, 2_000, 3_500, 6_000, 9_500]) {
    line.fallSilent();
    await expect(page.getByTestId("connection")).toContainText("Hors ligne", { timeout: 12_000 });
    await page.getByTestId("item-12").click();
    await page.getByTestId("send").click();
    await expect(page.getByTestId("waiting")).toContainText("1 en attente");
    // At another moment of whatever the phone tries.
    await page.waitForTimeout(wait);
    line.heal();
    const begun = Date.now();
    await nothingWaits(page);
    await expect(sender.getByTestId("waiting")).toHaveCount(0);
    await expect(page.getByTestId("connection")).toContainText("En ligne", { timeout: 12_000 });
    seconds.push((Date.now() - begun) / 1000);
  }
  measured(`five returns after ${seconds.map((one) => one.toFixed(1)).join(", ")} s`);
  expect(Math.max(...seconds), "seconds").toBeLessThan(8);
  expect(await lines(page, base)).toBe(5);
});

test("an order typed in the seconds before a silence is noticed asks before it joins somebody else's table", async ({ device, line, till }, { project }) => {
  test.setTimeout(120_000);
  const table = project.name === "phone" ? 8 : 9;
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "alice", `/table/${table}`);
  await page.getByTestId("item-12").click();
  line.fallSilent();
  await expect(page.getByTestId("connection"), "as far as she can see").toContainText("En ligne");
  await page.getByTestId("send").click();
  await expect(page.getByTestId("connection")).toContainText("Hors ligne", { timeout: 12_000 });
  const [waiting] = await kept(page);
  expect(waiting?.ask.sync, "typed in touch with the house").toMatchObject({ if_occupied: "append", append_until: expect.any(String) });
  const bob = await device(undefined, { bypassCSP: true, baseURL: till.url });
  expect((await bob.context.request.post("/api/auth/login", { data: { username: "bob", pin: "1234" } })).status()).toBe(200);
  expect((await bob.context.request.post("/api/orders", { data: { table_id: table, items: [{ item_id: 57, qty: 1 }] } })).status()).toBe(201);
  await page.waitForTimeout(Math.max(0, Date.parse(String(waiting?.ask.sync.append_until)) - Date.now() + 1_100));
  line.heal();
  await expect(page.getByTestId("decide")).toBeVisible({ timeout: 12_000 });
  expect(await lines(page, table), "nothing joined Bob's guests").toBe(1);
  await page.getByTestId("decide").getByRole("link").click();
  await expect(page.getByRole("main")).toContainText("Bob");
});

test("a socket that carries nothing any more is noticed and replaced, and the dish that was ready meanwhile is listed", async ({ device, line }) => {
  test.setTimeout(120_000);
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "charlie");
  const request = page.request;
  const answer = await request.post("/api/orders", { data: { table_id: 20, items: [{ item_id: 12, qty: 1 }] } });
  const { order_id } = await answer.json();
  const { lines } = await (await request.get(`/api/orders/${order_id}`)).json();
  await expect.poll(() => line.deafenSockets()).toBe(1);
  await test.step("both ends believe that it is open", async () => {
    expect((await request.post(`/api/kitchen/lines/${lines.at(-1).line_id}`, { data: { state: "ready" } })).status()).toBe(200);
    await page.waitForTimeout(2_000);
    await expect(page.getByRole("region", { name: "Plats prêts" }).getByRole("article"), "it did not arrive").toHaveCount(0);
    await expect(page.getByTestId("connection")).toContainText("En ligne");
  });
  const begun = Date.now();
  await expect(page.getByRole("region", { name: "Plats prêts" }).getByRole("article")).toContainText("Magret de canard", { timeout: 45_000 });
  measured(`a deaf socket is replaced after ${((Date.now() - begun) / 1000 + 2).toFixed(1)} s`);
  await page.getByRole("button", { name: /^Pris/ }).click();
  await expect.poll(async () => (await request.get("/api/kitchen")).text(), { message: "the kitchen reads who comes" }).toContain('"seen_by":"Charlie"');
});

test("an order whose answer is lost is sent again, and is there once", async ({ device, line }, { project }) => {
  const table = project.name === "phone" ? 2 : 12;
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "alice");
  line.loseAnswers(SYNC, 1);
  await type(page, table);
  await page.getByTestId("send").click();
  await expect.poll(() => line.passed.filter(({ path }) => SYNC.test(path)).map(({ status }) => status), { timeout: 20_000 }).toEqual([201, 200]);
  await nothingWaits(page);
  expect(await kept(page)).toEqual([]);
  expect(await lines(page, table)).toBe(1);
});

test("a request that the network doubles has its effect once", async ({ device, line }, { project }) => {
  const table = project.name === "phone" ? 3 : 13;
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "alice");
  line.double(SYNC);
  await type(page, table);
  await page.getByTestId("send").click();
  await nothingWaits(page);
  await expect(page.getByTestId("line-state").first()).toHaveText(/reçu|en cuisine/);
  expect(line.passed.filter(({ path }) => SYNC.test(path)).map(({ status }) => status).sort()).toEqual([200, 201]);
  expect(await lines(page, table)).toBe(1);
});

test("what the till could not take is tried at once when the app comes back to the foreground", async ({ device, line }, { project }) => {
  const table = project.name === "phone" ? 7 : 17;
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "alice");
  line.answer(SYNC, 503, { type: "about:blank", title: "", status: 503, code: "database_unavailable", detail: "…" });
  await typeAndSend(page, table);
  await expect.poll(async () => (await kept(page)).map((record) => (record as unknown as { failures: number }).failures)).toEqual([1]);
  line.stopAnswering();
  await page.waitForTimeout(1_500);
  expect(await kept(page), "the next try is half a minute away").toHaveLength(1);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await nothingWaits(page);
  expect(await lines(page, table)).toBe(1);
});

test("a new version waits for a tap, never in the middle of an order, and the queue comes along", async ({ device, line }, { project }) => {
  test.setTimeout(120_000);
  const [kitchenTable, other] = project.name === "phone" ? [4, 5] : [14, 15];
  const phone = await device(undefined, { bypassCSP: true, baseURL: line.url });
  const page = await ready(phone, "alice");
  const second = await phone.newPage();
  await type(second, other);
  await test.step("an order waits, because the till cannot take it just now", async () => {
    line.answer(SYNC, 503, { type: "about:blank", title: "", status: 503, code: "database_unavailable", detail: "…" });
    await typeAndSend(page, kitchenTable);
    await page.goto("/plan");
    await expect(page.getByTestId("waiting")).toContainText("1 en attente");
  });
  await test.step("the server has another version of the app", async () => {
    line.rewrite(/^\/sw\.js$/, (text) => text.replace(/const CACHE = "comptoir-[^"]*/, (found) => `${found}-next`));
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await expect(page.getByTestId("update")).toContainText("Nouvelle version disponible");
    await expect(second.getByTestId("update"), "an order is being typed there").toHaveCount(0);
    await inspect(page, `42-nouvelle-version-${project.name}`);
    await page.evaluate(() => Object.assign(window, { before: true }));
    await second.evaluate(() => Object.assign(window, { before: true }));
    await page.waitForTimeout(500);
    expect(await page.evaluate(() => "before" in window), "nothing happens by itself").toBe(true);
  });
  await test.step("the person chooses the moment", async () => {
    // The worker of before ends what it is at, then the next one takes over.
    await page.getByTestId("update-now").click();
    await expect.poll(() => page.evaluate(() => "before" in window).catch(() => true), { timeout: 30_000 }).toBe(false);
    await expect.poll(() => page.evaluate(() => caches.keys())).toEqual([expect.stringMatching(/-next$/)]);
    await expect(page.getByTestId("waiting")).toContainText("1 en attente");
    expect(await kept(page)).toHaveLength(1);
  });
  await test.step("the other tab goes on with its order, and says so afterwards", async () => {
    expect(await second.evaluate(() => "before" in window), "not reloaded").toBe(true);
    await expect(second.getByTestId("line-12")).toBeVisible();
    await second.getByRole("link", { name: "Retour" }).click();
    await expect(second.getByTestId("update")).toContainText("dans un autre onglet");
    await second.getByTestId("update-now").click();
    await expect.poll(() => second.evaluate(() => "before" in window).catch(() => true), { timeout: 30_000 }).toBe(false);
    await expect(second.getByTestId("update")).toHaveCount(0);
    await second.goto(`/table/${other}`);
    await expect(second.getByTestId("line-12"), "what was typed is still typed").toBeVisible();
  });
  await test.step("the new version sends what the old one kept, once", async () => {
    line.stopAnswering();
    await page.reload();
    await expect.poll(() => lines(page, kitchenTable), { timeout: 20_000 }).toBe(1);
    await nothingWaits(page);
  });
});

test("an app that the server no longer understands is told so, and keeps its queue", async ({ device, line }, { project }) => {
  const table = project.name === "phone" ? 6 : 16;
  const page = await ready(await device(undefined, { bypassCSP: true, baseURL: line.url }), "alice");
  line.answer(SYNC, 426, { type: "about:blank", title: "", status: 426, code: "app_outdated", detail: "…" });
  await typeAndSend(page, table);
  await page.getByRole("link", { name: "Retour" }).click();
  await expect(page.getByTestId("update")).toContainText("trop ancienne");
  await expect(page.getByTestId("waiting")).toContainText("1 en attente");
  expect(await kept(page)).toHaveLength(1);
  await inspect(page, `43-trop-ancienne-${project.name}`);
  line.stopAnswering();
  await page.getByTestId("update-now").click();
  await expect.poll(() => lines(page, table), { timeout: 20_000 }).toBe(1);
  await nothingWaits(page);
  await expect(page.getByTestId("update")).toHaveCount(0);
});
