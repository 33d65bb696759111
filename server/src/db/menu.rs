//! The menu, read in one go.

use super::{rate, word};
use crate::db;
use crate::error::Result;
use domain::menu::{ComponentGroup, Glass, MenuItem, OptionChoice, OptionGroup, Pairing};
use domain::{Cents, ItemId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use std::collections::HashMap;
use time::OffsetDateTime;

/// Everything on the menu, in printed order, and the notes to tap: as they are at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(db: &PgPool) -> Result<(Vec<MenuItem>, Vec<String>)> {
    let mut tx = db.begin_with(db::SNAPSHOT).await?;
    let mut pairings = pairings(&mut tx).await?;
    let mut options = options(&mut tx).await?;
    let mut components = components(&mut tx).await?;
    let rows = sqlx::query!(
        "select id, kind, name, category, price_cents, vat_rate, available, course, favourite, detail, allergens, glass_of
         from menu_items order by rank, id"
    )
    .fetch_all(&mut *tx)
    .await?;
    let items = rows
        .into_iter()
        .map(|row| {
            let id = ItemId::from_row(row.id);
            let pairings = pairings.remove(&id).unwrap_or_default();
            Ok(MenuItem {
                id,
                kind: word(&row.kind)?,
                name: row.name,
                category: row.category,
                price: Cents(row.price_cents),
                vat_rate: rate(row.vat_rate)?,
                available: row.available,
                course: row.course.unsigned_abs() as u8,
                favourite: row.favourite,
                detail: row.detail,
                wine_pairing: pairings.first().cloned(),
                pairings,
                options: options.remove(&id).unwrap_or_default(),
                allergens: row.allergens.iter().map(|code| word(code)).collect::<Result<_>>()?,
                glass_of: row.glass_of.map(ItemId::from_row),
                components: components.remove(&id).unwrap_or_default(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let notes = notes(&mut *tx).await?;
    tx.commit().await?;
    Ok((items, notes))
}

/// The notes to tap, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn notes(db: impl PgExecutor<'_>) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("select note from preset_notes order by rank").fetch_all(db).await?)
}

/// Up to three wines for each dish: its own by rank, then those of its heading, never one that is out.
async fn pairings(db: &mut PgConnection) -> Result<HashMap<ItemId, Vec<Pairing>>> {
    let rows = sqlx::query!(
        r#"select m.id as dish_id, p.wine_id as "wine_id!", p.name as "name!", p.price_cents as "price!", p.reason as "reason!",
                  g.id as "glass_id?", g.price_cents as "glass_price?"
           from menu_items m
           cross join lateral (
               select one.*, w.name, w.price_cents
               from (
                   select distinct on (wine_id) wine_id, reason, level, rank
                   from (
                       select wine_id, reason, 0 as level, rank from pairings where dish_id = m.id
                       union all
                       select wine_id, reason, 1, rank from category_pairings where category = m.category
                   ) every
                   order by wine_id, level, rank
               ) one
               join menu_items w on w.id = one.wine_id and w.available
               order by one.level, one.rank
               limit 3
           ) p
           left join menu_items g on g.glass_of = p.wine_id and g.available
           where m.kind in ('dish', 'menu')
           order by m.id, p.level, p.rank"#
    )
    .fetch_all(db)
    .await?;
    let mut pairings: HashMap<ItemId, Vec<Pairing>> = HashMap::new();
    for row in rows {
        let glass = row.glass_id.zip(row.glass_price).map(|(id, price)| Glass { id: ItemId::from_row(id), price: Cents(price) });
        pairings.entry(ItemId::from_row(row.dish_id)).or_default().push(Pairing {
            id: ItemId::from_row(row.wine_id),
            name: row.name,
            price: Cents(row.price),
            reason: row.reason,
            glass,
        });
    }
    Ok(pairings)
}

/// What is asked about each dish.
pub(super) async fn options(db: &mut PgConnection) -> Result<HashMap<ItemId, Vec<OptionGroup>>> {
    let rows = sqlx::query!(
        "select o.item_id, o.rank, o.group_name, o.required, c.choice, c.price_cents, c.allergens
         from menu_options o join menu_option_choices c using (item_id, rank) order by o.item_id, o.rank, c.position"
    )
    .fetch_all(db)
    .await?;
    let mut options: HashMap<ItemId, Vec<OptionGroup>> = HashMap::new();
    for row in rows {
        let groups = options.entry(ItemId::from_row(row.item_id)).or_default();
        let allergens = row.allergens.iter().map(|code| word(code)).collect::<Result<_>>()?;
        let choice = OptionChoice { choice: row.choice, price: Cents(row.price_cents), allergens };
        match groups.last_mut() {
            Some(group) if group.group == row.group_name => group.choices.push(choice),
            _ => groups.push(OptionGroup { group: row.group_name, required: row.required, choices: vec![choice] }),
        }
    }
    Ok(options)
}

/// What each *formule* is made of.
pub(super) async fn components(db: &mut PgConnection) -> Result<HashMap<ItemId, Vec<ComponentGroup>>> {
    let rows = sqlx::query!(
        r#"select menu_id, group_name, array_agg(item_id order by item_id) as "item_ids!"
           from menu_components group by menu_id, rank, group_name order by menu_id, rank"#
    )
    .fetch_all(db)
    .await?;
    let mut components: HashMap<ItemId, Vec<ComponentGroup>> = HashMap::new();
    for row in rows {
        let item_ids = row.item_ids.into_iter().map(ItemId::from_row).collect();
        components.entry(ItemId::from_row(row.menu_id)).or_default().push(ComponentGroup { group: row.group_name, item_ids });
    }
    Ok(components)
}

/// Says whether something can be ordered; false when there is no such article.
///
/// # Errors
/// When the database does not answer.
pub async fn set_availability(db: &PgPool, item: ItemId, available: bool, back_at: Option<OffsetDateTime>) -> Result<bool> {
    let done = sqlx::query!("update menu_items set available = $2, back_at = $3 where id = $1", item.get(), available, back_at)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What is out until now can be ordered again. An article that somebody else is changing at this moment is left for the next time.
///
/// # Errors
/// When the database does not answer.
pub async fn bring_back(db: &PgPool) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        "update menu_items set available = true, back_at = null
         where id in (select id from menu_items where back_at <= now() for update skip locked)
         returning id"
    )
    .fetch_all(db)
    .await?)
}
