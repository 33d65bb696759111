//! Writing orders down: a new one, a decision about one, one that is typed again. Each is one transaction, and only then the queue hears of it.

use super::Outbox;
use super::store::{DraftThen, Kept, QueueStore};
#[cfg(feature = "hydrate")]
use super::{News, Sent};
use crate::browser::store::{self, NotKept};
use crate::draft::Draft;
use domain::TableId;
use domain::order::OrderRequest;
use domain::sync::{Ask, Choice, Intent};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

impl Outbox {
    /// Finds out whether this phone keeps what is written down, before somebody relies on it.
    #[cfg(feature = "hydrate")]
    pub(super) async fn probe(self) {
        self.note_keeping(Kept.probe().await.is_ok());
    }

    /// Something could not be kept. Says whether that is news.
    pub fn found_out_keeping_nothing(self) -> bool {
        let is_news = self.keeps.try_get_untracked() == Some(true);
        self.note_keeping(false);
        is_news
    }

    fn note_keeping(self, keeps: bool) {
        if self.keeps.try_get_untracked().is_some_and(|known| known != keeps) {
            self.keeps.try_set(keeps);
        }
    }

    /// Keeps an order and lets it go out. In the same transaction `rest` becomes what is typed for its table.
    ///
    /// # Errors
    /// [`NotKept`] when the phone keeps nothing: then nothing is sent either, and everything is typed as before.
    pub async fn keep(self, intent: Intent, rest: &Draft) -> Result<(), NotKept> {
        let text = intent.write().map_err(|_| NotKept)?;
        let kept = Kept.keep(intent.uuid, text.clone(), Some(draft_then(intent.table_id(), rest)?)).await;
        self.note_keeping(kept.is_ok());
        kept?;
        self.typed_here.try_update_value(|here| here.insert(intent.uuid));
        #[cfg(feature = "hydrate")]
        {
            super::signals::tell_kept(&text);
            super::signals::kept_something(self);
        }
        self.add(intent);
        Ok(())
    }

    /// Lets an order go out that the phone could not keep: it is lost with this tab, which the person was told.
    pub fn send_unkept(self, intent: Intent) {
        self.unkept.try_update_value(|unkept| unkept.insert(intent.uuid));
        self.typed_here.try_update_value(|here| here.insert(intent.uuid));
        // Nobody else can see it, so nobody else can send it.
        self.is_sender.set_value(true);
        self.add(intent);
    }

    fn add(self, intent: Intent) {
        self.queue.try_update_value(|queue| queue.add(intent));
        self.note_change();
        self.show();
        self.tell_others();
        self.send();
    }

    /// Another tab keeps an order: whoever still shows it as typed is told.
    #[cfg(feature = "hydrate")]
    pub(super) fn kept_elsewhere(self, text: &str) {
        if let Ok(intent) = Intent::read(text) {
            self.tell(&News { intent, sent: Sent::Elsewhere });
        }
    }

    /// Takes over what an app from before the queue had sent without an answer: it is sent as it was, so that the server knows it again.
    pub async fn adopt(self, draft: &mut Draft) {
        let Some(order) = draft.sending.clone() else { return };
        let (Some(uuid), Some(user)) = (order.uuid, crate::session::remembered_user().await) else { return };
        draft.accepted();
        if self.keep(Intent::new(uuid, self.next_seq(), user.id, Ask::Plain(order.clone())), draft).await.is_err() {
            draft.sending = Some(order);
        }
    }

    /// A person decided about a conflict. Says whether that was possible.
    pub async fn decide(self, uuid: Uuid, choice: Choice, other_table: Option<TableId>) -> bool {
        let Some(intent) = self.queue.with_value(|queue| queue.get(uuid).cloned()) else { return false };
        let Some(decided) = intent.decide(choice, other_table, Uuid::now_v7()) else { return false };
        let Ok(text) = decided.write() else { return false };
        if Kept.replace(uuid, decided.uuid, text).await.is_err() {
            return false;
        }
        // One that could not be kept before is kept now, as what was decided, and waits no more as what it was.
        self.done.try_update_value(|done| done.insert(uuid));
        self.unkept.try_update_value(|unkept| unkept.remove(&uuid));
        self.reload().await;
        self.tell_others();
        true
    }

    /// A person gives an order up; the server is told why.
    pub async fn give_up(self, uuid: Uuid, reason: String) -> bool {
        let Some(intent) = self.queue.with_value(|queue| queue.get(uuid).cloned()) else { return false };
        let given_up = intent.give_up(reason);
        let Ok(text) = given_up.write() else { return false };
        if Kept.update(uuid, text).await.is_err() {
            return false;
        }
        self.reload().await;
        self.tell_others();
        true
    }

