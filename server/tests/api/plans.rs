//! After years of service every question still finds its rows by an index: each query of the server is planned on a large database.
//!
//! `COMPTOIR_LINES` says how many order lines (100 000 unless said; `make campaign` takes ten millions).

use crate::records::sell;
use crate::support::TestApp;
use crate::tally::tally;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::collections::BTreeSet;
use std::path::Path;

/// What reads all, by how it begins, and why it may.
const MAY_READ_ALL: &[(&str, &str)] = &[
    ("select l.chain as \"chain!\", l.seq as \"seq!\"\n           from audit_logs l\n           join payments", "the check of the journal"),
    ("select l.chain as \"chain!\", l.seq as \"seq!\" from audit_logs l\n           where l.id > $1", "the check of the journal"),
    ("select l.chain as \"chain!\", l.seq as \"seq!\"\n           from payments p\n           join audit_logs", "the check of the journal"),
    (
        "select l.chain as \"chain!\", l.seq as \"seq!\"\n           from fiscal_periods p\n           join audit_logs",
        "the check of the journal",
    ),
    ("select l.chain as \"chain!\", l.seq as \"seq!\"\n           from (select p.order_id", "the check of the journal"),
    ("select p.id from payments p left join audit_logs l", "the check of the journal"),
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

#[tokio::test]
async fn every_query_finds_its_rows_by_an_index() {
    let lines: u64 = std::env::var("COMPTOIR_LINES").ok().map_or(100_000, |text| text.parse().unwrap());
    let app = TestApp::start().await;
    // One real ticket, the model of the others.
    sell(&app.signed_in("alice").await, &app.signed_in("camille").await, 5).await;
    let mut owner = PgConnection::connect_with(&app.owner.connect_options()).await.unwrap();
    fill(&mut owner, lines).await;
    let names = async |owner: &mut PgConnection, sql: &str| -> BTreeSet<String> {
        sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(owner).await.unwrap().into_iter().collect()
    };
    let sql = format!("select relname::text from pg_class where relkind = 'r' and reltuples >= {}", lines / 30);
    let grown = names(&mut owner, &sql).await;
    assert!(grown.len() >= 10 && ["order_lines", "audit_logs", "payments"].iter().all(|name| grown.contains(*name)), "{grown:?}");
    let of_a_part = names(&mut owner, "select indexrelid::regclass::text from pg_index where indpred is not null").await;

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
        let asked_with = ASKED_WITH.iter().find(|(beginning, _)| query.starts_with(beginning));
        if let (Some(_), Some((_, arguments))) = (&reads_all, asked_with) {
            sqlx::raw_sql("set plan_cache_mode = force_custom_plan").execute(&mut owner).await.unwrap();
            reads_all = looked_at(&mut owner, &format!("({arguments})"), &grown, &of_a_part).await;
        }
        sqlx::raw_sql("deallocate looked_at").execute(&mut owner).await.unwrap();
        if let Some(what) = reads_all.filter(|_| !MAY_READ_ALL.iter().any(|(beginning, _)| query.starts_with(beginning))) {
            wrong.push(format!("{what}: {query}"));
        }
    }
    println!("{planned} queries planned at {lines} lines");
    tally(&json!({"lines": lines, "queries": planned, "read_a_whole_table": wrong.len()}));
    assert!(planned > 200, "{planned} queries were looked at");
    assert!(wrong.is_empty(), "{} of {planned} read a whole table at {lines} lines:\n{}", wrong.len(), wrong.join("\n\n"));
}
