//! The routes, in the order of the router.

use super::route::{Route, Who};
use super::shapes::{day, text, to, words};
use domain::role::Right;

/// All of them.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut routes = everybody();
    routes.extend(waiters());
    routes.extend(cashiers());
    routes.extend(owner());
    routes.extend(programs());
    routes
}

fn everybody() -> Vec<Route> {
    use Who::{Anyone, SignedIn};
    vec![
        Route::new("get", "/api/openapi.json", Anyone, "This document.").gives_as(
            200,
            "application/json",
            serde_json::json!({ "type": "object" }),
        ),
        Route::new("post", "/api/auth/login", Anyone, "Signs a person in: sets the session cookie.")
            .takes("Login")
            .gives(200, "LoginDone")
            .refuses(&["wrong_pin", "too_many", "sessions_unavailable"]),
        Route::new("post", "/api/auth/logout", SignedIn, "Ends the session.")
            .gives_nothing(204, "Nobody is signed in with this cookie any more."),
        Route::new("get", "/api/menu", SignedIn, "The menu. Send back its `ETag` as `If-None-Match`.")
            .gives(200, "Menu")
            .gives_nothing(304, "The caller has this very one."),
        Route::new("get", "/api/tables", SignedIn, "The plan: every table and what stands on it now.").gives_list(to("TableView")),
    ]
}

fn waiters() -> Vec<Route> {
    const MAY: Who = Who::May(Right::TakeOrders);
    let amend = |path, does, body: &str| Route::new("post", path, MAY, does).takes(body).gives(200, "OrderView").once();
    vec![
        Route::new("post", "/api/orders", MAY, "Takes an order. A second round joins the open order of the table.")
            .takes("OrderRequest")
            .gives(201, "OrderAccepted")
            .once()
            .refuses(&["table_occupied", "order_closed", "order_moved", "already_synced", "intent_over"]),
        Route::new("post", "/api/orders/sync", MAY, "Takes an order that was typed without a network. Its `uuid` is required.")
            .takes("SyncRequest")
            .gives(201, "SyncAccepted")
            .gives(200, "SyncAccepted")
            .once()
            .refuses(&[
                "table_occupied",
                "order_closed",
                "order_moved",
                "typed_by_other",
                "already_synced",
                "intent_over",
                "price_changed",
                "app_outdated",
                "server_outdated",
            ]),
        Route::new("post", "/api/orders/sync/{uuid}/drop", MAY, "Gives up an order that a phone kept.")
            .takes("DropRequest")
            .gives(200, "Dropped")
            .refuses(&["already_synced", "intent_over", "idempotency_mismatch", "typed_by_other", "app_outdated", "server_outdated"]),
        Route::new("put", "/api/devices/{uuid}", MAY, "A phone says what it keeps.").takes("DeviceReport").gives_nothing(204, "Noted."),
        Route::new("get", "/api/orders/{id}", MAY, "A whole order, each line with where it stands.").gives(200, "OrderView"),
        Route::new("get", "/api/orders/{id}/bill", MAY, "Its bill and the shares. Where nobody chose, equal shares by covers.")
            .gives(200, "Bill"),
        amend("/api/orders/{id}/lines/{line_id}/void", "Takes something off. What the kitchen knows of needs a reason.", "VoidRequest")
            .refuses(&["order_closed", "partly_paid", "payment_in_progress", "order_moved"]),
        amend("/api/orders/{id}/transfer", "Moves the guests to a free table.", "TransferRequest").refuses(&[
            "order_closed",
            "table_occupied",
            "order_moved",
        ]),
        amend("/api/orders/{id}/merge", "Puts two tables together; answers with the order that stays.", "MergeRequest").refuses(&[
            "order_closed",
            "partly_paid",
            "payment_in_progress",
            "order_moved",
        ]),
        amend("/api/orders/{id}/handover", "Gives the table to somebody else.", "HandoverRequest")
            .refuses(&["order_closed", "order_moved"]),
        amend("/api/orders/{id}/covers", "Says how many guests sit there.", "CoversRequest").refuses(&[
            "order_closed",
            "partly_paid",
            "payment_in_progress",
            "order_moved",
        ]),
        Route::new("post", "/api/orders/{id}/courses/{n}/fire", MAY, "Calls a course: the kitchen may begin.")
            .gives(200, "OrderView")
            .once()
            .refuses(&["order_closed", "beyond_call", "order_moved"]),
        Route::new("post", "/api/orders/{id}/courses/{n}/hold", MAY, "Lets a course wait.").gives(200, "OrderView").once().refuses(&[
            "order_closed",
            "already_in_kitchen",
            "order_moved",
        ]),
        Route::new(
            "post",
            "/api/orders/{id}/note",
            MAY,
            "Writes a provisional note: a signed record, no receipt. A body (`uuid`) may be left out.",
        )
        .gives(200, "NoteDone")
        .once()
        .refuses(&["order_closed", "invalid", "bad_json", "wrong_content_type"]),
        Route::new(
            "post",
            "/api/orders/{id}/release",
            MAY,
            "Frees the table of guests who owe nothing; a ticket over nothing says what was given away.",
        )
        .gives(200, "OrderView")
        .once()
        .refuses(&["order_closed", "not_settled", "payment_in_progress", "order_moved"]),
        Route::new("put", "/api/menu/items/{id}/availability", MAY, "Says whether something can be ordered now.")
            .takes("Availability")
            .gives_nothing(204, "The phones are told."),
        Route::new("get", "/api/kitchen", MAY, "The kitchen screen.").gives(200, "KitchenView"),
        Route::new("post", "/api/kitchen/lines/{line_id}", MAY, "Moves a line on, or back.")
            .takes("LineMove")
            .gives(200, "LineMoved")
            .refuses(&["line_state"]),
        Route::new("post", "/api/kitchen/slips/{order_id}/{round}", MAY, "Moves all lines of a slip, or those that were seen.")
            .takes("SlipMove")
            .gives(200, "SlipMoved")
            .refuses(&["line_state"]),
        Route::new("get", "/api/pass", MAY, "Dishes at the pass that wait for whoever asks.").gives_list(to("WaitingDish")),
    ]
}

