// What goes wrong is said in French, where it went wrong, and nobody gets where they may not go.

import { chooseName, expect, inspect, signIn, test } from "../fixtures";

test.use({ house: "errors" });

// The browser itself notes every refused call.
const REFUSED = /Failed to load resource: the server responded with a status of 4\d\d/;

test("a wrong code is said in French and can be typed again", async ({ device }, { project }) => {
  const browser = await device();
  browser.announce(REFUSED);
  const page = await browser.newPage();
  await page.goto("/connexion");
  await chooseName(page, "bob");
  await page.getByTestId("pin").fill("9999");
  await page.getByTestId("enter").click();
  await expect(page.getByRole("alert")).toContainText("Nom ou code incorrect.");
  await expect(page.getByTestId("pin")).toHaveValue("");
  await expect(page.getByTestId("pin")).toBeFocused();
  await inspect(page, `30-code-faux-${project.name}`);
  await page.getByTestId("pin").fill("1234");
  await page.getByTestId("enter").click();
  await expect(page).toHaveURL("/plan");
});

test("without a person there is only the way in, and then the way back", async ({ device }) => {
  const page = await (await device()).newPage();
  await page.goto("/cuisine");
  await expect(page).toHaveURL("/connexion?suite=/cuisine");
  await signIn(page, "charlie", "/cuisine");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Cuisine");
});

test("a waiter neither sees nor reaches the money", async ({ device }) => {
  const browser = await device();
  const page = await browser.newPage();
  await signIn(page, "alice");
  await expect(page.getByRole("navigation").getByRole("link")).toHaveText(["Plan", "Cuisine"]);
  await page.goto("/cloture");
  await expect(page.getByText("La clôture est réservée à la caisse.")).toBeVisible();
  await expect(page.getByTestId("close-day")).toHaveCount(0);
  await expect(page.getByTestId("verify-journal")).toHaveCount(0);

  const origin = new URL(page.url()).origin;
  for (const [method, url, data] of [
    ["POST", "/api/nf525/close", {}],
    ["POST", "/api/payments/split", { order_id: 1, cover_number: 1, amount: 1, method: "ESPECES" }],
    ["PUT", "/api/orders/1/split", { mode: "equal", parts: 2 }],
    ["GET", "/api/nf525/x", undefined],
    ["GET", "/api/nf525/verify", undefined],
    ["GET", "/api/nf525/tickets/1", undefined],
  ] as const) {
    const answer = await page.request.fetch(url, { method, data, headers: { origin } });
    expect(answer.status(), `${method} ${url}`).toBe(403);
    expect(await answer.json()).toMatchObject({ status: 403, code: "forbidden" });
  }
});

test("an auditor sees the journal and nothing else", async ({ device }) => {
  const page = await (await device()).newPage();
  await signIn(page, "audit", "/cloture");
  await expect(page.getByRole("navigation").getByRole("link")).toHaveText(["Clôture"]);
  await page.getByTestId("verify-journal").click();
  await expect(page.getByTestId("journal-outcome")).toContainText("Journal sain");
  await expect(page.getByTestId("close-day")).toHaveCount(0);
});

test("what does not exist is said, with the way back", async ({ device }) => {
  const browser = await device();
  browser.announce(REFUSED);
  const page = await browser.newPage();
  await signIn(page, "camille");
  for (const url of ["/table/999", "/addition/999999", "/ticket/999999", "/ticket/xyz", "/nulle-part"]) {
    await page.goto(url);
    await expect(page.getByRole("main"), url).toContainText(/n’existe pas|introuvable/i);
  }
});

test("signed out means gone", async ({ device }) => {
  const browser = await device();
  browser.announce(REFUSED);
  const page = await browser.newPage();
  await signIn(page, "alice");
  await expect(page.getByTestId("table-5")).toBeVisible();
  await page.locator("summary").click();
  await page.getByTestId("sign-out").click();
  await expect(page).toHaveURL(/\/connexion/);
  await page.goto("/plan");
  await expect(page).toHaveURL(/\/connexion/);
  expect(await page.evaluate(() => fetch("/api/tables").then((answer) => answer.status))).toBe(401);
});
