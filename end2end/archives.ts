// An archive of any size, written from the description of the format and with nothing of the till's: a restaurant that sold for years in a minute.

import { type KeyObject, createHash, createSign, generateKeyPairSync } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDeflateRaw } from "node:zlib";

const IDENTITY = { address: ["1 place du Marché", "33000 Bordeaux", "France"], naf: "5610A", name: "Grande Maison", siret: "00000000000000", vat_no: "FR00000000000" };
const SOFTWARE = "essai 1";
const JOURNAL = "journal.jsonl";

const sha256 = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");
const digits = (moment: Date) => moment.toISOString().slice(0, 19).replace(/[-:T]/g, "");

// RFC 8785, for what is written here: integers, plain texts, sorted keys.
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(",")}}`;
}

interface Chain {
  count: number;
  signature: string;
  hash: string;
}

interface Fact {
  chain: "T" | "G";
  kind: "TICKET" | "CLOSURE_Z";
  at: Date;
  total: number;
  vat: string;
  extra: string[];
  content: object;
}

class Journal {
  readonly chains = new Map<string, Chain>();
  private id = 0;

  constructor(
    private readonly key: KeyObject,
    private readonly keyId: string,
  ) {}

  next(chain: string): number {
    return (this.chains.get(chain)?.count ?? 0) + 1;
  }

  // The next record, as a line of the journal.
  line({ chain, kind, at, total, vat, extra, content }: Fact): string {
    const before = this.chains.get(chain) ?? { count: 0, signature: "", hash: "0".repeat(64) };
    const seq = before.count + 1;
    const local = digits(new Date(at.getTime() + 3600_000));
    const utc = digits(at);
    const content_text = canonical(content);
    const content_sha256 = sha256(content_text);
    const data_to_sign = [
      ...["F1", chain, "01", seq, kind, local, `${utc.slice(0, 8)}T${utc.slice(8)}Z`, vat, total, ...extra, content_sha256],
      before.signature ? "O" : "N",
      before.signature,
    ].join(",");
    const signature = createSign("RSA-SHA256").update(data_to_sign).sign(this.key, "base64url");
    const hash_current = sha256(data_to_sign);
    this.chains.set(chain, { count: seq, signature, hash: hash_current });
    this.id += 1;
    const record = {
      ...{ id: this.id, master_seq: this.id, chain, register: "01", seq, kind, local, utc: `${at.toISOString().slice(0, 19)}Z`, total, vat },
      ...{ extra: extra.join(","), content_text, content_sha256, data_to_sign, hash_current, hash_previous: before.hash, signature },
      ...{ key_id: this.keyId, format: "F1", app_version: SOFTWARE },
    };
    return `${JSON.stringify(record)}\n`;
  }

  get records(): number {
    return this.id;
  }
}

// A magret and a bottle, 52.00 a ticket.
const VAT = [
  { gross: 2400, net: 2182, rate: 1000, vat: 218 },
  { gross: 2800, net: 2333, rate: 2000, vat: 467 },
];
const times = (n: number) => VAT.map(({ gross, net, rate, vat }) => ({ gross: gross * n, net: net * n, rate, vat: vat * n }));
const vatField = (n: number) => times(n).map(({ rate, gross }) => `${rate}:${gross}`).join("|");

function ticket(number: number, at: Date): Fact {
  const [food, wine] = VAT;
  const line = (name: string, amount: number, rate: number) => ({ amount, name, qty_thousandths: 1000, rate, unit_price: amount });
  const content = {
    ...{ version: 2, identity: IDENTITY, software: SOFTWARE, ticket_no: number, register: "01", table: String(1 + (number % 20)), covers: 2, share: null },
    ...{ operator: "Camille", order_ref: `0194fdc2-0000-7000-8000-${String(number).padStart(12, "0")}` },
    issued_at_local: digits(new Date(at.getTime() + 3600_000)),
    lines: [line("Magret de canard", food!.gross, food!.rate), line("Cahors 2018", wine!.gross, wine!.rate)],
    ...{ vat: VAT, total: 5200, training: false },
    payments: [{ amount: 5200, change: 0, method: number % 2 ? "CB" : "CHEQUE", tendered: null }],
  };
  return { chain: "T", kind: "TICKET", at, total: 5200, vat: vatField(1), extra: [], content };
}

function closing(number: number, first: number, last: number, opened: Date, at: Date): Fact {
  const [from, to] = [opened, at].map((moment) => digits(new Date(moment.getTime() + 3600_000))) as [string, string];
  const [tickets, total, perpetual] = [last - first + 1, (last - first + 1) * 5200, last * 5200];
  const odd = Math.ceil(last / 2) - Math.ceil((first - 1) / 2);
  const content = {
    ...{ version: 1, identity: IDENTITY, software: SOFTWARE, z_number: number, register: "01", operator: "Camille" },
    service_day: opened.toISOString().slice(0, 10),
    ...{ opened_at_local: from, closed_at_local: to, first_ticket: first, last_ticket: last, ticket_count: tickets, payment_count: tickets },
    ...{ vat: times(tickets), total, perpetual_total: perpetual, perpetual_absolute: perpetual, training: false },
    by_method: { CB: odd * 5200, CHEQUE: (tickets - odd) * 5200, ESPECES: 0, TR: 0 },
  };
  const extra = [String(perpetual), String(perpetual), `${from}|${to}`, `T:${first}-${last}`];
  return { chain: "G", kind: "CLOSURE_Z", at, total, vat: vatField(tickets), extra, content };
}

// Days of 999 tickets and a Z, until there are so many records.
function* sell(journal: Journal, records: number): Generator<string> {
  const day = 24 * 3600_000;
  for (let z = 1; journal.records < records; z += 1) {
    const opened = new Date(Date.UTC(2020, 0, 1, 9) + z * day);
    const first = journal.next("T");
    const tickets = Math.min(999, records - journal.records - 1);
    for (let n = 0; n < tickets; n += 1) yield journal.line(ticket(first + n, new Date(opened.getTime() + n * 40_000)));
    yield journal.line(closing(z, first, first + tickets - 1, opened, new Date(opened.getTime() + 12 * 3600_000)));
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

function crc32(bytes: Buffer, before: number): number {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

class Zip {
  private readonly entries: { name: string; at: number; crc: number; packed: number; size: number }[] = [];
  private end = 0;

  constructor(private readonly file: FileHandle) {}

  private header(name: string, crc = 0, packed = 0, size = 0): Buffer {
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    this.common(header, 4, name, crc, packed, size);
    return header;
  }

  private common(to: Buffer, at: number, name: string, crc: number, packed: number, size: number) {
    [20, 1 << 11, 8, 0, (1 << 5) | 1].forEach((field, n) => to.writeUInt16LE(field, at + 2 * n));
    [crc, packed, size].forEach((field, n) => to.writeUInt32LE(field, at + 10 + 4 * n));
    to.writeUInt16LE(Buffer.byteLength(name), at + 22);
  }

  // Returns the SHA-256 of what was added.
  async add(name: string, content: Iterable<string | Buffer>): Promise<string> {
    const at = this.end;
    const label = Buffer.from(name);
    await this.file.write(Buffer.concat([this.header(name), label]), 0, null, at);
    this.end += 30 + label.length;
    const begin = this.end;
    const digest = createHash("sha256");
    let [crc, size] = [0, 0];
    const counted = function* () {
      for (const piece of content) {
        const bytes = Buffer.from(piece);
        digest.update(bytes);
        crc = crc32(bytes, crc);
        size += bytes.length;
        yield bytes;
      }
    };
    const append = new Writable({
      write: (piece: Buffer, _, done) => {
        const here = this.end;
        this.end += piece.length;
        this.file.write(piece, 0, piece.length, here).then(() => done(), done);
      },
    });
    await pipeline(Readable.from(counted(), { objectMode: true, highWaterMark: 64 }), createDeflateRaw(), append);
    const packed = this.end - begin;
    await this.file.write(this.header(name, crc, packed, size), 0, null, at);
    this.entries.push({ name, at, crc, packed, size });
    return digest.digest("hex");
  }

  async finish() {
    const begin = this.end;
    for (const { name, at, crc, packed, size } of this.entries) {
      const header = Buffer.alloc(46);
      header.writeUInt32LE(0x02014b50, 0);
      header.writeUInt16LE(20, 4);
      this.common(header, 6, name, crc, packed, size);
      header.writeUInt32LE(at, 42);
      const entry = Buffer.concat([header, Buffer.from(name)]);
      await this.file.write(entry, 0, null, this.end);
      this.end += entry.length;
    }
    const tail = Buffer.alloc(22);
    tail.writeUInt32LE(0x06054b50, 0);
    tail.writeUInt16LE(this.entries.length, 8);
    tail.writeUInt16LE(this.entries.length, 10);
    tail.writeUInt32LE(this.end - begin, 12);
    tail.writeUInt32LE(begin, 16);
    await this.file.write(tail, 0, null, this.end);
  }
}

// Writes an archive of so many records. Returns how many of them are tickets.
export async function writeArchive(path: string, records: number): Promise<number> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const fingerprint = sha256(publicKey.export({ type: "spki", format: "der" }));
  const keyId = fingerprint.slice(0, 16);
  const journal = new Journal(privateKey, keyId);
  const file = await open(path, "w");
  const zip = new Zip(file);
  const files: Record<string, string> = {};
  files[JOURNAL] = await zip.add(JOURNAL, sell(journal, records));
  const pem = `cles/${keyId}.pem`;
  files[pem] = await zip.add(pem, [publicKey.export({ type: "spki", format: "pem" }) as string]);
  const chains = [...journal.chains].map(([chain, { count, signature, hash }]) => ({ first: 1, count, chain, seq: count, signature, last_hash: hash }));
  const manifest = {
    ...{ format: "comptoir-archive-1", from: "2020-01-01", to: "2020-12-31", made_at_local: "20210101120000", identity: IDENTITY, software: SOFTWARE },
    ...{ record_format: "F1", register: "01", first_record: 1, last_record: journal.records, chains, previous: null, files },
    ...{ keys: { [keyId]: fingerprint }, key_id: keyId, flaws: [] },
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await zip.add("manifest.json", [text]);
  await zip.add("manifest.sig", [createSign("RSA-SHA256").update(text).sign(privateKey)]);
  await zip.finish();
  await file.close();
  return journal.chains.get("T")!.count;
}
