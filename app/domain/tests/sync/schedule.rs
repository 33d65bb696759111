//! Random schedules: three phones, one house, a network that loses, doubles, delays and reorders, and crashes on either side. The same
//! schedules run against a model of the server and against the real one.

use domain::api::SyncRequest;
use domain::order::ItemRequest;
use domain::sync::{Answer, Ask, Choice, Effect, Intent, IntentState, Queue, read_answer, read_drop_answer};
use domain::{Cents, ItemId, OrderId, TableId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use time::OffsetDateTime;
use uuid::Uuid;

/// Status and body.
pub type Reply = (u16, String);

/// Somebody who takes orders: the model, or the real server.
pub trait House {
    /// `POST /api/orders/sync` by the person of this phone. With `cut` the connection or the server dies at some point: no answer.
    async fn sync(&mut self, phone: usize, request: &SyncRequest, cut: Option<u32>) -> Option<Reply>;
    /// `POST /api/orders/sync/{uuid}/drop`.
    async fn give_up(&mut self, phone: usize, uuid: Uuid, cut: Option<u32>) -> Option<Reply>;
    /// The open order of each table.
    async fn floor(&mut self) -> BTreeMap<TableId, OrderId>;
    /// What each dish costs, without those that are out.
    async fn menu(&mut self) -> BTreeMap<ItemId, Cents>;
    /// Somebody settles the bill of a table.
    async fn settle(&mut self, table: TableId);
    /// The guests of one table join those of another, if both are there; or move, if nobody is there.
    async fn join_or_move(&mut self, from: TableId, to: TableId);
    /// Something runs out, or is back.
    async fn set_available(&mut self, item: ItemId, available: bool);
    /// Something costs more.
    async fn raise_price(&mut self, item: ItemId);
    /// How often each note is on an order.
    async fn notes(&mut self) -> BTreeMap<String, u32>;
}

/// Small, seeded, the same everywhere.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn uuid(&mut self) -> Uuid {
        let (high, low) = (self.below(usize::MAX) as u64, self.below(usize::MAX) as u64);
        uuid::Builder::from_random_bytes(Uuid::from_u64_pair(high, low).into_bytes()).into_uuid()
    }
}

#[derive(Clone)]
enum What {
    Order(SyncRequest),
    Drop,
}

enum Wire {
    Request { phone: usize, attempt: u64, uuid: Uuid, what: What },
    Reply { phone: usize, attempt: u64, uuid: Uuid, dropping: bool, reply: Reply },
}

#[derive(Default)]
struct Phone {
    queue: Queue,
    /// What is written down: all that outlives a crash.
    kept: BTreeMap<Uuid, Intent>,
    /// The attempt that is on its way, of each intent.
    attempts: BTreeMap<Uuid, u64>,
    floor: BTreeMap<TableId, OrderId>,
    menu: BTreeMap<ItemId, Cents>,
    last_at: BTreeMap<TableId, Uuid>,
}

/// What came of a schedule, for whoever counts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Summary {
    pub typed: u32,
    pub given_up: u32,
    pub conflicts: u32,
    pub crashes: u32,
    pub lost: u32,
    pub doubled: u32,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.typed += other.typed;
        self.given_up += other.given_up;
        self.conflicts += other.conflicts;
        self.crashes += other.crashes;
        self.lost += other.lost;
        self.doubled += other.doubled;
    }
}

pub struct Schedule<'h, H> {
    house: &'h mut H,
    phones: Vec<Phone>,
    users: [UserId; 3],
    tables: [TableId; 3],
    items: [ItemId; 3],
    wires: Vec<Wire>,
    chance: Chance,
    now: i64,
    attempt: u64,
    typed: BTreeSet<String>,
    /// By note: a person gave it up, and the server did not say that it had it already.
    given_up: BTreeSet<String>,
    /// The server said that it will not take this.
    refused: BTreeSet<Uuid>,
    taken: BTreeSet<Uuid>,
    shown: BTreeSet<Uuid>,
    pub summary: Summary,
}

