// The phone itself: it dies at the worst moment, is full, keeps nothing, changes hands, comes back with an older app, or has no page open.

import type { Page } from "@playwright/test";
import { expect, inspect, signIn, test } from "../fixtures";
import { kept, lines, linesAt, nothingWaits, ready, type, typeAndSend, write, written } from "../keeping";

test.use({ house: "offline-phone" });

// Counted apart in each project.
const base = (project: { name: string }) => (project.name === "phone" ? 0 : 10);

// The app dies as soon as it has asked for an order to be written down, or as soon as that is written: from then on it writes nothing,
// sends nothing and says nothing.
async function dieWhenKept(page: Page, when: "asked" | "written") {
  await page.evaluate((when) => {
    const put = IDBObjectStore.prototype.put;
    const die = () => {
      const dead = () => {
        throw new DOMException("dead", "UnknownError");
      };
      for (const method of ["put", "delete", "clear", "get", "getAll"] as const) IDBObjectStore.prototype[method] = dead;
      window.fetch = () => new Promise(() => {});
      BroadcastChannel.prototype.postMessage = () => {};
      document.documentElement.dataset.dead = "";
    };
    IDBObjectStore.prototype.put = function (...args) {
      const request = put.apply(this, args);
      if (this.name === "intents") {
        if (when === "written") this.transaction.addEventListener("complete", die);
        else (this.transaction.abort(), die());
      }
      return request;
    };
  }, when);
}

for (const when of ["asked", "written"] as const) {
  test(`an app that dies when an order was ${when} has it typed or kept, never both`, async ({ device }, { project }) => {
    const table = base(project) + (when === "asked" ? 1 : 2);
    const phone = await device();
    phone.announce(/pageerror|dead/);
    let page = await ready(phone, "alice");
    await phone.context.setOffline(true);
    await type(page, table);
    await dieWhenKept(page, when);
    await page.getByTestId("send").click();
    await expect(page.locator("html[data-dead]")).toHaveCount(1);
    await page.close();

    page = await phone.newPage();
    await page.goto(`/table/${table}`);
    await expect(page.getByTestId("item-12")).toBeVisible();
    if (when === "asked") {
      await expect(page.getByTestId("line-12"), "still typed").toBeVisible();
      expect(await kept(page)).toEqual([]);
      await page.getByTestId("send").click();
    }
    await expect(page.getByTestId("line-state").first()).toHaveText("ici");
    await expect(page.getByTestId("line-12"), "typed no more").toHaveCount(0);
    expect(await kept(page)).toHaveLength(1);
    await expect(page.getByTestId("send")).toBeDisabled();
    await phone.context.setOffline(false);
    await nothingWaits(page);
    expect(await lines(page, table)).toBe(1);
  });
}

test("a phone without room says so before an order is lost", async ({ device }, { project }) => {
  const table = base(project) + 3;
  const phone = await device();
  await phone.context.addInitScript(() => {
    // As browsers do it: the write is accepted, and the transaction fails at its end.
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...args) {
      const request = put.apply(this, args);
      if (localStorage.getItem("full")) this.transaction.abort();
      return request;
    };
  });
  const page = await ready(phone, "alice");
  await expect(page.getByTestId("keeps-nothing")).toHaveCount(0);
  await page.evaluate(() => localStorage.setItem("full", "yes"));
  await page.reload();
  await expect(page.getByTestId("keeps-nothing")).toContainText("ne garde rien");
  await inspect(page, `47-ne-garde-rien-${project.name}`);
  await page.getByTestId(`table-${table}`).click();
  await page.getByTestId("item-12").click();
  await expect(page.getByTestId("keeps-nothing"), "also while an order is typed").toBeVisible();
  await phone.context.setOffline(true);
  await expect(page.getByTestId("connection")).toContainText("Hors ligne");
  await page.getByTestId("send").click();
  await expect(page.getByRole("main")).toContainText("la commande reste sur cette page, ne la fermez pas");
  await expect(page.getByTestId("line-12"), "still typed, not said to be kept").toBeVisible();
  await expect(page.getByTestId("line-state")).toHaveCount(0);
  await inspect(page, `48-ne-peut-garder-${project.name}`);
  await phone.context.setOffline(false);
  await expect(page.getByTestId("connection")).toContainText("En ligne", { timeout: 20_000 });
  await page.getByTestId("send").click();
  await expect(page.getByTestId("line-state").first()).toHaveText(/reçu|en cuisine/);
  expect(await lines(page, table)).toBe(1);
});

