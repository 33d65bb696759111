//! The menu, read in one go.

use super::{rate, word};
use crate::error::Result;
use domain::menu::{ComponentGroup, MenuItem, Pairing};
use domain::{Cents, ItemId};
use sqlx::PgPool;

/// Everything on the menu, in printed order. The pairing of a dish is its best wine that is not out.
///
/// # Errors
/// When the database does not answer.
pub async fn items(db: &PgPool) -> Result<Vec<MenuItem>> {
    let rows = sqlx::query!(
        r#"select m.id, m.kind, m.name, m.category, m.price_cents, m.vat_rate, m.available, m.course, m.favourite, m.detail,
                  w.id as "wine_id?", w.name as "wine_name?", w.price_cents as "wine_price?", p.reason as "reason?"
           from menu_items m
           left join lateral (
               select p.wine_id, p.reason from pairings p join menu_items w on w.id = p.wine_id
               where p.dish_id = m.id and w.available order by p.rank limit 1
           ) p on true
           left join menu_items w on w.id = p.wine_id
           order by m.rank, m.id"#
    )
    .fetch_all(db)
    .await?;
    let mut items = rows
        .into_iter()
        .map(|row| {
            let wine_pairing = match (row.wine_id, row.wine_name, row.wine_price, row.reason) {
                (Some(id), Some(name), Some(price), Some(reason)) => {
                    Some(Pairing { id: ItemId::from_row(id), name, price: Cents(price), reason })
                }
                _ => None,
            };
            Ok(MenuItem {
                id: ItemId::from_row(row.id),
                kind: word(&row.kind)?,
                name: row.name,
                category: row.category,
                price: Cents(row.price_cents),
                vat_rate: rate(row.vat_rate)?,
                available: row.available,
                course: row.course.unsigned_abs() as u8,
                favourite: row.favourite,
                detail: row.detail,
                wine_pairing,
                components: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let components = sqlx::query!(
        r#"select menu_id, group_name, array_agg(item_id order by item_id) as "item_ids!"
           from menu_components group by menu_id, rank, group_name order by menu_id, rank"#
    )
    .fetch_all(db)
    .await?;
    for row in components {
        if let Some(item) = items.iter_mut().find(|item| item.id.get() == row.menu_id) {
            let item_ids = row.item_ids.into_iter().map(ItemId::from_row).collect();
            item.components.push(ComponentGroup { group: row.group_name, item_ids });
        }
    }
    Ok(items)
}
