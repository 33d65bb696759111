//! After years of service every question still finds its rows by an index: each query of the server is planned on a large database.
//!
//! `COMPTOIR_LINES` says how many order lines (100 000 unless said; `make campaign` takes ten millions).

use crate::records::sell;
use crate::support::{Client, TestApp};
use crate::tally::tally;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::collections::BTreeSet;
use std::path::Path;

/// What reads all, by how it begins, and why it may.
const MAY_READ_ALL: &[(&str, &str)] = &[
    ("select l.chain as \"chain!\", l.seq as \"seq!\"\n           from audit_logs l\n           join payments", "the check of the journal"),
    ("select l.chain as \"chain!\", l.seq as \"seq!\"\n           from payments p\n           join audit_logs", "the check of the journal"),
    (
        "select l.chain as \"chain!\", l.seq as \"seq!\"\n           from fiscal_periods p\n           join audit_logs",
        "the check of the journal",
    ),
    ("select l.chain as \"chain!\", l.seq as \"seq!\"\n           from (select p.order_id", "the check of the journal"),
    ("select 'payment' as \"what!\", p.id as \"id!\" from payments p left join audit_logs l", "the check of the journal"),
    ("strpos(metadata::text, '\"key_rotated\"') > 0", "the check of a journal in which somebody made an event unreadable"),
    // The day is computed inside, so that nobody knows beforehand how few dishes it has; the ends of all waits are read for it.
    ("with asked as", "how long dishes waited on a day: the owner's page, seldom looked at"),
];

/// What is asked with something else than [`argument`] thinks of, or about a stretch of time whose length decides the way to go: how it begins, and its
/// arguments. PostgreSQL plans these each time.
const ASKED_WITH: &[(&str, &str)] = &[
    ("select distinct on (at, event_id)", "1, 'Europe/Paris', 16, 100"),
    ("select h.last, n.id", "1, 0, 'Europe/Paris', 16, 16, 100"),
    ("with theirs as", "1, 1, null, 16"),
    ("delete from idempotency\n         where key <", "31"),
    ("-- What was taken off lately", "16"),
];

/// What is not planned, and why.
const NOT_PLANNED: &[(&str, &str)] = &[
    ("set ", "a setting of a connection"),
    ("lock table users", "the demo restaurant, before anybody is served"),
    ("grant select on _sqlx_migrations", "migrations"),
];

/// What cannot be carried out with values that are made up, and why.
const NOT_CARRIED_OUT: &[(&str, &str)] = &[
    ("insert into ", "a row is checked; what is read for it is judged by its plan"),
    ("fiscal_append(", "a record has to follow the last one"),
    ("fiscal_remember_key(", "a key is announced by a record"),
    ("update fiscal_periods", "a closed day stays as it is"),
];

/// Tables that `fill.sql` leaves as they are, and why they stay small.
const STAYS_SMALL: &[(&str, &str)] = &[
    ("_sqlx_migrations", "one row a migration"),
    ("anchor_mail_turns", "one row a register"),
    ("category_pairings", "the menu"),
    ("devices", "one row a browser"),
    ("event_head", "one row"),
    ("fiscal_heads", "one row a chain"),
    ("fiscal_keys", "a new key is a rare event"),
    ("floor_plan", "one row"),
    ("menu_components", "the menu"),
    ("menu_items", "the menu"),
    ("menu_option_choices", "the menu"),
    ("menu_options", "the menu"),
    ("pairings", "the menu"),
    ("preset_notes", "the menu"),
    ("processes", "whoever is gone is removed after a day"),
    ("push_head", "one row"),
    ("push_subscriptions", "go with their session"),
    ("rooms", "the house"),
    ("sessions", "removed when they expire"),
    ("sign_in_failures", "removed after a day"),
    ("sign_in_peers", "removed after a day"),
    ("tables", "the house"),
    ("users", "the house"),
];

