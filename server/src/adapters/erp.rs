//! The kitchen system: somebody else's program that takes slips and gives each a number of its own.
//!
//! The contract is one call: `POST {ERP_URL}/orders` with an `Idempotency-Key`. What matters to the caller is not the status but what it
//! means: the kitchen has the slip, does not want it, or nobody knows.

use async_trait::async_trait;
use domain::{LineId, OrderId, TableId};
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// No answer that we understand is longer.
const LONGEST_ANSWER: usize = 64 * 1024;
/// So much of an answer helps a person to see what is wrong.
const EXCERPT: usize = 200;

/// What the kitchen is told at one time for one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slip {
    /// The same on every attempt; travels as a header.
    #[serde(skip)]
    pub key: Uuid,
    /// The order.
    pub order_id: OrderId,
    /// Where.
    pub table_id: TableId,
    /// First, second … time that something is told for this order.
    pub round: u32,
    /// What.
    pub items: Vec<SlipItem>,
}

/// One thing on a slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlipItem {
    /// The line: a removal names the line it removes from.
    pub line_id: LineId,
    /// Its name.
    pub dish: String,
    /// How many; negative for what is taken off.
    pub qty: i32,
    /// How it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why the kitchen does not have a slip, or is not known to have it. The text is for whoever looks after the till.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It answered that it does not want this slip: 4xx.
    #[error("refused: {0}")]
    Refused(String),
    /// It answered that it has no time: 425, 429.
    #[error("not now: {0}")]
    NotNow(String),
    /// No answer, or none that can be understood. The kitchen may or may not have the slip.
    #[error("no answer: {0}")]
    Unanswered(String),
}

/// A system that cooks.
#[async_trait]
pub trait KitchenSystem: Send + Sync {
    /// Hands over a slip and returns the number it got there. The same key again has no further effect there and returns the same number.
    async fn deliver(&self, slip: &Slip) -> Result<String, Undelivered>;
}

/// A kitchen system behind HTTP.
pub struct HttpKitchen {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    orders: Uri,
    patience: Duration,
}

#[derive(Deserialize)]
struct Accepted {
    erp_order_id: Value,
}

impl HttpKitchen {
    /// `orders` is where slips go; a call that takes longer than `patience` is given up. Behind `https://` a public authority must vouch
    /// for the kitchen system, or one of `ca_file` (PEM) and then no other.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate.
    pub fn new(orders: Uri, patience: Duration, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let connector = HttpsConnectorBuilder::new();
        let connector = match ca_file {
            None => connector.with_webpki_roots(),
            Some(file) => connector.with_tls_config(trusting(&authorities(file)?)?),
        };
        let connector = connector.https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), orders, patience })
    }

    async fn call(&self, slip: &Slip) -> Result<String, Undelivered> {
        let body = serde_json::to_vec(slip).map_err(unanswered)?;
        let request = Request::post(self.orders.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", slip.key.to_string())
            .body(Full::new(Bytes::from(body)))
            .map_err(unanswered)?;
        let answer = self.client.request(request).await.map_err(unanswered)?;
        let status = answer.status();
        let body =
            Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await.map_err(|error| Undelivered::Unanswered(error.to_string()))?;
        read_answer(status, &body.to_bytes())
    }
}

fn authorities(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| anyhow::anyhow!("{} cannot be read as PEM: {error}", file.display()))?;
    anyhow::ensure!(!found.is_empty(), "{} holds no certificate", file.display());
    Ok(found)
}

fn trusting(authorities: &[CertificateDer<'static>]) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    Ok(config.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

#[async_trait]
impl KitchenSystem for HttpKitchen {
    async fn deliver(&self, slip: &Slip) -> Result<String, Undelivered> {
        tokio::time::timeout(self.patience, self.call(slip))
            .await
            .unwrap_or_else(|_| Err(Undelivered::Unanswered(format!("nothing within {} ms", self.patience.as_millis()))))
    }
}

/// The causes on one line: an outer one alone says little more than that it did not work.
fn unanswered(error: impl std::error::Error) -> Undelivered {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    Undelivered::Unanswered(text)
}

fn read_answer(status: StatusCode, body: &[u8]) -> Result<String, Undelivered> {
    let said = || {
        let text = String::from_utf8_lossy(body);
        let excerpt: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(EXCERPT).collect();
        format!("{} {}", status.as_u16(), excerpt.trim()).trim_end().to_owned()
    };
    match status {
        status if status.is_success() => erp_order_id(body).ok_or_else(|| Undelivered::Unanswered(said())),
        // 425 and 429 are about the moment, not about the slip.
        StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Err(Undelivered::NotNow(said())),
        // A server that waited for us in vain has not read what we said.
        StatusCode::REQUEST_TIMEOUT => Err(Undelivered::Unanswered(said())),
        status if status.is_client_error() => Err(Undelivered::Refused(said())),
        // 5xx; and a redirection, which a kitchen has no reason to give.
        _ => Err(Undelivered::Unanswered(said())),
    }
}

/// A text or a number, kept as text. Anything else is not an answer of a kitchen system.
fn erp_order_id(body: &[u8]) -> Option<String> {
    let id = match serde_json::from_slice::<Accepted>(body).ok()?.erp_order_id {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.trim().is_empty() && id.chars().count() <= EXCERPT && !id.contains('\0')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<String, Undelivered> {
        read_answer(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
    }

    #[test]
    fn its_number_may_be_a_text_or_a_number() {
        assert_eq!(read(201, r#"{"erp_order_id":"K-17"}"#), Ok("K-17".to_owned()));
        assert_eq!(read(200, r#"{"erp_order_id":17,"state":"draft"}"#), Ok("17".to_owned()));
        for garbage in ["", "<html>", "{}", r#"{"erp_order_id":null}"#, r#"{"erp_order_id":" "}"#, r#"{"erp_order_id":"a\u0000"}"#] {
            assert!(matches!(read(201, garbage), Err(Undelivered::Unanswered(_))), "{garbage}");
        }
    }

    #[test]
    fn a_refusal_is_an_answer_and_a_failure_is_none() {
        for status in [400, 401, 404, 409, 422] {
            assert!(matches!(read(status, ""), Err(Undelivered::Refused(_))), "{status}");
        }
        for status in [425, 429] {
            assert!(matches!(read(status, ""), Err(Undelivered::NotNow(_))), "{status}");
        }
        for status in [302, 408, 500, 502, 503] {
            assert!(matches!(read(status, ""), Err(Undelivered::Unanswered(_))), "{status}");
        }
        let Err(Undelivered::Refused(said)) = read(422, &format!("{{\n{}", "x".repeat(999))) else { panic!("a refusal") };
        assert!(said.starts_with("422 { xxx") && said.len() < 210, "one short line");
    }

    #[test]
    fn a_slip_travels_as_the_contract_says() {
        let item = |line, qty, note: Option<&str>| SlipItem {
            line_id: LineId::from_row(line),
            dish: "Magret".to_owned(),
            qty,
            note: note.map(str::to_owned),
        };
        let slip = Slip {
            key: Uuid::nil(),
            order_id: OrderId::from_row(7),
            table_id: TableId::from_row(5),
            round: 2,
            items: vec![item(1, 2, Some("rosé")), item(2, -1, None)],
        };
        assert_eq!(
            serde_json::to_string(&slip).expect("JSON"),
            r#"{"order_id":7,"table_id":5,"round":2,"items":[{"line_id":1,"dish":"Magret","qty":2,"note":"rosé"},{"line_id":2,"dish":"Magret","qty":-1}]}"#
        );
    }
}
