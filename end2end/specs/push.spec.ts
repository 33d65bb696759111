// A phone that sleeps: the till pushes through a push service, the worker shows it, a tap opens the table. Chromium without its maker's servers has
// no push service, so the page is given an address at one of our own; the till, what it sends, the worker and what it shows are real.

import type { BrowserContext, CDPSession, Page } from "@playwright/test";
import { expect, inspect, phone, signIn, test } from "../fixtures";
import { Browser, PushService, sender } from "../push-service";
import { Till } from "../server";

test.use({ house: "push" });

const house = test.extend<object, { service: PushService; till: Till }>({
  service: [
    async ({}, use) => {
      const service = await PushService.start();
      await use(service);
      await service.stop();
    },
    { scope: "worker" },
  ],
  till: [
    async ({ service }, use) => {
      // As a house does it: a key made by the command, and where complaints go.
      const maker = await Till.open();
      const { stdout: key } = await maker.run("push-key");
      await maker.close();
      const till = await Till.open("", { VAPID_PRIVATE_KEY: key.trim(), VAPID_SUBJECT: "mailto:chef@example.com", PUSH_SERVICES: service.url, READY_COLLEAGUES_S: "0", READY_TILL_S: "5" });
      await use(till);
      await till.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

interface Asked {
  key?: string;
  visible?: boolean;
}

// What a browser's push service would do in the page: it gives an address and keys, for the key that the till names.
async function giveAddress(page: Page, browser: Browser) {
  await page.addInitScript((subscription) => {
    const asked: Asked = {};
    Object.assign(window, { asked });
    PushManager.prototype.subscribe = async (options) => {
      asked.key = options?.applicationServerKey as string;
      asked.visible = options?.userVisibleOnly;
      return { ...subscription, toJSON: () => subscription } as unknown as PushSubscription;
    };
  }, browser.subscription);
}

const asked = (page: Page) => page.evaluate(() => (window as unknown as { asked: Asked }).asked);

const notified = (page: Page) =>
  page.evaluate(async () => {
    const shown = await (await navigator.serviceWorker.ready).getNotifications();
    return shown.map(({ title, body, tag }) => ({ title, body, tag }));
  });

async function order(context: BrowserContext, table: number, dishes: number): Promise<number[]> {
  const items = Array.from({ length: dishes }, (_, i) => ({ dish_id: 12, qty: 1, note: `n° ${i + 1}` }));
  const answer = await context.request.post("/api/orders", { data: { table_id: table, items } });
  const { order_id: id } = (await answer.json()) as { order_id: number };
  const { lines } = (await (await context.request.get(`/api/orders/${id}`)).json()) as { lines: { line_id: number }[] };
  return lines.map((line) => line.line_id);
}

async function ready(context: BrowserContext, line: number) {
  expect((await context.request.post(`/api/kitchen/lines/${line}`, { data: { state: "ready" } })).status()).toBe(200);
}

// Hands a message to the worker as the browser does when its push service brings one.
async function deliver(session: CDPSession, origin: string, registrationId: string, data: string) {
  await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
}

house("a phone that is awake is not woken; one that sleeps is, and a tap opens the table", async ({ device, till, service }) => {
  const waiter = await device(phone);
  const { context } = waiter;
  await context.grantPermissions(["notifications"], { origin: till.url });
  const page = await context.newPage();
  const browser = new Browser(`${service.url}/push/charlie`);
  await giveAddress(page, browser);
  const session = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      if (registrations[0]) resolve(registrations[0].registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  // The page is told at once whether its wish was written down.
  const subscribed = page.waitForResponse((response) => response.url().endsWith("/call/push-subscribe"));
  await signIn(page, "charlie");
  expect((await subscribed).status()).toBe(200);
  expect(await asked(page)).toMatchObject({ visible: true, key: expect.stringMatching(/^[\w-]{87}$/) });
  await expect(page.getByTestId("connection")).toContainText("En ligne");

  const [first, second] = await order(context, 8, 2);
  await ready(context, first!);
  await expect(page.getByRole("region", { name: "Plats prêts" }).getByRole("article")).toHaveCount(1);
  // The page sleeps: what arrives at its socket is not heard. The browser's own freezing needs a display.
  await page.evaluate(() => {
    WebSocket.prototype.send = () => {};
  });
  await ready(context, second!);
  const letter = await service.next();
  expect(letter.headers.topic, "the first was heard, and is not pushed").toBe("dish-2");
  expect(letter.headers).toMatchObject({ "content-encoding": "aes128gcm", urgency: "high", ttl: "300" });
  const { claims, key } = sender(letter);
  expect(claims).toMatchObject({ aud: service.url, sub: "mailto:chef@example.com" });
  expect(key).toBe((await asked(page)).key);
  const message = browser.read(letter);
  expect(JSON.parse(message)).toEqual({ title: "Table 8 · prêt au passe", body: "Magret de canard", tag: "dish-2", url: "/table/8" });
  expect(service.count).toBe(0);

  const registration = await registered;
  await deliver(session, till.url, registration, message);
  const shown = [{ title: "Table 8 · prêt au passe", body: "Magret de canard", tag: "dish-2" }];
  await expect.poll(() => notified(page)).toEqual(shown);
  await deliver(session, till.url, registration, message);
  await expect.poll(() => notified(page), { message: "told twice is shown once" }).toEqual(shown);
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
  await expect.poll(() => notified(page)).toEqual([]);

  // A message that cannot be read still says that something waits.
  await deliver(session, till.url, registration, "not JSON");
  await expect.poll(() => notified(page)).toEqual([{ title: "Plat prêt", body: "Un plat attend au passe.", tag: "dish" }]);
});

house("nobody comes: the till is called, and sees whose table it is", async ({ device }) => {
  const [waiter, till] = [await device(phone), await device(phone)];
  const page = await till.newPage();
  await signIn(page, "camille");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  expect((await waiter.context.request.post("/api/auth/login", { data: { username: "bob", pin: "1234" } })).status()).toBe(200);
  const [line] = await order(waiter.context, 11, 1);
  await ready(waiter.context, line!);
  const card = page.getByRole("region", { name: "Plats prêts" }).getByRole("article").filter({ hasText: "Table 11" });
  await expect(card).toContainText("Personne n’est venu : table de Bob", { timeout: 20_000 });
  await inspect(page, "pass-urgent");
  await card.getByRole("button", { name: /^Pris/ }).tap();
  await expect(card).toHaveCount(0);
});

test("a house without a key asks no browser for an address", async ({ device, till }) => {
  const waiter = await device(phone);
  await waiter.context.grantPermissions(["notifications"], { origin: till.url });
  const page = await waiter.newPage();
  await giveAddress(page, new Browser("http://127.0.0.1:1/push"));
  const told = page.waitForResponse((response) => response.url().endsWith("/call/push-key"));
  await signIn(page, "alice");
  expect(await (await told).json()).toBeNull();
  expect((await asked(page)).key).toBeUndefined();
});
