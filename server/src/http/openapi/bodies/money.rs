//! Bills, shares, and what becomes of money.

use super::Named;
use crate::http::openapi::shapes::{
    balance, euros, few, flag, id, list, may, moment, must, number, object, one_of, or_null, percent, quantity, request, text, to, uuid,
    whole, words,
};
use serde_json::json;

pub(super) fn bill() -> Vec<Named> {
    let some_of = |amount| {
        object("How many of a line a share has as items.", [must("line_id", id()), must("qty", quantity()), must("amount", amount)])
    };
    let settled = object(
        "How a share was settled.",
        [must("method", to("Method")), must("ticket_no", number()), must("tip", euros()), must("refunded", euros())],
    );
    let claim = object("How many of a line.", [must("line_id", id()), must("qty", quantity())]);
    let mode = |word: &str| must("mode", json!({ "const": word }));
    vec![
        ("Method", one_of(&["CB", "ESPECES", "TR", "CHEQUE"])),
        (
            "VatLine",
            object(
                "One rate: `gross` is `net` and `vat`.",
                [must("rate", percent()), must("net", balance()), must("vat", balance()), must("gross", balance())],
            ),
        ),
        (
            "BillItem",
            object(
                "A line of a bill.",
                [
                    must("line_id", id()),
                    must("name", words()),
                    must("qty", number()),
                    must("remaining_qty", json!({ "type": "number", "minimum": 0 })),
                    must("unit_price", euros()),
                    must("total", euros()),
                    must("discount", euros()),
                    must("vat_rate", percent()),
                    must("due", euros()),
                    must("unclaimed", quantity()),
                ],
            ),
        ),
        (
            "ShareView",
            object(
                "A share.",
                [
                    must("cover_number", whole(1, 32_767)),
                    must("amount", euros()),
                    must("status", one_of(&["unpaid", "pending", "paid", "unknown"])),
                    must("label", words()),
                    must("payment_id", or_null(id())),
                    may("items", list(some_of(euros()))),
                    may("payment", settled),
                ],
            ),
        ),
        (
            "Bill",
            object(
                "What was taken, what is paid, what is left and who owes it.",
                [
                    must("order_id", id()),
                    must("table_id", id()),
                    must("table", words()),
                    must("covers", whole(1, 99)),
                    must("total", euros()),
                    must("discount", euros()),
                    must("paid", euros()),
                    must("remaining", balance()),
                    must("items", list(to("BillItem"))),
                    must("vat", list(to("VatLine"))),
                    must("shares", list(to("ShareView"))),
                    must("division", one_of(&["covers", "equal", "chosen"])),
                    may("closed", flag()),
                ],
            ),
        ),
        (
            "SplitRequest",
            json!({ "oneOf": [
                request("Into so many equal shares.", [mode("equal"), must("parts", whole(1, 99))]),
                request("Each share pays what it had.", [mode("items"), must("shares", few(few(claim, 500), 99))]),
                request("By amounts that come to what is left.", [mode("amounts"), must("amounts", few(euros(), 99))]),
            ] }),
        ),
        ("SplitDone", object("The shares, as in the bill.", [must("shares", list(to("ShareView")))])),
        (
            "DiscountRequest",
            request(
                "Exactly one of `percent` and `amount`; off one line, or off all that is not paid.",
                [
                    may("line_id", or_null(id())),
                    may("percent", or_null(percent())),
                    may("amount", or_null(euros())),
                    must("reason", text(140)),
                    may("uuid", or_null(uuid())),
                ],
            ),
        ),
        ("NoteDone", object("A provisional note as it is printed.", [must("note_no", number()), must("text", words())])),
    ]
}