/// Every table that `fill.sql` fills, however small it stays beside the others: what is seldom grows for ever too.
const FILLED: [&str; 32] = [
    "anchor_mails",
    "attempt_events",
    "attempt_parts",
    "attempt_words",
    "audit_logs",
    "contradiction_decisions",
    "discount_parts",
    "discounts",
    "dish_ends",
    "dish_events",
    "fiscal_corrections",
    "fiscal_long_periods",
    "fiscal_notes",
    "fiscal_periods",
    "fiscal_prints",
    "idempotency",
    "kitchen_slips",
    "line_voids",
    "method_transfers",
    "order_events",
    "order_lines",
    "orders",
    "payment_attempts",
    "payments",
    "prints",
    "refund_parts",
    "refunds",
    "share_parts",
    "stray_decisions",
    "stray_words",
    "sync_decisions",
    "sync_intents",
];

/// Parts of what functions of the database ask: each was looked at.
const ASKED_BY_FUNCTIONS: [&str; 4] = ["where n.order_id = p_order", "p_register", "the_order", "old.state = 'created'"];

/// A scan that costs less reads a few pages, whatever it is called. A scan of a table that grows costs more here.
const CHEAP: f64 = 100.0;

/// An index of a part of a table is as small as that part when it holds no more entries than this after all those years.
const A_FEW: f64 = 30.0;

/// Indexes of a part of a table that may be read whole although it grows, and why. How many rows that comes to is still looked at.
const SELDOM: &[(&str, &str)] = &[
    ("approved_strays", "money that no payment explains: one payment in thousands"),
    ("attempt_words_contradicting", "a terminal that says something else than before: one payment in thousands"),
];

/// Queries that read a table whole while it is small, because that is faster then, and up to how many lines.
const WHILE_FEW: &[(&str, u64)] = &[("not exists (select from payments p where p.audit_log_id = l.id)", 1_000_000)];

/// How long one query may take. On a large database a bad one is named instead of waited for.
const PATIENCE: &str = "20s";

/// Years of a restaurant, by its owner.
pub async fn fill(owner: &mut PgConnection, lines: u64) {
    let sql = include_str!("../scale/fill.sql").replace("{orders}", &(lines / 10).to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

/// Every query of the server, as it was checked.
fn queries() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.sqlx");
    let mut queries: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["query"].as_str().unwrap().to_owned()
        })
        .collect();
    queries.sort_unstable();
    queries
}

/// Scans of a plan that read a table from one end to the other at some cost, or go along an index until a filter finds something. A limit bounds
/// only what nothing is filtered from.
fn read_whole(node: &Value, limited: bool, grown: &BTreeSet<String>, of_a_part: &BTreeSet<String>, found: &mut Vec<String>) {
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let (kind, relation) = (text("Node Type"), text("Relation Name"));
    let by_condition = ["Index Cond", "Recheck Cond", "TID Cond"].iter().any(|name| node.get(name).is_some());
    let bounded = by_condition || (limited && node.get("Filter").is_none()) || of_a_part.contains(text("Index Name"));
    let cost = node["Total Cost"].as_f64().unwrap_or_default();
    if grown.contains(relation) && kind.contains("Scan") && !bounded && cost > CHEAP {
        found.push(format!("{kind} on {relation}, cost {cost}"));
    }
    let passes_on = ["Result", "Subquery Scan", "LockRows"].contains(&kind);
    for below in node["Plans"].as_array().into_iter().flatten() {
        // `exists (…)` by itself looks at one row.
        let is_one = kind == "Limit" || below["Parent Relationship"] == "InitPlan";
        read_whole(below, is_one || (limited && passes_on), grown, of_a_part, found);
    }
}

/// Scans of a plan that was carried out which read more rows than `most`, whether or not these were wanted.
fn read_many(node: &Value, filled: &BTreeSet<String>, most: u64, found: &mut Vec<String>) {
    let number = |name: &str| node[name].as_f64().unwrap_or_default() as u64;
    let (kind, relation) = (node["Node Type"].as_str().unwrap_or_default(), node["Relation Name"].as_str().unwrap_or_default());
    let removed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let read = (number("Actual Rows") + removed) * number("Actual Loops");
    if kind.contains("Scan") && filled.contains(relation) && read > most {
        found.push(format!("{kind} on {relation}, {read} rows"));
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        read_many(below, filled, most, found);
    }
}

/// What the plan of what is prepared reads whole, when nothing is known of its arguments.
async fn looked_at(owner: &mut PgConnection, arguments: &str, grown: &BTreeSet<String>, of_a_part: &BTreeSet<String>) -> Option<String> {
    let explain = format!("explain (format json) execute looked_at{arguments}");
    let plan: Value = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(owner).await.unwrap().get(0);
    let mut found = Vec::new();
    read_whole(&plan[0]["Plan"], false, grown, of_a_part, &mut found);
    (!found.is_empty()).then(|| format!("{found:?}"))
}

