// The till under test: the real binary, on a free port, with an empty data folder of its own and the demo restaurant in it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const BINARY = process.env.COMPTOIR_BIN ?? "";

// The first start creates a PostgreSQL cluster; two busy cores need a while for that.
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 20_000;

export class Till {
  private child: ChildProcess | undefined;
  private said = "";
  private terminal: ChildProcess | undefined;

  private constructor(
    readonly url: string,
    private readonly data: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  // A new restaurant, open for service.
  // `terminal`: what a simulated card terminal on a socket of its own does with each payment. `more`: what its environment says besides.
  static async open(terminal = "", more: NodeJS.ProcessEnv = {}): Promise<Till> {
    if (!BINARY) throw new Error("COMPTOIR_BIN must name the built server; `make test` does that");
    const address = `127.0.0.1:${await freePort()}`;
    const data = await mkdtemp(join(tmpdir(), "comptoir-end2end-"));
    // The account that PostgreSQL runs as must get there: its cluster would else lie where nobody removes it.
    await chmod(data, 0o755);
    const { PATH, HOME, LANG } = process.env;
    // Nothing else of the surroundings: a DATABASE_URL of the developer must not be used by a test.
    const env: NodeJS.ProcessEnv = { PATH, HOME, LANG, COMPTOIR_ADDR: address, COMPTOIR_DATA: join(data, "till"), COMPTOIR_DEMO: "1", ...more };
    const till = new Till(`http://${address}`, data, env);
    if (terminal) Object.assign(env, { TPE_URL: await till.simulate(terminal), COMPTOIR_TRAINING: "1" });
    await till.start();
    return till;
  }

  // Starts a card terminal beside the till and returns its address.
  private async simulate(script: string): Promise<string> {
    const child = spawn(BINARY, ["sim", "tpe", "--listen", "127.0.0.1:0", "--script", script], { env: this.env, stdio: ["ignore", "pipe", "inherit"] });
    this.terminal = child;
    return new Promise((resolve, reject) => {
      let said = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const address = /TPE_URL=(\S+)\n/.exec(said)?.[1];
        if (address) resolve(`${address}?till=01&version=0300&timeout_s=5`);
      });
      child.on("exit", () => reject(new Error(`the simulated terminal stopped:\n${said}`)));
    });
  }

  // Starts on the same port with the same data. Returns once it can work.
  async start(): Promise<void> {
    const child = spawn(BINARY, ["serve"], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    this.said = "";
    const listen = (chunk: Buffer) => (this.said += chunk.toString());
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    let failure: Error | undefined;
    child.on("error", (error) => (failure = error));

    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      if (failure) throw new Error(`${BINARY} did not start: ${failure.message}`);
      if (child.exitCode !== null) throw new Error(`the server stopped with code ${child.exitCode}:\n${this.said}`);
      if (await this.isReady()) return;
      if (Date.now() > deadline) throw new Error(`the server was not ready in time:\n${this.said}`);
      await pause(50);
    }
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  // Pulls the plug.
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  // Closes for good: a running database goes with its server, so a killed server is started once more to be stopped properly.
  async close(): Promise<void> {
    if (!this.child) await this.start();
    await this.end("SIGTERM");
    this.terminal?.kill("SIGINT");
    await rm(this.data, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const late = new AbortController();
    const patience = pause(STOPPED_WITHIN_MS, "late", { signal: late.signal }).catch(() => "ended");
    if ((await Promise.race([ended, patience])) === "late") {
      child.kill("SIGKILL");
      throw new Error(`the server did not stop on ${signal}:\n${this.said}`);
    }
    late.abort();
  }

  // Runs a command of the binary beside the server, on the same data.
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve, reject) => {
      execFile(BINARY, args, { env: this.env, timeout: 30_000 }, (error, stdout, stderr) => {
        if (error && typeof error.code !== "number") return reject(error);
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      });
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
