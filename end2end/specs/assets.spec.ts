// What travels over a poor network: hashed names kept for ever, compressed when the binary was built; and a policy that runs no foreign
// script.

import { type APIRequestContext, expect } from "@playwright/test";
import { signIn, test } from "../fixtures";

test.use({ house: "assets" });

const get = (request: APIRequestContext, url: string, accept = "br, gzip") =>
  request.get(url, { headers: { "accept-encoding": accept } });

// Addresses of the pkg folder that a document names.
const named = (html: string) => [...new Set(html.match(/\/pkg\/[\w.-]+\.(?:js|wasm|css)/g) ?? [])];

test("names carry a hash, are kept for ever and travel compressed", async ({ request }) => {
  const urls = named(await (await request.get("/connexion")).text());
  expect(urls.map((url) => url.split(".").pop()).sort()).toEqual(["css", "js", "wasm"]);
  for (const url of urls) {
    expect(url).toMatch(/\.[0-9a-f]{8}\.(js|wasm|css)$/);
    for (const [accept, encoding] of [["br, gzip", "br"], ["gzip", "gzip"], ["identity", undefined]] as const) {
      const answer = await get(request, url, accept);
      expect(answer.status(), url).toBe(200);
      expect(answer.headers()["cache-control"], url).toBe("public, max-age=31536000, immutable");
      expect(answer.headers()["content-encoding"], `${url} ${accept}`).toBe(encoding);
      expect(answer.headers()["vary"], url).toContain("accept-encoding");
    }
  }
  const wasm = urls.find((url) => url.endsWith(".wasm")) ?? "";
  expect((await get(request, wasm)).headers()["content-type"], "compiled while it arrives").toBe("application/wasm");
});

test("what must be fresh is asked for again", async ({ request }) => {
  for (const url of ["/sw.js", "/manifest.webmanifest", "/shell"]) {
    expect((await get(request, url)).headers()["cache-control"], url).toContain("no-cache");
  }
  expect((await get(request, "/connexion")).headers()["cache-control"], "a page names a person").toContain("no-store");
  const first = await get(request, "/sw.js");
  const again = await request.get("/sw.js", { headers: { "if-none-match": first.headers()["etag"] ?? "" } });
  expect(again.status()).toBe(304);
});

test("the service worker keeps exactly what a start without a network needs", async ({ request }) => {
  const worker = await (await get(request, "/sw.js")).text();
  expect(worker).not.toContain("__");
  const list = /const PRECACHE = (\[.*?\]);/s.exec(worker)?.[1] ?? "[]";
  const kept = JSON.parse(list) as string[];
  expect(kept).toEqual(expect.arrayContaining(["/shell", "/manifest.webmanifest", ...named(await (await request.get("/shell")).text())]));
  for (const url of kept) expect((await get(request, url)).status(), url).toBe(200);
});

test("the shell knows nobody and nothing", async ({ request }) => {
  const signedIn = await request.post("/api/auth/login", { data: { username: "alice", pin: "1234" } });
  expect(signedIn.status()).toBe(200);
  const shell = await (await get(request, "/shell")).text();
  expect(shell).toContain('data-render="shell"');
  expect(shell).not.toMatch(/alice|magret|€/i);
  expect(shell.replace(/\s/g, "")).toMatch(/<body[^>]*>(<!--.*?-->|<!>)*<\/body>/);
});

test("only our own scripts run", async ({ request }) => {
  const policies = [];
  for (const url of ["/connexion", "/shell"]) {
    const answer = await get(request, url);
    const policy = answer.headers()["content-security-policy"] ?? "";
    const scripts = /script-src ([^;]*)/.exec(policy)?.[1] ?? "";
    const nonce = /'nonce-([^']+)'/.exec(scripts)?.[1];
    expect(nonce, `${url}: ${policy}`).toBeTruthy();
    expect(scripts).not.toContain("'unsafe-inline'");
    expect(scripts).not.toContain("'unsafe-eval'");
    const tags = (await answer.text()).match(/<script\b[^>]*>/g) ?? [];
    expect(tags.length).toBeGreaterThan(0);
    for (const tag of tags) expect(tag, url).toContain(`nonce="${nonce}"`);
    policies.push(nonce);
  }
  expect(new Set(policies).size, "a nonce is used once").toBe(policies.length);
});

test("the app itself lives under its policy", async ({ device }) => {
  const browser = await device(undefined, { bypassCSP: false });
  const violations: string[] = [];
  await browser.context.exposeFunction("noteViolation", (violation: string) => void violations.push(violation));
  await browser.context.addInitScript(() => {
    const { noteViolation } = window as unknown as { noteViolation(violation: string): void };
    document.addEventListener("securitypolicyviolation", (event) =>
      noteViolation(`${event.effectiveDirective}: ${event.blockedURI} on ${event.documentURI}`),
    );
  });
  const page = await browser.newPage();
  await signIn(page, "alice");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-render", "page");
  await expect(page.getByTestId("connection"), "the policy lets the websocket through").toContainText("En ligne");
  await page.getByTestId("table-5").click();
  await expect(page.getByTestId("item-12")).toBeVisible();
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  expect(violations).toEqual([]);
  browser.expectSilence();

  // And it is in force: a test that could not see a violation would prove nothing.
  browser.announce(/Content Security Policy/);
  await page.evaluate(() => {
    const foreign = document.createElement("script");
    foreign.textContent = "window.foreign = true";
    document.body.append(foreign);
  });
  await expect.poll(() => violations).toEqual([expect.stringMatching(/^script-src(-elem)?: inline on /)]);
  expect(await page.evaluate(() => "foreign" in window)).toBe(false);
});

test("an address of nobody is a page for people and a problem for programs", async ({ request }) => {
  const page = await request.get("/nulle-part", { headers: { accept: "text/html" } });
  expect(page.status()).toBe(404);
  expect(page.headers()["content-type"]).toContain("text/html");
  const problem = await request.get("/api/nulle-part");
  expect(problem.status()).toBe(404);
  expect(problem.headers()["content-type"]).toContain("application/problem+json");
});