fn cashiers() -> Vec<Route> {
    const MAY: Who = Who::May(Right::HandleMoney);
    const DECIDED: &[&str] =
        &["not_unknown", "still_listening", "other_mode", "already_paid", "order_closed", "payment_in_progress", "amount_mismatch"];
    vec![
        Route::new("put", "/api/orders/{id}/split", MAY, "Divides what is not paid. Paid, pending and unknown shares stay.")
            .takes("SplitRequest")
            .gives(200, "SplitDone")
            .refuses(&["order_closed", "does_not_add_up"]),
        Route::new("post", "/api/orders/{id}/discount", MAY, "Takes something off a price.")
            .takes("DiscountRequest")
            .gives(200, "OrderView")
            .once()
            .refuses(&["order_closed", "partly_paid", "payment_in_progress"]),
        Route::new("post", "/api/payments/split", MAY, "Settles one share, or several in one. Waits for the card terminal.")
            .takes("PaymentRequest")
            .gives(201, "PaymentDone")
            .once()
            .refuses(&[
                "already_paid",
                "amount_mismatch",
                "order_closed",
                "payment_in_progress",
                "terminal_busy",
                "card_declined",
                "card_cancelled",
                "terminal_unavailable",
                "terminal_unknown",
            ]),
        Route::new("get", "/api/payments/{id}", MAY, "A payment, whatever became of it, and every step.").gives(200, "PaymentView"),
        Route::new("post", "/api/payments/{id}/method", MAY, "Corrects the means of a payment: a signed record, no money moves.")
            .takes("MethodChange")
            .gives(201, "MethodChanged")
            .once()
            .refuses(&["other_mode"]),
        Route::new("post", "/api/payments/{id}/resolve", MAY, "Says how a payment ended that nobody knew the end of.")
            .takes("ResolveRequest")
            .gives(200, "PaymentView")
            .refuses(DECIDED),
        Route::new("post", "/api/cash/movements", MAY, "Records a movement of cash: the float, in, out, a count.")
            .takes("CashMovementRequest")
            .gives(201, "CashMovementDone")
            .once(),
        Route::new("post", "/api/payments/{id}/contradictions/{word_id}", MAY, "Decides when a terminal says otherwise than it ended.")
            .takes("DecideRequest")
            .gives(200, "PaymentView")
            .refuses(DECIDED),
        Route::new("post", "/api/payments/{id}/query", MAY, "Asks its terminal for the last ticket: evidence, which books nothing.")
            .gives(200, "TerminalSays")
            .refuses(&["not_unknown", "still_listening", "terminal_busy"]),
        Route::new("post", "/api/payments/{id}/abort", MAY, "Gives up a payment whose request is not at the terminal yet.")
            .gives(200, "PaymentView")
            .refuses(&["too_late_to_abort"]),
        Route::new("get", "/api/payments/to-check", MAY, "Everything that waits for a person's word.").gives(200, "MoneyToCheck"),
        Route::new("get", "/api/payments/strays", MAY, "Money that a terminal says it took, and no payment explains.")
            .gives_list(to("StrayView")),
        Route::new("post", "/api/payments/strays/{id}", MAY, "Decides about it.")
            .takes("DecideRequest")
            .gives(200, "StrayView")
            .refuses(DECIDED),
        Route::new("post", "/api/nf525/close", MAY, "Closes a day, a month or a year: without a date, the oldest open one.")
            .takes("CloseRequest")
            .gives(200, "CloseDone")
            .refuses(&["unresolved_payments", "previous_period_open"]),
        Route::new("get", "/api/nf525/x", MAY, "X report of the open day.").gives(200, "CloseSummary").refuses(&["not_found"]),
        Route::new("get", "/api/nf525/tickets/{no}", MAY, "A ticket, to look at: no print.").gives(200, "TicketText"),
        Route::new("get", "/api/devices", MAY, "The phones, what they keep, and orders that came after a closing.")
            .gives(200, "DevicesView"),
        Route::new("post", "/api/nf525/tickets/{no}/print", MAY, "Prints it; from the second time on a numbered duplicata.")
            .takes("PrintRequest")
            .gives(200, "PrintDone")
            .gives(202, "PrintDone")
            .refuses(&["no_printer", "idempotency_mismatch"]),
        Route::new("post", "/api/nf525/tickets/{no}/decline", MAY, "The guest wants no paper.").gives_nothing(204, "Noted."),
        Route::new("post", "/api/nf525/closings/{id}/print", MAY, "Prints a closing, by the number of its record.")
            .takes("PrintRequest")
            .gives(200, "PrintDone")
            .gives(202, "PrintDone")
            .refuses(&["no_printer", "idempotency_mismatch"]),
    ]
}

