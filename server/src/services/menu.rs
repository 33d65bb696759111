//! What happens to the menu while the house is open: something runs out, comes back, changes its price, finds its wine.
//!
//! Each checks, writes in one transaction, commits, and then forgets every copy of the menu and tells the phones. Lines already ordered
//! carry their own name, price and rate: nothing here reaches them.

use super::once::{self, Answered};
use super::recording;
use crate::adapters::bus::Audience;
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::ItemId;
use domain::api::{Availability, Event, Heading, ItemDraft, ItemView, PairingDraft, SessionUser};
use domain::catalogue::{check_item, check_notes, check_pairings, named_items};
use domain::fiscal::EventCode;
use domain::menu::ItemKind;
use domain::order::FieldError;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Says whether something can be ordered now, and tells the phones.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] when it is to come back in the past.
pub async fn set_availability(house: &House, item: ItemId, said: &Availability) -> Result<()> {
    // A hundred years are a slip of the finger, and the database's calendar has an end.
    let farthest = OffsetDateTime::now_utc() + time::Duration::days(36_525);
    if said.until.is_some_and(|at| at > farthest) {
        return Err(Error::invalid("until", "too_far"));
    }
    let back_at = said.until.filter(|_| !said.available);
    if back_at.is_some_and(|at| at <= OffsetDateTime::now_utc()) {
        return Err(Error::invalid("until", "in_the_past"));
    }
    if !db::menu::set_availability(&house.db, item, said.available, back_at).await? {
        return Err(Error::NotFound("cet article"));
    }
    changed(house).await;
    Ok(())
}

/// One step of the worker: what was out until now can be ordered again. Several processes may do it at once; each article comes back
/// once. Returns whether anything did.
///
/// # Errors
/// When the database does not answer.
pub async fn bring_back(house: &House) -> Result<bool> {
    let back = db::menu::bring_back(&house.db).await?;
    if back.is_empty() {
        return Ok(false);
    }
    tracing::info!(?back, "back on the menu");
    changed(house).await;
    Ok(true)
}

/// Every article, also what is out, in printed order.
///
/// # Errors
/// When the database does not answer.
pub async fn items(house: &House) -> Result<Vec<ItemView>> {
    db::catalogue::whole(&house.db).await
}

/// Adds an article, at the end of its heading. The same `uuid` again adds nothing and returns the first answer.
///
/// # Errors
/// [`Error::Invalid`] names every faulty field.
pub async fn add(house: &House, user: &SessionUser, draft: &ItemDraft) -> Result<Answered<ItemView>> {
    let item = check_item(draft).map_err(Error::Invalid)?;
    let mut tx = house.db.begin().await?;
    if let Some(answered) = once::earlier(&mut tx, draft.uuid, "menu items", user.id, draft).await? {
        return Ok(answered);
    }
    db::catalogue::lock(&mut tx).await?;
    check_named(&mut tx, &item, None).await?;
    let id = db::catalogue::add(&mut tx, &item).await?;
    db::catalogue::set_parts(&mut tx, id, &item).await?;
    let view = one(&mut tx, id).await?;
    once::remember(&mut tx, draft.uuid, 201, &view).await?;
    let details = [("item", view.name.clone()), ("price", view.price.to_french()), ("rate", view.vat_rate.to_string())];
    recording::event(house, &mut tx, EventCode::MenuChanged, &user.name, details).await?;
    tx.commit().await?;
    tracing::info!(item = id.get(), user = user.id.get(), "article added");
    changed(house).await;
    Ok(Answered::now(view))
}

