// The morning after a long night without a network.

import { expect, test } from "../fixtures";
import { keepMany, kept, linesAt, nothingWaits, ready } from "../keeping";

test.use({ house: "offline-many" });

test("a hundred orders go out one after the other, also when the app is closed in the middle, each once", async ({ device }) => {
  const [many, tables] = [120, 20];
  const phone = await device();
  const { context } = phone;
  let page = await ready(phone, "alice");
  const count = async () => {
    const all = await Promise.all(Array.from({ length: tables }, (_, at) => linesAt(context.request, at + 1)));
    return all.flat().length;
  };
  const before = await count();
  await context.setOffline(true);
  await keepMany(page, many, tables);
  await page.goto("/en-attente");
  await expect(page.getByTestId("waiting")).toContainText(`${many} en attente`);
  await expect(page.getByTestId("queued"), "more is nobody's to read").toHaveCount(60);

  await context.setOffline(false);
  await page.waitForFunction((many) => Number(document.querySelector('[data-testid="waiting"] .number')?.textContent) < many - 10, many);
  await page.close();
  page = await phone.newPage();
  await page.goto("/en-attente");
  await nothingWaits(page);
  await expect(page.getByTestId("queued")).toHaveCount(0);
  expect((await count()) - before).toBe(many);
  await expect.poll(async () => (await kept(page)).length, "what the till has is forgotten").toBe(0);
});
