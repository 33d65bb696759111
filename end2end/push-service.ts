// A push service on a socket of its own, and the browser's side of its messages (RFC 8291, RFC 8292): written with Node's cryptography and nothing
// of ours, so that what the till encrypts is read by somebody else.

import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { type IncomingHttpHeaders, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

interface Letter {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

// What a browser tells the till: `PushSubscription.toJSON`.
export interface Subscription {
  endpoint: string;
  expirationTime: null;
  keys: { p256dh: string; auth: string };
}

export class PushService {
  private readonly letters: Letter[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<PushService> {
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      service.letters.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(201).end();
    });
    const service = new PushService(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get count(): number {
    return this.letters.length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  // The next message, once it is here.
  async next(within = 10_000): Promise<Letter> {
    for (const deadline = Date.now() + within; Date.now() < deadline; await pause(20)) {
      const letter = this.letters.shift();
      if (letter) return letter;
    }
    throw new Error("nothing was pushed");
  }
}

// A browser's keys.
export class Browser {
  private readonly key = createECDH("prime256v1");
  private readonly auth = randomBytes(16);

  constructor(private readonly endpoint: string) {
    this.key.generateKeys();
  }

  get subscription(): Subscription {
    const keys = { p256dh: this.key.getPublicKey("base64url"), auth: this.auth.toString("base64url") };
    return { endpoint: this.endpoint, expirationTime: null, keys };
  }

  // The message in a letter that this browser was sent.
  read({ body }: Letter): string {
    const salt = body.subarray(0, 16);
    const length = body[20] ?? 0;
    const sender = body.subarray(21, 21 + length);
    const sealed = body.subarray(21 + length);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.key.getPublicKey(), sender]);
    const input = hkdfSync("sha256", this.key.computeSecret(sender), this.auth, info, 32);
    const derive = (name: string, bytes: number) =>
      Buffer.from(hkdfSync("sha256", Buffer.from(input), salt, Buffer.from(`Content-Encoding: ${name}\0`), bytes));
    const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
    decipher.setAuthTag(sealed.subarray(-16));
    const record = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    if (record.at(-1) !== 2) throw new Error("not the last record");
    return record.subarray(0, -1).toString("utf8");
  }
}

// Who sent it, if the signature fits: the claims of the token and the key that it names.
export function sender({ headers }: Letter): { claims: { aud: string; exp: number; sub: string }; key: string } {
  const [, token = "", key = ""] = /^vapid t=([^,]+), k=(\S+)$/.exec(headers.authorization ?? "") ?? [];
  const [header = "", claims = "", signature = ""] = token.split(".");
  const point = Buffer.from(key, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
  const publicKey = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x, y } });
  const fits = verify("sha256", Buffer.from(`${header}.${claims}`), { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  if (!fits) throw new Error("somebody else signed");
  return { claims: JSON.parse(Buffer.from(claims, "base64url").toString("utf8")), key };
}
