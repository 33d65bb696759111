// What the network costs when it is not there, on a processor slowed four times: until an order is kept, and until everything is sent when the
// network is back. That moment is when the phone itself hears of it; what is sent is sent when its badge is gone.

import type { Page } from "@playwright/test";
import { type Device, MOUNTED, NO_NETWORK, expect, signIn, test } from "../fixtures";
import { REFUSED, keepMany, linesAt } from "../keeping";
import { report, slowed } from "./figures";

test.use({ house: "bench-offline" });

const SENDINGS = 10;
const RETURNS = 5;
const TABLES = 20;

async function installed(device: Device) {
  device.announce(...NO_NETWORK, MOUNTED, REFUSED);
  const page = await device.newPage();
  await signIn(page, "alice");
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  // The tab that is measured is the one that sends.
  await page.close();
}

// Watches from inside the page: when the network came back, when nothing waits any more, and whatever kept the page busy meanwhile.
async function watch(page: Page) {
  await page.evaluate(() => {
    const seen = { online: 0, done: 0, tasks: [] as { at: number; ms: number }[] };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.tasks.push({ at: entry.startTime, ms: entry.duration });
    }).observe({ type: "longtask" });
    // Told by the badge itself: whoever asked in every frame would have the page drawn in every frame, too.
    const badge = document.querySelector(".connections")!;
    const gone = new MutationObserver(() => {
      if (seen.online && !seen.done && !badge.querySelector('[data-testid="waiting"]')) seen.done = performance.now();
    });
    gone.observe(badge, { childList: true });
    window.addEventListener("online", () => (seen.online = performance.now()));
  });
}

async function back(page: Page, timeout = 60_000) {
  await page.context().setOffline(false);
  await page.waitForFunction(() => (window as unknown as { seen: { done: number } }).seen.done > 0, undefined, { timeout });
  return page.evaluate(() => {
    const { online, done, tasks } = (window as unknown as { seen: { online: number; done: number; tasks: { at: number; ms: number }[] } }).seen;
    return { ms: done - online, tasks: tasks.filter(({ at, ms }) => at + ms >= online && at <= done).map(({ ms }) => ms) };
  });
}

test("without a network: from the tap on Envoyer until the order is kept", async ({ device }) => {
  const phone = await device();
  await installed(phone);
  // Each page is left while it still fetches the next ones ahead.
  phone.announce(/__wasm_split/, /WebAssembly compilation aborted/);
  const { context } = phone;
  const page = await slowed(context);
  await page.goto("/plan");
  await context.setOffline(true);
  const times: number[] = [];
  for (let table = 1; table <= SENDINGS; table++) {
    await page.goto(`/table/${table}`);
    await page.getByTestId("item-12").tap();
    await expect(page.getByTestId("line-12")).toBeVisible();
    const shown = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          document.addEventListener(
            "click",
            (event) => {
              const look = () => {
                if (document.querySelector('[data-testid="line-state"]')) setTimeout(() => resolve(performance.now() - event.timeStamp));
                else requestAnimationFrame(look);
              };
              requestAnimationFrame(look);
            },
            { capture: true, once: true },
          );
        }),
    );
    await page.getByTestId("send").tap();
    times.push(await shown);
  }
  report("offline send acknowledged on screen", times, 100);
});

interface Return {
  orders: number;
  // How often it is measured.
  times: number;
  limit: number;
}

for (const { orders, times, limit } of [
  { orders: 3, times: RETURNS, limit: 500 },
  { orders: 500, times: 1, limit: 10_000 },
] satisfies Return[]) {
  test(`the network is back: ${orders} orders`, async ({ device }) => {
    const phone = await device();
    await installed(phone);
    const { context } = phone;
    const page = await slowed(context);
    await page.goto("/plan");
    const dishes = async () => {
      const all = await Promise.all(Array.from({ length: TABLES }, (_, at) => linesAt(context.request, at + 1)));
      return all.flat().reduce((sum, { qty }) => sum + qty, 0);
    };
    const before = await dishes();
    const [took, longest]: [number[], number[]] = [[], []];
    for (let round = 0; round < times; round++) {
      await context.setOffline(true);
      await keepMany(page, orders, TABLES);
      // The next start finds them, as after a night in a drawer.
      await page.goto("/plan");
      await expect(page.getByTestId("waiting")).toContainText(`${orders} en attente`);
      await watch(page);
      const { ms, tasks } = await back(page, 120_000);
      took.push(ms);
      // Tasks of 50 ms or less are not reported by the browser.
      longest.push(Math.max(50 - 1, ...tasks));
    }
    expect((await dishes()) - before, "each once").toBe(orders * times);
    report(`${orders} kept orders synchronised after reconnection`, took, limit);
    report(`${orders} orders: the longest task meanwhile`, longest, 50);
  });
}
