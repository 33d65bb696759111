#!/usr/bin/env python3
"""The signed text and the digests of one record of every kind, computed without a line of the till: plain dictionaries, Python's own JSON and SHA-256.

usage: vectors.py            prints what golden/version2.json holds
       vectors.py --check    exit code 1 when the file says anything else

The rules, as the documentation of the fiscal core states them: the content is JSON with sorted keys and no blanks (RFC 8785; integers and texts only);
the signed text is F1,chain,register,number,type,local time,UTC time,VAT,total,[fields of the type...],SHA-256 of the content,O or N,previous signature;
VAT is rate:gross per rate in ascending order, 0:0 when there is none.
"""
import hashlib, json, os, sys

HOUSE = {"name": "Le Comptoir", "address": ["12 rue des Halles", "75001 Paris"], "siret": "123 456 789 00012", "naf": "56.10A", "vat_no": "FR32123456789"}
SOFTWARE, ORDER = "Comptoir 0.1.0", "0194fdc2-0000-7000-8000-000000000005"
LOCAL, UTC = "20260214213045", "20260214T203045Z"
COMMON = {"version": 2, "software": SOFTWARE, "register": "01"}
METHODS = {"CB": 214530, "ESPECES": 38750, "TR": 12400, "CHEQUE": 0}
VAT = [{"rate": 1000, "net": 212544, "vat": 21254, "gross": 233798}, {"rate": 2000, "net": 26568, "vat": 5314, "gross": 31882}]
NOTHING = {"CB": 0, "ESPECES": 0, "TR": 0, "CHEQUE": 0}


def ticket(**more):
    return {**COMMON, "identity": HOUSE, "ticket_no": 1057, "table": "5", "covers": 4, "share": {"number": 1, "of": 4}, "operator": "camille",
            "order_ref": ORDER, "issued_at_local": LOCAL, "training": False, **more}


def money(kind, amount, **more):
    return {**COMMON, "at_local": LOCAL, "operator": "camille", "kind": kind, "amount": amount, "method": "ESPECES", "reason": "banque", "training": False, **more}


def printed(**more):
    return {**COMMON, "at_local": LOCAL, "operator": "camille", "of": "T", "seq": 1057, "print_no": 0, "means": "paper", "training": False, **more}


def closing(**more):
    return {**COMMON, "identity": HOUSE, "closed_at_local": LOCAL, "operator": "camille", "ticket_count": 87, "payment_count": 87, "vat": VAT, "total": 265680,
            "by_method": METHODS, "perpetual_total": 123456789, "perpetual_absolute": 123556789, "training": False, **more}


SALE = ticket(
    lines=[
        {"name": "Magret de canard", "qty_thousandths": 1000, "unit_price": 2400, "amount": 2160, "rate": 1000,
         "discount": {"amount": 240, "percent": 1000, "reason": "attente \u2026 \"longue\"\n", "by": "G\u00e9rant"}},
        {"name": "Cahors 2018", "qty_thousandths": 250, "unit_price": 2800, "amount": 700, "rate": 2000},
    ],
    vat=[{"rate": 1000, "net": 1964, "vat": 196, "gross": 2160}, {"rate": 2000, "net": 583, "vat": 117, "gross": 700}],
    total=2860,
    payments=[
        {"method": "CB", "amount": 2000, "tendered": None, "change": 0, "approval_code": "A1B2C3", "tip": 300},
        {"method": "TR", "amount": 860, "tendered": None, "change": 0, "excess": 40},
    ],
    notes=[11, 12],
    responsible="G\u00e9rant",
)
REFUND = ticket(
    ticket_no=1058, share=None,
    lines=[{"name": "Magret de canard", "qty_thousandths": 1000, "unit_price": 2400, "amount": -2160, "rate": 1000}],
    vat=[{"rate": 1000, "net": -1964, "vat": -196, "gross": -2160}],
    total=-2160,
    payments=[{"method": "CB", "amount": -2160, "tendered": None, "change": 0, "approval_code": "R9"}],
    corrects={"ticket_no": 1057, "reason": "plat renvoy\u00e9"},
)
NOTE = {**COMMON, "identity": HOUSE, "note_no": 12, "at_local": LOCAL, "operator": "alice", "table": "5", "covers": 2, "order_ref": ORDER, "replaces": 11,
        "lines": [{"name": "Magret", "qty_thousandths": 2000, "unit_price": 2400, "amount": 4800}], "total": 4800, "training": False}
