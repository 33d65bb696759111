//! What is sent when.
//!
//! The queue is told what happens and says what to do. It does nothing itself and knows no clock: `now` is in milliseconds since 1970, and
//! chance is passed in. Whoever drives it writes an intent down *before* it is added, and may lose the queue at any moment: what was
//! written down is loaded again and sent again, under the same numbers.

use super::conflict::Answer;
use super::intent::{Intent, IntentState};
use crate::api::SyncAccepted;
use crate::backoff::Backoff;
use crate::{OrderId, TableId, UserId};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// So many are on their way at once, of different tables.
pub const MAX_IN_FLIGHT: usize = 4;
/// After so many useless answers an intent no longer holds back the later ones of its table.
const HOLDS_BACK: u32 = 3;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send it. Whatever comes of it is told by [`Queue::answered`].
    Send(Box<Intent>),
    /// Write it down as it is now.
    Keep(Box<Intent>),
    /// It is over: nothing of it needs to be kept.
    Forget(Uuid),
    /// The server has it.
    Taken(Uuid, Box<SyncAccepted>),
    /// The server had it already, on this order and not where it was decided to go.
    TakenBefore(Uuid, Option<OrderId>),
    /// A person has to decide.
    Show(Uuid),
    /// Nothing can be sent until somebody says who they are.
    AskWho,
    /// Nothing can be sent until the app is reloaded.
    Reload,
}

/// How many wait, for the badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// To be sent, or on their way.
    pub to_send: u32,
    /// For a person.
    pub conflicts: u32,
    /// Of these, typed by somebody who is not signed in here.
    pub of_others: u32,
}

/// Oldest first.
type Key = (u64, Uuid);

/// What a table has to send.
enum Turn {
    /// This one, now.
    Now(Key),
    /// Something, not before then.
    At(i64),
}

/// The intents of one phone. Hundreds may wait after a long night without a network, and each answer asks for the next: nothing here looks
/// through all of them for one.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    intents: BTreeMap<Key, Arc<Intent>>,
    /// Where each stands, by its number.
    keys: BTreeMap<Uuid, Key>,
    /// Of each table, those that are to be sent. No table without any.
    to_send: BTreeMap<TableId, BTreeSet<Key>>,
    in_flight: BTreeSet<Uuid>,
    person: Option<UserId>,
    /// Rounds of tries that met silence, in a row.
    silences: u32,
    /// Nothing is tried before, in milliseconds.
    paused_until: i64,
}

impl Queue {
    /// Takes what is written down for what there is. What is on its way stays on its way, and what was woken stays awake: that is written
    /// down nowhere.
    pub fn load(&mut self, kept: impl IntoIterator<Item = Intent>) {
        let before = std::mem::take(&mut self.intents);
        self.keys.clear();
        self.to_send.clear();
        for mut intent in kept {
            if let Some(known) = before.get(&(intent.seq, intent.uuid)) {
                intent.next_try = intent.next_try.min(known.next_try);
            }
            self.add(intent);
        }
    }

    /// Adds one that is written down already, in the place of an older state of the same.
    pub fn add(&mut self, intent: Intent) {
        self.remove(intent.uuid);
        let key = (intent.seq, intent.uuid);
        self.keys.insert(intent.uuid, key);
        if waits(&intent) {
            self.to_send.entry(intent.table_id()).or_default().insert(key);
        }
        self.intents.insert(key, Arc::new(intent));
    }

    fn remove(&mut self, uuid: Uuid) {
        let Some(intent) = self.keys.remove(&uuid).and_then(|key| self.intents.remove(&key)) else { return };
        self.no_longer_to_send(&intent);
    }

    fn no_longer_to_send(&mut self, intent: &Intent) {
        if let Entry::Occupied(mut of_table) = self.to_send.entry(intent.table_id()) {
            of_table.get_mut().remove(&(intent.seq, intent.uuid));
            if of_table.get().is_empty() {
                of_table.remove();
            }
        }
    }

    /// Somebody signed in here, or nobody is any more.
    pub fn signed_in(&mut self, person: Option<UserId>) {
        self.person = person;
    }

    /// Whether nothing can be sent because it is not known who is signed in.
    #[must_use]
    pub const fn is_nobodys(&self) -> bool {
        self.person.is_none()
    }

    /// The network is back, the app is in the foreground again, the server was heard: everything may be tried at once.
    pub fn wake(&mut self) {
        self.silences = 0;
        self.paused_until = 0;
        for intent in self.intents.values_mut().filter(|intent| intent.next_try != 0) {
            Arc::make_mut(intent).next_try = 0;
        }
    }

    /// The server does not answer, as somebody else found out: nothing is tried for a while. `chance` (0 to 10 000) shortens that.
    pub fn fell_silent(&mut self, now: i64, chance: u16) {
        // Several that met one silence wait once.
        if self.paused_until <= now {
            self.silences = self.silences.saturating_add(1);
            self.paused_until = now + delay_ms(self.silences, chance);
        }
    }

