//! What a terminal says, as it says it: stored before the exchange goes on.

use super::concluding::{Word, conclude, known, take};
use super::{floor, recording};
use crate::adapters::tpe::{Overhears, Witness};
use crate::db;
use crate::db::attempts::Step;
use crate::error::{Error, Result};
use crate::state::{Driving, House, Shared};
use async_trait::async_trait;
use domain::PaymentId;
use domain::api::PaymentDone;
use domain::attempt::{AttemptEvent, AttemptState};
use domain::fiscal::EventCode;
use domain::terminal::{Doubt, Outcome, Stray};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two tries to store something, at most.
const STORE_EVERY: Duration = Duration::from_secs(5);
/// After so many tries, some twenty seconds, the person is told that the outcome is not known, and whoever sweeps goes on.
const TRIES: u32 = 10;

/// Who waits for the first word of a terminal.
type Waiting = Mutex<Option<oneshot::Sender<Result<PaymentDone>>>>;

/// Stores every word about one attempt, and answers whoever waits. As long as it is there, somebody drives the attempt.
pub(super) struct Storing(Arc<Attended>);

struct Attended {
    house: Shared,
    driving: Driving,
    answer: Waiting,
}

impl Storing {
    /// A witness, and where the answer to the attempt's request will come.
    pub fn watching(house: Shared, driving: Driving) -> (Arc<Self>, oneshot::Receiver<Result<PaymentDone>>) {
        let (answer, answered) = oneshot::channel();
        (Arc::new(Self(Arc::new(Attended { house, driving, answer: Mutex::new(Some(answer)) }))), answered)
    }
}

impl Attended {
    fn id(&self) -> PaymentId {
        self.driving.attempt
    }

    /// Ends the attempt by what needs no booking. When that cannot be stored, nobody drives the attempt any more, and it is swept.
    async fn conclude(&self, event: &AttemptEvent, word: &Word<'_>) {
        for tries in 1..=TRIES {
            match conclude(&self.house, self.id(), event, word).await {
                Ok(answer) => return self.answer(answer),
                // Somebody else ended it: a person, or who took this process for gone.
                Err(Error::NotUnknown) => return self.answer(self.known().await),
                Err(error) => tracing::error!(%error, payment = self.id().get(), tries, "the end of an attempt is not stored yet"),
            }
            pause(tries).await;
        }
        self.answer(Err(Error::TerminalUnknown { payment_id: self.id() }));
    }

    /// Acts upon a stored word. When that fails for long, whoever sweeps goes on trying: the word is stored.
    async fn take(&self, word: i64) {
        for tries in 1..=TRIES {
            match take(&self.house, word).await {
                Ok(Some(answer)) => return self.answer(answer),
                Ok(None) => return self.answer(self.known().await),
                Err(error) => tracing::error!(%error, payment = self.id().get(), tries, "what the terminal said is not booked yet"),
            }
            pause(tries).await;
        }
        self.answer(Err(Error::TerminalUnknown { payment_id: self.id() }));
    }

    async fn known(&self) -> Result<PaymentDone> {
        let mut tx = self.house.db.begin_with(db::SNAPSHOT).await?;
        let attempt = db::attempts::get(&mut *tx, self.id()).await?.ok_or(Error::NotFound("ce paiement"))?;
        known(&mut tx, &attempt).await
    }

    fn answer(&self, answer: Result<PaymentDone>) {
        let waiting = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiting) = waiting {
            // Nobody there any more: the answer is stored, and the same request will get it.
            let _ = waiting.send(answer);
        }
    }

    async fn step(&self, from: AttemptState, event: &AttemptEvent, why: &str) -> bool {
        let Ok(to) = from.after(event) else { return false };
        let step = Step { why, ..Step::default() };
        match self.house.steps.lend(async |db| db::attempts::step(db, self.id(), from, to, &step).await).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(%error, payment = self.id().get(), why, "a step of an attempt is not stored");
                false
            }
        }
    }
}

async fn pause(tries: u32) {
    tokio::time::sleep(STORE_EVERY.min(Duration::from_millis(50) * 2u32.pow(tries.min(7)))).await;
}

#[async_trait]
impl Witness for Storing {
    async fn about_to_send(&self) -> bool {
        self.0.step(AttemptState::Created, &AttemptEvent::AboutToSend, "about_to_send").await
    }

    async fn sent(&self) {
        // When this is not stored, `sending` is: it means the same to whoever comes after us.
        self.0.step(AttemptState::Sending, &AttemptEvent::RequestSent, "request_sent").await;
    }