DETAIL = {
    "first_record": 101, "last_record": 245, "refund_count": 1, "refund_total": -2160, "discount_total": 240, "tips": {**NOTHING, "CB": 300},
    "transfers": {**NOTHING, "CB": -2550, "ESPECES": 2550},
    "cash": {"float": 15000, "put_in": 1000, "taken_out": 5000, "takings": 38750, "counted": 49700, "difference": -50},
    "note_count": 3, "duplicate_count": 2, "training_count": 0,
    "notes_left": [{"note_no": 12, "table": "5", "total": 4800, "given_up": True}], "open_tables": ["7", "Terrasse 2"],
    "chains": [{"chain": "J", "seq": 9, "signature": "j-9"}, {"chain": "T", "seq": 1102, "signature": "t-1102"}],
}

# kind, chain, number, previous signature, content, VAT, total, fields of the type
RECORDS = [
    ("TICKET", "T", 1057, "kX3-previous_signature-Aw", SALE, "1000:2160|2000:700", 2860, []),
    ("ANNULATION", "T", 1058, "t-1057", REFUND, "1000:-2160", -2160, ["T:1057"]),
    ("NOTE", "N", 12, "n-11", NOTE, "0:0", 4800, ["N:11"]),
    ("REMISE", "D", 1, "", printed(means="declined"), "0:0", 0, ["T:1057", "0"]),
    ("DUPLICATA", "D", 2, "d-1", printed(print_no=1), "0:0", 0, ["T:1057", "1"]),
    ("FOND", "P", 1, "", money("float", 15000, reason=""), "0:0", 15000, ["ESPECES:15000"]),
    ("ENTREE", "P", 2, "p-1", money("in", 1000), "0:0", 1000, ["ESPECES:1000"]),
    ("SORTIE", "P", 3, "p-2", money("out", 5000), "0:0", -5000, ["ESPECES:5000"]),
    ("COMPTAGE", "P", 4, "p-3", money("count", 49700), "0:0", 49700, ["ESPECES:49700"]),
    ("POURBOIRE", "P", 5, "p-4", money("tip", 300, method="CB", ticket_no=1057), "0:0", 300, ["CB:300", "T:1057"]),
    ("TRANSFERT", "P", 6, "p-5", money("transfer", 2550, method="CB", to="ESPECES", ticket_no=1057), "0:0", 0, ["CB:-2550|ESPECES:2550", "T:1057"]),
    ("CLOSURE_Z", "G", 27, "g-26",
     closing(z_number=27, service_day="2026-02-14", opened_at_local="20260214110000", first_ticket=1016, last_ticket=1102, detail=DETAIL),
     "1000:233798|2000:31882", 265680, ["123456789", "123556789", "20260214110000|20260214213045", "T:1016-1102"]),
    ("CLOSURE_M", "G", 28, "g-27", closing(kind="month", number=2, period="2026-02", first=14, last=27), "1000:233798|2000:31882", 265680,
     ["123456789", "123556789", "202602", "Z:14-27"]),
    ("CLOSURE_A", "G", 29, "g-28", closing(kind="year", number=1, period="2026", first=1, last=2), "1000:233798|2000:31882", 265680,
     ["123456789", "123556789", "2026", "M:1-2"]),
    ("JET", "J", 10, "j-9",
     {**COMMON, "at_local": LOCAL, "operator": "G\u00e9rant", "code": "menu_changed", "nf525_code": 0, "label": "Modification de la carte",
      "details": {"item": "Magret", "price": "26,50", "price_before": "24,00"}}, "0:0", 0, ["MENU_CHANGED:0"]),
    ("ARCHIVE", "A", 1, "",
     {**COMMON, "at_local": LOCAL, "operator": "audit", "from": "2026-01-01", "to": "2026-02-14", "first_record": 1, "last_record": 245,
      "manifest_sha256": "ab" * 32, "previous_sha256": "", "flaws": 0}, "0:0", 0, ["2026-01-01|2026-02-14", "1-245", "ab" * 32]),
    ("TICKET", "X", 3, "x-2", ticket(ticket_no=3, training=True, share=None, lines=[{"name": "Caf\u00e9", "qty_thousandths": 1000, "unit_price": 250, "amount": 250, "rate": 550}],
     vat=[{"rate": 550, "net": 237, "vat": 13, "gross": 250}], total=250,
     payments=[{"method": "ESPECES", "amount": 250, "tendered": 500, "change": 250}]), "0550:250", 250, []),
]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def vector(kind, chain, number, previous, content, vat, total, fields):
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    signed = ["F1", chain, "01", str(number), kind, LOCAL, UTC, vat, str(total), *fields, sha(text), "O" if previous else "N", previous]
    signed = ",".join(signed)
    return {"kind": kind, "chain": chain, "seq": number, "previous_signature": previous, "content": text, "data_to_sign": signed, "hash": sha(signed)}


if __name__ == "__main__":
    text = json.dumps([vector(*record) for record in RECORDS], ensure_ascii=False, indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        sys.exit(open(os.path.join(os.path.dirname(__file__), "version2.json"), encoding="utf-8").read() != text)
    sys.stdout.write(text)