fn owner() -> Vec<Route> {
    const MAY: Who = Who::May(Right::Administer);
    vec![
        Route::new("get", "/api/floor", MAY, "The house as it is drawn.").gives(200, "FloorPlan"),
        Route::new("put", "/api/floor", MAY, "Draws it anew; names the version that was changed.")
            .takes("FloorPlan")
            .gives(200, "FloorPlan")
            .refuses(&["plan_changed", "table_in_use"]),
        Route::new("post", "/api/payments/{id}/refund", MAY, "Gives money back by the means by which it came: a signed counter-entry.")
            .takes("RefundRequest")
            .gives(201, "RefundDone")
            .once()
            .refuses(&["other_mode"]),
        Route::new("get", "/api/menu/items", MAY, "Every article, also what is out.").gives_list(to("ItemView")),
        Route::new("post", "/api/menu/items", MAY, "Adds an article at the end of its heading.")
            .takes("ItemDraft")
            .gives(201, "ItemView")
            .once(),
        Route::new("put", "/api/menu/items/{id}", MAY, "Changes an article. What was ordered stays as it was.")
            .takes("ItemDraft")
            .gives(200, "ItemView"),
        Route::new("put", "/api/menu/items/{id}/pairings", MAY, "The wines that go with it, the best first.")
            .takes_list(to("PairingDraft"))
            .gives(200, "ItemView"),
        Route::new("get", "/api/menu/headings", MAY, "The headings and their wines.").gives_list(to("Heading")),
        Route::new("put", "/api/menu/headings/{category}/pairings", MAY, "The wines that go with everything under a heading.")
            .takes_list(to("PairingDraft"))
            .gives(200, "Heading"),
        Route::new("get", "/api/menu/notes", MAY, "Notes to tap instead of type.").gives_list(words()),
        Route::new("put", "/api/menu/notes", MAY, "Sets them.").takes_list(text(40)).gives_list(words()),
        Route::new("get", "/api/users", MAY, "Who works here, or did.").gives_list(to("UserView")),
        Route::new("post", "/api/users", MAY, "Somebody begins.")
            .takes("NewUser")
            .gives(201, "UserView")
            .once()
            .refuses(&["username_taken"]),
        Route::new("put", "/api/users/{id}", MAY, "Changes name, role or PIN, or lets nobody sign in by it any more.")
            .takes("UserChange")
            .gives(200, "UserView")
            .refuses(&["last_admin"]),
        Route::new("get", "/api/pass/waits", MAY, "How long dishes waited at the pass on a day of service; today when none is named.")
            .asks("day", false, day())
            .gives(200, "PassWaits"),
    ]
}

fn programs() -> Vec<Route> {
    use Who::{Anyone, KitchenSystem, May, ThisMachine};
    vec![
        Route::new("get", "/api/nf525/verify", May(Right::VerifyJournal), "Checks the whole journal.").gives(200, "VerifyReport"),
        Route::new("get", "/api/nf525/archive", May(Right::ExportJournal), "A signed archive of a span of days, at most a year.")
            .asks("from", true, day())
            .asks("to", true, day())
            .gives_as(200, "application/zip", serde_json::json!({ "type": "string", "format": "binary" })),
        Route::new("post", "/api/webhooks/erp/dish-ready", KitchenSystem, "A dish is ready. The same `event_id` again is the same event.")
            .takes("DishReadyHook")
            .gives(200, "HookDone")
            .refuses(&["unknown_erp_order", "erp_order_not_known_yet"]),
        Route::new("get", "/health/live", Anyone, "The process answers.").gives(200, "Health"),
        Route::new("get", "/health/ready", Anyone, "What it needs answers too.").gives(200, "Health").gives_as(
            503,
            "application/json",
            to("Health"),
        ),
        Route::new("get", "/metrics", ThisMachine, "What there is to watch (OpenMetrics), for programs of the same machine.").gives_as(
            200,
            "application/openmetrics-text",
            words(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::codes::find;

    #[test]
    fn every_code_that_a_route_names_is_known() {
        for route in routes() {
            for word in route.refuses {
                assert!(find(word).is_some(), "{word} of {}", route.path);
            }
        }
    }
}
