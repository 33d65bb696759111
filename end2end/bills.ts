// What tests of bills share: a table that was served, its shares, amounts as the house writes them.

import { type Locator, type Page, expect } from "@playwright/test";

// Amounts are written with no-break spaces.
export const euros = (text: string) => new RegExp(`^${text}\\s€$`);
// Of cards, one is refused, or its terminal is silent: the browser says so too.
export const REFUSED = /Failed to load resource: the server responded with a status of (402|409|504)/;

export interface Order {
  table: number;
  items: { item_id?: number; dish_id?: number; wine_id?: number; qty: number; options?: { group: string; choice: string }[] }[];
}

// A table that was served by whoever is signed in.
export async function serve(page: Page, { table, items }: Order, covers = 4): Promise<number> {
  const answer = await page.request.post("/api/orders", { data: { table_id: table, covers, items } });
  expect(answer.status(), await answer.text()).toBe(201);
  return ((await answer.json()) as { order_id: number }).order_id;
}

export const share = (page: Page, number: number) => page.getByTestId(`share-${number}`);
export const tap = (target: Locator) => target.click();