test("a phone that keeps nothing at all works online and says so", async ({ device }, { project }) => {
  const table = base(project) + 4;
  const phone = await device();
  await phone.context.addInitScript(() => {
    Object.defineProperty(window, "indexedDB", { get: () => ({ open: () => { throw new DOMException("private", "SecurityError"); } }) });
  });
  const page = await ready(phone, "alice", `/table/${table}`);
  await expect(page.getByTestId("keeps-nothing")).toBeVisible();
  await page.getByTestId("item-12").click();
  await page.getByTestId("send").click();
  await expect(page.getByTestId("line-state").first()).toHaveText(/reçu|en cuisine/);
  expect(await lines(page, table)).toBe(1);
});

test("the queue of the build before is sent, and what a later build wrote is left alone", async ({ device }, { project }) => {
  const [table, other] = [base(project) + 5, base(project) + 6];
  const phone = await device();
  const page = await ready(phone, "alice");
  await phone.context.setOffline(true);
  const uuid = (n: number) => `0197f5d0-2222-7000-8000-0000000000${String(base(project) + n).padStart(2, "0")}`;
  // Word for word what that build wrote; `app/domain/tests/sync/previous` keeps it too.
  const first = `{"v":1,"uuid":"${uuid(1)}","seq":1,"user_id":1,"ask":{"sync":{"uuid":"${uuid(1)}","table_id":${table},"items":[{"item_id":12,"qty":1}],"offline_timestamp":"2026-11-25T20:41:00Z","total":24,"typed_by":1}},"state":"waiting","failures":2,"next_try":99999999999999,"last_error":"no network"}`;
  const second = `{"v":1,"uuid":"${uuid(2)}","seq":2,"user_id":1,"ask":{"plain":{"table_id":${other},"items":[{"item_id":57,"qty":2}],"uuid":"${uuid(2)}","if_occupied":"append"}},"state":"waiting","failures":0,"next_try":0,"last_error":null}`;
  const later = `{"v":2,"uuid":"${uuid(3)}","seq":3,"user_id":1,"ask":{"song":{}},"state":"waiting"}`;
  await write(page, "comptoir-queue", "intents", { [uuid(1)]: first, [uuid(2)]: second, [uuid(3)]: later });
  await page.reload();
  await expect(page.getByTestId("waiting")).toContainText("3 en attente");
  await phone.context.setOffline(false);
  await expect.poll(() => lines(page, table), { timeout: 20_000 }).toBe(1);
  await expect.poll(async () => (await linesAt(page.request, other)).map(({ qty }) => qty)).toEqual([2]);
  await page.goto("/en-attente");
  await expect(page.getByRole("main")).toContainText("autre version de l’application");
  await inspect(page, `49-autre-version-${project.name}`);
  expect(await written(page, "comptoir-queue", "intents")).toEqual([later]);
});

