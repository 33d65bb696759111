// What tests about orders that a phone keeps have in common.

import type { APIRequestContext, Page } from "@playwright/test";
import { type Device, MOUNTED, NO_NETWORK, expect, signIn } from "./fixtures";

export const REFUSED = /Failed to load resource: the server responded with a status of (4\d\d|50[234])/;

// A phone on which somebody is signed in and the app is installed.
export async function ready(device: Device, who: string, to = "/plan"): Promise<Page> {
  device.announce(...NO_NETWORK, MOUNTED, REFUSED);
  const page = await device.newPage();
  await signIn(page, who, to);
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
  await expect(page.getByTestId("connection")).toContainText("En ligne");
  return page;
}

export async function type(page: Page, table: number, item = 12) {
  await page.goto(`/table/${table}`);
  await page.getByTestId(`item-${item}`).click();
  await expect(page.getByTestId(`line-${item}`)).toBeVisible();
}

// Types one dish for a table and sends it; without a network it then waits here.
export async function typeAndSend(page: Page, table: number, item = 12) {
  await type(page, table, item);
  await page.getByTestId("send").click();
  await expect(page.getByTestId("line-state").filter({ hasText: "ici" })).not.toHaveCount(0);
}

export interface Kept {
  v: number;
  uuid: string;
  state: unknown;
  ask: { sync: { uuid: string; items: object[] } & Record<string, unknown> };
}

// What is written down in a store of this phone.
export const written = (page: Page, database: "comptoir" | "comptoir-queue", store: string) =>
  page.evaluate(
    ([database, store]) =>
      new Promise<string[]>((resolve, reject) => {
        const open = indexedDB.open(database);
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const all = open.result.transaction(store).objectStore(store).getAll();
          all.onsuccess = () => (open.result.close(), resolve(all.result));
        };
      }),
    [database, store] as const,
  );

// Writes into a store of this phone, as an app of another version did.
export const write = (page: Page, database: "comptoir" | "comptoir-queue", store: string, records: Record<string, string>) =>
  page.evaluate(
    ([database, store, records]) =>
      new Promise<void>((resolve, reject) => {
        const open = indexedDB.open(database);
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const transaction = open.result.transaction(store, "readwrite");
          for (const [key, text] of Object.entries(records)) transaction.objectStore(store).put(text, key);
          transaction.oncomplete = () => (open.result.close(), resolve());
        };
      }),
    [database, store, records] as const,
  );

// A long night without a network: so many orders of one dish, for tables 1 to `tables` in turn, typed by Alice.
export async function keepMany(page: Page, many: number, tables: number) {
  const records: Record<string, string> = {};
  for (let seq = 1; seq <= many; seq++) {
    const uuid = crypto.randomUUID();
    const items = [{ item_id: 12, qty: 1 }];
    const sync = { uuid, table_id: 1 + (seq % tables), items, offline_timestamp: new Date().toISOString(), total: 24, typed_by: 1 };
    records[uuid] = JSON.stringify({ v: 1, uuid, seq, user_id: 1, ask: { sync }, state: "waiting", failures: 0, next_try: 0, last_error: null });
  }
  await write(page, "comptoir-queue", "intents", records);
}

export const kept = async (page: Page): Promise<Kept[]> => (await written(page, "comptoir-queue", "intents")).map((text) => JSON.parse(text));

interface Line {
  name: string;
  qty: number;
  round: number;
}

// What the till has for a table.
export async function linesAt(request: APIRequestContext, table: number): Promise<Line[]> {
  const tables: { id: number; order_id: number | null }[] = await (await request.get("/api/tables")).json();
  const order = tables.find(({ id }) => id === table)?.order_id;
  return order ? (await (await request.get(`/api/orders/${order}`)).json()).lines : [];
}

export const lines = async (page: Page, table: number) => (await linesAt(page.request, table)).length;

export const nothingWaits = (page: Page) => expect(page.getByTestId("waiting")).toHaveCount(0, { timeout: 20_000 });
