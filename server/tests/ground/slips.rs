//! The kitchen's book against ours, at the end of an evening.

use serde::Deserialize;
use server::sim::erp::{Cooked, read_log};
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use uuid::Uuid;

/// A slip as our database has it.
#[derive(sqlx::FromRow)]
struct Kept {
    id: i64,
    key: Uuid,
    table_id: i64,
    erp_order_id: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    table_id: i64,
    items: Vec<ToldItem>,
}

#[derive(Deserialize)]
struct ToldItem {
    line_id: i64,
    qty: i64,
}

/// Once all are delivered, every slip is in the log of the simulated kitchen exactly once by key, none is missing, none invented, each table's are
/// in order, and each dish is there as often as the guests are to get it. Returns how many slips there are, and after how many attempts.
pub async fn check(db: &PgPool, log: &Path) -> (usize, i64) {
    let kept: Vec<Kept> =
        sqlx::query_as("select id, key, table_id, erp_order_id from kitchen_slips order by id").fetch_all(db).await.expect("slips");
    let cooked = read_log(log).expect("the kitchen's log");
    compare(&kept, &cooked);
    let left_to_cook: Vec<(i64, i64)> =
        sqlx::query_as("select id, (qty - voided_qty)::bigint from order_lines where kind = 'dish'").fetch_all(db).await.expect("lines");
    let mut told: HashMap<i64, i64> = HashMap::new();
    for slip in &cooked {
        for item in Told::deserialize(&slip.slip).expect("a slip").items {
            *told.entry(item.line_id).or_default() += item.qty;
        }
    }
    assert_eq!(told, left_to_cook.into_iter().collect(), "each dish as often as the guests are to get it");
    let attempts = sqlx::query_scalar("select coalesce(sum(attempts), 0)::bigint from kitchen_slips").fetch_one(db).await.expect("a sum");
    (kept.len(), attempts)
}

fn compare(kept: &[Kept], cooked: &[Cooked]) {
    let by_key: HashMap<String, &Kept> = kept.iter().map(|slip| (slip.key.to_string(), slip)).collect();
    let mut seen = HashSet::new();
    let mut last: HashMap<i64, i64> = HashMap::new();
    for slip in cooked {
        let ours = by_key.get(&slip.key).expect("a slip that we wrote");
        assert!(seen.insert(&slip.key), "cooked twice: {}", slip.key);
        assert_eq!(ours.erp_order_id.as_deref(), Some(slip.erp_order_id.as_str()), "the kitchen's number is ours");
        let told = Told::deserialize(&slip.slip).expect("a slip");
        assert_eq!(told.table_id, ours.table_id);
        let before = last.insert(told.table_id, ours.id);
        assert!(before.is_none_or(|before| before < ours.id), "table {} out of order", told.table_id);
    }
    assert_eq!(seen.len(), kept.len(), "missing in the kitchen");
}
