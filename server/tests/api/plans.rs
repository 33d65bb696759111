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

/// What asks for a stretch of time: how long it is, and with it the way to go, is known only with its arguments.
const ASKED_WITH: &[(&str, &str)] = &[
    ("select distinct on (at, event_id)", "1, 'Europe/Paris', 16, 100"),
    ("select h.last, n.id", "1, 0, 'Europe/Paris', 16, 16, 100"),
    ("delete from idempotency\n         where key <", "31"),
    ("with theirs as", "1, 1, null, 16"),
];

/// Every table that `fill.sql` fills, however small it stays beside the others: what is seldom grows for ever too.
const FILLED: [&str; 27] = [
    "attempt_events",
    "attempt_parts",
    "attempt_words",
    "audit_logs",
    "discount_parts",
    "discounts",
    "dish_ends",
    "dish_events",
    "fiscal_corrections",
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
    "sync_decisions",
    "sync_intents",
];

/// Parts of what functions of the database ask: each was looked at.
const ASKED_BY_FUNCTIONS: [&str; 4] = ["where n.order_id = p_order", "p_register", "the_order", "old.state = 'created'"];

/// A plan that costs less reads a few pages, whatever it is called. A scan of a table that grows costs more here.
const CHEAP: f64 = 100.0;

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

/// The first word that is no comment.
fn verb(query: &str) -> String {
    let said = query.lines().map(str::trim).find(|line| !line.starts_with("--") && !line.is_empty()).unwrap_or_default();
    said.split_whitespace().next().unwrap_or_default().to_lowercase()
}

/// Tables that a plan reads from one end to the other. An index of a part of a table, such as of open orders, is as small as that part.
fn read_whole(node: &Value, grown: &BTreeSet<String>, of_a_part: &BTreeSet<String>, found: &mut Vec<String>) {
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let (kind, relation) = (text("Node Type"), text("Relation Name"));
    let by_condition = ["Index Cond", "Recheck Cond", "TID Cond"].iter().any(|name| node.get(name).is_some());
    if grown.contains(relation) && kind.contains("Scan") && !by_condition && !of_a_part.contains(text("Index Name")) {
        found.push(format!("{kind} on {relation}"));
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        read_whole(below, grown, of_a_part, found);
    }
}

/// What reads all in the plan of what is prepared, when that costs something.
async fn looked_at(owner: &mut PgConnection, arguments: &str, grown: &BTreeSet<String>, of_a_part: &BTreeSet<String>) -> Option<String> {
    let explain = format!("explain (format json) execute looked_at{arguments}");
    let plan: Value = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(owner).await.unwrap().get(0);
    let root = &plan[0]["Plan"];
    let (mut found, cost) = (Vec::new(), root["Total Cost"].as_f64().unwrap());
    read_whole(root, grown, of_a_part, &mut found);
    (!found.is_empty() && cost > CHEAP).then(|| format!("{found:?}, cost {cost}"))
}

async fn names(owner: &mut PgConnection, sql: &str) -> BTreeSet<String> {
    sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(owner).await.unwrap().into_iter().collect()
}

async fn partial_indexes(owner: &mut PgConnection) -> BTreeSet<String> {
    names(owner, "select indexrelid::regclass::text from pg_index where indpred is not null").await
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

#[tokio::test]
async fn every_query_finds_its_rows_by_an_index() {
    let lines = lines();
    let app = TestApp::start().await;
    // One real ticket, the model of the others.
    sell(&app.signed_in("alice").await, &app.signed_in("camille").await, 5).await;
    let mut owner = PgConnection::connect_with(&app.owner.connect_options()).await.unwrap();
    fill(&mut owner, lines).await;
    let sql = format!("select relname::text from pg_class where relkind = 'r' and reltuples >= {}", lines / 30);
    let grown = names(&mut owner, &sql).await;
    assert!(grown.len() >= 10 && ["order_lines", "audit_logs", "payments"].iter().all(|name| grown.contains(*name)), "{grown:?}");
    let of_a_part = partial_indexes(&mut owner).await;
    let filled = filled();

    sqlx::raw_sql("set role comptoir_app").execute(&mut owner).await.unwrap();
    let (mut planned, mut wrong) = (0, Vec::new());
    for query in queries() {
        if !["select", "insert", "update", "delete", "with"].contains(&verb(&query).as_str()) {
            continue;
        }
        let prepared = sqlx::raw_sql(AssertSqlSafe(format!("prepare looked_at as {query}"))).execute(&mut owner).await;
        if let Err(error) = prepared {
            // Asked before or after what serves: migrations, guards, the demo restaurant.
            assert!(error.to_string().contains("permission denied"), "{error}: {query}");
            continue;
        }
        planned += 1;
        // As it is planned once for all arguments: the way it goes when nothing is known of them.
        sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut owner).await.unwrap();
        let arguments = (1..100).rev().find(|n| query.contains(&format!("${n}"))).unwrap_or(0);
        let nothing = if arguments == 0 { String::new() } else { format!("({})", vec!["null"; arguments].join(", ")) };
        let mut reads_all = looked_at(&mut owner, &nothing, &grown, &of_a_part).await;
        // What is small is read from one end to the other because it is small. Where an index can be had it is taken now, and what is left has none.
        if reads_all.is_none() {
            sqlx::raw_sql("set enable_seqscan = off; discard plans").execute(&mut owner).await.unwrap();
            reads_all = looked_at(&mut owner, &nothing, &filled, &of_a_part).await;
        }
        let asked_with = ASKED_WITH.iter().find(|(beginning, _)| query.starts_with(beginning));
        if let (Some(_), Some((_, arguments))) = (&reads_all, asked_with) {
            sqlx::raw_sql("reset enable_seqscan; set plan_cache_mode = force_custom_plan").execute(&mut owner).await.unwrap();
            reads_all = looked_at(&mut owner, &format!("({arguments})"), &grown, &of_a_part).await;
        }
        sqlx::raw_sql("reset enable_seqscan; deallocate looked_at").execute(&mut owner).await.unwrap();
        if let Some(what) = reads_all.filter(|_| !MAY_READ_ALL.iter().any(|(words, _)| query.contains(words))) {
            wrong.push(format!("{what}: {query}"));
        }
    }
    println!("{planned} queries planned at {lines} lines");
    tally(&json!({"lines": lines, "queries": planned, "read_a_whole_table": wrong.len()}));
    assert!(planned > 200, "{planned} queries were looked at");
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
    let of_a_part = partial_indexes(&mut owner).await;
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
        read_whole(&plan["Plan"], &filled, &of_a_part, &mut found);
        let costs = plan["Plan"]["Total Cost"].as_f64().unwrap() > CHEAP;
        if costs && !found.is_empty() && !MAY_READ_ALL.iter().any(|(beginning, _)| text.starts_with(beginning)) {
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