    /// All of them, oldest first.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values().map(Arc::as_ref)
    }

    /// The same, to be looked at while the queue goes on.
    #[must_use]
    pub fn shared(&self) -> Vec<Arc<Intent>> {
        self.intents.values().map(Arc::clone).collect()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, uuid: Uuid) -> Option<&Intent> {
        self.keys.get(&uuid).and_then(|key| self.intents.get(key)).map(Arc::as_ref)
    }

    /// Whether it is on its way.
    #[must_use]
    pub fn is_in_flight(&self, uuid: Uuid) -> bool {
        self.in_flight.contains(&uuid)
    }

    /// The number for the next intent.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.intents.keys().next_back().map_or(1, |(seq, _)| seq + 1)
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let mut waiting = Waiting::default();
        for intent in self.intents.values() {
            match intent.state {
                IntentState::Conflict(_) => waiting.conflicts += 1,
                IntentState::Waiting | IntentState::Dropping { .. } => waiting.to_send += 1,
            }
            if Some(intent.user_id) != self.person {
                waiting.of_others += 1;
            }
        }
        waiting
    }

    /// What can be sent now: the oldest first, one of each table at a time, because the rounds of a table are a story. What waits for a
    /// person, or for its next try too often, holds back nobody.
    pub fn send(&mut self, now: i64) -> Vec<Effect> {
        let Some(person) = self.person.filter(|_| self.paused_until <= now) else { return Vec::new() };
        let room = MAX_IN_FLIGHT.saturating_sub(self.in_flight.len());
        if room == 0 {
            return Vec::new();
        }
        let mut due: Vec<Key> = self
            .turns(person, now)
            .filter_map(|turn| match turn {
                Turn::Now(key) => Some(key),
                Turn::At(_) => None,
            })
            .collect();
        due.sort_unstable();
        due.truncate(room);
        let mut effects = Vec::new();
        for key in due {
            if let Some(intent) = self.intents.get(&key) {
                self.in_flight.insert(intent.uuid);
                effects.push(Effect::Send(Box::new(Intent::clone(intent))));
            }
        }
        effects
    }

    /// Whose turn it is, at each table of which nothing is on its way.
    fn turns(&self, person: UserId, now: i64) -> impl Iterator<Item = Turn> {
        let busy: BTreeSet<TableId> = self.in_flight.iter().filter_map(|uuid| self.get(*uuid)).map(Intent::table_id).collect();
        self.to_send.iter().filter(move |(table, _)| !busy.contains(table)).filter_map(move |(_, keys)| self.turn(keys, person, now))
    }

    fn turn(&self, of_table: &BTreeSet<Key>, person: UserId, now: i64) -> Option<Turn> {
        let mut earliest: Option<i64> = None;
        for (key, intent) in of_table.iter().filter_map(|key| self.intents.get_key_value(key)) {
            if intent.user_id != person {
                continue;
            }
            if intent.next_try <= now {
                return Some(Turn::Now(*key));
            }
            earliest = Some(earliest.map_or(intent.next_try, |earliest| earliest.min(intent.next_try)));
            if intent.failures < HOLDS_BACK {
                break;
            }
        }
        earliest.map(Turn::At)
    }

    /// When [`Self::send`] is worth calling again, should nothing happen before; `None` when only an event can help, such as the answer to
    /// what is on its way.
    #[must_use]
    pub fn next_wake(&self, now: i64) -> Option<i64> {
        let person = self.person.filter(|_| self.in_flight.len() < MAX_IN_FLIGHT)?;
        let when = |turn: Turn| match turn {
            Turn::Now(_) => now,
            Turn::At(then) => then,
        };
        self.turns(person, now).map(when).min().map(|earliest| earliest.max(self.paused_until))
    }

    /// What came of a try. `chance` (0 to 10 000) spreads the next ones. Call [`Self::send`] afterwards.
    pub fn answered(&mut self, uuid: Uuid, answer: Answer, now: i64, chance: u16) -> Vec<Effect> {
        self.in_flight.remove(&uuid);
        let Some(key) = self.keys.get(&uuid).copied() else { return Vec::new() };
        if !matches!(answer, Answer::Unanswered(_) | Answer::TakenBack) {
            self.silences = 0;
            self.paused_until = 0;
        }
        match answer {
            Answer::Taken(accepted) => {
                self.remove(uuid);
                vec![Effect::Forget(uuid), Effect::Taken(uuid, accepted)]
            }
            Answer::TakenBefore(order) => {
                self.remove(uuid);
                vec![Effect::Forget(uuid), Effect::TakenBefore(uuid, order)]
            }
            Answer::Over => {
                self.remove(uuid);
                vec![Effect::Forget(uuid)]
            }
            Answer::NotSignedIn => {
                self.person = None;
                vec![Effect::AskWho]
            }
            Answer::Unanswered(why) => {
                self.fell_silent(now, chance);
                self.put_off(key, why, now, chance)
            }
            Answer::TakenBack => Vec::new(),
            Answer::NotNow(why) => self.put_off(key, why, now, chance),
            Answer::Outdated => {
                let mut effects = self.put_off(key, "app_outdated".to_owned(), now, chance);
                effects.push(Effect::Reload);
                effects
            }
            Answer::Conflict(conflict) => self.change(key, |intent| {
                intent.failures = 0;
                intent.next_try = 0;
                intent.last_error = Some(conflict.code().to_owned());
                // A drop that is refused, too: the person who gave it up must hear why.
                intent.state = IntentState::Conflict(conflict);
                Effect::Show(intent.uuid)
            }),
        }
    }

    fn put_off(&mut self, key: Key, why: String, now: i64, chance: u16) -> Vec<Effect> {
        let Some(intent) = self.intents.get_mut(&key).map(Arc::make_mut) else { return Vec::new() };
        intent.failures = intent.failures.saturating_add(1);
        intent.next_try = now + delay_ms(intent.failures, chance);
        intent.last_error = Some(why);
        vec![Effect::Keep(Box::new(intent.clone()))]
    }

    fn change(&mut self, key: Key, change: impl FnOnce(&mut Intent) -> Effect) -> Vec<Effect> {
        let Some(intent) = self.intents.get_mut(&key).map(Arc::make_mut) else { return Vec::new() };
        let told = change(intent);
        let intent = intent.clone();
        if !waits(&intent) {
            self.no_longer_to_send(&intent);
        }
        vec![Effect::Keep(Box::new(intent)), told]
    }
}

