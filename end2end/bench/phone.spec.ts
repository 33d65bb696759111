// How it feels on a cheap phone: everything here happens on a processor slowed four times.
//
// Cold start: from the moment the address is asked for until a table can be tapped. Tap: from the finger, as the browser dates it, until the
// frame with the new line is painted (Event Timing).

import type { Page } from "@playwright/test";
import { expect, signIn, test } from "../fixtures";
import { report, slowed } from "./figures";

const STARTS = 5;
const TAPS = 30;

// Dates the first frame in which a table is there. Tables come from the app, not from the server's page: whoever sees one can tap it.
async function untilPlan(page: Page): Promise<number> {
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector('[data-testid="table-5"]')) Object.assign(window, { planAt: performance.now() });
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto("/plan", { waitUntil: "commit" });
  const at = await page.waitForFunction(() => (window as unknown as { planAt?: number }).planAt, undefined, { timeout: 60_000 });
  return (await at.jsonValue()) ?? Number.NaN;
}

test("cold start: a phone that has never seen us", async ({ browser, device, till }) => {
  const cookies = await (async () => {
    const { context } = await device();
    await signIn(await context.newPage(), "alice");
    return context.cookies();
  })();
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const context = await browser.newContext({ baseURL: till.url, locale: "fr-FR", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    await context.addCookies(cookies);
    const page = await slowed(context);
    times.push(await untilPlan(page));
    await page.getByTestId("table-5").tap();
    await expect(page.getByTestId("item-12"), "the plan was alive").toBeVisible();
    await context.close();
  }
  report("plan interactive, nothing on the phone", times, 1500);
});

test("cold start: an installed app", async ({ device }) => {
  const { context } = await device();
  const first = await context.newPage();
  await signIn(first, "alice");
  await first.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
  await first.close();
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const page = await slowed(context);
    times.push(await untilPlan(page));
    await page.close();
  }
  report("plan interactive, installed before", times, 1500);
});

test("tap: a dish is on the order", async ({ device }) => {
  const { context } = await device();
  await signIn(await context.newPage(), "alice");
  const page = await slowed(context);
  await page.goto("/table/5");
  const tiles = page.locator('[data-testid^="item-"]:not([disabled])');
  await expect(tiles.first()).toBeVisible();
  // Not the first one: code that runs for the first time is compiled for the first time, on every phone once.
  await page.getByTestId("item-12").tap();
  await expect(page.getByTestId("line-12")).toHaveCount(1);
  await page.evaluate(() => {
    const taps: number[] = [];
    Object.assign(window, { taps });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === "click") taps.push(entry.duration);
    }).observe({ type: "event", durationThreshold: 16, buffered: false } as PerformanceObserverInit);
  });
  const painted: number[] = [];
  for (let i = 0; i < TAPS; i++) {
    const seen = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          document.addEventListener(
            "click",
            (event) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - event.timeStamp))),
            { capture: true, once: true },
          );
        }),
    );
    await page.getByTestId("item-12").tap();
    painted.push(await seen);
  }
  const count = await page.getByTestId("item-12").textContent();
  expect(count, "every tap counted").toContain(String(TAPS + 1));
  // Taps of one frame or less are not reported by the browser: they count as one frame.
  const reported = await page.evaluate(() => (window as unknown as { taps: number[] }).taps);
  const all = [...reported, ...Array<number>(Math.max(0, TAPS - reported.length)).fill(16)];
  report("tap to visible, as the browser dates it", all, 50);
  report("tap to visible, next frame after it", painted, 50);
});