impl<'h, H: House> Schedule<'h, H> {
    pub async fn run(house: &'h mut H, seed: u64, steps: usize, tables: [i64; 3], items: [i64; 3]) -> Summary {
        let mut schedule = Self {
            house,
            phones: (0..3).map(|_| Phone::default()).collect(),
            users: [1, 2, 3].map(UserId::from_row),
            tables: tables.map(TableId::from_row),
            items: items.map(ItemId::from_row),
            wires: Vec::new(),
            chance: Chance::new(seed),
            now: 1_000,
            attempt: 0,
            typed: BTreeSet::new(),
            given_up: BTreeSet::new(),
            refused: BTreeSet::new(),
            taken: BTreeSet::new(),
            shown: BTreeSet::new(),
            summary: Summary::default(),
        };
        for phone in 0..3 {
            let user = schedule.users[phone];
            schedule.phones[phone].queue.signed_in(Some(user));
            schedule.look(phone).await;
        }
        for _ in 0..steps {
            schedule.step().await;
        }
        schedule.heal().await;
        schedule.check(seed).await;
        schedule.summary
    }

    async fn look(&mut self, phone: usize) {
        self.phones[phone].floor = self.house.floor().await;
        self.phones[phone].menu = self.house.menu().await;
        self.phones[phone].last_at.clear();
    }

    async fn step(&mut self) {
        self.now += 1 + self.chance.below(20_000) as i64;
        let phone = self.chance.below(3);
        match self.chance.below(30) {
            0..=6 => self.type_round(phone),
            7..=12 => self.send(phone),
            13..=20 => self.deliver().await,
            21 => self.time_out(phone),
            22 => self.crash(phone),
            23 => self.phones[phone].queue.wake(),
            24 | 25 => self.decide(phone),
            26 => self.look(phone).await,
            _ => self.world().await,
        }
    }

    async fn world(&mut self) {
        let (one, other) = (self.tables[self.chance.below(3)], self.tables[self.chance.below(3)]);
        let item = self.items[self.chance.below(3)];
        match self.chance.below(6) {
            0 | 1 => self.house.settle(one).await,
            2 | 3 if one != other => self.house.join_or_move(one, other).await,
            4 => {
                let available = self.chance.one_in(2);
                self.house.set_available(item, available).await;
            }
            5 => self.house.raise_price(item).await,
            _ => {}
        }
    }

    /// A waiter types a round: written down first, then in the queue.
    fn type_round(&mut self, phone: usize) {
        let (table_id, item) = (self.tables[self.chance.below(3)], self.items[self.chance.below(3)]);
        let uuid = self.chance.uuid();
        let is_blind = self.chance.one_in(4);
        let person = self.users[phone];
        let phone = &mut self.phones[phone];
        let Some(price) = phone.menu.get(&item) else { return };
        let order_id = phone.floor.get(&table_id).copied().filter(|_| !is_blind);
        let after = if order_id.is_none() { phone.last_at.get(&table_id).copied() } else { None };
        let request = SyncRequest {
            uuid: Some(uuid),
            table_id,
            items: vec![ItemRequest { item_id: Some(item), qty: 1, note: Some(uuid.to_string()), ..ItemRequest::default() }],
            covers: None,
            offline_timestamp: OffsetDateTime::now_utc().replace_nanosecond(0).unwrap(),
            if_occupied: None,
            append_until: None,
            order_id,
            after,
            total: Some(*price),
            resolves: None,
            typed_by: Some(person),
        };
        let intent = Intent::new(uuid, phone.queue.next_seq(), person, Ask::Sync(request));
        // Through its own writing, as it is kept.
        phone.kept.insert(uuid, Intent::read(&intent.write().unwrap()).unwrap());
        phone.queue.add(intent);
        phone.last_at.insert(table_id, uuid);
        self.typed.insert(uuid.to_string());
        self.summary.typed += 1;
    }

