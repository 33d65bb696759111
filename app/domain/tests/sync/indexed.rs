//! The queue finds by its indices what a search through everything would find, whatever happened before.

use domain::api::{SentStatus, SyncAccepted};
use domain::order::OrderRequest;
use domain::sync::{Answer, Ask, Conflict, Effect, Intent, MAX_IN_FLIGHT, Queue};
use domain::{OrderId, TableId, UserId};
use proptest::prelude::*;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// After so many useless answers an intent no longer holds back the later ones of its table.
const HOLDS_BACK: u32 = 3;

#[derive(Debug, Clone)]
enum Step {
    Type {
        table: i64,
        person: i64,
    },
    Send,
    Answer {
        which: usize,
        answer: Answer,
    },
    Wake,
    Later {
        ms: i64,
    },
    SignIn(Option<i64>),
    /// What is written down is read again; somebody decided about every conflict meanwhile, or about none.
    Load {
        decided: bool,
    },
}

fn answers() -> impl Strategy<Value = Answer> {
    let taken =
        SyncAccepted { order_id: OrderId::from_row(1), status: SentStatus::Sent, round: 1, server_timestamp: OffsetDateTime::UNIX_EPOCH };
    prop_oneof![
        6 => Just(Answer::Taken(Box::new(taken))),
        1 => Just(Answer::TakenBefore(None)),
        1 => Just(Answer::Over),
        3 => Just(Answer::NotNow("busy".into())),
        2 => Just(Answer::Unanswered("silence".into())),
        2 => Just(Answer::Conflict(Conflict::OrderClosed { order_id: None })),
        1 => Just(Answer::NotSignedIn),
        1 => Just(Answer::Outdated),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..6_i64, 1..3_i64).prop_map(|(table, person)| Step::Type { table, person }),
        5 => Just(Step::Send),
        8 => (0..MAX_IN_FLIGHT, answers()).prop_map(|(which, answer)| Step::Answer { which, answer }),
        1 => Just(Step::Wake),
        4 => (0..130_000_i64).prop_map(|ms| Step::Later { ms }),
        2 => prop::option::weighted(0.9, 1..3_i64).prop_map(Step::SignIn),
        1 => any::<bool>().prop_map(|decided| Step::Load { decided }),
    ];
    prop::collection::vec(step, 1..120)
}

/// What can be sent, found by looking at everything. A queue that makes a pause sends nothing.
fn searched(queue: &Queue, person: UserId, now: i64) -> Vec<Uuid> {
    let mut busy: BTreeSet<TableId> = queue.intents().filter(|intent| queue.is_in_flight(intent.uuid)).map(Intent::table_id).collect();
    let mut found = Vec::new();
    for intent in queue.intents() {
        if intent.conflict().is_some() || intent.user_id != person || busy.contains(&intent.table_id()) {
            continue;
        }
        if intent.next_try <= now {
            busy.insert(intent.table_id());
            found.push(intent.uuid);
        } else if intent.failures < HOLDS_BACK {
            busy.insert(intent.table_id());
        }
    }
    found
}

fn sent(effects: &[Effect]) -> Vec<Uuid> {
    let of = |effect: &Effect| match effect {
        Effect::Send(intent) => Some(intent.uuid),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_indices_find_what_a_search_through_everything_finds(steps in steps()) {
        let mut queue = Queue::default();
        let mut in_flight: Vec<Uuid> = Vec::new();
        let (mut person, mut now) = (Some(UserId::from_row(1)), 1_000_000_i64);
        queue.signed_in(person);
        for (number, step) in (1_u64..).zip(steps) {
            match step {
                Step::Type { table, person } => {
                    let table_id = TableId::from_row(table);
                    let request = OrderRequest { table_id, items: vec![], covers: None, uuid: None, if_occupied: Default::default(), order_id: None };
                    let uuid = Uuid::from_u64_pair(number.reverse_bits(), number);
                    queue.add(Intent::new(uuid, queue.next_seq(), UserId::from_row(person), Ask::Plain(request)));
                }
                Step::Send => in_flight.extend(sent(&queue.send(now))),
                Step::Answer { which, answer } => {
                    if !in_flight.is_empty() {
                        let uuid = in_flight.swap_remove(which % in_flight.len());
                        if answer == Answer::NotSignedIn {
                            person = None;
                        }
                        queue.answered(uuid, answer, now, 0);
                    }
                }
                Step::Wake => queue.wake(),
                Step::Later { ms } => now += ms,
                Step::SignIn(who) => {
                    person = who.map(UserId::from_row);
                    queue.signed_in(person);
                }
                Step::Load { decided } => {
                    let give_up = |intent: &Intent| if decided && intent.conflict().is_some() { intent.give_up("why") } else { intent.clone() };
                    let kept: Vec<Intent> = queue.intents().map(give_up).collect();
                    queue.load(kept);
                }
            }
            let room = MAX_IN_FLIGHT - in_flight.len();
            let at = |then: i64| sent(&queue.clone().send(then));
            let found = at(now);
            let searched = |then: i64| {
                let mut all = person.map(|person| searched(&queue, person, then)).unwrap_or_default();
                all.truncate(room);
                all
            };
            let wake = queue.next_wake(now);
            // A pause is all that may keep back what a search finds.
            prop_assert!(found == searched(now) || (found.is_empty() && wake.is_some_and(|wake| wake > now)), "{found:?} {wake:?}");
            match wake {
                Some(then) => {
                    prop_assert!(then >= now);
                    prop_assert!(!at(then).is_empty(), "worth it by then");
                    prop_assert_eq!(at(then), searched(then));
                    prop_assert!(then == now || at(then - 1).is_empty(), "and not before");
                }
                None => prop_assert!(at(i64::MAX).is_empty(), "time alone helps nothing"),
            }
            prop_assert!(queue.intents().all(|intent| queue.get(intent.uuid) == Some(intent)));
        }
    }
}