pub(super) fn payments() -> Vec<Named> {
    let states = ["created", "sending", "sent", "approved", "declined", "cancelled", "failed", "unknown", "not_sent"];
    let again = || may("uuid", or_null(uuid()));
    let decided = || [must("decision", or_null(to("Decision"))), must("reason", or_null(words())), must("by", or_null(words()))];
    vec![
        (
            "PaymentRequest",
            request(
                "Settles one share; with `also`, several; with `part`, a part of it. `amount` is what the screen showed as owed.",
                [
                    must("order_id", id()),
                    must("cover_number", whole(1, 32_767)),
                    must("amount", euros()),
                    must("method", to("Method")),
                    may("tendered", or_null(euros())),
                    may("tip", or_null(euros())),
                    may("part", or_null(euros())),
                    may("also", few(whole(1, 32_767), 99)),
                    may("approval_code", or_null(words())),
                    again(),
                ],
            ),
        ),
        (
            "PaymentDone",
            object(
                "Money was taken and booked.",
                [
                    must("payment_id", id()),
                    must("status", one_of(&["paid", "order_complete", "partial"])),
                    must("remaining", json!({ "type": "string", "pattern": "^[0-9]+/[0-9]+$" })),
                    must("remaining_amount", euros()),
                    must("change", euros()),
                    must("ticket_no", number()),
                    may("amount_booked", euros()),
                    may("warnings", list(words())),
                ],
            ),
        ),
        ("AttemptState", one_of(&states)),
        (
            "PaymentStep",
            object(
                "One step of a payment.",
                [
                    must("at", moment()),
                    must("from", or_null(words())),
                    must("to", words()),
                    must("why", words()),
                    must("by", or_null(words())),
                ],
            ),
        ),
        (
            "PaymentView",
            object(
                "A payment, whatever became of it.",
                [
                    must("payment_id", id()),
                    must("order_id", id()),
                    must("cover_number", whole(1, 32_767)),
                    must("amount", euros()),
                    may("amount_booked", euros()),
                    must("method", to("Method")),
                    must("status", to("AttemptState")),
                    must("approval_code", or_null(words())),
                    must("ticket_no", or_null(number())),
                    must("history", list(to("PaymentStep"))),
                    may("tip", euros()),
                    may("listening_until", moment()),
                    may("can_ask_terminal", flag()),
                    may("contradictions", list(to("Contradiction"))),
                ],
            ),
        ),
        ("Decision", one_of(&["refunded", "kept", "booked"])),
        (
            "Contradiction",
            object(
                "A terminal says otherwise than a payment ended.",
                [
                    must("id", id()),
                    must("payment_id", id()),
                    must("at", moment()),
                    must("says", to("AttemptState")),
                    may("amount", euros()),
                    must("approval_code", or_null(words())),
                    must("stood", to("AttemptState")),
                ]
                .into_iter()
                .chain(decided()),
            ),
        ),
        (
            "StrayView",
            object(
                "Money that a terminal says it took, and no payment explains.",
                [
                    must("id", id()),
                    must("at", moment()),
                    must("terminal", words()),
                    must("reference", or_null(words())),
                    may("amount", euros()),
                    may("currency", words()),
                    may("names", id()),
                    may("booked_as", id()),
                ]
                .into_iter()
                .chain(decided()),
            ),
        ),
        ("ShareName", request("A share of a bill.", [must("order_id", id()), must("cover_number", whole(1, 32_767))])),
        (
            "DecideRequest",
            request(
                "What becomes of it, and why. Money that no payment explains is booked for a share.",
                [
                    must("decision", to("Decision")),
                    must("reason", text(140)),
                    may("approval_code", or_null(words())),
                    may("share", or_null(to("ShareName"))),
                ],
            ),
        ),
        (
            "PaymentInDoubt",
            object(
                "A payment by card, as a person finds it again.",
                [
                    must("payment_id", id()),
                    must("order_id", id()),
                    must("table", words()),
                    must("cover_number", whole(1, 32_767)),
                    must("amount", euros()),
                    must("by", words()),
                    must("at", moment()),
                    must("status", to("AttemptState")),
                ],
            ),
        ),
        (
            "ContradictionInDoubt",
            object(
                "A contradiction that nobody has decided about.",
                [must("said", to("Contradiction")), must("payment", to("PaymentInDoubt")), must("can_be_booked", flag())],
            ),
        ),
        (
            "StrayInDoubt",
            object("Money that nobody has decided about.", [must("stray", to("StrayView")), may("names", to("PaymentInDoubt"))]),
        ),
        (
            "MoneyToCheck",
            object(
                "Everything that waits for a person's word; no day is closed before.",
                [
                    must("open", list(to("PaymentInDoubt"))),
                    must("contradictions", list(to("ContradictionInDoubt"))),
                    must("strays", list(to("StrayInDoubt"))),
                ],
            ),
        ),
        (
            "TerminalSays",
            object(
                "What a terminal says of its last ticket.",
                [
                    must("answer", one_of(&["same_payment", "other_payment", "unnamed", "reprinted", "refused", "unsupported", "silent"])),
                    may("amount", euros()),
                    may("approval_code", words()),
                    must("payment", to("PaymentView")),
                ],
            ),
        ),
        (
            "ResolveRequest",
            request(
                "What the terminal's own ticket says, and how that is known.",
                [
                    must("outcome", one_of(&["accepted", "not_accepted"])),
                    may("approval_code", or_null(words())),
                    may("amount", or_null(euros())),
                    must("reason", text(140)),
                ],
            ),
        ),
        (
            "RefundRequest",
            request(
                "How much; without it, all of those lines or all that is left. For a card with the number of the terminal's own refund.",
                [
                    may("amount", or_null(euros())),
                    may("lines", list(id())),
                    must("reason", text(140)),
                    may("approval_code", or_null(words())),
                    again(),
                ],
            ),
        ),
        (
            "RefundDone",
            object(
                "A counter-entry.",
                [
                    must("refund_id", id()),
                    must("payment_id", id()),
                    must("amount", euros()),
                    must("method", to("Method")),
                    must("ticket_no", number()),
                    must("corrects", number()),
                ],
            ),
        ),
        ("MethodChange", request("What it really was, and why.", [must("method", to("Method")), must("reason", text(140)), again()])),
        (
            "MethodChanged",
            object(
                "The correction.",
                [must("payment_id", id()), must("from", to("Method")), must("to", to("Method")), must("record_no", number())],
            ),
        ),
    ]
}