test("who signs out with orders on the phone is warned; they stay for that person, and then everything is cleared", async ({ device }, { project }) => {
  test.setTimeout(90_000);
  const table = base(project) + 7;
  const phone = await device();
  const page = await ready(phone, "alice");
  await page.route("**/api/orders/sync", (route) => route.fulfill({ status: 503, json: { status: 503, code: "database_unavailable", detail: "…", title: "", type: "about:blank" } }));
  await typeAndSend(page, table);
  await page.goto("/plan");
  const signOut = async () => {
    await page.getByLabel("Compte").click();
    await page.getByTestId("sign-out").click();
  };
  await signOut();
  await expect(page.getByTestId("leave-warning")).toContainText("Elles restent sur ce téléphone");
  await inspect(page, `50-deconnexion-${project.name}`);
  await page.getByTestId("sign-out").click();
  await expect(page).toHaveURL(/connexion/);
  expect(await kept(page)).toHaveLength(1);
  expect(await written(page, "comptoir", "snapshots"), "what is only a memory is gone").toEqual([]);

  await test.step("nobody else sends it", async () => {
    await page.unroute("**/api/orders/sync");
    await signIn(page, "bob");
    await expect(page.getByTestId("waiting")).toContainText("1 en attente");
    await page.getByTestId("waiting").click();
    await expect(page.getByTestId("queued")).toContainText("attend la personne qui l’a prise");
    expect(await lines(page, table)).toBe(0);
    await signOut();
    await page.getByTestId("sign-out").click();
    await expect(page).toHaveURL(/connexion/);
  });
  await signIn(page, "alice");
  await nothingWaits(page);
  expect(await lines(page, table)).toBe(1);
  await expect.poll(() => kept(page)).toEqual([]);
  await signOut();
  await expect(page).toHaveURL(/connexion/);
  for (const [database, store] of [["comptoir", "snapshots"], ["comptoir-queue", "drafts"], ["comptoir-queue", "intents"]] as const) {
    await expect.poll(() => written(page, database, store), `${store} is empty`).toEqual([]);
  }
});

test("without a network, a phone remembers who works for a day and no longer", async ({ device }) => {
  const phone = await device();
  const page = await ready(phone, "alice");
  await phone.context.setOffline(true);
  await page.reload();
  await page.getByLabel("Compte").click();
  await expect(page.getByTestId("who")).toHaveText("Alice");
  const [who] = (await written(page, "comptoir", "snapshots")).filter((text) => text.includes('"until"'));
  const remembered = JSON.parse(who!);
  expect(remembered.until - Date.now() / 1000).toBeLessThan(16 * 3600 + 60);
  await write(page, "comptoir", "snapshots", { who: JSON.stringify({ ...remembered, until: Math.floor(Date.now() / 1000) - 1 }) });
  await page.reload();
  await expect(page).toHaveURL(/connexion/);
  await expect(page.getByRole("main")).toContainText("Sans réseau, personne ne peut se connecter");
});

test("after a cold start every table of hers is there, also one that this phone never opened, and the wine that goes with it", async ({ device, till }, { project }) => {
  test.setTimeout(90_000);
  const table = base(project) + 10;
  const phone = await device();
  let page = await ready(phone, "alice");
  const placed = await page.request.post("/api/orders", { data: { table_id: table, items: [{ item_id: 57, qty: 2 }] } });
  const { order_id } = await placed.json();
  await expect
    .poll(async () => (await written(page, "comptoir", "snapshots")).some((text) => JSON.parse(text).order_id === order_id), { timeout: 20_000 })
    .toBe(true);
  await page.close();
  await till.kill();
  await phone.context.setOffline(true);
  page = await phone.newPage();
  await page.goto("/plan");
  const there = page.getByTestId(`table-${table}`);
  await expect(page.getByTestId("table-1")).toBeVisible();
  if (!(await there.isVisible())) await page.getByRole("button", { name: "Terrasse" }).click();
  await there.click();
  await expect(page.getByTestId("total")).toHaveText(/10,00/);
  if (project.name === "phone") await page.getByTestId("unfold").click();
  await expect(page.getByTestId("sent-course-2")).toContainText("Frites maison");
  await page.getByTestId("item-12").click();
  await expect(page.getByTestId("wine-chip")).toContainText("Cahors");
  await page.getByTestId("send").click();
  await expect(page.getByTestId("total"), "what waits is counted").toHaveText(/34,00/);
  await inspect(page, `54-ici-${project.name}`);
  await till.start();
  await phone.context.setOffline(false);
  await nothingWaits(page);
  expect((await linesAt(page.request, table)).map(({ round }) => round)).toEqual([1, 2]);
});

