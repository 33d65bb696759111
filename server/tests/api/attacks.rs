//! What could be done to the journal, one test per row of the list of attacks: refused for the till; for the owner of the database, who can do anything
//! to it, detected and named. `cargo test -p server --test api attacks:: -- --nocapture` prints the report.
//!
//! Keys and older copies are in [`crate::attacks_keys`], what is done with the till itself in [`crate::attacks_trade`]. Rows that are shown elsewhere: killed in the middle of a payment (`kill -9`, again and
//! again, then the whole journal is checked): `payment_campaign`; two tickets at once, concurrent closings, payments during one: `closing::fifty_payments_…`; a card that nobody knows
//! the end of: `charging::`; never closing: `records::what_was_forgotten_…`; more given back than sold: `records::no_more_…`; training: `closing::in_training_…`;
//! an archive edited or swapped: `archive::`; requests replayed: `paying::`; forged keys, forks and anchors on paper: `domain/tests/fiscal`.

use crate::records::sell;
use crate::support::{Client, TestApp};
use domain::fiscal::{NoteLine, local_timestamp};
use domain::service_day::service_day;
use domain::{Cents, OrderId};
use serde_json::{Value, json};
use server::services::closing;
use server::services::recording::{self, NewNote};
use server::services::self_check::{self, Depth};
use server::services::verifying;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::process::Command;
use time::PrimitiveDateTime;
use uuid::Uuid;

pub async fn flaws(app: &TestApp) -> Vec<String> {
    let report = verifying::verify(&app.house.db).await.unwrap();
    report.flaws.iter().map(|flaw| format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)).collect()
}

