//! The menu as whoever keeps it sees and changes it. [`super::menu`] reads it for whoever orders.

use super::menu::{components, options};
use super::{SNAPSHOT, rate, word};
use crate::error::Result;
use domain::api::{Heading, ItemDraft, ItemView, PairingSet};
use domain::menu::{Allergen, ItemKind};
use domain::{Cents, ItemId};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;

/// What has to be known about an article that another one names.
pub struct Known {
    /// What it is.
    pub kind: ItemKind,
    /// It is a wine by the glass itself.
    pub is_glass: bool,
    /// The glass of this bottle.
    pub glass: Option<ItemId>,
}

/// Every article in printed order, as they are at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(db: &PgPool) -> Result<Vec<ItemView>> {
    let mut tx = db.begin_with(SNAPSHOT).await?;
    let items = items(&mut tx, None).await?;
    tx.commit().await?;
    Ok(items)
}

/// One article, as this transaction sees it.
///
/// # Errors
/// When the database does not answer.
pub async fn one(db: &mut PgConnection, id: ItemId) -> Result<Option<ItemView>> {
    Ok(items(db, Some(id)).await?.pop())
}

async fn items(db: &mut PgConnection, only: Option<ItemId>) -> Result<Vec<ItemView>> {
    let mut options = options(&mut *db).await?;
    let mut components = components(&mut *db).await?;
    let mut pairings: HashMap<ItemId, Vec<PairingSet>> = HashMap::new();
    for row in sqlx::query!("select dish_id, wine_id, rank, reason from pairings order by dish_id, rank").fetch_all(&mut *db).await? {
        let set = PairingSet { wine_id: ItemId::from_row(row.wine_id), rank: row.rank.unsigned_abs() as u8, reason: row.reason };
        pairings.entry(ItemId::from_row(row.dish_id)).or_default().push(set);
    }
    let rows = sqlx::query!(
        "select id, kind, name, category, price_cents, vat_rate, available, back_at, course, favourite, detail, allergens, glass_of
         from menu_items where $1::bigint is null or id = $1 order by rank, id",
        only.map(ItemId::get)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = ItemId::from_row(row.id);
            Ok(ItemView {
                id,
                kind: word(&row.kind)?,
                name: row.name,
                category: row.category,
                price: Cents(row.price_cents),
                vat_rate: rate(row.vat_rate)?,
                available: row.available,
                back_at: row.back_at,
                course: row.course.unsigned_abs() as u8,
                favourite: row.favourite,
                detail: row.detail,
                allergens: row.allergens.iter().map(|code| word(code)).collect::<Result<_>>()?,
                options: options.remove(&id).unwrap_or_default(),
                glass_of: row.glass_of.map(ItemId::from_row),
                components: components.remove(&id).unwrap_or_default(),
                pairings: pairings.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

/// Lets one transaction at a time change what articles are, for its rest: they name each other, and are few and changed seldom.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('menu_items'))").execute(db).await?;
    Ok(())
}

/// What these articles are; those that do not exist are missing.
///
/// # Errors
/// When the database does not answer.
pub async fn kinds(db: &mut PgConnection, ids: &[ItemId]) -> Result<HashMap<ItemId, Known>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows = sqlx::query!(
        r#"select m.id, m.kind, m.glass_of is not null as "is_glass!", (select g.id from menu_items g where g.glass_of = m.id) as glass
           from menu_items m where m.id = any($1)"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let known = Known { kind: word(&row.kind)?, is_glass: row.is_glass, glass: row.glass.map(ItemId::from_row) };
            Ok((ItemId::from_row(row.id), known))
        })
        .collect()
}

/// Adds an article at the end of its heading; a new heading comes last.
///
/// # Errors
/// When the database does not answer.
pub async fn add(db: &mut PgConnection, item: &ItemDraft) -> Result<ItemId> {
    let id = sqlx::query_scalar!(
        "insert into menu_items (kind, name, category, rank, price_cents, vat_rate, course, favourite, detail, allergens, glass_of)
         values ($1, $2, $3,
                 coalesce((select max(rank) from menu_items where category = $3), (select max(rank) + 100 from menu_items), 1),
                 $4, $5, $6, $7, $8, $9, $10)
         returning id",
        item.kind.as_str(),
        item.name,
        item.category,
        item.price.0,
        item.vat_rate.basis_points() as i16,
        i16::from(item.course),
        item.favourite,
        item.detail,
        &codes(&item.allergens),
        item.glass_of.map(ItemId::get)
    )
    .fetch_one(db)
    .await?;
    Ok(ItemId::from_row(id))
}

/// Changes an article. Under another heading it comes last.
///
/// # Errors
/// When the database does not answer.
pub async fn change(db: &mut PgConnection, id: ItemId, item: &ItemDraft) -> Result<()> {
    sqlx::query!(
        "update menu_items set
             name = $2, category = $3, price_cents = $4, vat_rate = $5, course = $6, favourite = $7, detail = $8, allergens = $9, glass_of = $10,
             rank = case when category = $3 then rank
                 else coalesce((select max(rank) from menu_items where category = $3), (select max(rank) + 100 from menu_items)) end
         where id = $1",
        id.get(),
        item.name,
        item.category,
        item.price.0,
        item.vat_rate.basis_points() as i16,
        i16::from(item.course),
        item.favourite,
        item.detail,
        &codes(&item.allergens),
        item.glass_of.map(ItemId::get)
    )
    .execute(db)
    .await?;
    Ok(())
}

fn codes(allergens: &[Allergen]) -> Vec<String> {
    allergens.iter().map(|allergen| allergen.as_str().to_owned()).collect()
}

/// Replaces the questions about an article and, for a *formule*, its choices.
///
/// # Errors
/// When the database does not answer.
pub async fn set_parts(db: &mut PgConnection, id: ItemId, item: &ItemDraft) -> Result<()> {
    sqlx::query!("delete from menu_options where item_id = $1", id.get()).execute(&mut *db).await?;
    for (rank, group) in (1i16..).zip(&item.options) {
        sqlx::query!(
            "insert into menu_options (item_id, rank, group_name, required) values ($1, $2, $3, $4)",
            id.get(),
            rank,
            group.group,
            group.required
        )
        .execute(&mut *db)
        .await?;
        for (position, choice) in (1i16..).zip(&group.choices) {
            sqlx::query!(
                "insert into menu_option_choices (item_id, rank, position, choice, price_cents, allergens) values ($1, $2, $3, $4, $5, $6)",
                id.get(),
                rank,
                position,
                choice.choice,
                choice.price.0,
                &codes(&choice.allergens)
            )
            .execute(&mut *db)
            .await?;
        }
    }
    sqlx::query!("delete from menu_components where menu_id = $1", id.get()).execute(&mut *db).await?;
    for (rank, group) in (1i16..).zip(&item.components) {
        let items: Vec<i64> = group.item_ids.iter().map(|item| item.get()).collect();
        sqlx::query!(
            "insert into menu_components (menu_id, rank, group_name, item_id) select $1, $2, $3, unnest($4::bigint[])",
            id.get(),
            rank,
            group.group,
            &items
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Replaces the wines of a dish.
///
/// # Errors
/// When the database does not answer.
pub async fn set_pairings(db: &mut PgConnection, dish: ItemId, pairings: &[PairingSet]) -> Result<()> {
    sqlx::query!("delete from pairings where dish_id = $1", dish.get()).execute(&mut *db).await?;
    for pairing in pairings {
        sqlx::query!(
            "insert into pairings (dish_id, wine_id, rank, reason) values ($1, $2, $3, $4)",
            dish.get(),
            pairing.wine_id.get(),
            i16::from(pairing.rank),
            pairing.reason
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Every heading with something to eat under it, in printed order, and its wines.
///
/// # Errors
/// When the database does not answer.
pub async fn headings(db: &PgPool) -> Result<Vec<Heading>> {
    let rows = sqlx::query!(
        r#"select m.category, p.wine_id as "wine_id?", p.rank as "rank?", p.reason as "reason?"
           from (select category, min(rank) as place from menu_items where kind in ('dish', 'menu') group by category) m
           left join category_pairings p on p.category = m.category
           order by m.place, m.category, p.rank"#
    )
    .fetch_all(db)
    .await?;
    let mut headings: Vec<Heading> = Vec::new();
    for row in rows {
        if headings.last().is_none_or(|last| last.category != row.category) {
            headings.push(Heading { category: row.category, pairings: Vec::new() });
        }
        if let (Some(heading), Some(wine_id), Some(rank), Some(reason)) = (headings.last_mut(), row.wine_id, row.rank, row.reason) {
            heading.pairings.push(PairingSet { wine_id: ItemId::from_row(wine_id), rank: rank.unsigned_abs() as u8, reason });
        }
    }
    Ok(headings)
}

/// Whether something to eat stands under a heading of that name.
///
/// # Errors
/// When the database does not answer.
pub async fn is_heading(db: &mut PgConnection, category: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from menu_items where category = $1 and kind in ('dish', 'menu')) as "exists!""#,
        category
    )
    .fetch_one(db)
    .await?)
}

/// Replaces the wines of a heading.
///
/// # Errors
/// When the database does not answer.
pub async fn set_heading_pairings(db: &mut PgConnection, category: &str, pairings: &[PairingSet]) -> Result<()> {
    sqlx::query!("delete from category_pairings where category = $1", category).execute(&mut *db).await?;
    for pairing in pairings {
        sqlx::query!(
            "insert into category_pairings (category, wine_id, rank, reason) values ($1, $2, $3, $4)",
            category,
            pairing.wine_id.get(),
            i16::from(pairing.rank),
            pairing.reason
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Replaces the notes to tap.
///
/// # Errors
/// When the database does not answer.
pub async fn set_notes(db: &mut PgConnection, notes: &[String]) -> Result<()> {
    sqlx::query!("delete from preset_notes").execute(&mut *db).await?;
    sqlx::query!(
        "insert into preset_notes (rank, note) select place, note from unnest($1::text[]) with ordinality as all_of (note, place)",
        notes
    )
    .execute(db)
    .await?;
    Ok(())
}
