//! Closings, the check of the journal, paper.

use super::Named;
use crate::http::openapi::shapes::{
    Field, balance, day, euros, flag, id, list, may, must, number, object, one_of, or_null, request, text, to, uuid, words,
};
use serde_json::json;

pub(super) fn journal() -> Vec<Named> {
    let drawer = object(
        "The drawer of a day.",
        [
            must("float", euros()),
            must("in", euros()),
            must("out", euros()),
            must("takings", balance()),
            must("expected", balance()),
            must("counted", or_null(euros())),
            must("difference", or_null(balance())),
        ],
    );
    vec![
        (
            "CloseRequest",
            request(
                "Any day of the period; without it, the oldest that is open.",
                [may("date", or_null(day())), may("kind", one_of(&["Z", "month", "year"]))],
            ),
        ),
        (
            "ByMethod",
            object("By means.", [must("CB", balance()), must("ESPECES", balance()), must("TR", balance()), must("CHEQUE", balance())]),
        ),
        (
            "CloseSummary",
            object(
                "What a period came to.",
                [
                    must("z_number", or_null(number())),
                    must("service_day", day()),
                    must("total_ttc", balance()),
                    must("total_tva", balance()),
                    must("count", number()),
                    must("by_method", to("ByMethod")),
                    must("vat", list(to("VatLine"))),
                    must("perpetual_total", balance()),
                    must("perpetual_absolute", euros()),
                    must("training", flag()),
                    may("cash", drawer),
                    may("tips", to("ByMethod")),
                    may("refunds", balance()),
                    may("period", words()),
                ],
            ),
        ),
        (
            "CloseDone",
            object(
                "The record of a closing.",
                [
                    must("audit_log_id", id()),
                    must("ticket", words()),
                    must("hash", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })),
                    must("signature", json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{342}$" })),
                    must("summary", to("CloseSummary")),
                    must("already_closed", flag()),
                    must("paper", to("Paper")),
                ],
            ),
        ),
        (
            "CashMovementRequest",
            request(
                "A movement of cash. What goes in or out needs a reason.",
                [
                    must("kind", one_of(&["float", "in", "out", "count"])),
                    must("amount", euros()),
                    may("reason", text(140)),
                    may("uuid", or_null(uuid())),
                ],
            ),
        ),
        ("CashMovementDone", object("It is recorded.", [must("movement_no", number()), must("kind", words()), must("amount", euros())])),
        (
            "Flaw",
            object(
                "A fault in the journal.",
                [must("chain", words()), must("seq", number()), must("code", words()), must("detail", words())],
            ),
        ),
        (
            "VerifyReport",
            object(
                "What the check found.",
                [must("ok", flag()), must("records", number()), must("inconclusive", flag()), must("flaws", list(to("Flaw")))],
            ),
        ),
    ]
}

pub(super) fn paper() -> Vec<Named> {
    let weight = || one_of(&["normal", "bold", "large"]);
    let four = || json!({ "type": "array", "items": { "type": "string" }, "minItems": 4, "maxItems": 4 });
    let line = |word: &str, fields: Vec<Field>| {
        object("A line of a document.", std::iter::once(must("line", json!({ "const": word }))).chain(fields))
    };
    let lines = vec![
        line("title", vec![must("text", words()), must("weight", weight())]),
        line("text", vec![must("text", words()), must("centred", flag())]),
        line("pair", vec![must("left", words()), must("right", words()), must("weight", weight())]),
        line("table", vec![must("header", four()), must("rows", list(four()))]),
        line("rule", vec![]),
        line("blank", vec![]),
        line("code", vec![must("data", words())]),
        line("cut", vec![]),
        line("drawer", vec![]),
    ];
    vec![
        ("PaperLine", json!({ "oneOf": lines })),
        (
            "Paper",
            object(
                "A document as a page shows it; its QR code as the path of an SVG.",
                [
                    must("lines", list(to("PaperLine"))),
                    must("code", or_null(object("A drawing.", [must("size", number()), must("path", words())]))),
                ],
            ),
        ),
        (
            "TicketText",
            object(
                "A ticket.",
                [
                    must("ticket_no", number()),
                    must("text", words()),
                    must("training", flag()),
                    must("paper", to("Paper")),
                    must("has_printer", flag()),
                    must("prints", number()),
                ],
            ),
        ),
        (
            "PrintRequest",
            request(
                "Where; the till's printer when it has one.",
                [may("to", or_null(one_of(&["printer", "browser"]))), may("uuid", or_null(uuid()))],
            ),
        ),
        (
            "PrintDone",
            object(
                "What became of a print: 0 is the original, then the number of the duplicata.",
                [
                    must("print_no", number()),
                    must("status", one_of(&["printed", "waiting", "not_printed", "doubtful", "recorded"])),
                    must(
                        "trouble",
                        or_null(one_of(&["no_paper", "cover_open", "cutter", "fault", "offline", "unreachable", "interrupted"])),
                    ),
                    must("detail", or_null(words())),
                    must("paper", to("Paper")),
                ],
            ),
        ),
    ]
}
