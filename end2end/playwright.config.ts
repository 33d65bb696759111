// Comptoir in a real Chromium, against the real binary. `make test` builds that binary and names it in COMPTOIR_BIN.

import { defineConfig } from "@playwright/test";
import type { HouseOptions } from "./fixtures";
import { desktop, phone } from "./screens";

export default defineConfig<object, HouseOptions>({
  testDir: "specs",
  outputDir: "test-results",
  // Each file has a till of its own; two at once would only wait for each other.
  workers: 1,
  fullyParallel: false,
  // A test that passes the second time has found something, so at the desk nothing is tried again. CI tries once more, so that one slow moment
  // does not hide everything after it; its report names such a test flaky.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 7_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    locale: "fr-FR",
    timezoneId: "Europe/Paris",
    trace: "retain-on-failure",
    actionTimeout: 10_000,
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH || "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "phone", use: phone },
    // What does not depend on the screen runs once.
    { name: "desktop", use: desktop, testIgnore: ["**/assets.spec.ts", "**/kitchen.spec.ts"] },
  ],
});
