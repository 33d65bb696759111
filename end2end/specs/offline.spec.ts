// No network, nothing lost, nothing twice: orders wait on the phone, outlive the tab, and go out by themselves.

import { expect, inspect, measured, signIn, test } from "../fixtures";
import { kept, lines, ready, typeAndSend, write } from "../keeping";

test.use({ house: "offline" });

test("three orders outlive the tab and the server, and go out by themselves, once", async ({ device, till }, { project }) => {
  test.setTimeout(180_000);
  const base = project.name === "phone" ? 0 : 10;
  const phone = await device();
  let page = await ready(phone, "alice");
  await test.step("the server is dead and the network cut", async () => {
    await till.kill();
    await phone.context.setOffline(true);
    await typeAndSend(page, base + 1);
    await expect(page.getByTestId("waiting")).toContainText("1 en attente");
  });
  await test.step("an order is acknowledged at once", async () => {
    await page.goto(`/table/${base + 2}`);
    await page.getByTestId("item-12").click();
    const ms = await page.evaluate(async () => {
      const begun = performance.now();
      (document.querySelector("[data-testid=send]") as HTMLElement).click();
      while (!document.querySelector("[data-testid=line-state]")) await new Promise(requestAnimationFrame);
      return performance.now() - begun;
    });
    measured(`offline, from the tap to "ici": ${ms.toFixed(0)} ms`);
    expect(ms).toBeLessThan(500);
    await typeAndSend(page, base + 3);
  });
  await test.step("the tab is closed and opened again, still without a network", async () => {
    await page.close();
    page = await phone.newPage();
    await page.goto("/plan");
    await expect(page.locator("html")).toHaveAttribute("data-render", "shell");
    await expect(page.getByTestId("waiting")).toContainText("3 en attente");
    await expect(page.getByTestId("connection")).toContainText("Hors ligne");
    await page.getByTestId("waiting").click();
    await expect(page.getByTestId("queued")).toHaveCount(3);
    await inspect(page, `40-en-attente-${project.name}`);
  });
  const before = await kept(page);
  await test.step("the network returns", async () => {
    await till.start();
    // The time of reconnection is when the phone hears that it is online; the server is up by then.
    await page.evaluate(() => window.addEventListener("online", () => performance.mark("online")));
    await phone.context.setOffline(false);
    await expect(page.getByTestId("waiting")).toHaveCount(0, { timeout: 20_000 });
    const ms = await page.evaluate(() => performance.now() - (performance.getEntriesByName("online")[0]?.startTime ?? 0));
    measured(`3 kept orders synchronised ${ms.toFixed(0)} ms after the network was back, as seen from outside`);
    expect(ms, "three orders within a second").toBeLessThan(1_000);
    for (const table of [1, 2, 3]) expect(await lines(page, base + table), `table ${table}`).toBe(1);
    expect(await kept(page)).toEqual([]);
  });
  await test.step("sent once more, they are the same orders", async () => {
    for (const { ask } of before) {
      const again = await page.request.post("/api/orders/sync", { data: ask.sync });
      expect(again.status()).toBe(200);
      expect(again.headers()["idempotent-replay"]).toBe("true");
    }
    for (const table of [1, 2, 3]) expect(await lines(page, base + table)).toBe(1);
  });
});

test("two tabs send each order once", async ({ device }, { project }) => {
  const base = project.name === "phone" ? 0 : 10;
  const phone = await device();
  const one = await ready(phone, "alice");
  const other = await phone.newPage();
  await other.goto("/plan");
  await expect(other.getByTestId("connection")).toContainText("En ligne");
  await phone.context.setOffline(true);
  await typeAndSend(one, base + 6);
  await typeAndSend(other, base + 7);
  await expect(one.getByTestId("waiting")).toContainText("2 en attente");
  await phone.context.setOffline(false);
  for (const page of [one, other]) await expect(page.getByTestId("waiting")).toHaveCount(0, { timeout: 20_000 });
  for (const table of [6, 7]) expect(await lines(one, base + table)).toBe(1);
});

