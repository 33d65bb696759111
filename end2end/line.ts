// The network between a phone and the till, as it really is: it falls silent with everything open, loses answers, delivers twice. A phone
// opens the app through it, `url` instead of the till's.

import { type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect } from "node:net";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

interface Passed {
  method: string;
  path: string;
  // What the till answered; also when the phone never heard it.
  status: number;
}

export class Line {
  private silent = false;
  private deaf = new Set<Socket>();
  private joined = new Set<Socket>();
  private sockets = new Set<Socket>();
  private losing?: { path: RegExp; left: number };
  private doubling?: RegExp;
  private answering?: { path: RegExp; status: number; body: object };
  private rewriting?: { path: RegExp; change: (text: string) => string };
  readonly passed: Passed[] = [];

  private constructor(
    private readonly server: Server,
    private readonly till: URL,
    readonly url: string,
  ) {}

  static async open(till: string): Promise<Line> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const line = new Line(server, new URL(till), `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on("connection", (socket) => {
      line.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => line.sockets.delete(socket));
    });
    server.on("request", (incoming, outgoing) => void line.pass(incoming, outgoing));
    server.on("upgrade", (incoming, socket, head) => line.join(incoming, socket as Socket, head));
    return line;
  }

  // From now on nothing comes through, in either direction, and nothing is closed.
  fallSilent() {
    this.silent = true;
    for (const socket of this.sockets) socket.pause();
  }

  // WebSockets that are open now carry nothing any more, in either direction, and nobody closes them. Everything else works.
  deafenSockets(): number {
    for (const socket of this.joined) this.deaf.add(socket);
    return this.joined.size;
  }

  // New connections work again. Those from before stay deaf, as they do when a router has forgotten them.
  heal() {
    this.silent = false;
  }

  // The till takes the next ones, and the phone never hears of it.
  loseAnswers(path: RegExp, left: number) {
    this.losing = { path, left };
  }

  // Each request arrives twice at the same moment.
  double(path?: RegExp) {
    this.doubling = path;
  }

  // Somebody else answers.
  answer(path: RegExp, status: number, body: object) {
    this.answering = { path, status, body };
  }

  stopAnswering() {
    this.answering = undefined;
  }

  // A file says something else, as after an update.
  rewrite(path: RegExp, change: (text: string) => string) {
    this.rewriting = { path, change };
  }

  close() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private headers(from: IncomingHttpHeaders): IncomingHttpHeaders {
    const plain: IncomingHttpHeaders = { ...from, connection: "close" };
    // What is rewritten must be there, and readable.
    if (this.rewriting) for (const name of ["accept-encoding", "if-none-match", "if-modified-since"]) delete plain[name];
    return plain;
  }

  private async pass(incoming: IncomingMessage, outgoing: ServerResponse) {
    const [method, path] = [incoming.method ?? "GET", incoming.url ?? "/"];
    const body = Buffer.concat(await incoming.toArray().catch(() => []));
    if (this.silent) return;
    if (this.answering?.path.test(path)) {
      const { status, body } = this.answering;
      outgoing.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(body));
      return;
    }
    let answer: Answer;
    try {
      const copies = this.doubling?.test(path) ? [0, 1] : [0];
      const answers = await Promise.all(copies.map(() => this.ask(method, path, this.headers(incoming.headers), body)));
      for (const { status } of answers) this.passed.push({ method, path, status });
      answer = answers[0]!;
    } catch {
      outgoing.destroy();
      return;
    }
    if (this.silent) return;
    if (this.losing && this.losing.left > 0 && this.losing.path.test(path)) {
      this.losing.left--;
      outgoing.destroy();
      return;
    }
    let text = answer.body;
    const headers = { ...answer.headers };
    if (this.rewriting?.path.test(path) && answer.status === 200) {
      text = Buffer.from(this.rewriting.change(text.toString()));
      delete headers["content-length"];
      delete headers.etag;
    }
    delete headers["transfer-encoding"];
    outgoing.writeHead(answer.status, headers).end(text);
  }

  private ask(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: this.till.hostname, port: this.till.port, method, path, headers }, (answered) => {
        answered.toArray().then((parts) => resolve({ status: answered.statusCode ?? 0, headers: answered.headers, body: Buffer.concat(parts) }), reject);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }

  private join(incoming: IncomingMessage, phone: Socket, head: Buffer) {
    if (this.silent) return;
    const till = connect(Number(this.till.port), this.till.hostname);
    this.sockets.add(till);
    this.joined.add(phone);
    const isDeaf = () => this.silent || this.deaf.has(phone);
    // What the till does to its end does not reach the phone, nor the other way round, once nothing comes through.
    till.on("close", () => (this.sockets.delete(till), isDeaf() || phone.destroy()));
    till.on("error", () => isDeaf() || phone.destroy());
    phone.on("close", () => (this.joined.delete(phone), isDeaf() || till.destroy()));
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
    till.write(`${lines.join("\r\n")}\r\n\r\n`);
    till.write(head);
    // Not pipes: a pipe resumes by itself what has fallen silent.
    till.on("data", (chunk) => isDeaf() || phone.write(chunk));
    phone.on("data", (chunk) => isDeaf() || till.write(chunk));
  }
}
