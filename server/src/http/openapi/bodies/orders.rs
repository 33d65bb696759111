//! Orders, the kitchen, and the phones that keep orders.

use super::Named;
use crate::http::openapi::shapes::{
    day, euros, few, flag, id, list, may, moment, must, number, object, one_of, or_null, percent, request, text, to, uuid, whole, words,
};
use serde_json::json;

pub(super) fn orders() -> Vec<Named> {
    let option = request("An answer to what the menu asks.", [must("group", words()), must("choice", words())]);
    let component = object(
        "What was chosen of a group of a formule.",
        [must("group", words()), must("item_id", id()), may("options", list(to("OptionChosen")))],
    );
    let reason = || text(140);
    let again = || may("uuid", or_null(uuid()));
    vec![
        ("OptionChosen", option),
        ("ComponentChoice", component),
        (
            "ItemRequest",
            request(
                "One wish. Exactly one of `dish_id`, `wine_id` and `item_id` names it: three names of one number.",
                [
                    may("dish_id", or_null(id())),
                    may("wine_id", or_null(id())),
                    may("item_id", or_null(id())),
                    must("qty", whole(1, 99)),
                    may("note", or_null(text(140))),
                    may("course", or_null(whole(0, 9))),
                    may("hold", flag()),
                    may("options", list(to("OptionChosen"))),
                    may("components", list(to("ComponentChoice"))),
                ],
            ),
        ),
        (
            "OrderRequest",
            request(
                "What a phone sends. With `order_id` the round goes to those guests, wherever they sit by now, or nowhere.",
                [
                    must("table_id", id()),
                    must("items", few(to("ItemRequest"), 100)),
                    may("covers", or_null(whole(1, 99))),
                    again(),
                    may("if_occupied", one_of(&["append", "reject"])),
                    may("order_id", or_null(id())),
                ],
            ),
        ),
        ("SentStatus", one_of(&["sent", "pending_erp"])),
        ("OrderAccepted", object("It is stored.", [must("order_id", id()), must("status", to("SentStatus")), must("round", number())])),
        (
            "SyncRequest",
            request(
                "An order as it was typed. A field is only ever added, and every one that was added is optional.",
                [
                    again(),
                    must("table_id", id()),
                    must("items", few(to("ItemRequest"), 100)),
                    may("covers", or_null(whole(1, 99))),
                    must("offline_timestamp", moment()),
                    may("if_occupied", or_null(one_of(&["append", "reject"]))),
                    may("append_until", or_null(moment())),
                    may("order_id", or_null(id())),
                    may("after", or_null(uuid())),
                    may("total", or_null(euros())),
                    may("resolves", or_null(uuid())),
                    may("typed_by", or_null(id())),
                ],
            ),
        ),
        (
            "SyncAccepted",
            object(
                "It is stored.",
                [must("order_id", id()), must("status", to("SentStatus")), must("round", number()), must("server_timestamp", moment())],
            ),
        ),
        ("DropRequest", request("Why it is given up.", [must("reason", reason())])),
        ("Dropped", object("It is given up.", [must("uuid", uuid()), must("server_timestamp", moment())])),
        ("LineState", one_of(&["held", "received", "cooking", "ready", "served", "voided"])),
        (
            "PricedOption",
            object(
                "An answer, and what it added to the price of one.",
                [must("group", words()), must("choice", words()), must("price", euros())],
            ),
        ),
        (
            "LineView",
            object(
                "A line, with name, price and rate as they were when it was ordered.",
                [
                    must("line_id", id()),
                    must("item_id", id()),
                    must("kind", to("ItemKind")),
                    must("name", words()),
                    must("qty", number()),
                    must("voided_qty", number()),
                    must("unit_price", euros()),
                    must("total", euros()),
                    must("discount", euros()),
                    may("discount_reason", words()),
                    may("discount_by", words()),
                    must("vat_rate", percent()),
                    must("state", to("LineState")),
                    must("note", or_null(words())),
                    must("course", whole(0, 9)),
                    must("round", number()),
                    must("part_of", or_null(words())),
                    may("options", list(to("PricedOption"))),
                    must("kitchen", or_null(to("SentStatus"))),
                    must("called", flag()),
                ],
            ),
        ),
        (
            "OrderView",
            object(
                "A whole order.",
                [
                    must("order_id", id()),
                    must("table_id", id()),
                    must("table", words()),
                    must("covers", whole(1, 99)),
                    must("status", one_of(&["open", "paid_complete", "merged", "cancelled"])),
                    must("server_user_id", id()),
                    must("server_name", words()),
                    must("bill_asked", flag()),
                    must("opened_at", moment()),
                    must("total", euros()),
                    must("lines", list(to("LineView"))),
                    may("ticket_no", number()),
                ],
            ),
        ),
        ("VoidRequest", request("How many, and why.", [must("qty", whole(1, 99)), may("reason", reason()), again()])),
        ("TransferRequest", request("Where the guests sit now.", [must("table_id", id()), again()])),
        ("MergeRequest", request("The order that stays open.", [must("into_order_id", id()), again()])),
        ("HandoverRequest", request("Who looks after it from now on.", [must("user_id", id()), again()])),
        ("CoversRequest", request("How many.", [must("covers", whole(1, 99)), again()])),
    ]
}