test("what needs the network says so in words", async ({ device }, { project }) => {
  const phone = await device();
  const page = await ready(phone, "camille");
  await page.goto("/cloture");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  await phone.context.setOffline(true);
  for (const [path, name] of [["/addition/1", "addition"], ["/ticket/1", "ticket"], ["/cloture", "cloture"]] as const) {
    await page.goto(path);
    await expect(page.getByRole("main"), path).toContainText("Cette page a besoin du réseau");
    await inspect(page, `51-sans-reseau-${name}-${project.name}`);
  }
});

test("with every page closed, the browser sends what waits", async ({ device, till }, { project }) => {
  const table = base(project) + 8;
  const phone = await device();
  const page = await ready(phone, "alice");
  // Another page of this browser, to watch from: it is no page of the app.
  const watch = await phone.newPage();
  const devtools = await phone.context.newCDPSession(watch);
  const registrations: { registrationId: string; scopeURL: string }[] = [];
  devtools.on("ServiceWorker.workerRegistrationUpdated", (event) => registrations.push(...event.registrations));
  await devtools.send("ServiceWorker.enable");
  await phone.context.setOffline(true);
  await typeAndSend(page, table);
  const { cookies } = await phone.context.storageState();
  expect(cookies.length).toBeGreaterThan(0);
  await page.close();
  await phone.context.setOffline(false);
  await expect.poll(() => registrations.length).toBeGreaterThan(0);
  const registrationId = registrations.find(({ scopeURL }) => scopeURL.startsWith(till.url))!.registrationId;
  await devtools.send("ServiceWorker.dispatchSyncEvent", { origin: till.url, registrationId, tag: "comptoir-queue", lastChance: false });
  await expect.poll(async () => (await linesAt(phone.context.request, table)).length, { timeout: 15_000 }).toBe(1);

  const again = await phone.newPage();
  await again.goto("/plan");
  await expect(again.getByTestId("connection")).toContainText("En ligne");
  await expect(again.getByTestId("waiting")).toHaveCount(0);
  expect(await kept(again)).toEqual([]);
  expect(await lines(again, table)).toBe(1);
});

test("before the day is closed the till says which phones keep orders, and which fell silent", async ({ device }, { project }) => {
  test.setTimeout(120_000);
  const table = base(project) + 9;
  const phone = await device();
  const page = await ready(phone, "charlie");
  const camille = await ready(await device(), "camille", "/cloture");
  await phone.context.setOffline(true);
  await typeAndSend(page, table);
  const bob = (await ready(await device(), "bob")).request;
  await bob.post("/api/orders", { data: { table_id: table, items: [{ item_id: 71, qty: 1 }] } });
  await phone.context.setOffline(false);
  await expect(page.getByTestId("decide")).toBeVisible({ timeout: 20_000 });
  const device1 = camille.getByTestId("device").filter({ hasText: "Charlie" });
  await camille.reload();
  await expect(async () => {
    await camille.reload();
    await expect(camille.getByTestId("missing-orders")).toContainText("Téléphone de Charlie : 1 commande non reçue", { timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await expect(device1.first()).toContainText("1 commande non reçue");
  await inspect(camille, `52-telephones-${project.name}`);
  await page.goto("/en-attente");
  await page.getByTestId("choice-append").click();
  await nothingWaits(page);
  await expect(async () => {
    await camille.reload();
    await expect(device1.first()).toContainText("rien en attente", { timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await expect(camille.getByTestId("missing-orders").filter({ hasText: "Charlie" })).toHaveCount(0);

  await test.step("silence, as the till would tell it after three minutes", async () => {
    await camille.route("**/call/devices", async (route) => {
      const answer = await route.fetch();
      const view = await answer.json();
      for (const device of view.devices) if (device.user_name === "Charlie") device.silent = true;
      await route.fulfill({ json: view });
    });
    await camille.reload();
    await expect(camille.getByTestId("silent-phones")).toContainText("Téléphone de Charlie : pas vu depuis");
    await inspect(camille, `53-telephone-silencieux-${project.name}`);
  });
});
