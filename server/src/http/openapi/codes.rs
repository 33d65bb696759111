//! Every stable code of a refusal.

/// Why something was not done, for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// HTTP status.
    pub status: u16,
    /// Stable, English, snake case.
    pub word: &'static str,
    /// In a sentence without its full stop.
    pub means: &'static str,
}

const fn code(status: u16, word: &'static str, means: &'static str) -> Code {
    Code { status, word, means }
}

/// All of them. `internal` (500) is a fault of ours and promised nowhere.
pub const CODES: &[Code] = &[
    code(400, "bad_json", "the body is not JSON"),
    code(401, "not_signed_in", "nobody is signed in with this cookie"),
    code(401, "wrong_pin", "name or PIN is wrong, it is not said which"),
    code(401, "bad_token", "the token is missing, expired, or not signed with the secret that is shared"),
    code(402, "card_declined", "the card, or its bank, refused; nothing was taken. `payment_id`, `reason`"),
    code(402, "card_cancelled", "given up at the terminal; nothing was taken. `payment_id`, `reason`"),
    code(403, "forbidden", "this role may not"),
    code(403, "cross_origin", "a page of another site asked for it"),
    code(404, "not_found", "the path names nothing"),
    code(404, "unknown_erp_order", "no slip has that number of the kitchen system"),
    code(409, "idempotency_mismatch", "this id was used for another request"),
    code(409, "request_too_old", "this id is so old that its answer may be forgotten"),
    code(409, "table_occupied", "somebody else has the table. `order_id`, `opened_by`, `choices`"),
    code(409, "plan_changed", "somebody else saved the plan meanwhile"),
    code(409, "table_in_use", "guests sit at a table that was to leave the plan. `table_id`, `table`"),
    code(409, "already_in_kitchen", "the kitchen has it: it can no longer wait"),
    code(409, "beyond_call", "a kitchen system that is not ours has it, and cannot be called for it"),
    code(409, "order_moved", "the guests were moved at the same moment: look, and ask again"),
    code(409, "partly_paid", "a part is paid"),
    code(409, "not_settled", "something is left to pay"),
    code(409, "line_state", "the line cannot go from where it stands to there"),
    code(409, "already_paid", "the share is settled"),
    code(409, "amount_mismatch", "the share owes something else. `expected_cents`"),
    code(409, "order_closed", "the bill is settled. An order that a phone kept also gets `order_id`, `choices`"),
    code(409, "previous_period_open", "an older day is not closed"),
    code(409, "username_taken", "somebody else signs in by that name"),
    code(409, "last_admin", "nobody would be left who could undo it"),
    code(409, "payment_in_progress", "an attempt holds the share. `payment_id` where it is known"),
    code(409, "no_printer", "the till has no printer"),
    code(409, "terminal_busy", "the terminal is at another payment"),
    code(409, "not_unknown", "it is known how it ended, or it was decided"),
    code(409, "still_listening", "the terminal may still say that it took money. `until`"),
    code(409, "other_mode", "it belongs to training and this is none, or the other way round"),
    code(409, "too_late_to_abort", "the terminal has the request: only its red key gives up"),
    code(409, "unresolved_payments", "nobody knows how these ended, or whose money a terminal took. `payment_ids`, `strays`"),
    code(409, "typed_by_other", "who is signed in did not type it"),
    code(409, "already_synced", "it was taken before. `order_id`"),
    code(409, "intent_over", "it was dropped, or another was sent in its place"),
    code(409, "price_changed", "it costs something else than the phone said. `said_cents`, `total_cents`, `choices`"),
    code(413, "too_large", "the body is larger than 256 KiB"),
    code(415, "wrong_content_type", "the body is not `application/json`"),
    code(422, "invalid", "well-formed but not valid: `errors` names each field"),
    code(422, "does_not_add_up", "the shares do not come to what is left. `divided_cents`, `left_cents`"),
    code(
        426,
        "app_outdated",
        "the header `comptoir-contract` names a contract that is no longer understood: reload the app, it keeps its orders",
    ),
    code(429, "too_many", "too many failures: wait. `retry_after`, in seconds"),
    code(
        503,
        "database_unavailable",
        "the database does not answer, or gave it up in favour of another request: nothing was done, ask again",
    ),
    code(503, "erp_order_not_known_yet", "the kitchen system has not answered our call for some slip, which may be this one: say it again"),
    code(503, "sessions_unavailable", "it cannot be seen who is signed in: ask again"),
    code(503, "too_slow", "it took too long: look what became of it"),
    code(503, "server_outdated", "the header `comptoir-contract` names a contract that is not understood yet: keep it, ask again later"),
    code(503, "webhook_not_configured", "this till has no secret to check tokens with"),
    code(503, "terminal_unavailable", "the terminal cannot be reached; nothing was sent, try again freely. `payment_id`, `reason`"),
    code(504, "terminal_unknown", "the terminal did not say how it ended: the share is locked. `payment_id`"),
];

/// The code with this word.
pub(super) fn find(word: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.word == word)
}
