//! Refusals, people, the plan.

use super::Named;
use crate::http::openapi::shapes::{
    balance, cents, few, flag, id, list, may, moment, must, number, object, one_of, or_null, request, text, to, uuid, whole, words,
};
use serde_json::json;

pub(super) fn errors() -> Vec<Named> {
    let choice = one_of(&["append", "other_table", "accept", "drop"]);
    vec![
        (
            "Problem",
            object(
                "Why something was not done (RFC 9457). Besides what is always there, what the code promises.",
                [
                    must("type", words()),
                    must("title", words()),
                    must("status", whole(400, 599)),
                    must("code", json!({ "type": "string", "pattern": "^[a-z0-9_]+$", "description": "Stable: what programs look at." })),
                    must("detail", json!({ "type": "string", "description": "French, for a person." })),
                    may("errors", list(to("FieldError"))),
                    may("order_id", or_null(id())),
                    may("opened_by", object("Who has the table.", [must("id", id()), must("name", words())])),
                    may("choices", list(choice)),
                    may("table_id", id()),
                    may("table", words()),
                    may("expected_cents", cents()),
                    may("line_id", or_null(id())),
                    may("divided_cents", cents()),
                    may("left_cents", cents()),
                    may("said_cents", cents()),
                    may("total_cents", cents()),
                    may("payment_id", id()),
                    may("payment_ids", list(id())),
                    may("strays", list(id())),
                    may("reason", words()),
                    may("until", moment()),
                    may("retry_after", number()),
                ],
            ),
        ),
        (
            "FieldError",
            object(
                "A field and its fault.",
                [must("field", json!({ "type": "string", "description": "Such as `items[2].qty`." })), must("code", words())],
            ),
        ),
        (
            "Health",
            object(
                "How it is.",
                [
                    must("status", one_of(&["live", "ready", "not ready"])),
                    may("failing", list(one_of(&["database", "redis"]))),
                    may("degraded", list(one_of(&["terminal", "anchors"]))),
                ],
            ),
        ),
    ]
}

pub(super) fn people() -> Vec<Named> {
    let pin = || json!({ "type": "string", "pattern": "^[0-9]{4,8}$", "writeOnly": true });
    let username = || json!({ "type": "string", "minLength": 1, "maxLength": 32 });
    vec![
        ("Role", one_of(&["serveur", "caissier", "admin", "auditeur"])),
        ("Login", request("Who signs in.", [must("username", words()), must("pin", json!({ "type": "string", "writeOnly": true }))])),
        ("SessionUser", object("Who is signed in.", [must("id", id()), must("name", words()), must("role", to("Role"))])),
        ("LoginDone", object("Who is signed in now.", [must("user", to("SessionUser"))])),
        (
            "UserView",
            object(
                "Somebody who works here, or did.",
                [must("id", id()), must("username", words()), must("name", words()), must("role", to("Role")), must("active", flag())],
            ),
        ),
        (
            "NewUser",
            request(
                "Somebody who begins.",
                [
                    must("username", username()),
                    must("name", text(80)),
                    must("role", to("Role")),
                    must("pin", pin()),
                    may("uuid", or_null(uuid())),
                ],
            ),
        ),
        (
            "UserChange",
            request(
                "What changes about somebody. Without a `pin` the old one stays.",
                [must("name", text(80)), must("role", to("Role")), must("active", flag()), may("pin", or_null(pin()))],
            ),
        ),
    ]
}

pub(super) fn plan() -> Vec<Named> {
    let hundredths = || whole(0, 100);
    vec![
        (
            "TableView",
            object(
                "A table and what stands on it now. The later `as_of` counts.",
                [
                    must("id", id()),
                    must("name", words()),
                    must("room", words()),
                    must("seats", whole(1, 99)),
                    must("status", one_of(&["free", "occupied", "waiting", "ready", "bill"])),
                    must("order_id", or_null(id())),
                    must("server_user_id", or_null(id())),
                    must("server_name", or_null(words())),
                    must("since", or_null(moment())),
                    must("pending_since", or_null(moment())),
                    must("covers", or_null(whole(1, 99))),
                    must("remaining", or_null(balance())),
                    must("as_of", moment()),
                    must("x", hundredths()),
                    must("y", hundredths()),
                    must("width", hundredths()),
                    must("height", hundredths()),
                    must("rotation", whole(0, 359)),
                    must("round", flag()),
                ],
            ),
        ),
        (
            "FloorPlan",
            request(
                "The house, whole. Whoever writes says which `version` was changed.",
                [must("version", number()), must("rooms", few(to("RoomPlan"), 20))],
            ),
        ),
        (
            "RoomPlan",
            request(
                "A room; without an `id`, a new one.",
                [may("id", or_null(id())), must("name", text(20)), must("tables", few(to("TablePlan"), 300))],
            ),
        ),
        (
            "TablePlan",
            request(
                "A table; without an `id`, a new one. Its middle and its size in hundredths of the room.",
                [
                    may("id", or_null(id())),
                    must("name", text(20)),
                    must("seats", whole(1, 99)),
                    must("x", hundredths()),
                    must("y", hundredths()),
                    must("width", whole(10, 60)),
                    must("height", whole(10, 60)),
                    must("rotation", whole(0, 359)),
                    must("round", flag()),
                ],
            ),
        ),
    ]
}