    /// Takes an order back that waits for a person, to be typed anew: its lines are in this draft by now. In one transaction.
    ///
    /// # Errors
    /// [`NotKept`]: then it still waits.
    pub async fn take_back(self, uuid: Uuid, table: TableId, draft: &Draft) -> Result<(), NotKept> {
        Kept.take_back(uuid, draft_then(table, draft)?).await?;
        self.done.try_update_value(|done| done.insert(uuid));
        self.unkept.try_update_value(|unkept| unkept.remove(&uuid));
        self.reload().await;
        self.tell_others();
        Ok(())
    }

    /// Takes an order back to its table, to be typed otherwise. Says which table that is.
    pub async fn correct(self, uuid: Uuid) -> Option<TableId> {
        let intent = self.queue.with_value(|queue| queue.get(uuid).cloned())?;
        let Ask::Sync(request) = intent.ask else { return None };
        let mut draft = store::draft::<Draft>(request.table_id).await.unwrap_or_default();
        draft.take_back(request.items, request.covers, uuid);
        self.take_back(uuid, request.table_id, &draft).await.ok()?;
        Some(request.table_id)
    }

    /// An order that had been taken back was emptied by hand: it is given up, and the house is told.
    pub async fn forsake(self, table: TableId, uuid: Uuid, reason: &str) {
        let Some(user) = self.parts.try_get_value().flatten().and_then(|(session, _)| session.user_untracked()) else { return };
        let request = OrderRequest {
            table_id: table,
            items: vec![],
            covers: None,
            uuid: Some(uuid),
            if_occupied: Default::default(),
            order_id: None,
        };
        let given_up = Intent::new(uuid, self.next_seq(), user.id, Ask::Plain(request)).give_up(reason);
        self.done.try_update_value(|done| done.remove(&uuid));
        if let Ok(text) = given_up.write()
            && Kept.keep(uuid, text, None).await.is_ok()
        {
            self.add(given_up);
        }
    }

    fn note_change(self) {
        self.changes.try_update_value(|changes| *changes = changes.wrapping_add(1));
    }

    /// Writes down what became of an order, which the queue knows already: until then, whoever reads finds it as it was.
    pub(super) async fn write_down(self, intent: &Intent) {
        let Ok(text) = intent.write() else { return };
        self.note_change();
        self.unwritten.try_update_value(|unwritten| *unwritten += 1);
        // It is there already, in an older state: sent again at the worst.
        let _older = Kept.update(intent.uuid, text).await;
        self.unwritten.try_update_value(|unwritten| *unwritten = unwritten.saturating_sub(1));
        self.note_change();
        self.tell_others();
    }

    /// Reads what the phone keeps: another tab may have changed it. What this tab changed meanwhile is in no record that was read before:
    /// taken for the truth, an order that waits for a person would wait for its next try again, and nobody would be asked.
    pub(super) async fn reload(self) {
        let records = loop {
            let changes = self.changes.try_get_value();
            let Ok(records) = Kept.all().await else { return };
            // A transaction that reads waits for those that began before and write, so this ends.
            if self.changes.try_get_value() == changes && self.unwritten.try_get_value().is_none_or(|unwritten| unwritten == 0) {
                break records;
            }
        };
        let (mut intents, mut unreadable) = (Vec::new(), 0);
        for record in records {
            match Intent::read(&record) {
                Ok(intent) if self.done.try_with_value(|done| done.contains(&intent.uuid)) == Some(true) => {}
                Ok(intent) => intents.push(intent),
                Err(_) => unreadable += 1,
            }
        }
        self.queue.try_update_value(|queue| {
            // What could not be kept is in no record.
            let unkept = self.unkept.try_get_value().unwrap_or_default();
            intents.extend(queue.intents().filter(|intent| unkept.contains(&intent.uuid)).cloned());
            queue.load(intents);
        });
        if self.unreadable.try_get_untracked() != Some(unreadable) {
            self.unreadable.try_set(unreadable);
        }
        self.show();
        self.send();
    }

    /// The server has this: it is forgotten before a screen shows it gone.
    pub(super) fn forget(self, uuid: Uuid) {
        self.done.try_update_value(|done| done.insert(uuid));
        self.unkept.try_update_value(|unkept| unkept.remove(&uuid));
        self.to_forget.try_update_value(|uuids| uuids.push(uuid));
    }

    /// Forgets what the server has. Hundreds of answers in a row are few transactions.
    pub(super) fn forget_done(self) {
        let these = self.to_forget.try_update_value(std::mem::take).unwrap_or_default();
        if these.is_empty() {
            return;
        }
        spawn_local(async move {
            // What is still there is sent once more, after the next start, and answered as before.
            let _still_there = Kept.forget(&these).await;
            // Only now another tab that looks finds them gone.
            self.tell_others();
        });
    }
}

/// What is typed for a table from now on; one without content is forgotten.
fn draft_then(table: TableId, draft: &Draft) -> Result<DraftThen, NotKept> {
    let text = if draft.is_worth_keeping() { Some(serde_json::to_string(draft).map_err(|_| NotKept)?) } else { None };
    Ok(DraftThen { table, text })
}
