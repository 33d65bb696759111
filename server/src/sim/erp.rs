//! A kitchen system: takes slips over HTTP, knows keys, and misbehaves as it is told.
//!
//! It does what our contract asks of a real one: the same key again has no further effect and gets the same number, and the same key with
//! another slip is refused. A slip is in the log before it is answered: the log is what the kitchen cooked.

mod webhook;

pub use webhook::Webhook;

use anyhow::Context;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// No slip is larger.
const LARGEST_SLIP: usize = 256 * 1024;

/// How it behaves. Rates are percentages of the calls that reach it.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Before every answer.
    pub latency: Duration,
    /// Answers 500 and does nothing.
    pub fail_rate: u8,
    /// Never answers and does nothing.
    pub silent_rate: u8,
    /// Does the work and hangs up without an answer, so that the slip comes again.
    pub duplicate_rate: u8,
    /// Refuses every slip that names this dish.
    pub unknown_dish: Option<String>,
}

/// What it was told for the first time, as a line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cooked {
    /// The slip's key.
    pub key: String,
    /// The number it got.
    pub erp_order_id: String,
    /// The slip, as it came.
    pub slip: Value,
}

/// A kitchen system.
pub struct Simulator {
    book: Mutex<Book>,
    webhook: Option<Webhook>,
}

struct Book {
    script: Script,
    chance: StdRng,
    calls: u64,
    /// What its numbers begin with.
    prefix: String,
    cooked: Vec<Cooked>,
    /// Where in `cooked` a key stands.
    by_key: HashMap<String, usize>,
    log: Option<File>,
}

/// What a call meets.
enum Fate {
    Served,
    Failed,
    Ignored,
    HungUp,
}

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up")]
struct HungUp;

/// The body of a slip, read as strictly as a kitchen could.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct Wanted {
    order_id: i64,
    table_id: i64,
    round: u32,
    items: Vec<WantedItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct WantedItem {
    line_id: i64,
    dish: String,
    qty: i32,
    note: Option<String>,
}

