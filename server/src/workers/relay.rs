//! What processes of one house tell each other, over a channel of Redis.
//!
//! Nothing depends on it: what is stored is also looked for every second, and while Redis is gone phones are asked now and then to look again
//! at what they show. It makes things fast.

use crate::adapters::bus::{Abroad, Audience, Frame};
use crate::adapters::redis::Redis;
use crate::state::Shared;
use anyhow::Context;
use domain::UserId;
use domain::api::Event;
use futures::StreamExt;
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

const CHANNEL: &str = "comptoir:news";
/// How long a Redis that does not let us listen is left alone.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// A cut network leaves a channel open and silent: so often we ask, and so long we wait for the answer.
const BEAT: Duration = Duration::from_secs(2);
/// While nothing is heard from the other processes, phones look again so often.
const REFRESH_EVERY: Duration = Duration::from_secs(15);

/// What travels.
#[derive(Serialize, Deserialize)]
struct Letter {
    /// Drawn at random: who said it, so that nobody hears themselves.
    from: u64,
    what: Abroad,
}

/// Relays for as long as the server runs. Returns at once when there is no Redis.
pub async fn run(house: Shared, stopping: CancellationToken) {
    let Some(redis) = house.redis.clone() else { return };
    let me: u64 = rand::random();
    let spoken = house.bus.abroad();
    tokio::select! {
        () = stopping.cancelled() => {}
        () = speak(&redis, me, spoken) => {}
        () = listen_again_and_again(&house, &redis, me) => {}
    }
}

/// Publishes in the order in which things were said. What Redis does not take is lost there, and found by whoever looks.
async fn speak(redis: &Redis, me: u64, mut spoken: broadcast::Receiver<Abroad>) {
    loop {
        let what = match spoken.recv().await {
            Ok(what) => what,
            Err(RecvError::Lagged(_)) => Abroad::News,
            Err(RecvError::Closed) => return,
        };
        match serde_json::to_string(&Letter { from: me, what }) {
            Ok(text) => drop(redis.tell(async |mut redis| redis.publish::<_, _, ()>(CHANNEL, text).await).await),
            Err(error) => tracing::error!(%error, "a letter cannot be written"),
        }
    }
}

async fn listen_again_and_again(house: &Shared, redis: &Redis, me: u64) {
    let mut refreshed = Instant::now();
    let mut was_cut = false;
    loop {
        if let Err(error) = listen(house, redis, me, &mut was_cut).await {
            tracing::warn!(error = format!("{error:#}"), "what other processes say is not heard at once");
        }
        if !was_cut || refreshed.elapsed() > REFRESH_EVERY {
            refreshed = Instant::now();
            house.bus.send_here(Audience::House, &Event::Refresh {});
        }
        was_cut = true;
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn listen(house: &Shared, redis: &Redis, me: u64, was_cut: &mut bool) -> anyhow::Result<()> {
    let (mut speak, mut messages) = redis.listen(CHANNEL).await?.split();
    house.teller.wake_here();
    if std::mem::take(was_cut) {
        house.bus.send_here(Audience::House, &Event::Refresh {});
    }
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            message = messages.next() => {
                let message = message.context("redis closed the channel")?;
                // What cannot be read comes from a newer process: not ours to understand.
                let Ok(Letter { from, what }) = serde_json::from_slice(message.get_payload_bytes()) else { continue };
                if from != me {
                    hear(house, what);
                }
            }
            _ = beat.tick() => {
                tokio::time::timeout(BEAT, speak.ping::<redis::Value>()).await??;
            }
        }
    }
}

fn hear(house: &Shared, what: Abroad) {
    match what {
        Abroad::News => house.teller.wake_here(),
        Abroad::House(text) => house.bus.pass_on(Audience::House, Frame { id: None, text: text.into() }),
        Abroad::Person(id, text) => {
            if let Ok(id) = UserId::new(id) {
                house.bus.pass_on(Audience::Person(id), Frame { id: None, text: text.into() });
            }
        }
        Abroad::Sessions(names) => {
            house.sessions.forget_here();
            house.bus.sessions_changed_here(&names);
        }
    }
}