/// How what is prepared fared when it was carried out and undone.
enum Carried {
    Out(Vec<String>),
    /// The arguments that were made up do not suit it.
    Not(String),
}

async fn carried_out(owner: &mut PgConnection, arguments: &str, filled: &BTreeSet<String>, most: u64) -> Carried {
    sqlx::raw_sql(AssertSqlSafe(format!("begin; set local statement_timeout = '{PATIENCE}'"))).execute(&mut *owner).await.unwrap();
    let explain = format!("explain (analyze, timing off, format json) execute looked_at{arguments}");
    let answer = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut *owner).await;
    sqlx::raw_sql("rollback").execute(owner).await.unwrap();
    match answer {
        Ok(row) => {
            let (plan, mut found) = (row.get::<Value, _>(0), Vec::new());
            read_many(&plan[0]["Plan"], filled, most, &mut found);
            Carried::Out(found)
        }
        Err(error) if error.as_database_error().and_then(|error| error.code()).as_deref() == Some("57014") => {
            Carried::Out(vec![format!("not done after {PATIENCE}")])
        }
        Err(error) => Carried::Not(error.to_string()),
    }
}

fn called(values: &[String]) -> String {
    if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) }
}

/// What the query that is prepared really reads too much of: planned for its arguments, as at first, and for all, as later; about what is not there, and
/// about what is. Also how often it could be carried out, and why not.
async fn really_reads(
    owner: &mut PgConnection,
    query: &str,
    kinds: &[String],
    asked_with: Option<&str>,
    filled: &BTreeSet<String>,
    most: u64,
) -> (usize, Vec<String>, Option<String>) {
    let end: i64 = sqlx::query_scalar("select max(id) from audit_logs").fetch_one(&mut *owner).await.unwrap();
    let made_up = |there| called(&kinds.iter().enumerate().map(|(i, kind)| argument(query, i + 1, kind, there, end)).collect::<Vec<_>>());
    let asked = asked_with.map_or_else(|| vec![made_up(false), made_up(true)], |arguments| vec![format!("({arguments})")]);
    // A stretch of time is planned when it is known. Whoever asks over the pool may have a table read whole that is small; over a lane an index is taken.
    let modes = if asked_with.is_some() { &[("custom", "on")][..] } else { &[("custom", "on"), ("generic", "on"), ("generic", "off")] };
    let (mut times, mut found, mut refused) = (0, Vec::new(), None);
    for (mode, whole) in modes {
        let settings = format!("set plan_cache_mode = force_{mode}_plan; set enable_seqscan = {whole}; discard plans");
        sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut *owner).await.unwrap();
        for arguments in &asked {
            match carried_out(owner, arguments, filled, most).await {
                Carried::Out(scans) => {
                    times += 1;
                    if *whole == "on" && WHILE_FEW.iter().any(|(words, few)| query.contains(words) && lines() <= *few) {
                        continue;
                    }
                    found.extend(scans.iter().map(|scan| format!("{scan} with {arguments}, a {mode} plan, tables read whole: {whole}")));
                }
                Carried::Not(why) => refused = Some(why),
            }
        }
    }
    sqlx::raw_sql("reset enable_seqscan").execute(owner).await.unwrap();
    (times, found, refused)
}

/// What `$n` is compared with in a query, and how: `("register", "=")`, `("", "limit")`.
fn compared(query: &str, n: usize) -> (&str, &str) {
    let name = format!("${n}");
    let mut places = query.match_indices(&name).map(|(at, _)| query.split_at(at));
    let before = places.find(|(_, rest)| !rest[name.len()..].starts_with(|c: char| c.is_ascii_digit())).map_or("", |(before, _)| before);
    let words: Vec<&str> = before.trim_end().trim_end_matches("any(").split_whitespace().collect();
    match *words.as_slice() {
        [.., "between", _, "and"] => ("", "until"),
        [.., column, "between"] => (column.rsplit(['.', '(']).next().unwrap_or(column), "between"),
        [.., column, how @ ("=" | "<>" | "<" | "<=" | ">" | ">=")] => (column.rsplit(['.', '(']).next().unwrap_or(column), how),
        [.., how] => ("", how),
        [] => ("", ""),
    }
}

