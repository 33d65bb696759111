// Empties functions of WASM files that can never be called, by name: node .ci/snip.mjs REGEX FILE...
//
// A compiler keeps what a table of function pointers names, whether or not anybody calls it. Whoever runs this knows better; what only the
// emptied functions needed is taken out by wasm-opt afterwards. A call would end in a trap, never in something else. Short functions are
// left alone: the linker may have given one body to several.
import { readFileSync, writeFileSync } from "node:fs";

const [, , pattern, ...files] = process.argv;
const names = new RegExp(pattern);
const SHORT = 128;
const EMPTY = Buffer.from([0, 0x00, 0x0b]); // no locals, unreachable, end
const [CUSTOM, IMPORTS, CODE] = [0, 2, 10];

const encoded = (value) => {
  const bytes = [];
  do {
    bytes.push((value % 128) | (value >= 128 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return Buffer.from(bytes);
};

let [count, bytes] = [0, 0];
for (const file of files) snip(file);
if (count === 0) throw new Error(`no function is called ${pattern}`);
console.log(`emptied ${count} functions of ${bytes} bytes that nobody calls`);

function snip(file) {
  const wasm = readFileSync(file);
  let at = 8;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = wasm[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const text = () => {
    const length = number();
    at += length;
    return wasm.toString("utf8", at - length, at);
  };
  // Functions are numbered: first those that are imported, then our own.
  let imported = 0;
  const nameOf = new Map();
  const sections = [];
  while (at < wasm.length) {
    const start = at;
    const kind = wasm[at++];
    const end = number() + at;
    sections.push({ kind, start, content: at, end });
    if (kind === IMPORTS) {
      for (let left = number(); left > 0; left--) {
        text();
        text();
        const what = wasm[at++];
        if (what === 0) {
          imported++;
          number();
        } else if (what === 3) {
          at += 2;
        } else {
          if (what === 1) at++; // the type of a table's elements
          const bounded = wasm[at++] & 1;
          number();
          if (bounded) number();
        }
      }
    } else if (kind === CUSTOM && text() === "name") {
      while (at < end) {
        const of = wasm[at++];
        const next = number() + at;
        if (of === 1) for (let left = number(); left > 0; left--) nameOf.set(number(), text());
        at = next;
      }
    }
    at = end;
  }
  if (nameOf.size === 0) throw new Error(`${file} names no functions`);

  const parts = [wasm.subarray(0, 8)];
  for (const { kind, start, content, end } of sections) {
    if (kind !== CODE) {
      parts.push(wasm.subarray(start, end));
      continue;
    }
    at = content;
    const bodies = [];
    const all = number();
    for (let i = 0; i < all; i++) {
      const length = number();
      const body = wasm.subarray(at, at + length);
      at += length;
      const dead = length >= SHORT && names.test(nameOf.get(imported + i) ?? "");
      if (dead) [count, bytes] = [count + 1, bytes + length];
      const kept = dead ? EMPTY : body;
      bodies.push(encoded(kept.length), kept);
    }
    const code = Buffer.concat([encoded(all), ...bodies]);
    parts.push(Buffer.from([CODE]), encoded(code.length), code);
  }
  writeFileSync(file, Buffer.concat(parts));
}
