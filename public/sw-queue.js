// Background Sync: orders that wait on this phone go out even when no page is open. The app knows better what an answer means, so this only
// does what cannot be wrong: it sends what waits, as it was written, and forgets what the server has. Every order carries its number, so
// sending it once more than needed changes nothing; everything else stays for the app.

const QUEUE = "comptoir-queue";
// What this file speaks, and how the records are written that it understands: see `domain::sync`.
const CONTRACT = "1";
const FORMAT = 1;
// A network that fell silent must not keep the lock from a page that is opened meanwhile.
const ANSWER_MS = 15_000;

self.addEventListener("sync", (event) => {
  if (event.tag === QUEUE) event.waitUntil(sendQueue());
});

async function sendQueue() {
  // A page that is open sends by itself, and holds the lock.
  await navigator.locks.request(QUEUE, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    const database = await openQueue();
    if (!database) return;
    const told = new BroadcastChannel(QUEUE);
    try {
      const records = (await all(database)).filter((record) => record.v === FORMAT && record.state === "waiting");
      records.sort((one, other) => one.seq - other.seq);
      for (const { uuid, ask } of records) {
        // Only a request that says who typed it can be sent without knowing who is signed in.
        if (!ask.sync?.typed_by) continue;
        const body = JSON.stringify(ask.sync);
        const headers = { "content-type": "application/json", "comptoir-contract": CONTRACT };
        const answer = await fetch("/api/orders/sync", { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
        // No network again: the browser calls once more.
        if (answer.status >= 500) throw new Error(`answer ${answer.status}`);
        if (answer.ok) {
          await forget(database, uuid);
          // A page that was opened meanwhile shows what waits.
          told.postMessage("changed");
        }
      }
    } finally {
      told.close();
      database.close();
    }
  });
}

// The app makes the database. One that is not there yet is not made here, or it would lack its stores.
function openQueue() {
  return new Promise((resolve) => {
    const request = indexedDB.open(QUEUE);
    request.onupgradeneeded = () => request.transaction.abort();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}

function all(database) {
  return new Promise((resolve, reject) => {
    const request = database.transaction("intents").objectStore("intents").getAll();
    request.onsuccess = () => resolve(request.result.map((text) => JSON.parse(text)));
    request.onerror = () => reject(request.error);
  });
}

function forget(database, uuid) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("intents", "readwrite");
    transaction.objectStore("intents").delete(uuid);
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}
