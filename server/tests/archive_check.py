#!/usr/bin/env python3
"""Checks an archive of Comptoir with Python's own library and the openssl program: no code is shared with the till.

usage: archive_check.py ARCHIVE.zip [PUBLIC_KEY.pem]      exit code 0: sound, 2: a flaw (each is printed)
"""
import base64, hashlib, json, os, subprocess, sys, tempfile, zipfile
from collections import defaultdict

flaws = []
def flaw(*words): flaws.append(" ".join(str(w) for w in words))

def openssl_verifies(pem_path, signature, signed, folder):
    with open(os.path.join(folder, "signature"), "wb") as f: f.write(signature)
    with open(os.path.join(folder, "signed"), "wb") as f: f.write(signed)
    run = subprocess.run(["openssl", "dgst", "-sha256", "-verify", pem_path, "-signature", os.path.join(folder, "signature"),
                          os.path.join(folder, "signed")], capture_output=True, text=True)
    return run.returncode == 0 and "Verified OK" in run.stdout

def public_numbers(pem_path):
    """Modulus and exponent of an RSA key, as openssl prints them: ten thousand signatures would be ten thousand processes otherwise."""
    text = subprocess.run(["openssl", "rsa", "-pubin", "-in", pem_path, "-modulus", "-text", "-noout"], capture_output=True, text=True, check=True).stdout
    modulus = next(line.split("=", 1)[1] for line in text.splitlines() if line.startswith("Modulus="))
    exponent = next(line.split()[1] for line in text.splitlines() if line.strip().startswith("Exponent:"))
    return int(modulus, 16), int(exponent)

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
def rsa_verifies(numbers, signature, signed):
    modulus, exponent = numbers
    size = (modulus.bit_length() + 7) // 8
    digest = SHA256_PREFIX + hashlib.sha256(signed).digest()
    expected = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    return len(signature) == size and pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") == expected

def unbase64url(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

def main(path, trusted):
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None: flaw("zip", archive.testzip())
        archive.extractall(folder)
        text = open(os.path.join(folder, "manifest.json"), "rb").read()
        manifest = json.loads(text)
        keys = {name[5:-4]: os.path.join(folder, name) for name in archive.namelist() if name.startswith("cles/")}
        if trusted: keys = {manifest["key_id"]: trusted, **{k: p for k, p in keys.items() if k != manifest["key_id"]}}
        for key, pem in keys.items():
            der = subprocess.run(["openssl", "pkey", "-pubin", "-in", pem, "-outform", "DER"], capture_output=True, check=True).stdout
            if not hashlib.sha256(der).hexdigest().startswith(key): flaw("key", key, "is not the key of its name")
        signature = open(os.path.join(folder, "manifest.sig"), "rb").read()
        if not openssl_verifies(keys[manifest["key_id"]], signature, text, folder): flaw("manifest", "signature")
        for name, digest in manifest["files"].items():
            if hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest() != digest: flaw("file", name)
        example = lambda name: open(os.path.join(folder, "exemple", name), "rb").read()
        numbers = {key: public_numbers(pem) for key, pem in keys.items()}

        last, expected_id, tickets, sums, by_openssl = {}, manifest["first_record"], {}, None, 0
        for line in open(os.path.join(folder, "journal.jsonl"), encoding="utf-8"):
            r = json.loads(line)
            where = f'{r["chain"]} {r["seq"]}'
            if r["id"] != expected_id: flaw(where, "general number", r["id"], "instead of", expected_id)
            expected_id = r["id"] + 1
            if hashlib.sha256(r["content_text"].encode()).hexdigest() != r["content_sha256"]: flaw(where, "content digest")
            content = json.loads(r["content_text"])
            if json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True) != r["content_text"]: flaw(where, "content is not canonical")
            utc = r["utc"].replace("-", "").replace(":", "")
            parts = ["F1", r["chain"], r["register"], str(r["seq"]), r["kind"], r["local"], utc, r["vat"], str(r["total"])]
            parts += [r["extra"]] if r["extra"] else []
            before = last.get(r["chain"])
            carried = before["signature"] if before else r["data_to_sign"].rsplit(",", 1)[1]
            parts += [r["content_sha256"], "O" if carried else "N", carried]
            if ",".join(parts) != r["data_to_sign"]: flaw(where, "signed text")
            if hashlib.sha256(r["data_to_sign"].encode()).hexdigest() != r["hash_current"]: flaw(where, "hash")
            if before and (r["seq"] != before["seq"] + 1 or r["hash_previous"] != before["hash_current"]): flaw(where, "does not follow", before["seq"])
            signature = unbase64url(r["signature"])
            if r["key_id"] not in numbers or not rsa_verifies(numbers[r["key_id"]], signature, r["data_to_sign"].encode()): flaw(where, "signature")
            if by_openssl < 20:  # the arithmetic above is compared with openssl's own
                by_openssl += 1
                if not openssl_verifies(keys[r["key_id"]], signature, r["data_to_sign"].encode(), folder): flaw(where, "signature, says openssl")
            last[r["chain"]] = r
            if r["kind"] in ("TICKET", "ANNULATION"):
                lines = sum(l["amount"] for l in content["lines"])
                paid = sum(p["amount"] for p in content["payments"])
                gross = sum(v["gross"] for v in content["vat"])
                if not lines == paid == gross == content["total"] == r["total"]: flaw(where, "does not add up")
                tickets[(r["chain"], r["seq"])] = content
            if r["kind"] == "CLOSURE_Z":
                own = "X" if r["chain"] == "X" else "T"
                first, end = content["first_ticket"], content["last_ticket"]
                mine = [t for (chain, seq), t in tickets.items() if chain == own and first <= seq <= end]
                whole = manifest["first_record"] <= content.get("detail", {}).get("first_record", 0)
                if whole:
                    vat = defaultdict(lambda: [0, 0, 0])
                    for t in mine:
                        for v in t["vat"]:
                            for i, name in enumerate(("net", "vat", "gross")): vat[v["rate"]][i] += v[name]
                    stated = {v["rate"]: [v["net"], v["vat"], v["gross"]] for v in content["vat"]}
                    if {k: v for k, v in vat.items() if v != [0, 0, 0]} != stated: flaw(where, "VAT is not the sum of its tickets")
                    if sum(t["total"] for t in mine) != content["total"]: flaw(where, "total is not the sum of its tickets")
                    if len(mine) != content["ticket_count"]: flaw(where, "count of tickets")
                    if sums is not None and own == "T":
                        expected = (sums[0] + sum(t["total"] for t in mine), sums[1] + sum(abs(t["total"]) for t in mine))
                        if expected != (content["perpetual_total"], content["perpetual_absolute"]): flaw(where, "perpetual totals")
                if own == "T": sums = (content["perpetual_total"], content["perpetual_absolute"])
        if expected_id - 1 != manifest["last_record"]: flaw("last record", expected_id - 1, "instead of", manifest["last_record"])
        for chain in manifest["chains"]:
            end = last.get(chain["chain"])
            if not end or (end["seq"], end["signature"]) != (chain["seq"], chain["signature"]): flaw(chain["chain"], "its end is not the manifest's")
        if last:
            first = next(iter(open(os.path.join(folder, "journal.jsonl"), encoding="utf-8")))
            key = keys[json.loads(first)["key_id"]]
            if not openssl_verifies(key, example("signature.bin"), example("texte.txt"), folder): flaw("exemple")
        for name in flaws: print(name)
        print(f"{expected_id - manifest['first_record']} records, {len(flaws)} flaws")
    return 2 if flaws else 0

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__); sys.exit(1)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None))