    fn send(&mut self, phone: usize) {
        let effects = self.phones[phone].queue.send(self.now);
        self.act(phone, effects);
    }

    fn act(&mut self, phone: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(intent) => {
                    self.attempt += 1;
                    self.phones[phone].attempts.insert(intent.uuid, self.attempt);
                    let what = match (&intent.state, intent.ask) {
                        (IntentState::Dropping { .. }, _) => What::Drop,
                        (_, Ask::Sync(request)) => What::Order(request),
                        (_, Ask::Plain(_)) => unreachable!("nothing here was typed with an old app"),
                    };
                    self.wires.push(Wire::Request { phone, attempt: self.attempt, uuid: intent.uuid, what });
                }
                Effect::Keep(intent) => {
                    self.phones[phone].kept.insert(intent.uuid, *intent);
                }
                Effect::Forget(uuid) => {
                    self.phones[phone].kept.remove(&uuid);
                }
                Effect::Show(uuid) => {
                    self.shown.insert(uuid);
                    self.summary.conflicts += 1;
                }
                Effect::Taken(..) => {}
                Effect::TakenBefore(uuid, _) => {
                    // Told to the person: what was given up, or decided otherwise, had been taken.
                    let _told = uuid;
                }
                Effect::AskWho | Effect::Reload => panic!("nobody signed out, nothing was updated"),
            }
        }
    }

    /// One message arrives, or does not, or twice.
    async fn deliver(&mut self) {
        if self.wires.is_empty() {
            return;
        }
        let at = self.chance.below(self.wires.len());
        match self.chance.below(8) {
            0 => {
                // Lost. The phone will time out.
                self.wires.swap_remove(at);
                self.summary.lost += 1;
            }
            1 => {
                if let Wire::Request { phone, attempt, uuid, what } = &self.wires[at] {
                    let copy = Wire::Request { phone: *phone, attempt: *attempt, uuid: *uuid, what: what.clone() };
                    self.wires.push(copy);
                    self.summary.doubled += 1;
                }
            }
            2 => {
                let cut = u32::try_from(self.chance.below(8_000)).unwrap();
                self.summary.crashes += 1;
                self.arrive(at, Some(cut)).await;
            }
            _ => self.arrive(at, None).await,
        }
    }

    async fn arrive(&mut self, at: usize, cut: Option<u32>) {
        match self.wires.swap_remove(at) {
            Wire::Request { phone, attempt, uuid, what } => {
                let dropping = matches!(what, What::Drop);
                let reply = match &what {
                    What::Order(request) => self.house.sync(phone, request, cut).await,
                    What::Drop => self.house.give_up(phone, uuid, cut).await,
                };
                let Some(reply) = reply else { return };
                match read_answer(reply.0, &reply.1) {
                    Answer::Taken(_) if !dropping => {
                        self.taken.insert(uuid);
                    }
                    Answer::Conflict(_) => {
                        self.refused.insert(uuid);
                    }
                    _ => {}
                }
                self.wires.push(Wire::Reply { phone, attempt, uuid, dropping, reply });
            }
            Wire::Reply { phone, attempt, uuid, dropping, reply } => {
                // An answer that nobody waits for any more is heard by nobody.
                if self.phones[phone].attempts.get(&uuid) != Some(&attempt) {
                    return;
                }
                let answer = if dropping { read_drop_answer(reply.0, &reply.1) } else { read_answer(reply.0, &reply.1) };
                self.answered(phone, uuid, answer);
            }
        }
    }

    fn answered(&mut self, phone: usize, uuid: Uuid, answer: Answer) {
        self.phones[phone].attempts.remove(&uuid);
        if let Answer::TakenBefore(_) = answer
            && let Some(note) = self.phones[phone].queue.get(uuid).map(note)
        {
            self.given_up.remove(&note);
        }
        let chance = u16::try_from(self.chance.below(10_001)).unwrap();
        let effects = self.phones[phone].queue.answered(uuid, answer, self.now, chance);
        // The app may die before it does what it was about to do.
        if self.chance.one_in(20) {
            self.crash(phone);
        } else {
            self.act(phone, effects);
        }
    }

    /// The phone gives up waiting; what it sent may still arrive.
    fn time_out(&mut self, phone: usize) {
        if let Some((uuid, _)) = self.phones[phone].attempts.first_key_value().map(|(uuid, attempt)| (*uuid, *attempt)) {
            self.answered(phone, uuid, Answer::Unanswered("timeout".into()));
        }
    }

    /// The app dies and starts again: it knows what it wrote down, and nothing else.
    fn crash(&mut self, phone: usize) {
        self.summary.crashes += 1;
        let user = self.users[phone];
        let phone = &mut self.phones[phone];
        phone.attempts.clear();
        phone.queue = Queue::default();
        phone.queue.load(phone.kept.values().cloned());
        phone.queue.signed_in(Some(user));
    }

    /// A person decides about a conflict.
    fn decide(&mut self, phone: usize) {
        let Some(intent) = self.phones[phone].queue.intents().find(|intent| intent.conflict().is_some()).cloned() else { return };
        // What is on the screen after a restart was shown, too.
        self.shown.insert(intent.uuid);
        let choices = intent.conflict().unwrap().choices();
        let choice = choices[self.chance.below(choices.len())];
        let (uuid, other) = (self.chance.uuid(), self.tables[self.chance.below(3)]);
        let phone = &mut self.phones[phone];
        match intent.decide(choice, Some(other), uuid) {
            Some(decided) => {
                phone.kept.remove(&intent.uuid);
                phone.kept.insert(uuid, decided);
            }
            None => {
                assert!(choice == Choice::Drop || choice == Choice::Without, "{choice:?}");
                phone.kept.insert(intent.uuid, intent.give_up("Clients partis"));
                self.given_up.insert(note(&intent));
                self.summary.given_up += 1;
            }
        }
        let kept: Vec<Intent> = phone.kept.values().cloned().collect();
        phone.queue.load(kept);
    }

    /// The network is whole again and people decide what waits for them.
    async fn heal(&mut self) {
        for round in 0.. {
            assert!(round < 500, "the queues never empty");
            while !self.wires.is_empty() {
                let at = self.chance.below(self.wires.len());
                self.arrive(at, None).await;
            }
            self.now += 200_000;
            let mut idle = true;
            for phone in 0..3 {
                let lost: Vec<Uuid> = self.phones[phone].attempts.keys().copied().collect();
                for uuid in lost {
                    self.answered(phone, uuid, Answer::Unanswered("timeout".into()));
                }
                self.phones[phone].queue.wake();
                self.decide(phone);
                self.send(phone);
                idle &= self.phones[phone].queue.intents().next().is_none();
            }
            if idle && self.wires.is_empty() {
                return;
            }
        }
    }

    async fn check(&mut self, seed: u64) {
        for phone in &self.phones {
            assert!(phone.kept.is_empty(), "schedule {seed}: nothing is left on a phone");
        }
        let notes = self.house.notes().await;
        for note in &self.typed {
            let wanted = u32::from(!self.given_up.contains(note));
            let found = notes.get(note).copied().unwrap_or(0);
            assert_eq!(found, wanted, "schedule {seed}: {note} is on an order once, or was given up");
        }
        for note in notes.keys() {
            assert!(self.typed.contains(note), "schedule {seed}: {note} came from nowhere");
        }
        for uuid in &self.refused {
            assert!(self.shown.contains(uuid) || self.taken.contains(uuid), "schedule {seed}: the conflict of {uuid} was shown to nobody");
        }
    }
}

fn note(intent: &Intent) -> String {
    let Ask::Sync(request) = &intent.ask else { return String::new() };
    request.items.first().and_then(|item| item.note.clone()).unwrap_or_default()
}
