// Money that a terminal took for nobody: it is marked, nothing is closed before, and a person says what becomes of it.

import type { Page } from "@playwright/test";
import { REFUSED, serve, share, tap } from "../bills";
import { expect, expectTouchable, inspect as look, signIn, test } from "../fixtures";

test.use({ house: "strays", terminal: "wrong-echo,wrong-echo,approve" });

test("money that no payment explains is marked, and attached to a share or given back", async ({ device }, { project }) => {
  test.setTimeout(180_000);
  const inspect = (page: Page, name: string) => look(page, `doubts-${name}-${project.name}`);
  const own = await device();
  own.announce(REFUSED);
  const page = await own.newPage();
  await signIn(page, "camille");
  await expect(page.getByTestId("table-4")).toBeVisible();
  await expect(page.getByTestId("money-mark")).toHaveCount(0);
  const order = await serve(page, { table: 4, items: [{ item_id: 12, qty: 2 }] }, 2);
  for (const number of [1, 2]) {
    const data = { order_id: order, cover_number: number, amount: 24, method: "CB" };
    expect((await page.request.post("/api/payments/split", { data })).status()).toBe(504);
  }

  await test.step("the plan and the closing page say that money waits, and nothing is closed", async () => {
    await expect(page.getByTestId("money-mark")).toContainText("4 sommes à vérifier");
    await expectTouchable(page.getByTestId("money-mark"));
    await inspect(page, "01-plan");
    await page.goto("/cloture");
    await expect(page.getByTestId("money-mark")).toContainText("4 sommes");
    expect((await page.request.post("/api/nf525/close", { data: {} })).status()).toBe(409);
    await tap(page.getByTestId("money-mark"));
    await expect(page).toHaveURL("/a-verifier");
    await expect(page.getByTestId(/^doubt-stray-/)).toHaveCount(2);
    await expect(page.getByTestId(/^doubt-payment-/)).toHaveCount(2);
    await inspect(page, "02-liste");
  });

  await test.step("the attempts had no money of this name: they are said to have come to nothing", async () => {
    for (const { payment_id } of ((await (await page.request.get("/api/payments/to-check")).json()) as { open: { payment_id: number }[] }).open) {
      const data = { outcome: "not_accepted", reason: "Rien à ce nom" };
      expect((await page.request.post(`/api/payments/${payment_id}/resolve`, { data })).status()).toBe(200);
    }
    await expect(page.getByTestId(/^doubt-payment-/)).toHaveCount(0);
  });

  await test.step("one sum is attached to the share of the guest who shows the ticket", async () => {
    const card = page.getByTestId(/^doubt-stray-/).first();
    await expectTouchable(card.getByTestId("decide-booked"), card.getByTestId("decide-refunded"), card.getByTestId("decide-kept"));
    await tap(card.getByTestId("decide-booked"));
    await expect(page.getByTestId("decide-now")).toBeDisabled();
    await tap(page.getByTestId("pick-table-4"));
    await tap(page.getByTestId("pick-share-1"));
    await tap(page.getByRole("button", { name: "Ticket présenté par le client" }));
    await inspect(page, "03-rattacher");
    await tap(page.getByTestId("decide-now"));
    await expect(page.getByTestId(/^doubt-stray-/)).toHaveCount(1);
  });

  await test.step("the other was given back at the terminal", async () => {
    await tap(page.getByTestId(/^doubt-stray-/).first().getByTestId("decide-refunded"));
    await page.getByTestId("decide-code").fill("R77");
    await page.getByTestId("decide-reason").fill("Client d’une autre table");
    await inspect(page, "04-rembourse");
    await tap(page.getByTestId("decide-now"));
    await expect(page.getByText("Rien à vérifier")).toBeVisible();
    await inspect(page, "05-rien");
    await page.goto(`/addition/${order}`);
    await expect(share(page, 1)).toContainText("réglée");
    await expect(share(page, 2)).toContainText("à payer");
    expect((await page.request.post("/api/nf525/close", { data: {} })).status()).toBe(200);
  });
});