/// Something to ask with for `$n`: of this house and register, but about something that is not there; or, `there`, something that is. Of a stretch of
/// time or of numbers it is the end: beyond what is newest, or what is newest; and where so many are listed backwards, from that end.
fn argument(query: &str, n: usize, kind: &str, there: bool, end: i64) -> String {
    let (column, how) = compared(query, n);
    let (newest, oldest) = match how {
        // The last service, by its numbers and its days.
        ">" | ">=" | "between" if there && (column == "id" || kind.starts_with("date") || kind.starts_with("timestamp")) => {
            return match kind {
                "bigint" => format!("({})::bigint", end - 120),
                "date" => "(current_date - 1)::date".to_owned(),
                _ => format!("(now() - interval '1 day')::{kind}"),
            };
        }
        "until" if there && kind == "bigint" => return format!("({end})::bigint"),
        ">" | ">=" | "between" | "until" => (true, false),
        "<" | "<=" => (there && query.contains("limit"), !(there && query.contains("limit"))),
        _ => (false, false),
    };
    let choose = |is: &'static str, is_not: &'static str| if there { is } else { is_not };
    let (elements, is_array) = kind.strip_suffix("[]").map_or((kind, false), |elements| (elements, true));
    let value = match elements {
        "bigint" | "integer" | "smallint" => match how {
            "limit" => "16",
            _ if newest => match elements {
                "bigint" => "1000000000000",
                "integer" => "1000000000",
                _ => "32000",
            },
            // A ticket that was paid by card.
            _ => choose("4", "-1"),
        },
        "text" | "character" => match column {
            _ if how == "zone" || (n == 3 && query.contains("from fiscal_lock")) => "'Europe/Paris'",
            _ if query.contains(&format!("${n}::text::json")) => "'{}'",
            "register" => "'01'",
            "chain" => choose("'T'", "'J'"),
            "terminal" => choose("'caisse-ap://10.0.0.9:8888'", "'nobody'"),
            "method" => choose("'ESPECES'", "'nobody'"),
            "state" => choose("'approved'", "'nobody'"),
            "username" => choose("'alice'", "'nobody'"),
            // What an event says, by its code and by its part.
            _ if column.ends_with("\"')") => choose("'menu_changed'", "'nobody'"),
            _ if column.starts_with("'part'") => choose("'printer'", "'nobody'"),
            _ => "'nobody'",
        },
        "boolean" if column == "training" => "false",
        "boolean" => choose("true", "false"),
        "uuid" if newest => "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "uuid" => "'00000000-0000-0000-0000-000000000000'",
        "date" if newest => "current_date + 1",
        "date" if oldest => "date '1999-01-01'",
        "date" => choose("current_date - 2", "date '1999-01-01'"),
        "timestamp with time zone" | "timestamp without time zone" if newest => "now() + interval '1 day'",
        "timestamp with time zone" | "timestamp without time zone" => "'1999-01-01'",
        "bytea" => r"'\x00'",
        "json" | "jsonb" => "'{}'",
        "interval" => "'1 hour'",
        "numeric" | "double precision" => "1",
        _ => "null",
    };
    if is_array { format!("array[{value}]::{kind}") } else { format!("({value})::{kind}") }
}

async fn names(owner: &mut PgConnection, sql: &str) -> BTreeSet<String> {
    sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(owner).await.unwrap().into_iter().collect()
}

/// Indexes of a part of a table that is small and stays so, such as of open orders.
async fn small_indexes(owner: &mut PgConnection) -> BTreeSet<String> {
    let sql = format!(
        "select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid where i.indpred is not null and c.reltuples <= {A_FEW}"
    );
    let mut small = names(owner, &sql).await;
    small.extend(SELDOM.iter().map(|(name, _)| (*name).to_owned()));
    small
}

/// Each table is filled, or it is known why it stays small.
async fn every_table_is_thought_of(owner: &mut PgConnection) {
    let all = names(owner, "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace").await;
    let known = FILLED.iter().copied().chain(STAYS_SMALL.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
    assert_eq!(all, known, "a table is filled by fill.sql, or stays small for a reason");
}

/// The tables of [`FILLED`], which are those of the file.
fn filled() -> BTreeSet<String> {
    let file = include_str!("../scale/fill.sql").split("\ninsert into ").skip(1);
    let in_file: BTreeSet<String> = file.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned).collect();
    assert_eq!(in_file, FILLED.iter().map(|name| (*name).to_owned()).collect(), "what fill.sql fills is watched");
    in_file
}

