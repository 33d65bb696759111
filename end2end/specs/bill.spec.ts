// Scenario 2: the bill is divided and paid, by card and otherwise. The terminal is a real one on a real socket, told how to behave; in training,
// as every screen says. Walked at both sizes. A terminal answers by a list, so each story has a till and a terminal of its own: it can be played
// alone, and again.

import type { Locator, Page } from "@playwright/test";
import { expect, expectTouchable, inspect as look, signIn, test } from "../fixtures";

const euros = (text: string) => new RegExp(`^${text}\\s€$`);
// Of cards, one is refused: the browser says so too.
const REFUSED = /Failed to load resource: the server responded with a status of (402|504)/;

interface Order {
  table: number;
  items: { item_id?: number; dish_id?: number; wine_id?: number; qty: number; options?: { group: string; choice: string }[] }[];
}

// A table that Alice has served.
async function serve(page: Page, { table, items }: Order, covers = 4): Promise<number> {
  const answer = await page.request.post("/api/orders", { data: { table_id: table, covers, items } });
  expect(answer.status(), await answer.text()).toBe(201);
  return ((await answer.json()) as { order_id: number }).order_id;
}

const share = (page: Page, number: number) => page.getByTestId(`share-${number}`);
const tap = (target: Locator) => target.click();

test.describe("reference", () => {
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
});

test.describe("mixed", () => {
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
});

test.describe("silent", () => {
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
});
