//! Mistakes that tills in the field make with card terminals, one test each. Those that need no till are beside the codecs, in
//! `domain/src/terminal/mistakes.rs`.

use crate::charging::{OnLine, Scene, says};
use domain::terminal::caisse_ap::Dialect;
use domain::terminal::concert::Speech;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// The terminal is called inside a database transaction, and a rollback erases that it was.
#[tokio::test]
async fn no_transaction_is_open_while_the_guest_pays() {
    let scene = Scene::playing(&["slow:1500"]).await;
    let (id, answer) = scene.at_the_terminal(1).await;
    // One that were held for the guest would be there from before the request went out until the answer. Workers have short ones of their own.
    let held = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and xact_start < (select max(at) from attempt_events where to_state = 'sent')";
    let mut open = 1;
    for _ in 0..10 {
        open = sqlx::query_scalar::<_, i64>(held).fetch_one(&scene.app.owner).await.unwrap();
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(open, 0);
    assert_eq!(scene.steps(&id).await, ["created", "sending", "sent"], "and each step is there");
    assert_eq!(answer.await.unwrap().status, 201);
}

/// "Declined or timeout" is one branch: a lost answer looks like a refusal, and the guest pays twice.
#[tokio::test]
async fn a_timeout_is_not_a_refusal() {
    let scene = Scene::patient(&["silent", "decline"], SECOND).await;
    assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"));
    assert_eq!(scene.share(1).await["status"], "unknown");
    assert_eq!(says(&scene.charge(2).await), (402, "card_declined"));
    assert_eq!(scene.share(2).await["status"], "unpaid");
}

/// A reset after the first byte is "an error", and may be tried again.
#[tokio::test]
async fn a_reset_after_the_first_byte_is_unknown() {
    let scene = Scene::playing(&["drop-request:10"]).await;
    assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"));
    scene.ledgers_agree().await;
}

/// The end of the line without an answer is "an error", and may be tried again.
#[tokio::test]
async fn an_end_without_an_answer_is_unknown() {
    let scene = Scene::playing(&["drop-answer:0"]).await;
    assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"));
    assert_eq!(scene.terminal.charged().len(), 1);
    scene.ledgers_agree().await;
}

/// An abort of our own, of the page or the request, is "an error".
#[tokio::test]
async fn a_request_that_is_given_up_here_goes_on_there() {
    let scene = Scene::playing(&["slow:800"]).await;
    let (id, answer) = scene.at_the_terminal(1).await;
    answer.abort();
    let mut events = scene.app.house.bus.listen();
    scene.until(&id, "approved", &mut events).await;
    scene.ledgers_agree().await;
}

/// Any answer with the character `0` in it is a success.
#[tokio::test]
async fn a_refusal_full_of_zeros_is_a_refusal() {
    let scene = Scene::playing(&["decline", "cancel", "refuse"]).await;
    assert_eq!(says(&scene.charge(1).await), (402, "card_declined"));
    assert_eq!(says(&scene.charge(1).await), (402, "card_cancelled"));
    assert_eq!(says(&scene.charge(1).await), (503, "terminal_unavailable"));
    let line = OnLine::playing(&["decline"], Duration::from_secs(20)).await;
    assert_eq!(says(&line.scene.charge(1).await), (402, "card_declined"));
}

/// Every failure of the socket is an "issue" that may be tried again, and is.
#[tokio::test]
async fn nothing_is_sent_again_after_the_first_byte() {
    let scene = Scene::patient(&["drop-request:1", "approve"], SECOND).await;
    let uuid = Uuid::now_v7();
    for _ in 0..3 {
        assert_eq!(says(&scene.charge_as(1, uuid).await), (504, "terminal_unknown"));
        assert_eq!(says(&scene.charge(1).await), (409, "payment_in_progress"), "nor under another name");
    }
    assert_eq!(scene.terminal.requests(), 1);
}

/// The frame of the payment before stays in a buffer, and is read as the answer to the next.
#[tokio::test]
async fn the_answer_to_the_payment_before_is_not_the_answer_to_this_one() {
    for speech in [Speech::Fixed, Speech::Tagged(Dialect::default())] {
        let line = OnLine::speaking(speech, &["approve", "silent"], SECOND, Duration::ZERO).await;
        assert_eq!(line.scene.charge(1).await.status, 201);
        assert_eq!(says(&line.scene.charge(2).await), (504, "terminal_unknown"));
        line.scene.ledgers_agree().await;
    }
}

/// The terminal really takes the money and its answer is lost.
#[tokio::test]
async fn an_approval_that_is_lost_keeps_its_share_locked_against_any_means() {
    let scene = Scene::playing(&["drop-answer:20"]).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(says(&scene.cash(1).await), (409, "payment_in_progress"));
    assert_eq!(says(&scene.charge(1).await), (409, "payment_in_progress"));
    assert_eq!(scene.resolve(&id, json!({"outcome": "accepted", "reason": "Ticket lu"})).await.status, 200);
    scene.ledgers_agree().await;
}

/// The same key with another amount is taken for the same payment.
#[tokio::test]
async fn the_same_key_with_another_amount_is_refused() {
    let scene = Scene::playing(&["approve"]).await;
    let uuid = Uuid::now_v7();
    let body = |amount: f64| json!({"order_id": scene.order, "cover_number": 1, "amount": amount, "method": "CB", "uuid": uuid});
    assert_eq!(scene.camille.post("/api/payments/split", &body(25.5)).await.status, 201);
    assert_eq!(says(&scene.camille.post("/api/payments/split", &body(25.0)).await), (409, "idempotency_mismatch"));
    assert_eq!(scene.terminal.requests(), 1);
}

/// The result of an abandoned payment is credited to the guest who comes next.
#[tokio::test]
async fn the_guest_who_comes_next_does_not_pay_with_the_card_of_the_one_before() {
    let scene = Scene::playing(&["wrong-echo", "approve"]).await;
    assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"), "an approval, and not ours");
    assert_eq!(scene.charge(2).await.status, 201);
    scene.ledgers_agree().await;
}

/// Damage in what was heard is read as something else.
#[tokio::test]
async fn a_damaged_answer_is_neither_an_approval_nor_a_refusal() {
    let scene = Scene::playing(&["bad-lrc", "collision"]).await;
    assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"));
    assert_eq!(says(&scene.charge(2).await), (504, "terminal_unknown"), "two answers at once are none");
    assert_eq!(scene.terminal.charged().len(), 2);
    scene.ledgers_agree().await;
}

/// A terminal that echoes nothing offers the result of the guest before: less than is owed now. It is no part of this payment, and the card that
/// is really charged is booked once.
#[tokio::test]
async fn a_nameless_result_of_another_amount_is_not_booked_as_a_part() {
    for speech in [Speech::Fixed, Speech::Tagged(Dialect::default())] {
        let line = OnLine::speaking(speech, &["stale:2000", "no-echo"], Duration::from_secs(20), Duration::ZERO).await;
        let scene = &line.scene;
        assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"));
        assert_eq!(scene.share(1).await["status"], "unknown", "and its share stays locked");
        let paid = scene.charge(2).await;
        assert_eq!((paid.status, &paid.body["amount_booked"]), (201, &json!(null)), "{}", paid.text);
        scene.ledgers_agree().await;
    }
}

/// The answer to another payment ends the listening, and the answer to ours is never heard.
#[tokio::test]
async fn an_answer_for_somebody_else_is_kept_and_ours_is_still_heard() {
    let scene = Scene::playing(&["another-first:1000"]).await;
    let paid = scene.charge(1).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    let strays: Vec<(Option<String>, Option<i64>, String)> =
        sqlx::query_as("select reference, amount_cents, outcome from stray_words").fetch_all(&scene.app.owner).await.unwrap();
    assert_eq!(strays, [(Some("ZZZZZZZZZZ".to_owned()), Some(2550), "approved".to_owned())]);
    scene.ledgers_agree().await;
}
