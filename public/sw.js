// The service worker: lets the app start without a network.
//
// It keeps one set of files, the one that belongs to this version, and the shell: a document without any data that starts the app.
// It never keeps data. Plan, menu and orders live in IndexedDB, where the app knows how old they are.
//
// This is a template. The server fills in the version, which changes with any file, and the addresses to keep.

// Notifications have a file of their own.
importScripts("/sw-notify.js");
importScripts("/sw-queue.js");

const CACHE = "comptoir-__VERSION__";
const PRECACHE = "__PRECACHE__";
const SHELL = "/shell";

// A waiter does not look at a white page for longer than this; the shell is there at once.
const PATIENCE_MS = 2500;

// What is never answered here.
const NEVER = ["/api/*", "/call/*", "/health/*"];

// What is never a page of the app, whatever the browser thinks.
const NOT_PAGES = /^\/(api|call|ws|health|metrics|pkg|verifier|protection|manuel|attaques)(\/|$)/;

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll());
  // What this worker never answers need not be told to it, in browsers that can: hundreds of orders may go out in a row.
  event.addRoutes?.({ condition: { or: NEVER.map((urlPattern) => ({ urlPattern })) }, source: "network" })?.catch(() => {});
});
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => {
  // Only when a person says so: in the middle of an order nothing may change under the fingers.
  if (event.data === "skip-waiting") self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (!NOT_PAGES.test(url.pathname)) event.respondWith(page(request));
  } else if (isKept(url)) {
    event.respondWith(kept(request));
  }
});

// All or nothing: `addAll` fails as a whole, and then the worker of the old version stays. The browser's own cache is passed by, so that
// files of two versions never meet, except for names that carry a hash of the content: the page has just fetched those.
async function keepAll() {
  const cache = await caches.open(CACHE);
  const isHashed = (url) => /\.[0-9a-f]{8}\.\w+$/.test(url);
  await cache.addAll(PRECACHE.map((url) => new Request(url, { cache: isHashed(url) ? "default" : "reload" })));
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("comptoir-") && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// The manifest and the worker itself are left out: browsers look there for news.
function isKept(url) {
  return url.pathname !== "/manifest.webmanifest" && PRECACHE.includes(url.pathname) && url.pathname !== SHELL;
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, { ignoreSearch: true, ignoreVary: true })) ?? fetch(request);
}

// The server first, because its page is fresh and belongs to the person who is signed in. The shell when there is no answer in time, or
// when something on the way answers in its place that it is not there.
async function page(request) {
  const late = new AbortController();
  const clock = setTimeout(() => late.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(request, { signal: late.signal });
    return answer.status < 500 ? answer : ((await shell()) ?? answer);
  } catch (error) {
    const answer = await shell();
    if (answer) return answer;
    throw error;
  } finally {
    clearTimeout(clock);
  }
}

async function shell() {
  const cache = await caches.open(CACHE);
  return cache.match(SHELL, { ignoreVary: true });
}
