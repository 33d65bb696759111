// Anybody checks an archive: without an account, without a network, with the page saved on their own disk, and sees what a change does.

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { APIRequestContext, Page } from "@playwright/test";
import { writeArchive } from "../archives";
import { NO_NETWORK, desktop, expect, expectTouchable, inspect, measured, signIn, test } from "../fixtures";
import { Till } from "../server";

test.use({ house: "verifier" });

interface Evening {
  folder: string;
  archive: string;
  damaged: string;
  tickets: number;
}

// A house that really sells, and an archive of its evening.
const house = test.extend<object, { till: Till; evening: Evening }>({
  till: [
    async ({}, use) => {
      const till = await Till.open("", { TPE_URL: "none" });
      await use(till);
      await till.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  evening: [
    async ({ till, playwright }, use) => {
      const folder = await mkdtemp(join(tmpdir(), "comptoir-archive-"));
      const request = await playwright.request.newContext({ baseURL: till.url });
      const tickets = await sellAnEvening(request);
      const from = new Date(Date.now() - 48 * 3600_000).toISOString().slice(0, 10);
      const to = new Date(Date.now() + 24 * 3600_000).toISOString().slice(0, 10);
      const answer = await request.get(`/api/nf525/archive?from=${from}&to=${to}`);
      expect(answer.status()).toBe(200);
      const archive = join(folder, "archive.zip");
      const bytes = await answer.body();
      await writeFile(archive, bytes);
      // Somebody's hand: a byte in the middle of what is packed.
      const damaged = join(folder, "abîmée.zip");
      const changed = Buffer.from(bytes);
      const at = changed.indexOf("journal.jsonl") + 400;
      changed[at] ^= 0x20;
      await writeFile(damaged, changed);
      await request.dispose();
      await use({ folder, archive, damaged, tickets });
      await rm(folder, { recursive: true, force: true });
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

async function sellAnEvening(request: APIRequestContext): Promise<number> {
  const signedIn = await request.post("/api/auth/login", { data: { username: "gerant", pin: "1234" } });
  expect(signedIn.status()).toBe(200);
  let tickets = 0;
  for (const closing of [6, 3]) {
    for (let table = 1; table <= closing; table += 1) {
      const items = [{ dish_id: 12, qty: 1 }, { wine_id: 34, qty: 1 }];
      const order = await (await request.post("/api/orders", { data: { table_id: table, covers: 1, items } })).json();
      const payment = { order_id: order.order_id, cover_number: 1, amount: 52, method: table % 2 ? "ESPECES" : "CHEQUE" };
      const paid = await request.post("/api/payments/split", { data: payment });
      expect(paid.status(), await paid.text()).toBe(201);
      tickets += 1;
    }
    expect((await request.post("/api/nf525/close", { data: {} })).status()).toBe(200);
  }
  return tickets;
}

const verdict = (page: Page) => page.locator("#verdict");

house("without an account: an archive is sound, whose key it is remains to be compared, and a changed amount breaks at its ticket", async ({ device, evening, till: _ }) => {
  const page = await (await device()).newPage();
  await page.goto("/verifier");
  await expectTouchable(page.getByText("Choisir une archive"), page.getByText("Enregistrer cette page"), page.getByText("Clé, empreinte et ancres"));
  await inspect(page, "verifier-empty");
  await page.locator("#file").setInputFiles(evening.archive);
  await expect(verdict(page)).toContainText("Archive intègre");
  await expect(verdict(page)).toBeFocused();
  await expect(page.locator("#closings tr")).toHaveCount(2);
  await expect(page.locator("#closings tr").first()).toContainText("312,00");
  await expect(page.locator("#chains")).toContainText("T — tickets");
  await expect(page.locator("#key-warning")).toContainText("ne prouve rien tant que vous n'avez pas comparé");
  const print = (await page.locator("#print").textContent())!.replaceAll(" ", "");
  expect(print).toMatch(/^[0-9a-f]{64}$/);
  await inspect(page, "verifier-sound");

  // The fingerprint that is on the Z, typed by a person.
  await page.getByText("Clé, empreinte et ancres").click();
  await page.locator("#fingerprint").fill(print.slice(0, 16).toUpperCase());
  await page.locator("#again").click();
  await expect(page.locator("#key-said")).toHaveClass("good");
  await page.locator("#fingerprint").fill("0123 4567 89ab cdef");
  await page.locator("#again").click();
  await expect(page.locator("#key-said")).toHaveClass("bad");
  await page.locator("#fingerprint").fill("");

  await page.locator("#number").fill("4");
  await page.locator("#amount").click();
  await expect(verdict(page)).toContainText("Archive modifiée");
  await expect(page.locator("#break")).toContainText("Première rupture, ticket n° 4 : Le contenu ne correspond pas à son empreinte.");
  await expect(page.locator("#altered")).toContainText("« 52,00 » est lu « 62,00 »");
  await expectTouchable(page.locator("#amount"), page.locator("#byte"), page.locator("#original"), page.locator("#number"));
  await inspect(page, "verifier-changed");
  await page.locator("#number").fill("");
  await page.locator("#byte").click();
  await expect(page.locator("#break")).toContainText(`ticket n° ${1 + Math.floor(evening.tickets / 2)}`);
  await page.locator("#original").click();
  await expect(verdict(page)).toContainText("Archive intègre");
  await page.locator("#number").fill("999");
  await page.locator("#amount").click();
  await expect(page.locator("#error-text")).toContainText("Aucun ticket de ce numéro");
});

house("what is no archive, or was damaged, is said in words", async ({ device, evening, till: _ }) => {
  const page = await (await device()).newPage();
  await page.goto("/verifier");
  const other = join(evening.folder, "carte.pdf");
  await writeFile(other, "%PDF-1.7 rien");
  await page.locator("#file").setInputFiles(other);
  await expect(page.locator("#error-text")).toContainText("n'est pas une archive");
  await page.locator("#file").setInputFiles(evening.damaged);
  await expect(page.locator("#verdict.flawed").or(page.locator("#error:not([hidden])"))).toBeVisible();
});

house("a copy of the page on a disk checks without any server, under a policy that reaches none", async ({ device, evening, till }) => {
  const visitor = await device(desktop, { bypassCSP: false });
  visitor.announce(...NO_NETWORK, /Content Security Policy/, /Failed to fetch/);
  const page = await visitor.newPage();
  await page.goto("/verifier");
  const download = page.waitForEvent("download");
  await page.getByText("Enregistrer cette page").click();
  const saved = join(evening.folder, "verificateur.html");
  await (await download).saveAs(saved);
  const html = await readFile(saved);
  measured(`the verifier as one file: ${Math.round(html.length / 1000)} kB, SHA-256 ${createHash("sha256").update(html).digest("hex").slice(0, 8)}…`);

  await visitor.context.setOffline(true);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(saved).href);
  await expect(page.getByText("Enregistrer cette page")).toBeHidden();
  await page.locator("#file").setInputFiles(evening.archive);
  await expect(verdict(page)).toContainText("Archive intègre");
  await page.locator("#amount").click();
  await expect(verdict(page)).toContainText("Archive modifiée");
  expect(asked.filter((url) => /^https?:/.test(url)), "nothing was asked of anybody").toEqual([]);
  await visitor.context.setOffline(false);
  const reached = await page.evaluate((url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false), `${till.url}/health/live`);
  expect(reached, "its own policy forbids it").toBe(false);
});

test("a large archive, of a stranger's making: the page answers meanwhile, says how far it is, can be stopped, and names one changed amount of thousands", async ({ device }, info) => {
  test.skip(info.project.name !== "phone", "what the screen is does not matter");
  test.setTimeout(300_000);
  const records = Number(process.env.COMPTOIR_ARCHIVE ?? 8_000);
  const folder = await mkdtemp(join(tmpdir(), "comptoir-large-"));
  const archive = join(folder, "grande.zip");
  const tickets = await writeArchive(archive, records);
  const page = await (await device()).newPage();
  await page.goto("/verifier");
  // How long the page itself is busy at once, which is what a finger feels.
  await page.evaluate(() => {
    let last = performance.now();
    const watch = window as unknown as { busy: number };
    watch.busy = 0;
    setInterval(() => {
      const now = performance.now();
      [watch.busy, last] = [Math.max(watch.busy, now - last), now];
    }, 10);
  });
  const percent = async () => Number.parseInt((await page.locator("#progress-text").textContent()) ?? "", 10);

  await page.locator("#file").setInputFiles(archive);
  await expect.poll(percent).toBeGreaterThan(0);
  await page.locator("#stop").click();
  await expect(page.locator("#running")).toBeHidden();
  await page.getByText("Clé, empreinte et ancres").click();

  const begin = Date.now();
  await page.locator("#again").click();
  const seen = new Set<number>();
  const told = async () => {
    seen.add(await percent());
    return page.locator("#result").isVisible();
  };
  await expect.poll(told, { timeout: 200_000, intervals: [100] }).toBe(true);
  await expect(verdict(page)).toContainText("Archive intègre");
  await expect(verdict(page)).toContainText(`${records}`.replace(/\B(?=(\d{3})+$)/g, "\u202f"));
  expect(seen.size, "progress was shown on the way").toBeGreaterThan(8);
  await expect(page.locator("#closings tr")).toHaveCount(Math.min(1000, records - tickets));
  const busy = await page.evaluate(() => (window as unknown as { busy: number }).busy);
  expect(busy, "the page answers meanwhile").toBeLessThan(1_000);
  measured(`an archive of ${records} records: checked in ${((Date.now() - begin) / 1000).toFixed(1)} s, the page busy for ${Math.round(busy)} ms at most`);

  await page.locator("#number").fill(String(tickets - 7));
  await page.locator("#amount").click();
  await expect(page.locator("#break")).toContainText(`ticket n° ${tickets - 7} : Le contenu ne correspond pas à son empreinte.`, { timeout: 200_000 });
  await rm(folder, { recursive: true, force: true });
});

house("an archive is dropped on the page", async ({ device, evening, till: _ }) => {
  const page = await (await device(desktop)).newPage();
  await page.goto("/verifier");
  const bytes = (await readFile(evening.archive)).toString("base64");
  const dropped = await page.evaluateHandle((base64) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], "archive.zip"));
    return data;
  }, bytes);
  await page.dispatchEvent("#drop", "dragover", { dataTransfer: dropped });
  await expect(page.locator("#drop")).toHaveClass(/over/);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: dropped });
  await expect(verdict(page)).toContainText("Archive intègre");
});

house("whoever is signed in finds the page from the closing", async ({ device, till: _ }) => {
  const page = await (await device()).newPage();
  await signIn(page, "audit", "/cloture");
  await expect(page.getByRole("link", { name: "Vérifier une archive" })).toHaveAttribute("href", "/verifier");
});

house("what is protected and what is not is read without an account", async ({ device }) => {
  const page = await (await device()).newPage();
  await page.goto("/protection");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ce qui est protégé, et ce qui ne l'est pas");
  await inspect(page, "protection");
  await page.getByRole("link", { name: "Manuel pour l’administration" }).click();
  await expect(page).toHaveURL(/manuel$/);
  await inspect(page, "manuel");
  await page.getByRole("link", { name: "Ce qui a été tenté" }).click();
  await expect(page.getByRole("table").first()).toBeVisible();
  await inspect(page, "attaques");
});
