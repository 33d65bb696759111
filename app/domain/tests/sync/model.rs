//! The house as the contract describes it, in memory: each call is one transaction.

use crate::schedule::{House, Reply};
use domain::api::{SentStatus, SyncAccepted, SyncRequest};
use domain::sync::{Facts, Ruling, SeenOrder, judge};
use domain::{Cents, ItemId, OrderId, TableId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Open,
    Closed,
    Merged(i64),
}

#[derive(Clone)]
struct Order {
    table: TableId,
    server: UserId,
    status: Status,
    rounds: u32,
}

#[derive(Clone, PartialEq)]
enum Outcome {
    Conflict,
    Taken { order: i64, body: String, asked: String },
    Resolved(Uuid),
    Dropped,
}

#[derive(Clone)]
pub struct Model {
    orders: BTreeMap<i64, Order>,
    notes: Vec<(i64, String)>,
    intents: BTreeMap<Uuid, Outcome>,
    prices: BTreeMap<ItemId, Cents>,
    out: BTreeSet<ItemId>,
}

impl Default for Model {
    fn default() -> Self {
        let prices = [(12, 2400), (14, 1900), (34, 2800)].map(|(id, cents)| (ItemId::from_row(id), Cents(cents)));
        Self { orders: BTreeMap::new(), notes: vec![], intents: BTreeMap::new(), prices: prices.into(), out: BTreeSet::new() }
    }
}