    async fn nothing_sent(&self, why: &'static str) {
        self.0.conclude(&AttemptEvent::NothingSent, &Word::of_the_machine(why)).await;
    }

    async fn told(&self, outcome: Outcome) {
        if let Outcome::Unknown(doubt) = outcome {
            return self.0.conclude(&AttemptEvent::Told(outcome), &Word::of_the_machine(doubt.as_str())).await;
        }
        // Money may have been taken: this is tried for as long as the process lives, and acknowledged to the terminal only then.
        let mut tries = 0;
        let word = loop {
            let stored = self.0.house.steps.lend(async |db| db::words::insert(db, self.0.id(), &outcome, false).await);
            match stored.await {
                Ok(word) => break word,
                Err(error) => {
                    tries += 1;
                    tracing::error!(%error, payment = self.0.id().get(), tries, "what the terminal said is not stored yet");
                    if tries == TRIES {
                        self.0.answer(Err(Error::TerminalUnknown { payment_id: self.0.id() }));
                    }
                    pause(tries).await;
                }
            }
        };
        // The terminal need not wait for the booking.
        let attended = self.0.clone();
        tokio::spawn(async move { attended.take(word).await });
    }

    async fn gave_up(&self, doubt: Doubt, listening: Duration) {
        let word = Word { listening: Some(listening), ..Word::of_the_machine(doubt.as_str()) };
        self.0.conclude(&AttemptEvent::Told(Outcome::Unknown(doubt)), &word).await;
    }

    async fn hung_up(&self) {
        // When this fails, the attempt is swept once nobody drives it.
        if let Err(error) = db::attempts::hang_up(&self.0.house.db, self.0.id()).await {
            tracing::error!(%error, payment = self.0.id().get(), "that a line is closed is not stored yet");
        }
    }
}

#[async_trait]
impl Overhears for Storing {
    async fn stray(&self, stray: Stray) -> bool {
        take_stray(&self.0.house, stray).await
    }
}

/// Hears what a terminal says while nobody pays. Does not keep the house open.
pub struct Ear(pub Weak<House>);

#[async_trait]
impl Overhears for Ear {
    async fn stray(&self, stray: Stray) -> bool {
        match self.0.upgrade() {
            Some(house) => take_stray(&house, stray).await,
            None => false,
        }
    }
}

/// Stores an answer that nobody waits for: under the attempt that it names, if it agrees in everything, else as a stray. True once it is
/// stored: only then may the terminal forget it.
async fn take_stray(house: &Shared, stray: Stray) -> bool {
    match store_stray(house, &stray).await {
        Ok(None) => true,
        Ok(Some(word)) => {
            let house = house.clone();
            tokio::spawn(async move {
                if let Err(error) = take(&house, word).await {
                    tracing::error!(%error, word, "a late answer is stored and not booked yet");
                }
            });
            true
        }
        Err(error) => {
            tracing::error!(%error, "a late answer of the terminal is not stored: it is not acknowledged");
            false
        }
    }
}

async fn store_stray(house: &House, stray: &Stray) -> Result<Option<i64>> {
    let named = match &stray.reference {
        Some(reference) => db::attempts::of_reference(&house.db, reference).await?,
        None => None,
    };
    match named {
        Some(attempt) if stray.answers(&attempt.charge()) && !matches!(stray.outcome, Outcome::Unknown(_)) => {
            tracing::warn!(payment = attempt.id.get(), "a late answer of the terminal");
            db::words::insert(&house.db, attempt.id, &stray.outcome, true).await.map(Some)
        }
        _ => {
            tracing::error!(amount = ?stray.amount, outcome = ?stray.outcome, "the terminal speaks of a payment that is not ours");
            let terminal = house.terminal.as_deref().map_or(db::attempts::NO_TERMINAL, |terminal| terminal.name());
            let mut tx = house.db.begin().await?;
            let id = db::words::insert_stray(&mut *tx, terminal, stray, house.training).await?;
            if let Outcome::Approved { amount, .. } = &stray.outcome {
                // Money that no payment explains: somebody has to find out.
                let mut details = vec![("stray", id.to_string()), ("amount_cents", amount.0.to_string())];
                details.extend(stray.reference.as_ref().map(|reference| ("reference", reference.to_string())));
                recording::event(house, &mut tx, EventCode::PaymentContradicted, "", details).await?;
            }
            tx.commit().await?;
            floor::announce_money(house);
            Ok(None)
        }
    }
}