pub(super) fn kitchen() -> Vec<Named> {
    let moves = || one_of(&["cooking", "ready", "recalled", "served"]);
    let void = object(
        "What was taken off after the kitchen knew of it.",
        [
            must("void_id", id()),
            must("line_id", id()),
            must("name", words()),
            must("qty", number()),
            must("reason", words()),
            must("course", whole(0, 9)),
            must("at", moment()),
        ],
    );
    let slip = object(
        "What was sent at one time for one table.",
        [
            must("order_id", id()),
            must("table", words()),
            must("server_name", words()),
            must("round", number()),
            must("at", moment()),
            must("lines", list(to("KitchenLine"))),
            may("voids", list(void)),
        ],
    );
    let finished = object(
        "A course that the kitchen finished.",
        [
            must("order_id", id()),
            must("table", words()),
            must("round", number()),
            must("course", whole(0, 9)),
            must("at", moment()),
            must("line_ids", list(id())),
            must("dishes", list(words())),
        ],
    );
    let waits =
        || object("Seconds.", [must("dishes", number()), must("median_s", number()), must("p95_s", number()), must("escalated", number())]);
    vec![
        ("LineMove", request("What the kitchen or a waiter says of a line.", [must("state", moves())])),
        ("LineMoved", object("Where it stands.", [must("line_id", id()), must("state", to("LineState"))])),
        (
            "SlipMove",
            request("Where to; with `line_ids`, only what the person saw.", [must("state", moves()), may("line_ids", or_null(list(id())))]),
        ),
        ("SlipMoved", object("What stands there now.", [must("state", to("LineState")), must("line_ids", list(id()))])),
        (
            "KitchenLine",
            object(
                "A line on the kitchen screen.",
                [
                    must("line_id", id()),
                    must("order_id", id()),
                    must("name", words()),
                    must("qty", number()),
                    must("note", or_null(words())),
                    must("course", whole(0, 9)),
                    must("state", to("LineState")),
                    may("choices", list(words())),
                    must("called_at", or_null(moment())),
                    must("told_at", or_null(moment())),
                    must("since", moment()),
                    may("seen_by", words()),
                ],
            ),
        ),
        (
            "KitchenView",
            object(
                "The kitchen screen, the oldest slip first.",
                [must("at", moment()), must("slips", list(slip)), must("finished", list(finished))],
            ),
        ),
        (
            "WaitingDish",
            object(
                "A dish at the pass.",
                [
                    must("event_id", id()),
                    must("order_id", id()),
                    must("table_id", id()),
                    must("table", words()),
                    must("dish", words()),
                    must("qty", number()),
                    must("line_id", or_null(id())),
                    must("server_name", words()),
                    must("timestamp", json!({ "type": "string", "pattern": "^[0-2][0-9]h[0-5][0-9]$" })),
                    must("at", moment()),
                    may("settled", flag()),
                    must("told", one_of(&["waiter", "colleagues", "till"])),
                ],
            ),
        ),
        (
            "PassWaits",
            object(
                "How long dishes waited on a day of service.",
                [
                    must("day", day()),
                    must("whole", or_null(waits())),
                    must(
                        "hours",
                        list(object("By the hour in which they were ready.", [must("hour", whole(0, 23)), must("waits", waits())])),
                    ),
                    must("waiting", number()),
                ],
            ),
        ),
        (
            "DishReadyHook",
            object(
                "What a kitchen system says. It names slips and events as it likes, with a text or a number.",
                [
                    must("erp_order_id", to("ErpId")),
                    must("dish_name", json!({ "type": "string", "minLength": 1, "maxLength": 200 })),
                    must("table_id", id()),
                    may("event_id", or_null(to("ErpId"))),
                ],
            ),
        ),
        ("ErpId", json!({ "anyOf": [{ "type": "string", "minLength": 1, "maxLength": 200 }, { "type": "integer", "format": "int64" }] })),
        ("HookDone", object("What became of it.", [must("status", one_of(&["notified", "stored", "duplicate"]))])),
    ]
}

pub(super) fn phones() -> Vec<Named> {
    let device = object(
        "A phone.",
        [
            must("device_id", uuid()),
            must("user_id", id()),
            must("user_name", words()),
            must("held", number()),
            must("conflicts", number()),
            must("app", words()),
            must("seen_at", moment()),
            must("left", flag()),
            must("silent", flag()),
        ],
    );
    let late = object(
        "An order that was typed before the last closing and came after it.",
        [
            must("order_id", id()),
            must("table", words()),
            must("user_name", words()),
            must("typed_at", moment()),
            must("received_at", moment()),
        ],
    );
    vec![
        (
            "DeviceReport",
            request(
                "What a phone keeps.",
                [
                    must("held", whole(0, 2_147_483_647)),
                    may("conflicts", whole(0, 2_147_483_647)),
                    may("app", text(60)),
                    may("leaving", flag()),
                ],
            ),
        ),
        ("DevicesView", object("The phones, the longest silence first.", [must("devices", list(device)), must("late", list(late))])),
    ]
}