test("a tab that does not send shows what the others keep, send and decide", async ({ device }, { project }) => {
  const table = project.name === "phone" ? 5 : 15;
  const phone = await device();
  const one = await ready(phone, "alice");
  const other = await phone.newPage();
  await other.goto("/en-attente");
  await expect(other.getByTestId("connection")).toContainText("En ligne");
  await test.step("kept in one, shown in the other", async () => {
    await phone.context.setOffline(true);
    await typeAndSend(one, table);
    await expect(other.getByTestId("queued")).toHaveCount(1);
    await expect(other.getByTestId("waiting")).toContainText("1 en attente");
  });
  await test.step("refused in one, a card in the other; decided there, over in the first", async () => {
    const bob = await device();
    expect((await bob.context.request.post("/api/auth/login", { data: { username: "bob", pin: "1234" } })).status()).toBe(200);
    expect((await bob.context.request.post("/api/orders", { data: { table_id: table, items: [{ item_id: 57, qty: 1 }] } })).status()).toBe(201);
    await phone.context.setOffline(false);
    for (const page of [one, other]) await expect(page.getByTestId("waiting")).toContainText("1 en attente");
    await expect(one.getByTestId("decide")).toBeVisible({ timeout: 20_000 });
    await expect(other.getByTestId("choice-append")).toBeVisible();
    await other.getByTestId("choice-append").click();
    for (const page of [one, other]) await expect(page.getByTestId("waiting")).toHaveCount(0, { timeout: 20_000 });
    await expect(other.getByTestId("queued")).toHaveCount(0);
    await expect(one.getByTestId("decide")).toHaveCount(0);
    expect(await lines(one, table)).toBe(2);
  });
  await test.step("what somebody else, such as the service worker, sent and forgot without a word is found out with the next reason to look", async () => {
    await phone.context.setOffline(true);
    await typeAndSend(one, table);
    await expect(other.getByTestId("waiting")).toContainText("1 en attente");
    await one.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const open = indexedDB.open("comptoir-queue");
          open.onsuccess = () => {
            const transaction = open.result.transaction("intents", "readwrite");
            transaction.objectStore("intents").clear();
            transaction.oncomplete = () => (open.result.close(), resolve());
          };
        }),
    );
    for (const page of [other, one]) {
      await page.evaluate(() => window.dispatchEvent(new Event("online")));
      await expect(page.getByTestId("waiting")).toHaveCount(0);
    }
    await phone.context.setOffline(false);
  });
});

test("a draft that two tabs show is sent by one of them", async ({ device }, { project }) => {
  const table = project.name === "phone" ? 4 : 14;
  const phone = await device();
  const one = await ready(phone, "alice", `/table/${table}`);
  await one.getByTestId("item-12").click();
  await expect(one.getByTestId("line-12")).toBeVisible();
  const other = await phone.newPage();
  await other.goto(`/table/${table}`);
  await expect(other.getByTestId("line-12"), "the same draft").toBeVisible();
  await other.getByTestId("item-57").click();
  await one.getByTestId("send").click();
  await expect(one.getByTestId("line-state").first()).toHaveText(/reçu|en cuisine/);
  await expect(other.getByTestId("line-12"), "sent is typed no more").toHaveCount(0);
  await expect(other.getByTestId("line-57"), "what was added here is").toBeVisible();
  await other.reload();
  await expect(other.getByTestId("line-57")).toBeVisible();
  await other.getByTestId("send").click();
  await expect.poll(() => lines(one, table)).toBe(2);
});

test("a session that ended keeps the orders and asks for the code", async ({ device }, { project }) => {
  const base = project.name === "phone" ? 0 : 10;
  const phone = await device();
  const page = await ready(phone, "alice");
  await phone.context.setOffline(true);
  await typeAndSend(page, base + 8);
  await phone.context.clearCookies();
  await phone.context.setOffline(false);
  await expect(page).toHaveURL(/connexion/, { timeout: 20_000 });
  expect(await kept(page)).toHaveLength(1);
  await signIn(page, "alice");
  await expect(page.getByTestId("waiting")).toHaveCount(0, { timeout: 20_000 });
  expect(await lines(page, base + 8)).toBe(1);
});

test("who signs out is warned of what was not sent", async ({ device }, { project }) => {
  const base = project.name === "phone" ? 0 : 10;
  const phone = await device();
  const page = await ready(phone, "alice");
  await page.goto(`/table/${base + 9}`);
  await page.getByTestId("item-12").click();
  await expect(page.getByTestId("line-12")).toBeVisible();
  await page.goto("/plan");
  await page.getByLabel("Compte").click();
  await page.getByTestId("sign-out").click();
  await expect(page.getByTestId("leave-warning")).toBeVisible();
  await page.getByTestId("sign-out").click();
  await expect(page).toHaveURL(/connexion/);
});

test("what the app from before had sent without an answer goes out under its old number", async ({ device }, { project }) => {
  const table = project.name === "phone" ? 10 : 20;
  const phone = await device();
  const page = await ready(phone, "alice");
  // As that app wrote it: a draft that holds what was sent. The server had taken it; only the answer was lost.
  const order = { table_id: table, items: [{ item_id: 12, qty: 1 }], uuid: "0197f5d0-1111-7000-8000-00000000000" + (table / 10), if_occupied: "append" };
  expect((await page.request.post("/api/orders", { data: order })).status()).toBe(201);
  const draft = { covers: null, lines: [], sending: order, uuid: null, last: null };
  await write(page, "comptoir", "drafts", { [String(table)]: JSON.stringify(draft) });
  await page.reload();
  await page.goto(`/table/${table}`);
  await expect(page.getByTestId("waiting")).toHaveCount(0, { timeout: 20_000 });
  await expect.poll(() => kept(page)).toEqual([]);
  expect(await lines(page, table), "taken once, not twice").toBe(1);
  await expect(page.getByTestId("decide")).toHaveCount(0);
});
