// Scenario 2: the terminal does not answer, is asked for its last ticket, and a person says how it ended.

import type { Page } from "@playwright/test";
import { REFUSED, euros, serve, share, tap } from "../bills";
import { expect, expectTouchable, inspect as look, signIn, test } from "../fixtures";

test.use({ house: "silent", terminal: "drop-after-request,approve" });

test("the terminal does not answer: the share is locked until a person has read its ticket", async ({ device }, { project }) => {
  test.setTimeout(180_000);
  const inspect = (page: Page, name: string) => look(page, `silent-${name}-${project.name}`);
  const own = await device();
  own.announce(REFUSED);
  const page = await own.newPage();
  await signIn(page, "camille");
  const order = await serve(page, { table: 4, items: [{ item_id: 12, qty: 1 }] }, 2);
  await page.goto(`/addition/${order}`);
  await tap(share(page, 1).getByTestId("pay-card"));
  await tap(page.getByTestId("pay"));
  await expect(page.getByTestId("terminal-silent")).toContainText("Le TPE ne répond pas");
  await expect(page.getByTestId("terminal-silent")).toContainText("Ne repassez pas la carte");
  await expect(page.getByTestId("resolve-now")).toBeDisabled();
  await expectTouchable(page.getByTestId("ask-terminal"), page.getByTestId("resolve-accepted"));
  await inspect(page, "01-sans-reponse");

  await test.step("whoever comes to the bill sees that the share is to be checked", async () => {
    await page.reload();
    await expect(share(page, 1)).toContainText("à vérifier");
    await expect(share(page, 1).getByTestId("pay-cash")).toHaveCount(0);
    await inspect(page, "02-part-a-verifier");
  });

  await test.step("the ticket says that it was accepted: booked once, with who and why", async () => {
    await tap(page.getByTestId("see-payment-1"));
    // The terminal is asked for its last ticket: it is this one, and yet nothing is decided before somebody says so.
    await tap(page.getByTestId("ask-terminal"));
    await expect(page.getByTestId("terminal-says")).toContainText("Son dernier ticket est celui de ce paiement");
    await expect(page.getByTestId("resolve-accepted")).toHaveAttribute("aria-pressed", "true");
    await expect(page.getByTestId("resolve-code")).toHaveValue("123456");
    await expect(page.getByTestId("resolve-now")).toBeDisabled();
    await page.getByTestId("resolve-amount").fill("99");
    await expect(page.getByTestId("resolve-amount")).toHaveAttribute("aria-invalid", "true");
    await page.getByTestId("resolve-amount").fill("");
    await tap(page.getByRole("button", { name: "Ticket du TPE lu" }));
    await inspect(page, "03-reponse");
    await tap(page.getByTestId("resolve-now"));
    await expect(page.getByText("C’est enregistré.")).toBeVisible();
    await expect(page.locator(".steps")).toContainText("Camille");
    await page.keyboard.press("Escape");
    await expect(share(page, 1)).toContainText("réglée");
    await expect(page.getByTestId("remaining")).toHaveText(euros("12,00"));
  });
});
