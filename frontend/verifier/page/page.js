"use strict";
// The page around the check. It has no address to send anything to: its own policy forbids every connection.

const $ = (id) => document.getElementById(id);
const text = (id, said) => {
  $(id).textContent = said;
  $(id).hidden = said === "";
};

const CHAINS = {
  T: "T — tickets", D: "D — impressions", N: "N — notes provisoires", P: "P — argent hors ventes",
  G: "G — clôtures", J: "J — événements techniques", A: "A — archives", X: "X — formation",
};
const SINGULAR = {
  T: "ticket", D: "impression", N: "note", P: "mouvement d'argent", G: "clôture", J: "événement technique", A: "archive", X: "enregistrement de formation",
};
const CLOSINGS = { CLOSURE_Z: "Z n°", CLOSURE_M: "mois", CLOSURE_A: "année" };
const VERDICTS = {
  sound: ["✓", "Archive intègre"],
  flawed: ["✕", "Archive modifiée ou incomplète"],
  undecided: ["?", "Impossible de conclure"],
};

const euros = (cents) => {
  const whole = Math.trunc(Math.abs(cents) / 100).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${cents < 0 ? "−" : ""}${whole},${String(Math.abs(cents) % 100).padStart(2, "0")}\u00a0€`;
};
const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const day = (iso) => iso.split("-").reverse().join("/");
const moment = (digits) => `${digits.slice(6, 8)}/${digits.slice(4, 6)}/${digits.slice(0, 4)} à ${digits.slice(8, 10)}:${digits.slice(10, 12)}`;
const plural = (number, word) => `${count(number)} ${word}${number > 1 ? "s" : ""}`;
const where = ({ chain, seq }) => (chain === "*" ? (seq > 0 ? `enregistrement ${seq}` : "fichier") : `${SINGULAR[chain] ?? chain} n° ${seq}`);

// ---- the worker

let wasm;
let worker;
let turn = 0;

async function unpack() {
  const packed = Uint8Array.from(atob($("wasm").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function start() {
  wasm ??= unpack();
  const bytes = await wasm;
  const address = URL.createObjectURL(new Blob([$("glue").textContent, "\n", $("worker").textContent], { type: "text/javascript" }));
  worker = new Worker(address);
  worker.postMessage({ wasm: bytes });
}

function ask(file, asked, progress) {
  const id = (turn += 1);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.id !== id) return;
      if (data.progress !== undefined) progress(data.progress);
      else if (data.failed !== undefined) reject(new Error(data.failed));
      else resolve(JSON.parse(data.answer));
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ id, file, asked: JSON.stringify(asked) });
  });
}

// ---- the check

let archive;

const content = (id) => ($(id).files[0] ? $(id).files[0].text() : Promise.resolve(null));

async function check(demonstration = null) {
  if (!archive) return;
  $("error").hidden = true;
  $("result").hidden = true;
  $("running").hidden = false;
  show(0);
  const mine = (check.mine = {});
  try {
    const [public_key, anchors] = await Promise.all([content("key"), content("anchors")]);
    if (!worker) await start();
    const answer = await ask(archive, { public_key, anchors, demonstration }, show);
    if (mine !== check.mine) return;
    $("running").hidden = true;
    if (answer.unreadable) fail(answer.unreadable);
    else tell(answer.examined);
  } catch (error) {
    if (mine !== check.mine) return;
    stop();
    fail(`Le contrôle s'est arrêté : ${error.message}.`);
  }
}

function show(progress) {
  $("progress").value = progress;
  text("progress-text", `${Math.floor(progress / 10)} %`);
}

function stop() {
  check.mine = {};
  worker?.terminate();
  worker = undefined;
  $("running").hidden = true;
}

function fail(why) {
  $("error").hidden = false;
  text("error-text", why);
}

// ---- what was found

function cell(row, said, kind = "") {
  const td = row.insertCell();
  td.textContent = said;
  td.className = kind;
}

const state = (row, sound, word = "à revoir") => cell(row, sound ? "✓ conforme" : `✕ ${word}`, sound ? "ok" : "ko");

