// A terminal that did not answer in time and is still listened to; and what it says after somebody has said otherwise.

import type { Page } from "@playwright/test";
import { REFUSED, serve, share, tap } from "../bills";
import { expect, inspect as look, signIn, test } from "../fixtures";

// The test's till waits five seconds for a guest and then listens on.
test.use({ house: "listening", terminal: "slow:20000" });

test("while the terminal may still answer nobody can say that it did not; a lower amount that somebody typed contradicts it", async ({ device }, { project }) => {
  test.setTimeout(120_000);
  const inspect = (page: Page, name: string) => look(page, `listening-${name}-${project.name}`);
  const own = await device();
  own.announce(REFUSED);
  const page = await own.newPage();
  await signIn(page, "camille");
  const order = await serve(page, { table: 6, items: [{ item_id: 12, qty: 2 }] }, 2);
  await page.goto(`/addition/${order}`);
  await tap(share(page, 1).getByTestId("pay-card"));
  await tap(page.getByTestId("pay"));
  await expect(page.getByTestId("terminal-silent")).toBeVisible({ timeout: 15_000 });
  await expect(page.getByTestId("still-listening")).toContainText("Le TPE peut encore répondre");
  await expect(page.getByTestId("resolve-not-accepted")).toBeDisabled();
  await tap(page.getByTestId("resolve-accepted"));
  await page.getByTestId("resolve-amount").fill("20");
  await tap(page.getByRole("button", { name: "Écran du TPE lu" }));
  await tap(page.getByTestId("resolve-now"));
  await expect(page.getByText("C’est enregistré.")).toBeVisible();
  await page.goto("/a-verifier");
  const card = page.getByTestId(/^doubt-contradiction-/);
  await expect(card).toContainText("Le TPE annonce un autre montant", { timeout: 40_000 });
  await expect(card).toContainText("24,00");
  await inspect(page, "01-contradiction");
  await tap(card.getByTestId("decide-refunded"));
  await page.getByTestId("decide-reason").fill("Différence rendue au TPE");
  await tap(page.getByTestId("decide-now"));
  await expect(page.getByText("Rien à vérifier")).toBeVisible();
});
