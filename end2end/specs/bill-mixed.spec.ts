// Scenario 2: a bill that is divided in every way, one after the other.

import type { Page } from "@playwright/test";
import { euros, serve, share, tap } from "../bills";
import { expect, inspect as look, signIn, test } from "../fixtures";

test.use({ house: "mixed", terminal: "approve" });

test("a mixed division: by items with a bottle by three, then by amounts, several shares at once, a discount", async ({ device }, { project }) => {
  test.setTimeout(180_000);
  const inspect = (page: Page, name: string) => look(page, `mixed-${name}-${project.name}`);
  const page = await (await device()).newPage();
  await signIn(page, "camille");
  const order = await serve(page, { table: 6, items: [{ item_id: 12, qty: 2 }, { item_id: 34, qty: 1 }] }, 3);
  await page.goto(`/addition/${order}`);
  await expect(page.getByTestId("remaining")).toHaveText(euros("76,00"));

  await test.step("lines are tapped onto shares, the bottle goes to all three, and a tap can be taken back", async () => {
    await tap(page.getByTestId("split-items"));
    await expect(page.getByTestId("unassigned")).toHaveText(euros("76,00"));
    const give = page.getByTestId(/^give-/);
    await tap(give.first());
    await tap(page.getByTestId("sort-share-2"));
    await tap(give.first());
    await tap(page.getByTestId(/^between-/).last());
    await expect(page.getByTestId("unassigned")).toHaveText(euros("0,00"));
    await expect(page.getByTestId("sort-share-1")).toContainText("33,34");
    await expect(page.getByTestId("sort-share-3")).toContainText("9,33");
    await tap(page.getByRole("button", { name: "Annuler le dernier geste" }));
    await expect(page.getByTestId("unassigned")).toHaveText(euros("28,00"));
    await tap(page.getByTestId(/^between-/).last());
    await inspect(page, "01-par-article");
    await tap(page.getByTestId("divide-now"));
    await expect(page.getByTestId(/^share-\d+$/)).toHaveCount(3);
    await expect(share(page, 1)).toContainText("33,34");
    await expect(share(page, 3)).toContainText("9,33");
    await expect(share(page, 3)).toContainText("1/3 Cahors");
    await inspect(page, "02-parts");
  });

  await test.step("one pays; the rest changes its mind and divides by amounts", async () => {
    await tap(share(page, 3).getByTestId("pay-card"));
    await tap(page.getByTestId("pay"));
    await tap(page.getByTestId("paid-done"));
    await expect(page.getByTestId("remaining")).toHaveText(euros("66,67"));
    await tap(page.getByTestId("split-amounts"));
    await page.getByTestId("amount-1").fill("20");
    await page.getByTestId("amount-2").fill("30,50");
    await expect(page.getByTestId("amounts-left")).toHaveText(euros("16,17"));
    await inspect(page, "03-par-montant");
    await tap(page.getByTestId("divide-now"));
    await expect(page.getByTestId(/^share-\d+$/)).toHaveCount(4);
    await expect(share(page, 3)).toContainText("réglée");
  });

  await test.step("ten per cent off what is not paid: every open share owes less, the paid one does not change", async () => {
    await tap(page.getByTestId("discount-bill"));
    await tap(page.getByTestId("percent-10"));
    await tap(page.getByRole("button", { name: "Attente trop longue" }));
    await expect(page.getByTestId("discount-off")).toHaveText(euros("-6,67"));
    await inspect(page, "04-remise");
    await tap(page.getByTestId("discount-now"));
    await expect(page.getByTestId("remaining")).toHaveText(euros("60,00"));
    await expect(share(page, 3)).toContainText("9,33");
  });

  await test.step("two shares are paid at once, the last one by itself", async () => {
    const open = page.getByTestId(/^share-\d+$/).filter({ hasText: "à payer" });
    await expect(open).toHaveCount(3);
    await tap(open.nth(0).getByTestId("pick"));
    await tap(open.nth(1).getByTestId("pick"));
    await expect(page.getByTestId("together")).toContainText("2 parts");
    await inspect(page, "05-ensemble");
    await tap(page.getByTestId("together-cash"));
    await tap(page.getByTestId("pay"));
    await tap(page.getByTestId("paid-done"));
    await expect(open).toHaveCount(1);
    await tap(open.getByTestId("pay-cash"));
    await tap(page.getByTestId("pay"));
    await tap(page.getByTestId("paid-done"));
    await expect(page.getByTestId("all-settled")).toBeVisible();
  });
});