fn lines() -> u64 {
    std::env::var("COMPTOIR_LINES").ok().map_or(100_000, |text| text.parse().unwrap())
}

/// So many rows one scan may read at so many lines: the lines of a day of service, and a bit.
fn most(lines: u64) -> u64 {
    300 + lines / (3 * 365)
}

#[tokio::test]
async fn every_query_finds_its_rows_by_an_index() {
    let lines = lines();
    let app = TestApp::start().await;
    // One real ticket and one real closing, the models of the others.
    let camille = app.signed_in("camille").await;
    sell(&app.signed_in("alice").await, &camille, 5).await;
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.status, 200);
    let mut owner = PgConnection::connect_with(&app.owner.connect_options()).await.unwrap();
    every_table_is_thought_of(&mut owner).await;
    fill(&mut owner, lines).await;
    let sql = format!("select relname::text from pg_class where relkind = 'r' and reltuples >= {}", lines / 30);
    let grown = names(&mut owner, &sql).await;
    assert!(grown.len() >= 10 && ["order_lines", "audit_logs", "payments"].iter().all(|name| grown.contains(*name)), "{grown:?}");
    let small = small_indexes(&mut owner).await;
    let (filled, most) = (filled(), most(lines));

    sqlx::raw_sql("set role comptoir_app").execute(&mut owner).await.unwrap();
    let (mut planned, mut carried, mut not, mut wrong) = (0, 0, Vec::new(), Vec::new());
    let all = queries();
    let asks = all.iter().filter(|query| !NOT_PLANNED.iter().any(|(beginning, _)| query.starts_with(beginning)));
    for query in asks.clone() {
        let prepared = sqlx::raw_sql(AssertSqlSafe(format!("prepare looked_at as {query}"))).execute(&mut owner).await;
        assert!(prepared.is_ok(), "{prepared:?}: {query}");
        planned += 1;
        // As it is planned once for all arguments: the way it goes when nothing is known of them.
        sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut owner).await.unwrap();
        let kinds: Vec<String> =
            sqlx::query_scalar("select unnest(parameter_types)::text from pg_prepared_statements where name = 'looked_at'")
                .fetch_all(&mut owner)
                .await
                .unwrap();
        let nothing = called(&vec!["null".to_owned(); kinds.len()]);
        let mut reads = looked_at(&mut owner, &nothing, &grown, &small).await;
        // What is small is read from one end to the other because it is small. Where an index can be had it is taken now, and what is left has none.
        if reads.is_none() {
            sqlx::raw_sql("set enable_seqscan = off; discard plans").execute(&mut owner).await.unwrap();
            reads = looked_at(&mut owner, &nothing, &filled, &small).await;
        }
        sqlx::raw_sql("reset enable_seqscan").execute(&mut owner).await.unwrap();
        let may = MAY_READ_ALL.iter().any(|(words, _)| query.contains(words));
        if !may {
            let asked_with = ASKED_WITH.iter().find(|(beginning, _)| query.starts_with(beginning)).map(|(_, arguments)| *arguments);
            if asked_with.is_some() {
                reads = None;
            }
            let (times, found, refused) = really_reads(&mut owner, query, &kinds, asked_with, &filled, most).await;
            carried += times;
            if times == 0 {
                not.push((refused.unwrap_or_default(), query));
            }
            if !found.is_empty() {
                reads = Some(format!("{} {found:?}", reads.unwrap_or_default()));
            }
        }
        sqlx::raw_sql("deallocate looked_at").execute(&mut owner).await.unwrap();
        if let Some(what) = reads.filter(|_| !may) {
            wrong.push(format!("{what}: {query}"));
        }
    }
    println!("{planned} queries planned at {lines} lines, {carried} times carried out; {} not with what was made up", not.len());
    tally(&json!({"lines": lines, "queries": planned, "carried_out": carried, "read_a_whole_table": wrong.len()}));
    assert!(planned == asks.count() && planned + 20 > all.len(), "{planned} of {} queries were looked at", all.len());
    let unknown: Vec<_> = not.iter().filter(|(_, query)| !NOT_CARRIED_OUT.iter().any(|(words, _)| query.contains(words))).collect();
    assert!(unknown.is_empty(), "these were only planned: {unknown:#?}");
    assert!(wrong.is_empty(), "{} of {planned} read a whole table at {lines} lines:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// What functions and triggers ask is hidden from `explain`: an evening is served on the large database, and PostgreSQL writes down how it found each row, of
/// its functions too.
#[tokio::test]
async fn what_functions_and_triggers_ask_is_found_by_an_index_too() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    sell(&app.signed_in("alice").await, &camille, 5).await;
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.status, 200);
    let mut owner = PgConnection::connect_with(&app.owner.connect_options()).await.unwrap();
    fill(&mut owner, lines()).await;
    let small = small_indexes(&mut owner).await;
    let database: String = sqlx::query_scalar("select current_database()::text").fetch_one(&mut owner).await.unwrap();
    for setting in [
        "session_preload_libraries = auto_explain",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_nested_statements = on",
        "auto_explain.log_format = json",
        "enable_seqscan = off",
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("alter database {database} set {setting}"))).execute(&mut owner).await.unwrap();
    }

    // Whoever connects from now on is heard.
    let app = app.another().await;
    let (alice, camille, gerant) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let taken = async |client: &Client, path: &str, body: Value| {
        let answer = client.post(path, &body).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
        answer.body
    };
    let round = json!({"table_id": 9, "covers": 3, "items": [{"dish_id": 12, "qty": 2}, {"wine_id": 34, "qty": 1}]});
    let order = taken(&alice, "/api/orders", round).await["order_id"].clone();
    taken(&alice, "/api/orders", json!({"table_id": 9, "items": [{"dish_id": 12, "qty": 1}]})).await;
    let lines = alice.get(&format!("/api/orders/{order}")).await.body["lines"].clone();
    taken(&alice, &format!("/api/orders/{order}/lines/{}/void", lines[0]["line_id"]), json!({"qty": 1, "reason": "Erreur"})).await;
    taken(&alice, &format!("/api/kitchen/lines/{}", lines[0]["line_id"]), json!({"state": "ready"})).await;
    taken(&alice, &format!("/api/orders/{order}/note"), json!({})).await;
    taken(&camille, &format!("/api/orders/{order}/discount"), json!({"percent": 10, "reason": "Attente"})).await;
    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    for (cover, method) in [(1, "ESPECES"), (2, "CB"), (3, "ESPECES")] {
        let share = bill["shares"].as_array().unwrap().iter().find(|share| share["cover_number"] == cover).unwrap();
        let pay = json!({"order_id": order, "cover_number": cover, "amount": share["amount"], "method": method});
        let paid = taken(&camille, "/api/payments/split", pay).await;
        if cover == 1 {
            taken(&gerant, &format!("/api/payments/{}/refund", paid["payment_id"]), json!({"reason": "Plat froid", "amount": 1})).await;
        }
    }
    taken(&camille, "/api/nf525/close", json!({})).await;

    let run = owner_socket(&app);
    let log = String::from_utf8_lossy(&std::fs::read(run.join("../postgres.log")).unwrap()).into_owned();
    let (mut looked_at, mut wrong, filled) = (Vec::new(), BTreeSet::new(), filled());
    for rest in log.split("plan:\n\t").skip(1) {
        let plan = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next().unwrap().unwrap();
        let (text, mut found) = (plan["Query Text"].as_str().unwrap().to_owned(), Vec::new());
        read_whole(&plan["Plan"], false, &filled, &small, &mut found);
        if !found.is_empty() && !MAY_READ_ALL.iter().any(|(beginning, _)| text.starts_with(beginning)) {
            wrong.insert(format!("{found:?}: {text}"));
        }
        looked_at.push(text);
    }
    println!("{} plans of functions, triggers and queries", looked_at.len());
    for part in ASKED_BY_FUNCTIONS {
        assert!(looked_at.iter().any(|text| text.contains(part)), "nothing that asks {part:?} was looked at");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where the database of a test listens; beside it is its log.
fn owner_socket(app: &TestApp) -> std::path::PathBuf {
    app.owner.connect_options().get_socket().unwrap().clone()
}
