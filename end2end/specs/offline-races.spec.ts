// Two things at once, in the order that hurts: an answer that comes after what made it untrue.

import type { Page } from "@playwright/test";
import { chooseName, expect, test } from "../fixtures";
import { kept, linesAt, ready, type, written } from "../keeping";

test.use({ house: "offline-races" });

const base = (project: { name: string }) => (project.name === "phone" ? 0 : 10);

// From now on answers to this are held back until they are let through; what they say was so when they were asked.
async function hold(page: Page, path: string) {
  let [held, through]: [() => void, () => void] = [() => {}, () => {}];
  const [isHeld, letThrough] = [new Promise<void>((resolve) => (held = resolve)), new Promise<void>((resolve) => (through = resolve))];
  await page.route(path, async (route) => {
    const response = await route.fetch();
    held();
    await letThrough;
    await route.fulfill({ response });
  });
  return { isHeld, through };
}

// The page has done what it does with an answer that is there.
const settled = (page: Page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 200))));

test("who signs in is not sent away by an older answer that nobody is signed in", async ({ device }) => {
  const phone = await device();
  const page = await phone.newPage();
  const who = await hold(page, "**/call/who");
  await page.goto("/connexion?suite=/plan");
  await who.isHeld;
  await chooseName(page, "alice");
  await page.getByTestId("pin").fill("1234");
  await page.getByTestId("enter").click();
  await expect(page.getByTestId("table-5")).toBeVisible();
  const answered = page.waitForResponse("**/call/who");
  who.through();
  await (await answered).finished();
  await settled(page);
  await expect(page).toHaveURL("/plan");
});

test("orders that arrive after the sign-out are not kept on the phone", async ({ device }, { project }) => {
  const phone = await device();
  const page = await ready(phone, "alice");
  // In touch with the house it may be there before anybody could see that it was here.
  await type(page, base(project) + 1);
  await page.getByTestId("send").click();
  await expect(page.getByTestId("line-state").filter({ hasText: "reçu" })).not.toHaveCount(0);
  await expect(page.getByTestId("waiting")).toHaveCount(0);
  const orders = await hold(page, "**/call/own-orders");
  await page.goto("/plan");
  await orders.isHeld;
  await page.locator("summary").click();
  await page.getByTestId("sign-out").click();
  await expect(page).toHaveURL(/connexion/);
  const answered = page.waitForResponse("**/call/own-orders");
  orders.through();
  await (await answered).finished();
  await settled(page);
  expect(await written(page, "comptoir", "snapshots")).toEqual([]);
});

test("an order goes out although the till asked who this is and the answer to that was lost", async ({ device }, { project }) => {
  const table = base(project) + 2;
  const phone = await device();
  const page = await ready(phone, "alice");
  let [refused, lost] = [0, 0];
  await page.route("**/api/orders/sync", async (route) => {
    if (refused++ > 0) return route.fallback();
    await route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ status: 401, code: "not_signed_in" }) });
  });
  await page.route("**/call/who", (route) => (refused > 0 && lost++ === 0 ? route.abort() : route.fallback()));
  await page.goto(`/table/${table}`);
  await page.getByTestId("item-12").click();
  await page.getByTestId("send").click();
  await expect.poll(() => lost).toBeGreaterThan(0);
  await expect.poll(() => kept(page), { timeout: 20_000 }).toEqual([]);
  expect(await linesAt(page.request, table)).toHaveLength(1);
});