/// Changes an article. What was ordered stays as it was ordered.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] names every faulty field, also a kind that differs: its wines, its way through the kitchen and
/// its tax hang on it.
pub async fn change(house: &House, user: &SessionUser, id: ItemId, draft: &ItemDraft) -> Result<ItemView> {
    let item = check_item(draft).map_err(Error::Invalid)?;
    let mut tx = house.db.begin().await?;
    let kind = locked_kind(&mut tx, id).await?;
    if kind != item.kind {
        return Err(Error::invalid("kind", "kind_is_fixed"));
    }
    check_named(&mut tx, &item, Some(id)).await?;
    let was = one(&mut tx, id).await?;
    db::catalogue::change(&mut tx, id, &item).await?;
    db::catalogue::set_parts(&mut tx, id, &item).await?;
    let view = one(&mut tx, id).await?;
    let details = what_changed(&was, &view);
    if !details.is_empty() {
        recording::event(house, &mut tx, EventCode::MenuChanged, &user.name, details).await?;
    }
    tx.commit().await?;
    tracing::info!(item = id.get(), user = user.id.get(), "article changed");
    changed(house).await;
    Ok(view)
}

/// What of an article's change decides what is sold and taxed from now on: its name, price and rate before and after, and whether its choices changed. Where it
/// stands and what goes with it are no matter of the journal.
fn what_changed(was: &ItemView, is: &ItemView) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    if was.name != is.name {
        details.push(("name_before", was.name.clone()));
    }
    if was.price != is.price {
        details.extend([("price_before", was.price.to_french()), ("price", is.price.to_french())]);
    }
    if was.vat_rate != is.vat_rate {
        details.extend([("rate_before", was.vat_rate.to_string()), ("rate", is.vat_rate.to_string())]);
    }
    if (&was.options, &was.components) != (&is.options, &is.components) {
        details.push(("choices", "modifiés".to_owned()));
    }
    if !details.is_empty() {
        details.push(("item", is.name.clone()));
    }
    details
}

/// Sets the wines of a dish or a *formule*: these, and no others.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for what is not a wine, is there twice, or goes with something that is not eaten.
pub async fn pair(house: &House, user: &SessionUser, id: ItemId, draft: &[PairingDraft]) -> Result<ItemView> {
    let pairings = check_pairings(draft).map_err(Error::Invalid)?;
    let mut tx = house.db.begin().await?;
    let kind = locked_kind(&mut tx, id).await?;
    if !matches!(kind, ItemKind::Dish | ItemKind::Menu) {
        return Err(Error::invalid("pairings", "takes_no_wine"));
    }
    check_wines(&mut tx, draft).await?;
    db::catalogue::set_pairings(&mut tx, id, &pairings).await?;
    let view = one(&mut tx, id).await?;
    tx.commit().await?;
    tracing::info!(item = id.get(), wines = pairings.len(), user = user.id.get(), "wines set");
    changed(house).await;
    Ok(view)
}

/// Every heading with something to eat under it, in printed order, and its wines.
///
/// # Errors
/// When the database does not answer.
pub async fn headings(house: &House) -> Result<Vec<Heading>> {
    db::catalogue::headings(&house.db).await
}

/// Sets the wines of everything under a heading: these, and no others. A dish's own wines come first.
///
/// # Errors
/// [`Error::NotFound`] when nothing to eat stands under it; [`Error::Invalid`] for what is not a wine, or is there twice.
pub async fn pair_heading(house: &House, user: &SessionUser, category: &str, draft: &[PairingDraft]) -> Result<Heading> {
    let pairings = check_pairings(draft).map_err(Error::Invalid)?;
    let mut tx = house.db.begin().await?;
    db::catalogue::lock(&mut tx).await?;
    if !db::catalogue::is_heading(&mut tx, category).await? {
        return Err(Error::NotFound("cette rubrique"));
    }
    check_wines(&mut tx, draft).await?;
    db::catalogue::set_heading_pairings(&mut tx, category, &pairings).await?;
    tx.commit().await?;
    tracing::info!(category, wines = pairings.len(), user = user.id.get(), "wines of a heading set");
    changed(house).await;
    Ok(Heading { category: category.to_owned(), pairings })
}

/// The notes to tap, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn notes(house: &House) -> Result<Vec<String>> {
    db::menu::notes(&house.db).await
}

