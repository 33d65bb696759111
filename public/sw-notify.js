// Notifications of ready dishes: what a tap on one does, and what a push message shows. Part of the service worker (sw.js loads it).

self.addEventListener("push", (event) => {
  // A message that cannot be read still says that something waits: browsers demand that a push shows something.
  let dish = {};
  try {
    dish = event.data?.json() ?? {};
  } catch {}
  const title = dish.title ?? "Plat prêt";
  const options = {
    body: dish.body ?? "Un plat attend au passe.",
    // The page uses the same tag: told twice is shown once.
    tag: dish.tag ?? "dish",
    renotify: true,
    requireInteraction: true,
    vibrate: [200, 100, 200],
    icon: "/icons/icon-192.png",
    data: { url: dish.url ?? "/plan" },
  };
  event.waitUntil(self.registration.showNotification(title, options));
});

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
