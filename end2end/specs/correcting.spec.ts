// What comes after a payment: money goes back, a means was recorded wrongly, a note before, a bill on the house. Walked at both sizes.

import type { Page } from "@playwright/test";
import { euros, serve, share, tap } from "../bills";
import { expect, expectTouchable, inspect as look, signIn, test } from "../fixtures";

test.use({ house: "correcting" });

// Tables differ by project: one till serves both.
const tableOf = (project: string, phone: number, desktop: number) => (project === "phone" ? phone : desktop);

test("a payment in cash was a cheque, and half of it goes back", async ({ device }, { project }) => {
  test.setTimeout(120_000);
  const inspect = (page: Page, name: string) => look(page, `correcting-${name}-${project.name}`);
  const page = await (await device()).newPage();
  await signIn(page, "gerant");
  const order = await serve(page, { table: tableOf(project.name, 3, 7), items: [{ item_id: 12, qty: 2 }] }, 2);
  await page.goto(`/addition/${order}`);
  await tap(share(page, 1).getByTestId("pay-cash"));
  await tap(page.getByTestId("pay"));
  // «\u00a0Sans ticket\u00a0» is written down.
  const declined = page.waitForResponse((answer) => answer.url().endsWith("/call/decline-ticket"));
  await tap(page.getByTestId("paid-done"));
  expect((await declined).status()).toBe(200);

  await test.step("the means is corrected: the money does not move, the record does", async () => {
    await expect(share(page, 1)).toContainText("Espèces");
    await tap(share(page, 1).getByTestId("wrong-means"));
    await expect(page.getByTestId("correct-now")).toBeDisabled();
    await tap(page.getByTestId("really-CHEQUE"));
    await tap(page.getByRole("button", { name: "Erreur d’encaissement" }));
    await expectTouchable(page.getByTestId("really-CHEQUE"), page.getByTestId("correct-now"));
    await inspect(page, "01-moyen");
    await tap(page.getByTestId("correct-now"));
    await expect(share(page, 1)).toContainText("Chèque");
  });

  await test.step("half goes back by the same means, with a ticket of its own", async () => {
    await tap(share(page, 1).getByTestId("refund"));
    await expect(page.getByTestId("refund-form")).toContainText("Chèque");
    await page.getByTestId("refund-amount").fill("999");
    await page.getByTestId("correct-reason").fill("Plat froid");
    await expect(page.getByTestId("refund-now")).toBeDisabled();
    await page.getByTestId("refund-amount").fill("12,00");
    await inspect(page, "02-remboursement");
    await tap(page.getByTestId("refund-now"));
    await expect(page.getByTestId("refunded")).toContainText("remboursé");
    await inspect(page, "03-rembourse");
    await page.keyboard.press("Escape");
    await expect(share(page, 1)).toContainText(/remboursé 12,00/);
    await expect(page.getByTestId("remaining")).toHaveText(euros("24,00"));
  });
});

test("a card goes back only with the number of the terminal's ticket", async ({ device }, { project }) => {
  const page = await (await device()).newPage();
  await signIn(page, "gerant");
  const order = await serve(page, { table: tableOf(project.name, 2, 8), items: [{ item_id: 12, qty: 1 }] }, 1);
  await page.goto(`/addition/${order}`);
  await tap(share(page, 1).getByTestId("pay-card"));
  await tap(page.getByTestId("pay"));
  await tap(page.getByTestId("paid-done"));
  await tap(share(page, 1).getByTestId("refund"));
  await page.getByTestId("correct-reason").fill("Double paiement");
  await expect(page.getByTestId("refund-now")).toBeDisabled();
  await page.getByTestId("refund-code").fill("R123");
  await tap(page.getByTestId("refund-now"));
  await expect(page.getByTestId("refunded")).toBeVisible();
});

test("a note is written once for each opening, and says that it is none", async ({ device }, { project }) => {
  const page = await (await device()).newPage();
  await signIn(page, "camille");
  const order = await serve(page, { table: tableOf(project.name, 5, 9), items: [{ item_id: 12, qty: 1 }, { item_id: 34, qty: 1 }] }, 2);
  await page.goto(`/addition/${order}`);
  await tap(page.getByTestId("note"));
  await expect(page.getByTestId("note-text")).toContainText("provisoire");
  await expect(page.getByTestId("note-text")).toContainText("52,00");
  await expectTouchable(page.getByTestId("print-note"));
  await look(page, `correcting-04-note-${project.name}`);
  const first = await page.getByTestId("note-text").textContent();
  await page.keyboard.press("Escape");
  await tap(page.getByTestId("note"));
  await expect(page.getByTestId("note-text")).toBeVisible();
  expect(await page.getByTestId("note-text").textContent(), "a second note has a number of its own").not.toBe(first);
});

test("a bill on the house is closed with a ticket over nothing", async ({ device }, { project }) => {
  const page = await (await device()).newPage();
  await signIn(page, "camille");
  const order = await serve(page, { table: tableOf(project.name, 10, 11), items: [{ item_id: 12, qty: 1 }] }, 2);
  await page.goto(`/addition/${order}`);
  await tap(page.getByTestId("discount-bill"));
  await tap(page.getByTestId("percent-100"));
  await tap(page.getByRole("button", { name: "Geste commercial" }));
  await tap(page.getByTestId("discount-now"));
  await expect(page.getByTestId("free")).toContainText("Tout est offert");
  await expectTouchable(page.getByTestId("free-close"));
  await look(page, `correcting-05-offert-${project.name}`);
  await tap(page.getByTestId("free-close"));
  await expect(page.getByTestId("free-closed")).toContainText("Ticket");
  await tap(page.getByTestId("see-ticket"));
  await expect(page.getByText("Geste commercial").first()).toBeVisible();
});