impl Simulator {
    /// Opens the kitchen. What is in the log already was cooked before; the same seed and the same calls bring the same misfortunes.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn open(script: Script, seed: u64, log: Option<PathBuf>) -> anyhow::Result<Self> {
        let cooked = log.as_deref().map(read_log).transpose()?.unwrap_or_default();
        let by_key = cooked.iter().enumerate().map(|(i, slip)| (slip.key.clone(), i)).collect();
        let log = log
            .map(|path| File::options().create(true).append(true).open(&path).with_context(|| format!("cannot write {}", path.display())))
            .transpose()?;
        // A kitchen that remembers nothing would give a number again that it gave before its restart, to another slip.
        let prefix = if log.is_some() { "K-".to_owned() } else { format!("K{:x}-", rand::random::<u32>()) };
        let book = Book { script, chance: StdRng::seed_from_u64(seed), calls: 0, prefix, cooked, by_key, log };
        Ok(Self { book: Mutex::new(book), webhook: None })
    }

    /// Says of each dish that it is ready, some time after its slip came for the first time.
    #[must_use]
    pub fn calling_back(self, webhook: Webhook) -> Self {
        Self { webhook: Some(webhook), ..self }
    }

    /// Behaves otherwise from now on.
    pub fn follow(&self, script: Script) {
        self.book().script = script;
    }

    /// Everything it was told, in the order in which it came, each once.
    #[must_use]
    pub fn cooked(&self) -> Vec<Cooked> {
        self.book().cooked.clone()
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.book().calls
    }

    /// Serves until told to stop; connections that are open then are cut.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stopping: CancellationToken) {
        while let Some(Ok((stream, _))) = stopping.run_until_cancelled(listener.accept()).await {
            let (simulator, stopping) = (Arc::clone(&self), stopping.clone());
            tokio::spawn(async move {
                let answer = service_fn(|request| simulator.answer(request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                // An error is a caller that left, or one that we hung up on.
                let _ = stopping.run_until_cancelled(connection).await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, HungUp> {
        let (fate, latency) = self.fate();
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LARGEST_SLIP).collect().await;
        tokio::time::sleep(latency).await;
        match fate {
            Fate::Failed => return Ok(reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "as told"}))),
            Fate::Ignored => std::future::pending().await,
            Fate::Served | Fate::HungUp => {}
        }
        let refuse = |status, why| Ok(reply(status, &json!({"error": why})));
        if head.method != Method::POST || head.uri.path() != "/orders" {
            return refuse(StatusCode::NOT_FOUND, "POST /orders");
        }
        let Some(key) = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
            return refuse(StatusCode::BAD_REQUEST, "no Idempotency-Key");
        };
        let Some(slip) = body.ok().and_then(|body| serde_json::from_slice::<Value>(&body.to_bytes()).ok()) else {
            return refuse(StatusCode::BAD_REQUEST, "not JSON");
        };
        if let Err(error) = Wanted::deserialize(&slip) {
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string());
        }
        let (status, body) = self.cook(key, slip);
        if matches!(fate, Fate::HungUp) { Err(HungUp) } else { Ok(reply(status, &body)) }
    }

    fn fate(&self) -> (Fate, Duration) {
        let mut book = self.book();
        book.calls += 1;
        let drawn = book.chance.random_range(0..100u8);
        let script = &book.script;
        let rates = [(Fate::Failed, script.fail_rate), (Fate::Ignored, script.silent_rate), (Fate::HungUp, script.duplicate_rate)];
        let mut below = 0u8;
        for (fate, rate) in rates {
            below = below.saturating_add(rate);
            if drawn < below {
                return (fate, script.latency);
            }
        }
        (Fate::Served, script.latency)
    }

    fn cook(&self, key: &str, slip: Value) -> (StatusCode, Value) {
        let mut book = self.book();
        if let Some(earlier) = book.by_key.get(key).and_then(|i| book.cooked.get(*i)) {
            return if earlier.slip == slip {
                (StatusCode::OK, json!({"erp_order_id": earlier.erp_order_id}))
            } else {
                (StatusCode::CONFLICT, json!({"error": "this key was another slip"}))
            };
        }
        let unknown = book.script.unknown_dish.as_deref();
        if unknown.is_some() && slip["items"].as_array().is_some_and(|items| items.iter().any(|item| item["dish"].as_str() == unknown)) {
            return (StatusCode::UNPROCESSABLE_ENTITY, json!({"error": "unknown dish"}));
        }
        let erp_order_id = format!("{}{}", book.prefix, book.cooked.len() + 1);
        let cooked = Cooked { key: key.to_owned(), erp_order_id: erp_order_id.clone(), slip };
        if let Some(log) = &mut book.log {
            // One write per line: a reader never sees half of one.
            let written =
                serde_json::to_string(&cooked).map_err(std::io::Error::from).and_then(|line| log.write_all(format!("{line}\n").as_bytes()));
            if let Err(error) = written {
                return (StatusCode::INTERNAL_SERVER_ERROR, json!({"error": error.to_string()}));
            }
        }
        let at = book.cooked.len();
        book.by_key.insert(key.to_owned(), at);
        if let Some(webhook) = &self.webhook {
            tokio::spawn(webhook.clone().announce(cooked.clone()));
        }
        book.cooked.push(cooked);
        (StatusCode::CREATED, json!({"erp_order_id": erp_order_id}))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a log. No file is an empty one.
///
/// # Errors
/// When it cannot be read, or holds something else.
pub fn read_log(path: &Path) -> anyhow::Result<Vec<Cooked>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    BufReader::new(file)
        .lines()
        .map(|line| serde_json::from_str(&line?).with_context(|| format!("{} is not a log of this simulator", path.display())))
        .collect()
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slip(qty: i32) -> Value {
        json!({"order_id": 1, "table_id": 5, "round": 1, "items": [{"line_id": 1, "dish": "Magret", "qty": qty}]})
    }

    #[test]
    fn a_key_is_cooked_once_even_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Some(folder.path().join("kitchen.jsonl"));
        let kitchen = Simulator::open(Script::default(), 0, log.clone()).expect("a kitchen");
        let first = kitchen.cook("a", slip(1));
        assert_eq!(first, (StatusCode::CREATED, json!({"erp_order_id": "K-1"})));
        assert_eq!(kitchen.cook("a", slip(2)).0, StatusCode::CONFLICT);
        let kitchen = Simulator::open(Script::default(), 0, log).expect("a kitchen");
        assert_eq!(kitchen.cook("a", slip(1)), (StatusCode::OK, first.1));
        assert_eq!(kitchen.cook("b", slip(1)).1, json!({"erp_order_id": "K-2"}));
        assert_eq!(kitchen.cooked().len(), 2);
    }

    #[test]
    fn a_kitchen_without_a_memory_never_gives_a_number_of_an_earlier_one() {
        let number = || Simulator::open(Script::default(), 0, None).expect("a kitchen").cook("a", slip(1)).1;
        assert_ne!(number(), number());
    }

    #[test]
    fn the_same_seed_brings_the_same_misfortunes() {
        let script = Script { fail_rate: 20, silent_rate: 20, duplicate_rate: 20, ..Script::default() };
        let fates = |seed| {
            let kitchen = Simulator::open(script.clone(), seed, None).expect("a kitchen");
            (0..64)
                .map(|_| match kitchen.fate().0 {
                    Fate::Served => 's',
                    Fate::Failed => 'f',
                    Fate::Ignored => 'i',
                    Fate::HungUp => 'h',
                })
                .collect::<String>()
        };
        assert_eq!(fates(7), fates(7));
        assert_ne!(fates(7), fates(8));
        assert!(['s', 'f', 'i', 'h'].into_iter().all(|fate| fates(7).contains(fate)));
    }
}
