// Scenario 2: the reference table, four covers. The terminal is a real one on a real socket, told how to behave; in training, as every screen says.
// Walked at both sizes. A terminal answers by a list, so each story has a file, a till and a terminal of its own: it can be played alone, and again.

import type { Page } from "@playwright/test";
import { REFUSED, euros, serve, share, tap } from "../bills";
import { expect, expectTouchable, inspect as look, signIn, test } from "../fixtures";

test.use({ house: "reference", terminal: "decline,approve" });

test("the reference table: four covers, one card refused and then paid, closed by itself", async ({ device }, { project }) => {
  test.setTimeout(180_000);
  const inspect = (page: Page, name: string) => look(page, `bill-${name}-${project.name}`);
  const own = await device();
  own.announce(REFUSED);
  const page = await own.newPage();
  await signIn(page, "camille");
  const order = await serve(page, {
    table: 12,
    items: [
      { dish_id: 12, qty: 1 },
      { wine_id: 34, qty: 1 },
      { dish_id: 11, qty: 1, options: [{ group: "Cuisson", choice: "Saignant" }] },
      { dish_id: 6, qty: 1 },
      { dish_id: 1, qty: 1 },
    ],
  });
  await page.goto(`/addition/${order}`);
  await expect(page.getByText("FORMATION").first()).toBeVisible();
  await expect(page.getByTestId("remaining")).toHaveText(euros("102,00"));
  await expect(page.getByTestId(/^share-\d+$/)).toHaveCount(4);
  for (const number of [1, 2, 3, 4]) await expect(share(page, number)).toContainText("25,50");
  await expectTouchable(share(page, 1).getByTestId("pay-card"), share(page, 1).getByTestId("pay-cash"), page.getByTestId("split-items"));
  await inspect(page, "01-parts");

  await test.step("the first card is refused: nothing was taken, the share is as it was", async () => {
    await tap(share(page, 1).getByTestId("pay-card"));
    await expect(page.getByTestId("due")).toHaveText(euros("25,50"));
    await inspect(page, "02-carte");
    await tap(page.getByTestId("pay"));
    await expect(page.getByTestId("terminal-declined")).toContainText("Carte refusée");
    await inspect(page, "03-refusee");
    await expect(page.getByTestId("remaining")).toHaveText(euros("102,00"));
  });

  await test.step("the second try is approved: 3/4 and 76.50", async () => {
    await tap(page.getByTestId("terminal-again"));
    await tap(page.getByTestId("pay"));
    await expect(page.getByTestId("paid")).toContainText("Encaissé");
    // From 25 euros on the note is due: it is what is proposed, and doing without is the guest's refusal.
    await expect(page.getByTestId("paid")).toContainText("la note est due");
    await expect(page.getByTestId("see-ticket")).toHaveClass(/primary/);
    await expect(page.getByTestId("paid-done")).toHaveText("Il la refuse");
    await inspect(page, "04-acceptee");
    await tap(page.getByTestId("paid-done"));
    await expect(share(page, 1)).toContainText("réglée");
    await expect(page.getByTestId("remaining")).toHaveText(euros("76,50"));
    await expect(page.getByTestId("shares-left")).toHaveText(/3\s\/\s4/);
  });

  await test.step("cash, a cheque with a tip, vouchers with the rest in cash: closed by itself at 4/4", async () => {
    await tap(share(page, 2).getByTestId("pay-cash"));
    await page.getByTestId("tendered").fill("30,50");
    await expect(page.getByTestId("change")).toHaveText(euros("5,00"));
    await tap(page.getByTestId("pay"));
    await expect(page.getByTestId("change")).toHaveText(euros("5,00"));
    await tap(page.getByTestId("paid-done"));

    await tap(share(page, 3).getByTestId("pay-cash"));
    await tap(page.getByTestId("means-CHEQUE"));
    await tap(page.getByTestId("extras"));
    await page.getByTestId("tip").fill("2,50");
    await expect(page.getByTestId("due")).toHaveText(euros("28,00"));
    await inspect(page, "05-cheque-pourboire");
    await tap(page.getByTestId("pay"));
    await tap(page.getByTestId("paid-done"));
    await expect(share(page, 3)).toContainText("Chèque");
    await expect(share(page, 3)).toContainText("pourboire");

    await tap(share(page, 4).getByTestId("pay-cash"));
    await tap(page.getByTestId("means-TR"));
    await expect(page.getByText("Plus de 25,00")).toBeVisible();
    await tap(page.getByTestId("extras"));
    await page.getByTestId("part").fill("25");
    await expect(page.getByText("Plus de 25,00")).toBeHidden();
    await inspect(page, "06-titre-restaurant");
    await tap(page.getByTestId("pay"));
    await tap(page.getByTestId("paid-done"));
    await expect(page.getByTestId("remaining")).toHaveText(euros("0,50"));
    await tap(share(page, 5).getByTestId("pay-cash"));
    await tap(page.getByTestId("pay"));
    await expect(page.getByTestId("paid")).toBeVisible();
    await tap(page.getByTestId("paid-done"));
    await expect(page.getByTestId("all-settled")).toBeVisible();
    await expect(page.getByTestId("remaining")).toHaveText(euros("0,00"));
    await inspect(page, "07-soldee");
  });
});