/// Sets the notes to tap: these, in this order, and no others.
///
/// # Errors
/// [`Error::Invalid`] names every faulty one.
pub async fn set_notes(house: &House, user: &SessionUser, draft: &[String]) -> Result<Vec<String>> {
    let notes = check_notes(draft).map_err(Error::Invalid)?;
    let mut tx = house.db.begin().await?;
    db::catalogue::lock(&mut tx).await?;
    db::catalogue::set_notes(&mut tx, &notes).await?;
    tx.commit().await?;
    tracing::info!(notes = notes.len(), user = user.id.get(), "notes to tap set");
    changed(house).await;
    Ok(notes)
}

/// What is to go with something must exist, and be a wine.
async fn check_wines(db: &mut PgConnection, draft: &[PairingDraft]) -> Result<()> {
    let wanted: Vec<ItemId> = draft.iter().map(|pairing| pairing.wine_id).collect();
    let kinds = db::catalogue::kinds(db, &wanted).await?;
    let faults: Vec<FieldError> = (0..)
        .zip(&wanted)
        .filter_map(|(at, wine): (usize, _)| match kinds.get(wine).map(|known| known.kind) {
            Some(ItemKind::Wine) => None,
            Some(_) => Some(FieldError::new(format!("[{at}].wine_id"), "not_a_wine")),
            None => Some(FieldError::new(format!("[{at}].wine_id"), "unknown_wine")),
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// What an article is made of must exist and be of the right kind; a bottle has one glass.
async fn check_named(db: &mut PgConnection, item: &ItemDraft, own: Option<ItemId>) -> Result<()> {
    let named = named_items(item);
    let kinds = db::catalogue::kinds(db, &named.iter().map(|(_, id)| *id).collect::<Vec<_>>()).await?;
    let mut faults = Vec::new();
    for (field, id) in named {
        let is_bottle = field == "glass_of";
        let fault = match kinds.get(&id) {
            None => "unknown_item",
            Some(bottle) if is_bottle && (bottle.kind != ItemKind::Wine || bottle.is_glass || Some(id) == own) => "not_a_bottle",
            Some(bottle) if is_bottle && bottle.glass.is_some_and(|glass| Some(glass) != own) => "bottle_has_a_glass",
            Some(part) if !is_bottle && part.kind == ItemKind::Menu => "formule_in_formule",
            Some(_) => continue,
        };
        faults.push(FieldError::new(field, fault));
    }
    // A bottle that has a glass is no glass itself.
    if item.glass_of.is_some()
        && let Some(own) = own
        && db::catalogue::kinds(db, &[own]).await?.get(&own).is_some_and(|own| own.glass.is_some())
    {
        faults.push(FieldError::new("glass_of", "bottle_has_a_glass"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

async fn locked_kind(db: &mut PgConnection, id: ItemId) -> Result<ItemKind> {
    db::catalogue::lock(db).await?;
    db::catalogue::kinds(db, &[id]).await?.get(&id).map(|known| known.kind).ok_or(Error::NotFound("cet article"))
}

async fn one(db: &mut PgConnection, id: ItemId) -> Result<ItemView> {
    db::catalogue::one(db, id).await?.ok_or(Error::NotFound("cet article"))
}

/// After commit: forgets the menu as it was, everywhere, and tells the phones.
async fn changed(house: &House) {
    house.menu.forget().await;
    announce(house).await;
}

/// Tells the phones of this process which menu holds now, unless they know. What changed is committed: that it cannot be read back just now
/// is no reason to say that it did not happen, and the worker announces it as soon as it can be.
pub async fn announce(house: &House) {
    match house.menu.get(&house.db).await {
        Ok(cached) if house.menu.is_news(&cached.menu.version) => {
            // Every process announces it to its own phones.
            house.bus.send_here(Audience::House, &Event::MenuChanged { version: cached.menu.version.clone() });
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the menu cannot be read; its change is announced later"),
    }
}
