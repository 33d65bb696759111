// Notifications of ready dishes: what a tap on one does, and what a push message shows. Part of the service worker (sw.js loads it).

self.addEventListener("push", (event) => event.waitUntil(tell(event)));

async function tell(event) {
  // A message that cannot be read still says that something waits: browsers demand that a push shows something.
  let dish = {};
  try {
    dish = event.data?.json() ?? {};
  } catch {}
  const title = dish.title ?? "Plat prêt";
  const body = dish.body ?? "Un plat attend au passe.";
  // The page uses the same tag: told twice is shown once, and shakes once.
  const tag = dish.tag ?? "dish";
  const shown = await self.registration.getNotifications({ tag });
  const options = {
    body,
    tag,
    renotify: !shown.some((notification) => notification.body === body),
    requireInteraction: true,
    vibrate: [200, 100, 200],
    icon: "/icons/icon-192.png",
    data: { url: dish.url ?? "/plan" },
  };
  await self.registration.showNotification(title, options);
}

// The push service gave this browser another address: the till must know it, or the phone sleeps through the evening.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));

async function subscribeAgain(event) {
  const options = event.oldSubscription?.options;
  const subscription = event.newSubscription ?? (options && (await self.registration.pushManager.subscribe(options)));
  if (!subscription) return;
  const headers = { "content-type": "application/json" };
  // Nobody signed in any more: then nobody is to be told.
  await fetch("/call/push-subscribe", { method: "POST", headers, body: JSON.stringify({ subscription }) });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url ?? "/plan", self.location.origin);
  if (url.origin === self.location.origin) event.waitUntil(show(url));
});

// A page that is open already shows the table; the app decides how, because something may be typed there.
async function show(url) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((candidate) => candidate.visibilityState === "visible") ?? pages[0];
  if (!page) return self.clients.openWindow(url.href);
  const focused = await page.focus().catch(() => page);
  focused.postMessage({ open: url.pathname });
}
