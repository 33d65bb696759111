// Paper: on the till's printer, and from the browser on a roll of 80 or 58 mm. Every print is recorded before it happens.

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, expectTouchable, inspect, signIn, test } from "../fixtures";
import { Printer } from "../printer";
import { Till } from "../server";

test.use({ house: "printing" });

// A house with a printer beside it.
const house = test.extend<object, { printer: Printer; till: Till }>({
  printer: [
    async ({}, use) => {
      const printer = await Printer.start();
      await use(printer);
      await printer.stop();
    },
    { scope: "worker" },
  ],
  till: [
    async ({ printer }, use) => {
      const till = await Till.open("", { PRINTER_URL: printer.url });
      await use(till);
      await till.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

// Sells a magret and its wine for cash, as programs do, and returns the ticket's number.
async function sell(page: Page, table: number): Promise<number> {
  const items = [{ dish_id: 12, qty: 1 }, { wine_id: 34, qty: 1 }];
  const order = await page.request.post("/api/orders", { data: { table_id: table, covers: 1, items } });
  const { order_id } = await order.json();
  const paid = await page.request.post("/api/payments/split", { data: { order_id, cover_number: 1, amount: 52, method: "ESPECES", tendered: 60 } });
  expect(paid.status(), await paid.text()).toBe(201);
  return (await paid.json()).ticket_no;
}

// The browser's dialog cannot be pressed; that it was asked for can be counted.
async function countPrints(page: Page) {
  await page.addInitScript(() => {
    const counted = window as unknown as { prints: number };
    counted.prints = 0;
    window.print = () => void (counted.prints += 1);
  });
  return () => page.evaluate(() => (window as unknown as { prints: number }).prints);
}

// On paper there is the document alone, as wide as the roll prints, on one page of the roll's width.
async function expectRoll(page: Page, testid: string, printed: number, roll: number) {
  await page.emulateMedia({ media: "print" });
  await expect(page.getByTestId(testid)).toBeVisible();
  await expect(page.getByRole("navigation")).toBeHidden();
  await expect(page.getByTestId("print")).toBeHidden();
  const millimetres = await page.getByTestId(testid).evaluate((pre) => {
    const rows = [...pre.querySelectorAll(".row")].map((row) => {
      const letters = document.createRange();
      letters.selectNodeContents(row);
      return letters.getBoundingClientRect().width;
    });
    return (Math.max(...rows) / 96) * 25.4;
  });
  expect(millimetres, "as wide as the roll prints").toBeLessThanOrEqual(printed);
  expect(millimetres, "and not much less").toBeGreaterThan(printed * 0.9);
  const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString("latin1");
  expect(pdf.match(/\/Type\s*\/Page\b/g), "one page").toHaveLength(1);
  const [, width] = /\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+[\d.]+\s*\]/.exec(pdf)!;
  expect((Number(width) / 72) * 25.4).toBeCloseTo(roll, 0);
  await page.emulateMedia({ media: null });
}

house("a ticket comes out of the till's printer, and again as a duplicata from the browser, on both rolls", async ({ device, till: _, printer }, { project }) => {
  test.setTimeout(180_000);
  const page = await (await device()).newPage();
  const prints = await countPrints(page);
  await signIn(page, "camille");
  const no = await sell(page, 5);
  await page.goto(`/ticket/${no}`);
  const ticket = page.getByTestId("ticket");
  await expect(ticket).toContainText(/TOTAL TTC\s+52,00 EUR/);
  await expect(page.getByTestId("printed-before")).toContainText("Pas encore imprimé");
  await inspect(page, `20-ticket-${project.name}`);

  await test.step("the browser's own menu prints no ticket", async () => {
    await page.emulateMedia({ media: "print" });
    await expect(ticket).toBeHidden();
    await expect(page.getByText("chaque impression est enregistrée")).toBeVisible();
    await page.emulateMedia({ media: null });
  });

  await test.step("the till's printer", async () => {
    await expectTouchable(page.getByTestId("print"), page.getByTestId("print-here"), page.getByTestId("roll-58"));
    await page.getByTestId("print").click();
    await expect(page.getByTestId("print-outcome")).toContainText("Imprimé · original");
    expect(printer.paper).toContain(`TICKET n° ${no}`);
    expect(printer.paper).toContain("FORMATION");
    expect(await prints()).toBe(0);
  });

  await test.step("this browser, 80 mm: a duplicata", async () => {
    await page.getByTestId("print-here").click();
    await expect(page.getByTestId("print-outcome")).toContainText("duplicata 1");
    await expect(ticket).toContainText("DUPLICATA 1");
    await expect.poll(prints).toBe(1);
    await expectRoll(page, "ticket", 72, 80);
    await inspect(page, `21-duplicata-${project.name}`);
  });

  await test.step("this browser, 58 mm, remembered by this device", async () => {
    await page.getByTestId("roll-58").click();
    // What was printed is over: the next one is recorded too.
    await page.getByTestId("print-here").click();
    await expect(page.getByTestId("print-outcome")).toContainText("duplicata 2");
    await expectRoll(page, "ticket", 48, 58);
    await inspect(page, `22-58mm-${project.name}`);
    await page.reload();
    await expect(page.getByTestId("roll-58")).toHaveAttribute("aria-pressed", "true");
    await expect(page.getByTestId("printed-before")).toContainText("le duplicata 3");
    await page.getByTestId("roll-80").click();
  });
});

house("the X is looked at, the Z comes out by itself and is printed again as a duplicata", async ({ device, till: _, printer }, { project }) => {
  test.setTimeout(180_000);
  const page = await (await device()).newPage();
  const prints = await countPrints(page);
  await signIn(page, "camille");
  await sell(page, 6);
  await page.goto("/cloture");
  await page.getByTestId("show-x").click();
  await expect(page.getByTestId("x-paper")).toContainText("LECTURE X");
  await expect(page.getByTestId("x-paper")).toContainText("non enregistré");
  await inspect(page, `23-x-${project.name}`);
  await page.getByTestId("print-x").click();
  await expect.poll(prints).toBe(1);
  await expectRoll(page, "x-paper", 72, 80);

  await page.getByTestId("close-day").click();
  await page.getByTestId("confirm-close").click();
  await expect(page.getByTestId("z-ticket")).toContainText("CLÔTURE JOURNALIÈRE");
  await expect.poll(() => printer.paper).toMatch(/CLÔTURE JOURNALIÈRE[\s\S]*\[QR X-01-\d+\.[\w-]{342}\]/);
  await page.getByTestId("print-here").click();
  await expect(page.getByTestId("print-outcome")).toContainText("duplicata 1");
  await expectRoll(page, "z-ticket", 72, 80);
  await inspect(page, `24-z-${project.name}`);
  const papers = [...printer.paper.matchAll(/^picture: (.*)$/gm)];
  await copyFile(papers.at(-1)![1]!, join("screenshots", `25-z-printed-${project.name}.png`));
});
