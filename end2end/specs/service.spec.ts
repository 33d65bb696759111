// One whole service: a waiter in the room, a screen in the kitchen, a cashier at the desk, and the end of the day. The project is the
// waiter's screen and the cashier has the other one, so ordering, paying and closing are each walked at both sizes.

import type { Locator, Page } from "@playwright/test";
import { type Device, countTaps, desktop, expect, expectTouchable, inspect as look, measured, phone, signIn, test } from "../fixtures";

test.use({ house: "service" });

// Amounts are written with no-break spaces.
const euros = (text: string) => new RegExp(`^${text}\\s€$`);

// A finger where there is touch, a mouse where there is none.
const pointer = (screen: typeof phone) => (target: Locator) => (screen.hasTouch ? target.tap() : target.click());

test("from the table to the Z", async ({ device, till }, { project }) => {
  test.setTimeout(240_000);
  const [room, desk] = project.name === "phone" ? [phone, desktop] : [desktop, phone];
  const order = pointer(room);
  const cash = pointer(desk);
  const inspect = (page: Page, name: string) => look(page, `${name}-${project.name}`);
  let waiter: Page, kitchen: Page, cashier: Page;
  const devices: Record<string, Device> = {
    waiter: await device(room),
    kitchen: await device(desktop),
    cashier: await device(desk),
  };

  await test.step("Alice signs in", async () => {
    waiter = await devices.waiter!.newPage();
    await waiter.goto("/connexion");
    await expect(waiter.getByTestId("name-alice")).toBeVisible();
    await inspect(waiter, "01-connexion");
    await signIn(waiter, "alice");
    await expect(waiter.getByTestId("table-5")).toBeVisible();
    await expect(waiter.getByTestId("connection")).toContainText("En ligne");
    await inspect(waiter, "02-plan");
  });

  await test.step("table 5, magret, its wine, Envoyer: four taps", async () => {
    const taps = await countTaps(waiter);
    const begun = Date.now();
    await order(waiter.getByTestId("table-5"));
    await order(waiter.getByTestId("item-12"));
    await expect(waiter.getByTestId("wine-chip")).toContainText("Cahors");
    await order(waiter.getByTestId("wine-chip"));
    await expect(waiter.getByTestId("total")).toHaveText(euros("52,00"));
    await order(waiter.getByTestId("send"));
    await expect(waiter.getByTestId("line-state")).toHaveText([/reçu|en cuisine/, /reçu|en cuisine/]);
    const seconds = (Date.now() - begun) / 1000;
    expect(await taps()).toEqual({ pointers: 4, clicks: 4 });
    measured(`${project.name}: four taps from the plan to the kitchen, ${seconds.toFixed(1)} s with a machine's hand`);
    await inspect(waiter, "03-commande-envoyee");
  });

  await test.step("the targets are large enough for a finger", async () => {
    await expectTouchable(waiter.getByTestId("send"), waiter.getByTestId("item-12"));
  });

  await test.step("the kitchen cooks it and says that it is ready", async () => {
    kitchen = await devices.kitchen!.newPage();
    await signIn(kitchen, "bob", "/cuisine");
    const slip = kitchen.getByRole("article").filter({ hasText: "Table 5" });
    await expect(slip).toContainText("Magret de canard");
    await expect(slip, "the kitchen does not pour wine").not.toContainText("Cahors");
    await inspect(kitchen, "04-cuisine");
    await slip.getByTestId(/^kitchen-next-/).click();
    await expect(slip.getByTestId("line-state")).toHaveText("en cuisine");
    await slip.getByTestId(/^kitchen-next-/).click();
    await expect(slip.getByTestId("line-state")).toHaveText("prêt");
  });

  await test.step("Alice's screen says so without being asked", async () => {
    await expect(waiter.getByRole("region", { name: "Plats prêts" })).toContainText(/Table 5.*Magret de canard.*prêt/);
    await expect(waiter.getByTestId("line-state").filter({ hasText: "prêt" })).toBeVisible();
    await inspect(waiter, "05-pret");
  });

  await test.step("Camille opens the bill", async () => {
    cashier = await devices.cashier!.newPage();
    await signIn(cashier, "camille");
    await cash(cashier.getByTestId("table-5"));
    await cash(cashier.getByTestId("bill"));
    await expect(cashier).toHaveURL(/\/addition\/\d+$/);
    await expect(cashier.getByTestId("remaining")).toHaveText(euros("52,00"));
    await expect(cashier.getByTestId(/^share-/)).toHaveCount(4);
    await expect(cashier.getByTestId("share-1")).toContainText("13,00");
    await inspect(cashier, "06-addition-par-couvert");
    await cash(cashier.getByTestId("split-one"));
    await expect(cashier.getByTestId(/^share-/)).toHaveCount(1);
    await expect(cashier.getByTestId("share-1")).toContainText("52,00");
    await inspect(cashier, "07-addition");
  });

  await test.step("a waiter sees the bill and cannot take the money", async () => {
    const page = await devices.waiter!.newPage();
    await page.goto(new URL(cashier.url()).pathname);
    await expect(page.getByTestId("remaining")).toHaveText(euros("52,00"));
    await expect(page.getByTestId("share-1")).toContainText("à payer");
    await expect(page.getByTestId("pay-cash")).toHaveCount(0);
    await page.close();
  });

  await test.step("60 in cash, 8 back, whatever is pressed twice", async () => {
    await cash(cashier.getByTestId("pay-cash"));
    await expect(cashier.getByTestId("due")).toHaveText(euros("52,00"));
    await cashier.getByTestId("tendered").fill("50");
    await expect(cashier.getByTestId("pay")).toBeDisabled();
    await cashier.getByTestId("tendered").fill("60,0x");
    await expect(cashier.getByTestId("pay")).toBeDisabled();
    await cashier.getByTestId("tendered").fill("60");
    await expect(cashier.getByTestId("change")).toHaveText(euros("8,00"));
    await inspect(cashier, "08-especes");
    await cashier.getByTestId("pay").dblclick();
    await expect(cashier.getByTestId("paid")).toContainText("Encaissé");
    await expect(cashier.getByTestId("change")).toHaveText(euros("8,00"));
    await inspect(cashier, "09-encaisse");
  });

  await test.step("the ticket has its number, VAT by rate and the extract of its signature", async () => {
    await cash(cashier.getByTestId("see-ticket"));
    const ticket = cashier.getByTestId("ticket");
    await expect(ticket).toContainText("TICKET n° 1");
    await expect(ticket).toContainText("FORMATION");
    await expect(ticket).toContainText("Magret de canard");
    // 24.00 at 10 % and 28.00 at 20 %, tax taken out once per rate.
    await expect(ticket).toContainText(/10 %\s+21,82\s+2,18\s+24,00/);
    await expect(ticket).toContainText(/20 %\s+23,33\s+4,67\s+28,00/);
    await expect(ticket).toContainText(/TOTAL TTC\s+52,00 EUR/);
    await expect(ticket).toContainText(/Reçu\s+60,00 EUR/);
    await expect(ticket).toContainText(/Rendu\s+8,00 EUR/);
    await expect(ticket).toContainText(/Signature\s+[\w-]{4}\n/);
    await inspect(cashier, "10-ticket");
  });

  await test.step("the table is free again, also for Alice", async () => {
    await waiter.goto("/plan");
    await expect(waiter.getByTestId("table-5")).toContainText("Libre");
    await cashier.goBack();
    await expect(cashier.getByTestId("all-settled")).toBeVisible();
    await expect(cashier.getByTestId("remaining")).toHaveText(euros("0,00"));
    await inspect(cashier, "11-addition-reglee");
  });

  await test.step("the drawer is stated, then counted", async () => {
    await cashier.goto("/cloture");
    await expect(cashier.getByTestId("cash-expected")).toContainText(/52,00\s€/);
    await cash(cashier.getByTestId("cash-float"));
    await cashier.getByTestId("cash-amount").fill("150");
    await cash(cashier.getByTestId("cash-send"));
    await expect(cashier.getByTestId("cash-expected")).toContainText(/202,00\s€/);
    await cash(cashier.getByTestId("cash-out"));
    await cashier.getByTestId("cash-amount").fill("20");
    await expect(cashier.getByTestId("cash-send"), "what goes out has a reason").toBeDisabled();
    await cashier.getByTestId("cash-reason").fill("pain");
    await cash(cashier.getByTestId("cash-send"));
    await cash(cashier.getByTestId("cash-count"));
    await cashier.getByTestId("cash-amount").fill("180");
    await cash(cashier.getByTestId("cash-send"));
    await expect(cashier.getByTestId("cash-difference")).toContainText(/2,00\s€/);
    await expect(cashier.getByTestId("cash-movements").getByRole("listitem")).toHaveCount(3);
    await expectTouchable(cashier.getByTestId("cash-count"), cashier.getByTestId("cash-send"));
    await inspect(cashier, "12-caisse");
  });

  await test.step("the day is closed with a Z", async () => {
    await cashier.goto("/cloture");
    await expect(cashier.getByTestId("x-total")).toHaveText(euros("52,00"));
    await inspect(cashier, "12-cloture-x");
    await cash(cashier.getByTestId("close-day"));
    await expect(cashier.getByTestId("confirm-close")).toBeVisible();
    await inspect(cashier, "13-cloture-confirmation");
    await cashier.getByTestId("confirm-close").dblclick();
    const z = cashier.getByTestId("z-ticket");
    await expect(z).toContainText("Z n° 1");
    await expect(z).toContainText(/TOTAL TTC\s+52,00 EUR/);
    await expect(z).toContainText(/Espèces\s+52,00 EUR/);
    await expect(cashier.getByTestId("close-day")).toHaveCount(0);
    await expect(cashier.getByTestId("closing-1")).toBeVisible();
    await expect(cashier.getByTestId(/^closing-\d+$/)).toHaveCount(1);
    await inspect(cashier, "14-z");
  });

  await test.step("the journal is sound, says the page and says the command", async () => {
    await cash(cashier.getByTestId("verify-journal"));
    await expect(cashier.getByTestId("journal-outcome")).toContainText("Journal sain");
    await inspect(cashier, "15-journal");
    const verify = await till.run("fiscal", "verify", "--json");
    expect(verify.code, verify.stdout + verify.stderr).toBe(0);
    expect(JSON.parse(verify.stdout)).toMatchObject({ ok: true, flaws: [] });
  });
});