/// What the database's owner can do: switch the guards off, change what he likes, and switch them on again so that nobody sees.
pub async fn as_owner(app: &TestApp, sql: &str) {
    let switch = |how: &str| {
        format!(
            "do $$ declare r record; begin
               for r in select t.tgrelid::regclass as guarded, t.tgname from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                        where p.proname like 'refuse\\_%' loop
                   execute format('alter table %s {how} trigger %I', r.guarded, r.tgname);
               end loop; end $$;"
        )
    };
    let whole = format!("{} {sql}; {}", switch("disable"), switch("enable always"));
    let mut tx = app.owner.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(whole)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// A few tickets and a Z: T 1 to 4, G 1, J 1, T 5.
pub async fn evening() -> (TestApp, Client, Client) {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in 1..=4 {
        sell(&alice, &camille, table).await;
    }
    camille.post("/api/nf525/close", &json!({})).await;
    sell(&alice, &camille, 5).await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    (app, alice, camille)
}

/// What is recorded besides sales: a means that is corrected, money given back, a print, a provisional note.
pub async fn everything_else(app: &TestApp, alice: &Client, camille: &Client) {
    let gerant = app.signed_in("gerant").await;
    let payment: i64 = sqlx::query_scalar("select max(id) from payments").fetch_one(&app.owner).await.unwrap();
    let order =
        alice.post("/api/orders", &json!({"table_id": 8, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await.body["order_id"]
            .clone();
    for (client, path, request, status) in [
        (camille, format!("/api/payments/{payment}/method"), json!({"method": "CHEQUE", "reason": "erreur de touche"}), 200),
        (&gerant, format!("/api/payments/{payment}/refund"), json!({"amount": 1, "reason": "tiède"}), 201),
        (camille, "/api/nf525/tickets/1/print".to_owned(), json!({"to": "browser"}), 200),
        (alice, format!("/api/orders/{order}/note"), json!({}), 200),
    ] {
        let answer = client.post(&path, &request).await;
        assert_eq!(answer.status / 100, status / 100, "{path}: {}", answer.text);
    }
}

/// Gives the connections back, those too that workers and lanes keep: a test that opens many houses would use up the database's.
pub async fn leave(app: TestApp) {
    app.house.db.close().await;
    let options = app.owner.connect_options();
    let name = options.get_database().unwrap();
    app.owner.close().await;
    let mut admin = PgConnection::connect_with(&(*options).clone().database("postgres")).await.unwrap();
    let close = format!(
        "alter database {name} allow_connections false; select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    sqlx::raw_sql(AssertSqlSafe(close)).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

/// The till's own check names the flaw, signs technical event 90, and every screen is told. The same flaws are not said again; what is lost at the end of
/// a chain is a gap in it once the event stands behind it, which is said as well.
pub async fn is_said(app: &TestApp) {
    let (mut said, mut known) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
        said.push(said_so_far(app).await);
        known.push(app.house.integrity.flaws());
    }
    assert!(matches!(said[..], [1, 1 | 2, last] if last == said[1]), "{said:?} {known:#?}");
    is_on_every_screen(app).await;
}

/// How often technical event 90 was signed.
pub async fn said_so_far(app: &TestApp) -> usize {
    // As texts: one of the attacks leaves an event that cannot be taken apart.
    let sql = "select strpos(metadata::text, '\"nf525_code\":90') > 0 from audit_logs where chain = 'J' and strpos(metadata::text, '\"code\":\"integrity_flaw\"') > 0";
    let codes: Vec<bool> = sqlx::query_scalar(sql).fetch_all(&app.owner).await.unwrap();
    assert!(codes.iter().all(|is_90| *is_90), "{codes:?}");
    codes.len()
}

pub async fn is_on_every_screen(app: &TestApp) {
    assert!(app.house.integrity.is_flawed());
    let who = app.signed_in("camille").await.post("/call/who", &json!({})).await.body;
    assert_eq!(who["journal"], json!("flawed"), "{who}");
}

/// Each attack on rows, and the record that the check has to name.
#[tokio::test]
async fn what_the_owner_changes_is_found_and_named() {
    let attacks: [(&str, &str, &str); 36] = [
        ("delete the last row of a chain", "delete from share_parts; delete from payments where audit_log_id = 7; delete from audit_logs where id = 7", "T 5 lost_tail"),
        ("delete a middle row", "delete from share_parts; delete from payments where audit_log_id = 2; delete from audit_logs where id = 2", "T 2 seq_gap"),
        ("empty the journal", "truncate audit_logs cascade", "* 1 lost_tail"),
        ("forget the heads", "delete from fiscal_heads", "* 0 heads_missing"),
        ("edit an amount", "update payments set amount_cents = 100 where audit_log_id = 1", "T 1 payment_differs"),
        ("edit a means of payment", "update payments set method = 'CHEQUE', tendered_cents = null where audit_log_id = 1", "T 1 payment_differs"),
        ("delete a payment", "delete from share_parts; delete from payments where audit_log_id = 1", "T 1 payment_missing"),
        (
            "edit the ticket and its payment alike",
            "update payments set amount_cents = 100 where audit_log_id = 1; update audit_logs set amount = 1 where id = 1",
            "T 1 signed_text_differs",
        ),
        (
            "edit a label, totals kept",
            "update audit_logs set metadata = replace(metadata::text, 'Expresso', 'Eau')::json where id = 3",
            "T 3 content_digest_differs",
        ),
        (
            "edit a label and its digest",
            "update audit_logs set metadata = replace(metadata::text, 'Expresso', 'Eau')::json where id = 3;
             update audit_logs set content_sha256 = encode(sha256(convert_to(metadata::text, 'UTF8')), 'hex') where id = 3",
            "T 3 signed_text_differs",
        ),
        (
            "write the chain again without the key",
            "update audit_logs set metadata = replace(metadata::text, 'Expresso', 'Eau')::json where id = 4;
             update audit_logs set data_to_sign = replace(data_to_sign, content_sha256, encode(sha256(convert_to(metadata::text, 'UTF8')), 'hex')),
                 content_sha256 = encode(sha256(convert_to(metadata::text, 'UTF8')), 'hex') where id = 4;
             update audit_logs set hash_current = encode(sha256(convert_to(data_to_sign, 'UTF8')), 'hex') where id = 4",
            "T 4 signature_invalid",
        ),
        ("another format", "update audit_logs set format = 'F0' where id = 2", "T 2 signed_text_differs"),
        (
            "another house",
            "update audit_logs set metadata = replace(metadata::text, '00000000000000', '11111111111111')::json where id = 2",
            "T 2 content_digest_differs",
        ),
        ("another register", "update audit_logs set register = '02' where id = 2", "T 2 seq_gap"),
        ("another time", "update audit_logs set utc_ts = utc_ts - interval '1 day' where id = 4", "T 4 signed_text_differs"),
        (
            "a ticket of one's own",
            "insert into audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format,
                 local_ts, utc_ts, vat, extra, content_sha256, data_to_sign, key_id, app_version)
             select 8, transaction_type, amount, date, repeat('a', 64), hash_current, signature, metadata, chain, register, 6, format, local_ts, utc_ts, vat,
                 extra, content_sha256, data_to_sign, key_id, app_version from audit_logs where id = 7",
            "T 6 signed_text_differs",
        ),
        (
            "delete the last row and that it was there",
            "delete from share_parts; delete from payments where audit_log_id = 7; delete from audit_logs where id = 7;
             delete from fiscal_heads where chain in ('T', '*')",
            "T 4 heads_missing",
        ),
        ("set the end of a chain back", "update fiscal_heads set last_seq = last_seq - 1 where chain = 'T'", "T 5 head_differs"),
        ("set the end of the journal back", "update fiscal_heads set last_seq = last_seq - 1 where chain = '*'", "* 7 head_differs"),
        ("another day, out of the archive", "update audit_logs set date = date - 400 where id = 2", "T 2 day_differs"),
        ("another day of a closing", "update audit_logs set date = date - 400 where id = 5", "G 1 day_differs"),
        ("another day of a technical event", "update audit_logs set date = date - 400 where id = 6", "J 1 day_differs"),
        ("a time that is none", "update audit_logs set utc_ts = 'infinity' where id = 4", "T 4 signed_text_differs"),
        ("a content that nothing can be compared with", "update audit_logs set metadata = '{\"payments\":1}' where id = 3", "T 3 facts_unreadable"),
        ("a chain that nobody knows", "insert into fiscal_heads values ('01', 'Z', 0, '', ''); update payments set amount_cents = 100 where audit_log_id = 1", "T 1 payment_differs"),
        (
            "a record before the first",
            "alter table audit_logs drop constraint audit_logs_id_check;
             insert into audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format,
                 local_ts, utc_ts, vat, extra, content_sha256, data_to_sign, key_id, app_version)
             select -1, transaction_type, amount, date, repeat('a', 64), repeat('b', 64), signature || 'x', metadata, chain, register, 900, format, local_ts, utc_ts, vat,
                 extra, content_sha256, data_to_sign, key_id, app_version from audit_logs where id = 1",
            "* -1 out_of_order",
        ),
        ("an amount that is no number", "update audit_logs set amount = 'NaN' where id = 3", "* 3 unreadable_record"),
        (
            "a column that says nothing",
            "alter table audit_logs alter column vat drop not null; update audit_logs set vat = null where id = 3",
            "* 3 unreadable_record",
        ),
        (
            "edit the line that a ticket settles",
            "update order_lines set name = 'Eau' where id in (select s.line_id from share_parts s join payments p on p.id = s.payment_id where p.audit_log_id = 1)",
            "T 1 line_differs",
        ),
        (
            "edit how many of it were had",
            "update order_lines set qty = 2 where id in (select s.line_id from share_parts s join payments p on p.id = s.payment_id where p.audit_log_id = 3)",
            "T 3 order_differs",
        ),
        ("edit a tip", "update payments set tip_cents = 100, tendered_cents = null where audit_log_id = 1", "T 1 payment_differs"),
        ("edit the day of a closed period", "update fiscal_periods set service_day = service_day - 1 where no = 1", "G 1 period_differs"),
        (
            "open a closed period again",
            "update fiscal_periods set closed_at = null, end_seq = null, last_record = null, audit_log_id = null where no = 1",
            "G 1 period_differs",
        ),
        ("forget a closed period", "delete from fiscal_periods where no = 1", "G 1 period_differs"),
        (
            "close a period without a closing",
            "update fiscal_periods set closed_at = now(), audit_log_id = 7, end_seq = 5, last_record = 7 where no = 2",
            "* 0 period_without_record",
        ),
        ("take the keys away", "delete from fiscal_keys", "T 1 unknown_key"),
    ];
    for (attack, sql, expected) in attacks {
        let (app, ..) = evening().await;
        as_owner(&app, sql).await;
        let found = flaws(&app).await;
        assert!(found.contains(&expected.to_owned()), "{attack}: {found:?}");
        println!("détecté   {attack:45} {expected}");
        if TAKES_NOTHING_MORE.contains(&attack) {
            assert!(self_check::check(&app.house, Depth::Whole).await.is_err(), "{attack}: it can be recorded after all");
            is_on_every_screen(&app).await;
        } else {
            is_said(&app).await;
        }
        leave(app).await;
    }
}

/// After these the journal cannot hold a technical event about itself: the number that comes next is taken. Nothing more is sold either.
const TAKES_NOTHING_MORE: [&str; 4] =
    ["forget the heads", "a ticket of one's own", "delete the last row and that it was there", "set the end of the journal back"];

#[tokio::test]
async fn the_guards_that_the_owner_takes_away_are_missed() {
    let attacks = [
        ("disable a trigger", "alter table audit_logs disable trigger audit_logs_no_change", "guard_disabled"),
        ("fire it only sometimes", "alter table payments enable trigger payments_no_change", "guard_disabled"),
        (
            "fire it for nothing",
            "drop trigger audit_logs_no_change on audit_logs;
             create trigger audit_logs_no_change before update or delete on audit_logs for each row when (false) execute function refuse_journal_change();
             alter table audit_logs enable always trigger audit_logs_no_change",
            "guard_disabled",
        ),
        (
            "fire it for one column",
            "drop trigger payments_no_change on payments;
             create trigger payments_no_change before update of status or delete on payments for each row execute function refuse_payment_change();
             alter table payments enable always trigger payments_no_change",
            "guard_disabled",
        ),
        ("drop a trigger", "drop trigger order_lines_no_change on order_lines", "guard_disabled"),
        (
            "replace a function by a gentler one",
            "create or replace function refuse_journal_change() returns trigger language plpgsql as $$ begin return new; end $$",
            "guard_replaced",
        ),
        ("give the till more rights", "grant update on audit_logs to comptoir_app", "right_too_wide"),
        ("disable the guard of refunds", "alter table refunds disable trigger refunds_no_change", "guard_disabled"),
        ("drop the guard of means that were corrected", "drop trigger method_transfers_no_truncate on method_transfers", "guard_disabled"),
        ("disable the guard of prints", "alter table prints disable trigger all", "guard_disabled"),
        ("let a card be booked without approval", "alter table payments disable trigger card_payment_is_approved", "guard_disabled"),
        ("give the till the refunds", "grant delete on refunds to comptoir_app", "right_too_wide"),
        ("take the refunds", "alter table refunds owner to current_user", "owner_changed"),
        ("give the till one column", "grant update (amount) on audit_logs to comptoir_app", "right_too_wide"),
        (
            "a function that acts as its owner",
            "create function helper() returns void language sql security definer as 'update payments set tip_cents = 0'",
            "guard_bypassed",
        ),
        ("a rule in place of a statement", "create rule nothing as on insert to refunds do instead nothing", "guard_bypassed"),
        ("rows that the till does not see", "alter table refunds enable row level security", "guard_bypassed"),
        (
            "another guard in its place, which looks like one",
            "create function refuse_nothing() returns trigger language plpgsql as $$ begin /* raise exception */ return new; end $$;
             alter function refuse_nothing() owner to comptoir_owner;
             drop trigger audit_logs_no_change on audit_logs;
             create trigger audit_logs_no_change before update or delete on audit_logs for each row execute function refuse_nothing();
             alter table audit_logs enable always trigger audit_logs_no_change",
            "guard_bypassed",
        ),
        (
            "the guard of another table in its place",
            "drop trigger order_lines_no_change on order_lines;
             create trigger order_lines_no_change before update or delete on order_lines for each row execute function refuse_print_change();
             alter table order_lines enable always trigger order_lines_no_change",
            "guard_disabled",
        ),
        ("a function of the same name beside it", "create function fiscal_hold() returns void language sql security definer as 'select 1'", "guard_replaced"),
        (
            "a function that looks elsewhere first",
            "do $$ begin execute (select format('alter function %s reset search_path', p.oid::regprocedure) from pg_proc p where p.proname = 'fiscal_append'); end $$",
            "guard_replaced",
        ),
        (
            "a trigger of one's own",
            "create function quietly() returns trigger language plpgsql as $$ begin return null; end $$;
             create trigger quietly before insert on refunds for each row execute function quietly()",
            "guard_bypassed",
        ),
        (
            "a function that acts as its owner, out of sight",
            "create schema aside; grant usage on schema aside to comptoir_app; create function aside.helper() returns void language sql security definer as 'select 1'",
            "guard_bypassed",
        ),
        ("give everybody the payments", "grant delete on payments to public", "right_too_wide"),
        ("give the till one column to write", "grant insert (id) on audit_logs to comptoir_app", "right_too_wide"),
        (
            "an operator that fits better than PostgreSQL's",
            "create function never(bigint, numeric) returns boolean language sql as 'select false';
             create operator public.<> (leftarg = bigint, rightarg = numeric, function = never)",
            "guard_bypassed",
        ),
        (
            "a function that fits better than PostgreSQL's",
            "create function public.convert_to(text, text) returns bytea language sql as 'select null::bytea'",
            "guard_bypassed",
        ),
        ("take the table", "alter table audit_logs owner to current_user", "owner_changed"),
    ];
    for (attack, sql, expected) in attacks {
        let (app, ..) = evening().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&app.owner).await.unwrap();
        let found = flaws(&app).await;
        assert!(
            found.iter().any(|flaw| flaw.ends_with(expected))
                && found.iter().all(|flaw| flaw.ends_with(expected) || flaw.ends_with("guard_disabled")),
            "{attack}: {found:?}"
        );
        if sql.starts_with("alter table audit_logs owner") {
            // Without its table the journal cannot even say so; the screens do.
            assert!(self_check::check(&app.house, Depth::Whole).await.is_err());
            is_on_every_screen(&app).await;
        } else {
            is_said(&app).await;
        }
        println!("détecté   {attack:45} {expected}");
        leave(app).await;
    }
}

/// What stands beside the journal: money given back, means corrected, prints and notes that are counted.
#[tokio::test]
async fn what_stands_beside_the_journal_is_compared_with_it() {
    let attacks: [(&str, &str, &str); 10] = [
        ("edit a refund", "update refunds set amount_cents = 1", "refund_differs"),
        ("move a refund to another payment", "update refunds set payment_id = (select min(id) from payments)", "refund_differs"),
        ("edit the means of a refund", "update refunds set method = 'TR'", "refund_differs"),
        ("delete a refund, to make it again", "delete from refund_parts; delete from refunds", "refund_missing"),
        ("forget that a ticket was corrected", "delete from fiscal_corrections", "correction_missing"),
        ("edit a corrected means", "update method_transfers set to_method = 'TR'", "transfer_differs"),
        ("delete a corrected means", "delete from method_transfers", "transfer_missing"),
        ("forget that a ticket was printed", "delete from fiscal_prints", "print_differs"),
        ("edit a provisional note", "update fiscal_notes set total_cents = 1", "note_differs"),
        (
            "edit what a payment settled",
            "update share_parts set amount_cents = amount_cents + 1 where payment_id = (select min(id) from payments)",
            "share_differs",
        ),
    ];
    let (app, alice, camille) = evening().await;
    everything_else(&app, &alice, &camille).await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    for (attack, sql, expected) in attacks {
        let mut tx = app.house.db.begin().await.unwrap();
        let refused = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await.expect_err(attack).to_string();
        assert!(["permission denied", "interdite", "NF525"].iter().any(|word| refused.contains(word)), "{attack}: {refused}");
        drop(tx);
        // As the owner: on a copy, so that each is alone.
        sqlx::raw_sql("create table kept_refunds as table refunds; create table kept_parts as table refund_parts; create table kept_corrections as table fiscal_corrections;
                       create table kept_transfers as table method_transfers; create table kept_prints as table fiscal_prints; create table kept_notes as table fiscal_notes;
                       create table kept_shares as table share_parts")
            .execute(&app.owner)
            .await
            .unwrap();
        as_owner(&app, sql).await;
        let found = flaws(&app).await;
        assert!(found.iter().any(|flaw| flaw.ends_with(expected)), "{attack}: {found:?}");
        println!("détecté   {attack:45} {}", found.iter().find(|flaw| flaw.ends_with(expected)).unwrap());
        assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
        let said: String = sqlx::query_scalar(
            "select metadata -> 'details' ->> 'flaws' from audit_logs where metadata ->> 'code' = 'integrity_flaw' order by id desc limit 1",
        )
        .fetch_one(&app.owner)
        .await
        .unwrap();
        assert!(said.contains(expected), "{attack}: {said}");
        is_on_every_screen(&app).await;
        as_owner(
            &app,
            "delete from refund_parts; delete from refunds; delete from fiscal_corrections; delete from method_transfers; delete from fiscal_prints; delete from fiscal_notes;
             delete from share_parts; insert into refunds overriding system value select * from kept_refunds; insert into refund_parts select * from kept_parts;
             insert into fiscal_corrections select * from kept_corrections; insert into method_transfers overriding system value select * from kept_transfers;
             insert into fiscal_prints select * from kept_prints; insert into fiscal_notes select * from kept_notes; insert into share_parts select * from kept_shares;
             drop table kept_refunds, kept_parts, kept_corrections, kept_transfers, kept_prints, kept_notes, kept_shares",
        )
        .await;
        assert_eq!(flaws(&app).await, Vec::<String>::new(), "after {attack}");
    }
}

#[tokio::test]
async fn the_till_is_refused() {
    let (app, _, camille) = evening().await;
    camille.post("/api/nf525/close", &json!({})).await;
    let attempts = [
        "update audit_logs set amount = 1",
        "delete from audit_logs",
        "truncate audit_logs",
        "insert into audit_logs select * from audit_logs limit 0",
        "alter table audit_logs disable trigger all",
        "drop function fiscal_append",
        "create or replace function refuse_journal_change() returns trigger language plpgsql as $$ begin return new; end $$",
        "update fiscal_heads set last_seq = 0",
        "delete from fiscal_heads",
        "insert into fiscal_keys values ('k', 'RS256', 'p', now(), null)",
        "select fiscal_remember_key('k', 'p', null)",
        "select fiscal_remember_key('k', 'p', 1)",
        "update fiscal_keys set public_key_pem = 'p'",
        "update payments set amount_cents = 1",
        "delete from payments",
        "delete from share_parts",
        "update order_lines set unit_price_cents = 1",
        "update order_lines set name = 'Eau'",
        "update order_lines set voided_qty = qty, state = 'voided'",
        "delete from order_lines",
        "update fiscal_periods set start_seq = 1, end_seq = 1",
        "update fiscal_periods set closed_at = null",
        "delete from fiscal_prints",
        "delete from fiscal_notes",
        "set role comptoir_owner",
        "reset role; update audit_logs set amount = 1",
        "set session authorization comptoir",
        "set session_replication_role = replica",
        "grant comptoir_owner to comptoir_till",
        "alter role comptoir_till superuser",
        "select fiscal_append('01', 'T', 99, 'TICKET', 1, current_date, repeat('a', 64), repeat('b', 64), 's', '{}', 'F1', '20260101000000', now(), '0:0', '', \
         repeat('c', 64), 'd', 'k', 'v')",
    ];
    for attempt in attempts {
        let mut tx = app.house.db.begin().await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(attempt.to_owned())).execute(&mut *tx).await;
        let error = done.expect_err(attempt).to_string();
        let refused = [
            "permission denied",
            "must be owner",
            "must be superuser",
            "must have admin option",
            "interdite",
            "interdit",
            "NF525",
            "does not follow",
        ];
        assert!(refused.iter().any(|word| error.contains(word)), "{attempt}: {error}");
        println!("refusé    {}", attempt.chars().take(90).collect::<String>());
    }
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    // Whoever owns the database but does not switch the guards off is refused as well.
    for attempt in [
        "update audit_logs set amount = 1",
        "truncate audit_logs cascade",
        "insert into audit_logs select * from audit_logs",
        "update fiscal_heads set last_seq = 0",
    ] {
        let error = sqlx::raw_sql(AssertSqlSafe(attempt.to_owned())).execute(&app.owner).await.expect_err(attempt).to_string();
        assert!(error.contains("NF525") || error.contains("replica"), "{attempt}: {error}");
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_is_recorded_before_anything_else() {
    let (app, alice, camille) = evening().await;
    as_owner(&app, "update audit_logs set utc_ts = utc_ts + interval '1 hour' where id = 7").await;
    sell(&alice, &camille, 6).await;
    let last: Vec<(String, Option<String>)> =
        sqlx::query_as("select chain::text, metadata ->> 'code' from audit_logs where id > 7 order by id")
            .fetch_all(&app.owner)
            .await
            .unwrap();
    assert_eq!(last, [("J".to_owned(), Some("clock_went_back".to_owned())), ("T".to_owned(), None)]);
    assert!(flaws(&app).await.iter().all(|flaw| !flaw.ends_with("clock_backwards")));
}

#[tokio::test]
async fn a_transaction_that_dies_leaves_no_gap() {
    let (app, alice, camille) = evening().await;
    let mut tx = app.house.db.begin().await.unwrap();
    recording::event(&app.house, &mut tx, domain::fiscal::EventCode::MenuChanged, "", []).await.unwrap();
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *tx).await.unwrap();
    sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(&app.owner).await.unwrap();
    drop(tx);
    sell(&alice, &camille, 6).await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    let last: i64 = sqlx::query_scalar("select max(id) from audit_logs").fetch_one(&app.owner).await.unwrap();
    assert_eq!(last, 8);
}

#[tokio::test]
async fn a_note_that_nobody_pays_is_on_the_z() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in [1, 2] {
        let order = alice.post("/api/orders", &json!({"table_id": table, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await;
        let id = order.body["order_id"].as_i64().unwrap();
        let lines = vec![NoteLine { name: "Expresso".to_owned(), qty_thousandths: 1000, unit_price: Cents(250), amount: Cents(250) }];
        let new =
            NewNote { order: OrderId::from_row(id), order_ref: Uuid::nil().to_string(), table: "1", covers: 1, operator: "Alice", lines };
        let mut tx = app.house.db.begin().await.unwrap();
        recording::note(&app.house, &mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        if table == 1 {
            let request = json!({"order_id": id, "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
            assert_eq!(camille.post("/api/payments/split", &request).await.status, 201);
        }
    }
    camille.post("/api/nf525/close", &json!({})).await;
    let left: Value = sqlx::query_scalar("select metadata::jsonb -> 'detail' -> 'notes_left' from audit_logs where chain = 'G'")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(left, json!([{"note_no": 2, "table": "1", "total": 250, "given_up": false}]));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_name_made_to_break_the_text_does_not() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for (table, name) in (1..).zip(["Café, \"noir\" | 1000:1", "a\\b';--", "\u{202E}etireV", "Cafe\u{301}", "€𝄞漢字", "O,N,F1,T,01,1"])
    {
        sqlx::query("update menu_items set name = $1 where id = 71").bind(name).execute(&app.owner).await.unwrap();
        app.house.menu.forget().await;
        sell(&alice, &camille, table).await;
    }
    camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

/// The clock of the restaurant at a moment, as PostgreSQL tells it.
async fn local(db: &PgPool, moment: &str) -> PrimitiveDateTime {
    sqlx::query_scalar("select $1::timestamptz at time zone 'Europe/Paris'").bind(moment).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn the_service_day_holds_across_midnight_and_both_changes_of_the_clock() {
    let app = TestApp::start().await;
    for (moment, clock, day) in [
        // An ordinary night, in winter (UTC+1).
        ("2026-02-14 22:59:59Z", "2026-02-14 23:59:59", "2026-02-14"),
        ("2026-02-14 23:00:00Z", "2026-02-15 00:00:00", "2026-02-14"),
        ("2026-02-15 03:59:59Z", "2026-02-15 04:59:59", "2026-02-14"),
        ("2026-02-15 04:00:00Z", "2026-02-15 05:00:00", "2026-02-15"),
        // 29 March: 02:00 becomes 03:00.
        ("2026-03-29 00:59:59Z", "2026-03-29 01:59:59", "2026-03-28"),
        ("2026-03-29 01:00:00Z", "2026-03-29 03:00:00", "2026-03-28"),
        ("2026-03-29 02:59:59Z", "2026-03-29 04:59:59", "2026-03-28"),
        ("2026-03-29 03:00:00Z", "2026-03-29 05:00:00", "2026-03-29"),
        // 25 October: 03:00 becomes 02:00, half past two comes twice.
        ("2026-10-25 00:30:00Z", "2026-10-25 02:30:00", "2026-10-24"),
        ("2026-10-25 01:30:00Z", "2026-10-25 02:30:00", "2026-10-24"),
        ("2026-10-25 03:59:59Z", "2026-10-25 04:59:59", "2026-10-24"),
        ("2026-10-25 04:00:00Z", "2026-10-25 05:00:00", "2026-10-25"),
    ] {
        let local = local(&app.owner, moment).await;
        let clock = domain::fiscal::digits_of(clock);
        assert_eq!((local_timestamp(local), service_day(local).to_string()), (clock, day.to_owned()), "{moment}");
    }
}

#[tokio::test]
async fn a_sound_journal_stays_sound_wherever_it_is_restored() {
    let (app, alice, camille) = evening().await;
    everything_else(&app, &alice, &camille).await;
    closing::catch_up(&app.house).await.unwrap();
    let here = verifying::verify(&app.house.db).await.unwrap();
    assert!(here.ok && here.records == 11, "{here:?}");
    let options = app.owner.connect_options();
    let name = options.get_database().unwrap().to_owned();
    let socket = options.get_socket().unwrap().to_str().unwrap().to_owned();
    let programs = Command::new("sh").args(["-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1"]).output().unwrap();
    let programs = String::from_utf8(programs.stdout).unwrap().trim().to_owned();
    let copy = format!("{name}_copy");
    sqlx::raw_sql(AssertSqlSafe(format!("create database {copy} template template0 lc_collate 'C' lc_ctype 'C'")))
        .execute(&app.owner)
        .await
        .unwrap();
    for setting in [
        "timezone = 'Asia/Kathmandu'",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'sql_standard'",
        "lc_numeric = 'fr_FR.UTF-8'",
        "lc_monetary = 'fr_FR.UTF-8'",
        "lc_time = 'fr_FR.UTF-8'",
        "extra_float_digits = 0",
        "bytea_output = 'escape'",
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("alter database {copy} set {setting}"))).execute(&app.owner).await.unwrap();
    }
    let port = options.get_port().to_string();
    let pipe = format!(
        "'{programs}/pg_dump' -h '{socket}' -p {port} -U '{user}' -Fc '{name}' | PGTZ=Pacific/Auckland '{programs}/pg_restore' -h '{socket}' -p {port} -U '{user}' -d '{copy}'",
        user = options.get_username()
    );
    let restored = Command::new("sh").args(["-c", &pipe]).output().unwrap();
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    // The menu of another year, and people who left.
    let pool = server::db::connect((*options).clone().database(&copy), 2).await.unwrap();
    let owner = PgPool::connect_with((*options).clone().database(&copy)).await.unwrap();
    sqlx::raw_sql("update menu_items set name = name || ' (ancien)', price_cents = price_cents + 100, vat_rate = 550; update users set name = 'X', active = false")
        .execute(&owner)
        .await
        .unwrap();
    let report = verifying::verify(&pool).await.unwrap();
    assert!(report.ok, "{:?}", report.flaws);
    assert_eq!(here.records, report.records);
    let said: String = sqlx::query_scalar("select to_char(1234.5, '9G999D9')").fetch_one(&owner).await.unwrap();
    assert!(said.contains(','), "the copy does not write numbers as the French do: {said}");
    let texts = "select md5(string_agg(data_to_sign || metadata::text, '' order by id)) from audit_logs";
    let (a, b): (String, String) =
        (sqlx::query_scalar(texts).fetch_one(&app.owner).await.unwrap(), sqlx::query_scalar(texts).fetch_one(&owner).await.unwrap());
    assert_eq!(a, b, "to the byte");
    pool.close().await;
    owner.close().await;
}