fn problem(status: u16, code: &str, extras: &str) -> Reply {
    (status, format!(r#"{{"status":{status},"code":"{code}","detail":"…"{extras}}}"#))
}

fn user(phone: usize) -> UserId {
    UserId::from_row(phone as i64 + 1)
}

impl Model {
    fn seen(&self, id: i64) -> Option<SeenOrder> {
        let order = self.orders.get(&id)?;
        match order.status {
            Status::Merged(into) => self.seen(into),
            status => Some(SeenOrder { id: OrderId::from_row(id), is_open: status == Status::Open, server: order.server }),
        }
    }

    fn open_at(&self, table: TableId) -> Option<i64> {
        self.orders.iter().find(|(_, order)| order.table == table && order.status == Status::Open).map(|(id, _)| *id)
    }

    fn order_of(&self, intent: Uuid) -> Option<i64> {
        match self.intents.get(&intent)? {
            Outcome::Taken { order, .. } => Some(*order),
            Outcome::Resolved(by) => self.order_of(*by),
            Outcome::Conflict | Outcome::Dropped => None,
        }
    }

    fn take(&mut self, by: UserId, request: &SyncRequest) -> Reply {
        let uuid = request.uuid.unwrap();
        let asked = serde_json::to_string(request).unwrap();
        match self.intents.get(&uuid) {
            Some(Outcome::Taken { body, asked: before, .. }) if *before == asked => return (200, body.clone()),
            Some(Outcome::Taken { .. }) => return problem(409, "idempotency_mismatch", ""),
            Some(Outcome::Resolved(_) | Outcome::Dropped) => return problem(409, "intent_over", ""),
            Some(Outcome::Conflict) | None => {}
        }
        if let Some(old) = request.resolves {
            match self.intents.get(&old) {
                Some(Outcome::Taken { order, .. }) => return problem(409, "already_synced", &format!(r#","order_id":{order}"#)),
                Some(Outcome::Resolved(by)) if *by == uuid => {}
                Some(Outcome::Resolved(_) | Outcome::Dropped) => return problem(409, "intent_over", ""),
                Some(Outcome::Conflict) | None => {
                    self.intents.insert(old, Outcome::Resolved(uuid));
                }
            }
        }
        self.intents.insert(uuid, Outcome::Conflict);
        let item = request.items[0].item_id.unwrap();
        if self.out.contains(&item) {
            return problem(422, "invalid", r#","errors":[{"field":"items[0].item_id","code":"unavailable"}]"#);
        }
        if request.total.is_some_and(|total| total != self.prices[&item]) {
            return problem(409, "price_changed", &format!(r#","total_cents":{}"#, self.prices[&item].0));
        }
        let meant = request.order_id.map(OrderId::get).or_else(|| self.order_of(request.after?));
        let facts =
            Facts { meant: meant.and_then(|id| self.seen(id)), at_table: self.open_at(request.table_id).and_then(|id| self.seen(id)) };
        let id = match judge(request, by, &facts, OffsetDateTime::now_utc()) {
            Ruling::Join(id) => id.get(),
            Ruling::Open => {
                let id = self.orders.len() as i64 + 1;
                self.orders.insert(id, Order { table: request.table_id, server: by, status: Status::Open, rounds: 0 });
                id
            }
            Ruling::Occupied(id) => {
                return problem(409, "table_occupied", &format!(r#","order_id":{id},"opened_by":{{"id":9,"name":"Bob"}}"#));
            }
            Ruling::Closed(now) => {
                let now = now.map_or("null".to_owned(), |id| id.to_string());
                return problem(409, "order_closed", &format!(r#","order_id":{now}"#));
            }
        };
        let order = self.orders.get_mut(&id).unwrap();
        order.rounds += 1;
        let accepted = SyncAccepted {
            order_id: OrderId::from_row(id),
            status: SentStatus::Sent,
            round: order.rounds,
            server_timestamp: OffsetDateTime::UNIX_EPOCH,
        };
        let body = serde_json::to_string(&accepted).unwrap();
        self.notes.push((id, request.items[0].note.clone().unwrap()));
        self.intents.insert(uuid, Outcome::Taken { order: id, body: body.clone(), asked });
        (201, body)
    }

    fn drop_intent(&mut self, uuid: Uuid) -> Reply {
        match self.intents.get(&uuid) {
            Some(Outcome::Taken { order, .. }) => problem(409, "already_synced", &format!(r#","order_id":{order}"#)),
            Some(Outcome::Resolved(_)) => problem(409, "intent_over", ""),
            Some(Outcome::Conflict | Outcome::Dropped) | None => {
                self.intents.insert(uuid, Outcome::Dropped);
                (200, format!(r#"{{"uuid":"{uuid}","server_timestamp":"2026-11-25T20:00:00Z"}}"#))
            }
        }
    }

    /// One transaction; when the server dies it was committed, or nothing of it was.
    fn transaction(&mut self, cut: Option<u32>, act: impl FnOnce(&mut Self) -> Reply) -> Option<Reply> {
        let before = cut.map(|_| self.clone());
        let reply = act(self);
        match cut {
            None => Some(reply),
            Some(cut) => {
                if let Some(before) = before.filter(|_| cut % 2 == 0) {
                    *self = before;
                }
                None
            }
        }
    }
}

impl House for Model {
    async fn sync(&mut self, phone: usize, request: &SyncRequest, cut: Option<u32>) -> Option<Reply> {
        self.transaction(cut, |model| model.take(user(phone), request))
    }

    async fn give_up(&mut self, _: usize, uuid: Uuid, cut: Option<u32>) -> Option<Reply> {
        self.transaction(cut, |model| model.drop_intent(uuid))
    }

    async fn floor(&mut self) -> BTreeMap<TableId, OrderId> {
        let open = self.orders.iter().filter(|(_, order)| order.status == Status::Open);
        open.map(|(id, order)| (order.table, OrderId::from_row(*id))).collect()
    }

    async fn menu(&mut self) -> BTreeMap<ItemId, Cents> {
        self.prices.iter().filter(|(id, _)| !self.out.contains(id)).map(|(id, price)| (*id, *price)).collect()
    }

    async fn settle(&mut self, table: TableId) {
        if let Some(id) = self.open_at(table) {
            self.orders.get_mut(&id).unwrap().status = Status::Closed;
        }
    }

    async fn join_or_move(&mut self, from: TableId, to: TableId) {
        let Some(id) = self.open_at(from) else { return };
        let there = self.open_at(to);
        let order = self.orders.get_mut(&id).unwrap();
        match there {
            Some(into) => {
                order.status = Status::Merged(into);
                self.notes.iter_mut().filter(|(of, _)| *of == id).for_each(|(of, _)| *of = into);
            }
            None => order.table = to,
        }
    }

    async fn set_available(&mut self, item: ItemId, available: bool) {
        if available {
            self.out.remove(&item);
        } else {
            self.out.insert(item);
        }
    }

    async fn raise_price(&mut self, item: ItemId) {
        self.prices.get_mut(&item).unwrap().0 += 100;
    }

    async fn notes(&mut self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for (_, note) in &self.notes {
            *counts.entry(note.clone()).or_default() += 1;
        }
        counts
    }
}
