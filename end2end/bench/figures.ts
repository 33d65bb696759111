// Figures of the browser side: printed beside their target, and kept for whoever compares.

import { appendFileSync } from "node:fs";
import type { BrowserContext, Page } from "@playwright/test";

// A cheap phone against the machine that measures.
export const SLOWED = 4;

const middle = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

// A missed target is printed as missed and fails nothing: a figure of a busy machine is no defect.
export function report(what: string, ms: number[], target: number) {
  const [median, worst] = [middle(ms), Math.max(...ms)];
  const verdict = median < target ? "met" : "MISSED";
  console.log(`      ${what}: median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms of ${ms.length}, target under ${target} ms: ${verdict}`);
  // One figure a line, so that several files add to it.
  if (process.env.COMPTOIR_BENCH) appendFileSync(process.env.COMPTOIR_BENCH, `${JSON.stringify({ what, ms, target })}\n`);
}

export async function slowed(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  return page;
}
