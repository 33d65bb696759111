//! The simulated kitchen calls back: some time after it got a slip it says of each dish that it is ready.

use super::Cooked;
use crate::http::webhooks::AUDIENCE;
use crate::jwt::{Secret, sign};
use domain::backoff::Backoff;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;

/// How long a token of it is valid.
const VALID_FOR: Duration = Duration::from_secs(300);
/// How often it says one thing: the till may not have written down the number yet that it got a moment ago.
const TRIES: u32 = 6;
/// And how soon again.
const AGAIN: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2), jitter: 0 };

/// Where and how it calls.
#[derive(Clone)]
pub struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    secret: Secret,
    after: Duration,
}

impl Webhook {
    /// Calls this address so long after a slip came, with tokens made with this secret.
    #[must_use]
    pub fn new(url: Uri, secret: Secret, after: Duration) -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector), url, secret, after }
    }

    /// Says of every dish of a slip that it is ready, each as one event, one after the other.
    pub(super) async fn announce(self, slip: Cooked) {
        tokio::time::sleep(self.after).await;
        let items = slip.slip["items"].as_array().cloned().unwrap_or_default();
        for item in items.iter().filter(|item| item["qty"].as_i64().is_some_and(|qty| qty > 0)) {
            let said = json!({
                "erp_order_id": slip.erp_order_id, "dish_name": item["dish"], "table_id": slip.slip["table_id"],
                "event_id": format!("{}-{}", slip.key, item["line_id"]),
            });
            self.say(&said).await;
        }
    }

    async fn say(&self, said: &Value) {
        for failures in 1..=TRIES {
            match self.post(said).await {
                Ok(status) if status.is_success() => return,
                Ok(status) => tracing::warn!(%status, %said, "the till did not take it"),
                Err(error) => tracing::warn!(error = format!("{error:#}"), %said, "the till does not answer"),
            }
            tokio::time::sleep(AGAIN.delay(failures, 0)).await;
        }
    }

    async fn post(&self, said: &Value) -> anyhow::Result<StatusCode> {
        let token = sign(&self.secret, AUDIENCE, OffsetDateTime::now_utc() + VALID_FOR);
        let request = Request::post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::new(Bytes::from(said.to_string())))?;
        Ok(self.client.request(request).await?.status())
    }
}
