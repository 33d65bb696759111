// The app on a phone's home screen: it starts, shows plan and menu and takes an order with no network at all, after a cold start.

import { MOUNTED, NO_NETWORK, expect, inspect, measured, signIn, test } from "../fixtures";

test.use({ house: "installable" });

test("online, the page that the server rendered comes alive", async ({ device }) => {
  const page = await (await device()).newPage();
  await signIn(page, "alice");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-render", "page");
  await expect(page.getByTestId("table-5")).toBeVisible();
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await page.getByTestId("table-5").click();
  await expect(page.getByTestId("item-12")).toBeVisible();
  expect(await page.evaluate(() => "sameDocument" in window), "no page was loaded").toBe(true);
});

test("it can be installed", async ({ device }) => {
  const page = await (await device()).newPage();
  await page.goto("/connexion");
  const address = await page.locator('link[rel="manifest"]').getAttribute("href");
  const answer = await page.request.get(address ?? "");
  expect(answer.headers()["content-type"]).toContain("application/manifest+json");
  const manifest = await answer.json();
  expect(manifest).toMatchObject({ name: "Comptoir", start_url: "/plan", scope: "/", display: "standalone", lang: "fr" });

  for (const icon of manifest.icons as { src: string; sizes: string; type: string }[]) {
    const served = await page.request.get(icon.src);
    expect(served.status(), icon.src).toBe(200);
    expect(served.headers()["content-type"], icon.src).toBe(icon.type);
    const size = await page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, icon.src);
    if (icon.sizes !== "any") expect(size, icon.src).toBe(icon.sizes);
  }
  const kinds = (manifest.icons as { sizes: string; purpose?: string }[]).map(({ sizes, purpose }) => `${sizes} ${purpose ?? "any"}`);
  expect(kinds).toEqual(expect.arrayContaining(["192x192 any", "512x512 any", "512x512 maskable"]));
  expect(await page.locator('link[rel="apple-touch-icon"]').getAttribute("href")).toBeTruthy();

  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
});

test("without a network, after a cold start, the service goes on", async ({ device, till }) => {
  test.setTimeout(180_000);
  const phone = await device();
  await test.step("online once: plan, menu, and something typed for table 7", async () => {
    const page = await phone.newPage();
    await signIn(page, "alice");
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
    await page.getByTestId("table-7").click();
    await page.getByTestId("item-12").click();
    await expect(page.getByTestId("line-12")).toBeVisible();
    await page.reload();
    await expect(page.getByTestId("line-12"), "what was typed outlives a reload").toBeVisible();
  });

  await test.step("every tab closed, the server dead, the network cut", async () => {
    phone.announce(...NO_NETWORK, MOUNTED);
    for (const page of phone.context.pages()) await page.close();
    await till.kill();
    await phone.context.setOffline(true);
  });

  const page = await phone.newPage();
  await test.step("the service worker answers with the shell, and the phone knows plan and menu", async () => {
    const begun = Date.now();
    const answer = await page.goto("/plan");
    expect(answer?.fromServiceWorker()).toBe(true);
    await expect(page.locator("html")).toHaveAttribute("data-render", "shell");
    await expect(page.getByTestId("table-5")).toBeVisible();
    const seconds = (Date.now() - begun) / 1000;
    expect(seconds, "the plan is there within two seconds").toBeLessThan(2);
    measured(`cold start without a network: plan after ${seconds.toFixed(2)} s`);
    await expect(page.getByTestId("connection")).toContainText("Hors ligne");
    await expect(page.getByTestId("table-7")).toContainText("à envoyer");
    await inspect(page, "20-hors-ligne-plan");
  });

  await test.step("pages follow each other without loading anything", async () => {
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    await page.getByTestId("table-7").click();
    await expect(page.getByTestId("line-12"), "what was typed outlives the cold start").toBeVisible();
    await expect(page.getByTestId("item-12")).toBeVisible();
    expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
  });

  await test.step("what is typed now outlives a reload, too", async () => {
    await page.getByTestId("wine-chip").click();
    await expect(page.getByTestId("total")).toHaveText(/52,00/);
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("data-render", "shell");
    await expect(page.getByTestId("total")).toHaveText(/52,00/);
    await page.getByTestId("send").click();
    await expect(page.getByTestId("line-state").first()).toHaveText("ici");
    await inspect(page, "21-hors-ligne-commande");
  });

  await test.step("the network returns and the order goes out, once", async () => {
    await till.start();
    await phone.context.setOffline(false);
    await expect(page.getByTestId("connection")).toContainText("En ligne", { timeout: 45_000 });
    // By itself: nobody taps anything.
    await expect(page.getByTestId("line-state")).toHaveText([/reçu|en cuisine/, /reçu|en cuisine/]);
    await page.goto("/plan");
    await expect(page.getByTestId("table-7")).toContainText(/52,00/);
  });
});
