// What every test has: a till of its own, screens whose console stays silent, and eyes for accessibility.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type BrowserContext, type Locator, type Page, expect, test as base } from "@playwright/test";
import { desktop, phone } from "./screens";
import { Till } from "./server";

export { desktop, expect, phone };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Screen = typeof phone;

interface Policy {
  // axe is put into the page, which the Content-Security-Policy forbids: only a test without axe can keep it.
  bypassCSP: boolean;
  // Where the app is opened, when it is not the till's own address.
  baseURL?: string;
}

export interface HouseOptions {
  // Names the restaurant. A file that names its own has it for itself, and each project a new one.
  house: string;
  // What its card terminal does with each payment; without it, the till has a simulator of its own that approves.
  terminal: string;
}

// A person's device. Whatever its console complains about fails the test, unless the test has announced it.
export class Device {
  private complaints: string[] = [];
  private announced: RegExp[] = [];

  constructor(readonly context: BrowserContext) {
    context.on("page", (page) => this.watch(page));
    for (const page of context.pages()) this.watch(page);
  }

  private watch(page: Page) {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complain(`${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complain(`pageerror: ${error.message}`));
  }

  private complain(text: string) {
    if (!this.announced.some((expected) => expected.test(text))) this.complaints.push(text);
  }

  // From now on this is what the test is about, not a defect.
  announce(...expected: RegExp[]) {
    this.announced.push(...expected);
  }

  newPage(): Promise<Page> {
    return this.context.newPage();
  }

  expectSilence() {
    expect(this.complaints, "nothing on the console").toEqual([]);
  }
}

// What a browser says on its own when there is no network.
export const NO_NETWORK = [/Failed to load resource: net::ERR_/, /WebSocket connection to .* failed/];

// What a development build of Leptos says when one binary both hydrates and mounts, which is how the shell starts.
export const MOUNTED = /^warning: It seems like you're trying to use Leptos in client-side rendering mode/;

export const test = base.extend<{ device: (screen?: Screen, policy?: Policy) => Promise<Device> }, HouseOptions & { till: Till }>({
  house: ["house", { scope: "worker", option: true }],
  terminal: ["", { scope: "worker", option: true }],
  till: [
    async ({ house: _name, terminal }, use) => {
      const till = await Till.open(terminal);
      await use(till);
      await till.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  baseURL: async ({ till }, use) => use(till.url),
  // Opens devices of any size; the page of the project is one more.
  device: async ({ browser, till }, use, { project }) => {
    const devices: Device[] = [];
    await use(async (screen, { bypassCSP, baseURL } = { bypassCSP: true }) => {
      const { viewport, deviceScaleFactor, hasTouch, isMobile } = { ...phone, ...project.use, ...screen } as Screen;
      const context = await browser.newContext({
        viewport,
        deviceScaleFactor,
        hasTouch,
        isMobile,
        baseURL: baseURL ?? till.url,
        locale: "fr-FR",
        timezoneId: "Europe/Paris",
        reducedMotion: "reduce",
        bypassCSP,
      });
      const device = new Device(context);
      devices.push(device);
      return device;
    });
    for (const device of devices) {
      await device.context.close();
      device.expectSilence();
    }
  },
});

// Signs in as a person does: a name, a code.
export async function signIn(page: Page, username: string, to = "/plan") {
  await page.goto(`/connexion?suite=${to}`);
  await chooseName(page, username);
  await page.getByTestId("pin").fill("1234");
  await page.getByTestId("enter").click();
  await expect(page).toHaveURL(to);
}

// The first tap may come before the page is alive.
export async function chooseName(page: Page, username: string) {
  await expect(async () => {
    await page.getByTestId(`name-${username}`).click();
    await expect(page.getByTestId("pin")).toBeEnabled({ timeout: 500 });
  }).toPass();
}

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

export async function expectAccessible(page: Page, where: string) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  const found = violations.map(
    ({ id, impact, help, nodes }) => `${impact} ${id}: ${help}\n  ${nodes.map((node) => `${node.target.join(" ")}\n    ${node.failureSummary.replaceAll("\n", "\n    ")}`).join("\n  ")}`,
  );
  expect(found, `accessible: ${where}`).toEqual([]);
}

// Looks at a page on both screens, in light and in dark: nothing that axe objects to, nothing wider than the screen. Leaves pictures.
export async function inspect(page: Page, name: string) {
  const before = page.viewportSize();
  for (const [size, screen] of Object.entries({ phone, desktop })) {
    await page.setViewportSize(screen.viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const where = `${name}-${size}-${colorScheme}`;
      await page.screenshot({ path: join("screenshots", `${where}.png`) });
      await expectAccessible(page, where);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${where}: nothing wider than the screen`).toBeLessThanOrEqual(0);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
}

// Every target that a finger must hit.
export async function expectTouchable(...targets: Locator[]) {
  for (const target of targets) {
    const box = await target.boundingBox();
    expect(box, `${target} is on screen`).not.toBeNull();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0), `${target} is large enough for a finger`).toBeGreaterThanOrEqual(48);
  }
}

// A number worth knowing, shown with the results.
export function measured(what: string) {
  console.log(`      measured: ${what}`);
}

// Counts what a finger or a mouse really does, from now on and across pages.
export async function countTaps(page: Page): Promise<() => Promise<{ pointers: number; clicks: number }>> {
  await page.evaluate(() => {
    const taps = { pointers: 0, clicks: 0 };
    Object.assign(window, { taps });
    document.addEventListener("pointerdown", (event) => event.isTrusted && taps.pointers++, true);
    document.addEventListener("click", (event) => event.isTrusted && taps.clicks++, true);
  });
  return () => page.evaluate(() => (window as unknown as { taps: { pointers: number; clicks: number } }).taps);
}