/// Whether the server is to be told of it, rather than a person.
const fn waits(intent: &Intent) -> bool {
    !matches!(intent.state, IntentState::Conflict(_))
}

fn delay_ms(failures: u32, chance: u16) -> i64 {
    i64::try_from(Backoff::PHONE.delay(failures, chance).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Ask, Conflict};
    use super::*;
    use crate::api::SentStatus;
    use crate::order::OrderRequest;
    use time::OffsetDateTime;

    const ALICE: i64 = 1;

    fn intent(seq: u64, table: i64) -> Intent {
        let table_id = TableId::from_row(table);
        let request = OrderRequest { table_id, items: vec![], covers: None, uuid: None, if_occupied: Default::default(), order_id: None };
        Intent::new(Uuid::from_u64_pair(7, seq), seq, UserId::from_row(ALICE), Ask::Plain(request))
    }

    fn queue(tables: &[i64]) -> Queue {
        let mut queue = Queue::default();
        queue.load(tables.iter().zip(1..).map(|(table, seq)| intent(seq, *table)));
        queue.signed_in(Some(UserId::from_row(ALICE)));
        queue
    }

    fn sent(effects: &[Effect]) -> Vec<u64> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send(intent) => Some(intent.seq),
                _ => None,
            })
            .collect()
    }

    fn uuid(seq: u64) -> Uuid {
        Uuid::from_u64_pair(7, seq)
    }

    fn taken() -> Answer {
        Answer::Taken(Box::new(SyncAccepted {
            order_id: OrderId::from_row(1),
            status: SentStatus::Sent,
            round: 1,
            server_timestamp: OffsetDateTime::UNIX_EPOCH,
        }))
    }

    fn silence() -> Answer {
        Answer::Unanswered("no network".into())
    }

    #[test]
    fn the_oldest_goes_first_and_the_rounds_of_a_table_one_after_the_other() {
        let mut queue = queue(&[5, 5, 6, 7, 8, 9]);
        assert_eq!(sent(&queue.send(0)), [1, 3, 4, 5], "four at once, the second round of table 5 waits for its first");
        assert_eq!(sent(&queue.send(0)), [] as [u64; 0]);
        queue.answered(uuid(1), taken(), 0, 0);
        assert_eq!(sent(&queue.send(0)), [2]);
    }

    #[test]
    fn silence_pauses_everything_for_thirty_sixty_and_a_hundred_and_twenty_seconds() {
        let mut queue = queue(&[5, 6]);
        let mut now = 0;
        for seconds in [30, 60, 120, 120] {
            assert_eq!(sent(&queue.send(now)), [1, 2]);
            queue.answered(uuid(1), silence(), now, 0);
            queue.answered(uuid(2), silence(), now, 0);
            assert_eq!(queue.next_wake(now), Some(now + seconds * 1_000), "two that met one silence wait once");
            assert_eq!(sent(&queue.send(now + seconds * 1_000 - 1)), [] as [u64; 0]);
            now += seconds * 1_000;
        }
        queue.wake();
        assert_eq!(sent(&queue.send(now - 60_000)), [1, 2], "at once when the network is back");
    }

    #[test]
    fn what_is_taken_back_goes_out_again_at_once_unless_the_server_is_known_to_be_silent() {
        let mut queue = queue(&[5, 6]);
        assert_eq!(sent(&queue.send(0)), [1, 2]);
        queue.fell_silent(1_000, 0);
        for seq in [1, 2] {
            assert_eq!(queue.answered(uuid(seq), Answer::TakenBack, 1_000, 0), [], "nothing is learnt from it");
        }
        assert_eq!(sent(&queue.send(1_000)), [] as [u64; 0], "the network is silent");
        assert_eq!(queue.next_wake(1_000), Some(31_000));
        queue.wake();
        assert_eq!(sent(&queue.send(5_000)), [1, 2]);
        // The network is back, but what was asked before is never answered.
        queue.answered(uuid(1), Answer::TakenBack, 5_000, 0);
        assert_eq!(sent(&queue.send(5_000)), [1], "the way is known to be good");
        assert_eq!(queue.get(uuid(1)).map(|intent| intent.failures), Some(0));
    }

    #[test]
    fn one_conflict_never_holds_back_the_others() {
        let mut queue = queue(&[5, 5, 6]);
        queue.send(0);
        let effects = queue.answered(uuid(1), Answer::Conflict(Conflict::OrderClosed { order_id: None }), 0, 0);
        assert!(matches!(effects.as_slice(), [Effect::Keep(kept), Effect::Show(_)] if kept.conflict().is_some()));
        assert_eq!(sent(&queue.send(0)), [2], "not even at its own table");
        assert_eq!(queue.waiting(), Waiting { to_send: 2, conflicts: 1, of_others: 0 });
    }

    #[test]
    fn one_that_the_server_cannot_take_now_never_holds_back_other_tables_nor_its_own_for_ever() {
        let mut queue = queue(&[5, 5, 6]);
        let mut now = 0;
        for _ in 0..2 {
            assert!(sent(&queue.send(now)).contains(&1));
            queue.answered(uuid(3), taken(), now, 0);
            queue.answered(uuid(1), Answer::NotNow("internal".into()), now, 0);
            assert_eq!(sent(&queue.send(now)), [] as [u64; 0], "the story of table 5 keeps its order");
            now += 120_000;
        }
        assert_eq!(sent(&queue.send(now)), [1]);
        queue.answered(uuid(1), Answer::NotNow("internal".into()), now, 0);
        assert_eq!(sent(&queue.send(now)), [2], "after three useless answers the next round passes");
    }

    #[test]
    fn what_somebody_else_typed_waits_for_them() {
        let mut queue = queue(&[5]);
        queue.signed_in(Some(UserId::from_row(2)));
        assert_eq!(queue.send(0), []);
        assert_eq!(queue.waiting().of_others, 1);
        queue.signed_in(Some(UserId::from_row(ALICE)));
        assert_eq!(sent(&queue.send(0)), [1]);
        assert_eq!(queue.answered(uuid(1), Answer::NotSignedIn, 0, 0), [Effect::AskWho]);
        assert_eq!(queue.send(0), [], "kept, and nothing is tried until somebody signs in");
        queue.signed_in(Some(UserId::from_row(ALICE)));
        assert_eq!(sent(&queue.send(0)), [1]);
    }

    #[test]
    fn an_app_that_is_too_old_keeps_what_it_has() {
        let mut queue = queue(&[5]);
        queue.send(0);
        let effects = queue.answered(uuid(1), Answer::Outdated, 0, 0);
        assert!(matches!(effects.as_slice(), [Effect::Keep(_), Effect::Reload]), "{effects:?}");
        assert_eq!(queue.waiting().to_send, 1);
        assert_eq!(queue.send(0), [], "and does not hammer the server");
    }

    #[test]
    fn what_was_woken_stays_awake_when_the_records_are_read_again() {
        let mut queue = queue(&[5]);
        queue.send(0);
        queue.answered(uuid(1), silence(), 0, 0);
        let kept: Vec<Intent> = queue.intents().cloned().collect();
        queue.load(kept.clone());
        assert_eq!(sent(&queue.send(1_000)), [] as [u64; 0], "the next try is in half a minute");
        queue.wake();
        queue.load(kept);
        assert_eq!(sent(&queue.send(1_000)), [1]);
    }

    #[test]
    fn what_is_lost_with_the_app_is_sent_again() {
        let mut before = queue(&[5, 6]);
        before.send(0);
        let mut after = Queue::default();
        after.load(before.intents().cloned());
        after.signed_in(Some(UserId::from_row(ALICE)));
        assert_eq!(sent(&after.send(0)), [1, 2]);
        assert_eq!(after.next_seq(), 3);
    }
}