function tell(found) {
  const [mark, word] = VERDICTS[found.verdict];
  $("verdict").className = found.verdict;
  text("verdict-mark", mark);
  text("verdict-word", word);
  const read = plural(found.records, "enregistrement");
  text(
    "verdict-detail",
    {
      sound: `${read} : tous signés, aucun ne manque, et les clôtures en sont la somme.`,
      flawed: `${plural(found.flaw_count, "défaut")} sur ${read}.`,
      undecided: `${read} : une clé ou un format n'est pas connu, ce qui ne prouve rien dans un sens ni dans l'autre.`,
    }[found.verdict],
  );
  text("break", found.first_break ? `Première rupture, ${where(found.first_break)} : ${found.first_break.detail}` : "");
  const { shown } = found;
  text(
    "altered",
    shown
      ? `Démonstration : dans le ${where(shown)}, « ${shown.before} » est lu « ${shown.after} » (octet ${count(shown.at)} de journal.jsonl). Votre fichier n'a pas changé.`
      : "",
  );
  $("original").hidden = !shown;

  tellKeys(found.keys);

  const facts = [
    ["Établissement", `${found.house} (SIRET ${found.siret})`],
    ["Période", found.days[0] === found.days[1] ? day(found.days[0]) : `du ${day(found.days[0])} au ${day(found.days[1])}`],
    ["Enregistrements", `n° ${count(found.span[0])} à ${count(found.span[1])} du journal`],
    ["Archive faite", `le ${moment(found.made_at_local)}, par ${found.software}`],
    ["Archive précédente", found.has_previous ? "nommée : gardez-la aussi" : "aucune"],
  ];
  if (found.said_flaws.length > 0) facts.push(["Dite défectueuse par la caisse", found.said_flaws.join(" ; ")]);
  $("facts").replaceChildren(
    ...facts.flatMap(([name, said]) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      [dt.textContent, dd.textContent] = [name, said];
      return [dt, dd];
    }),
  );
  $("chains").replaceChildren();
  for (const chain of found.chains) {
    const row = $("chains").insertRow();
    cell(row, CHAINS[chain.chain] ?? chain.chain);
    cell(row, chain.first === chain.last ? count(chain.first) : `${count(chain.first)} à ${count(chain.last)}`, "n");
    cell(row, count(chain.records), "n");
    state(row, chain.flaws === 0, plural(chain.flaws, "défaut"));
  }
  $("closings").replaceChildren();
  $("closings-part").hidden = found.closings.length === 0;
  for (const closing of found.closings) {
    const row = $("closings").insertRow();
    const training = closing.chain === "X" ? " (formation)" : "";
    const period = closing.kind === "CLOSURE_Z" ? `Z n° ${closing.number} du ${day(closing.period)}` : `${CLOSINGS[closing.kind]} ${day(closing.period)}`;
    cell(row, period + training);
    cell(row, count(closing.tickets), "n");
    cell(row, euros(closing.total), "n");
    cell(row, euros(closing.vat), "n");
    cell(row, euros(closing.perpetual), "n");
    state(row, closing.sound);
  }
  $("flaws").replaceChildren(
    ...found.flaws.slice(0, 200).map((flaw) => {
      const item = document.createElement("li");
      item.textContent = `${where(flaw)} : ${flaw.detail}`;
      item.title = flaw.code;
      return item;
    }),
  );
  $("flaws-part").hidden = found.flaw_count === 0;
  text("flaws-more", found.flaw_count > 200 ? `… et ${count(found.flaw_count - 200)} autres.` : "");
  $("result").hidden = false;
  text("said", `${word}. ${$("verdict-detail").textContent}`);
  $("verdict").focus({ preventScroll: true });
  $("verdict").scrollIntoView({ block: "start" });
}

function tellKeys({ trusted, from_archive, others }) {
  const typed = $("fingerprint").value.toLowerCase().replace(/[^0-9a-f]/g, "");
  text("print", trusted ? trusted.fingerprint.replace(/(.{4})(?=.)/g, "$1 ") : "aucune clé lisible");
  let [kind, said] = [
    "warn",
    "⚠ Cette clé vient de l'archive elle-même. Qui aurait tout réécrit aurait aussi mis sa clé : le résultat ne prouve rien tant que vous n'avez pas " +
      "comparé cette empreinte avec une autre, obtenue ailleurs (attestation de l'éditeur, ticket Z imprimé, archive déjà remise).",
  ];
  if (!from_archive) [kind, said] = ["good", "✓ Contrôlé avec votre copie de la clé, et non avec celle de l'archive."];
  if (typed.length >= 16 && trusted) {
    const known = [trusted, ...others].some((key) => key.fingerprint.startsWith(typed));
    if (trusted.fingerprint.startsWith(typed)) [kind, said] = ["good", "✓ Cette empreinte est celle que vous avez saisie."];
    else if (known) [kind, said] = ["warn", "⚠ L'empreinte saisie est celle d'une autre clé de l'archive, qui a signé avant ou après celle-ci."];
    else [kind, said] = ["bad", "✕ Cette empreinte n'est pas celle que vous avez saisie : l'archive a été signée par une autre clé."];
  } else if (typed.length > 0 && typed.length < 16) said = `L'empreinte saisie est trop courte pour prouver quelque chose. ${said}`;
  $("key-said").className = kind;
  text("key-warning", said);
  text("key-others", others.length > 0 ? `Autres clés dans l'archive : ${others.map((key) => key.key_id).join(", ")}.` : "");
}

// ---- the person

function take(file) {
  if (!file) return;
  archive = file;
  text("chosen", `${file.name} (${count(Math.ceil(file.size / 1000))} ko)`);
  $("again").disabled = false;
  $("number").value = "";
  if (worker && !$("running").hidden) stop();
  check();
}

$("file").addEventListener("change", () => take($("file").files[0]));
$("again").addEventListener("click", () => check());
$("stop").addEventListener("click", stop);
$("original").addEventListener("click", () => check());
for (const kind of ["amount", "byte"]) {
  $(kind).addEventListener("click", () => check({ kind, number: Number.parseInt($("number").value, 10) || null }));
}
const drop = $("drop");
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget === null && drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files[0]);
});
// A saved page needs no saving.
$("keep").hidden = location.protocol === "file:";
