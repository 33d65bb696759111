// A ticket printer beside the till: the simulated one of the binary, on a free port. What it prints becomes pictures.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Printer {
  private said = "";

  private constructor(
    private readonly child: ChildProcess,
    readonly folder: string,
  ) {}

  static async start(): Promise<Printer> {
    const folder = await mkdtemp(join(tmpdir(), "comptoir-printer-"));
    const args = ["sim", "printer", "--listen", "127.0.0.1:0", "--out", folder];
    const child = spawn(process.env.COMPTOIR_BIN ?? "", args, { stdio: ["ignore", "pipe", "inherit"] });
    const printer = new Printer(child, folder);
    child.stdout?.on("data", (chunk: Buffer) => (printer.said += chunk.toString()));
    while (!printer.url) {
      if (child.exitCode !== null) throw new Error(`the printer did not start:\n${printer.said}`);
      await once(child.stdout!, "data");
    }
    return printer;
  }

  // What a till needs to find it.
  get url(): string {
    return /PRINTER_URL=(\S+)\n/.exec(this.said)?.[1] ?? "";
  }

  // Everything that came out, as text.
  get paper(): string {
    return this.said;
  }

  picture(number: number): string {
    return join(this.folder, `papier-${number}.png`);
  }

  async stop() {
    const ended = once(this.child, "exit");
    this.child.kill("SIGINT");
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
