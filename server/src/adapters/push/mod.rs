//! Web Push: a message for a phone that sleeps, through the push service of its browser.
//!
//! The service carries what it cannot read ([`encryption`], RFC 8291) and knows who sends it ([`vapid`], RFC 8292). It may be slow or refuse;
//! nothing waits for it, and what it does not take the phone hears over its socket when it wakes.
//!
//! An address is what a browser says, and a browser can be anybody's program: it must not make this server call whatever it likes. So only the
//! push services of the browsers that there are, and those that the house names (`PUSH_SERVICES`), are called, and when a message is sent the
//! address is looked at again. A service proves its name with a certificate, so that a name that leads into the house's own network leads
//! nowhere; a redirection is not followed; of an answer little more than its number is read. Addresses and keys are never logged: whoever has
//! them can write to that phone.

pub mod encryption;
pub mod vapid;

use encryption::{Browser, encrypt};
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{Semaphore, SemaphorePermit};
use vapid::Vapid;

/// A push service has so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a service keeps a message for a phone without a network: a dish that waited longer was seen to.
pub const KEPT_FOR: Duration = Duration::from_secs(300);
/// Calls at once. A service that hangs holds up so many, not the house.
const AT_ONCE: usize = 16;
/// When a service that has no time does not say when it will.
const AGAIN: Duration = Duration::from_secs(2);
/// What is read of an answer, in bytes: so that the connection can be used again.
const ANSWER: usize = 4096;
/// Push services of the browsers that there are; what begins with a dot stands for every host below it.
const SERVICES: [&str; 5] =
    ["fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", ".push.apple.com", ".notify.windows.com"];

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The service has it.
    Taken,
    /// The browser has taken its subscription back: it is to be forgotten.
    Gone,
    /// Not this time, but perhaps after so long; why, for the log.
    Later(Duration, String),
    /// It will never take this one; why, for the log.
    Refused(String),
}

/// Sends to push services.
pub struct Push {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Who we are.
    pub vapid: Vapid,
    /// Services besides those that are known: scheme and authority of each.
    also: Vec<Uri>,
    calls: Semaphore,
    /// How long a phone that is awake has to say that it heard: what it has heard is not pushed.
    pub after: Duration,
}

impl Push {
    /// Sends as this server; `also` names further services.
    #[must_use]
    pub fn new(vapid: Vapid, also: Vec<Uri>, after: Duration) -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector), vapid, also, calls: Semaphore::new(AT_ONCE), after }
    }

    /// Whether this is an address of a push service: a browser must not make us call anything else.
    #[must_use]
    pub fn is_service(&self, endpoint: &Uri) -> bool {
        let Some(authority) = endpoint.authority().filter(|authority| !authority.as_str().contains('@')) else { return false };
        let is_named = |also: &Uri| also.scheme() == endpoint.scheme() && also.authority() == Some(authority);
        let host = authority.host();
        let is_known = SERVICES.iter().any(|known| if known.starts_with('.') { host.ends_with(known) } else { host == *known });
        let is_usual = endpoint.scheme_str() == Some("https") && authority.port_u16().is_none_or(|port| port == 443) && is_known;
        is_usual || self.also.iter().any(is_named)
    }

    /// Waits until fewer than `AT_ONCE` calls are under way.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.calls.acquire().await.ok()
    }

    /// Sends a message to a browser. A later one of the same topic (letters, digits, `-` and `_`, 32 at most) replaces it while the service
    /// keeps it.
    pub async fn send(&self, endpoint: &Uri, browser: &Browser, topic: &str, message: &[u8]) -> Pushed {
        if !self.is_service(endpoint) {
            return Pushed::Gone;
        }
        match tokio::time::timeout(PATIENCE, self.post(endpoint, browser, topic, message)).await {
            Ok(Ok((status, headers))) => read(status, &headers),
            Ok(Err(error)) => Pushed::Later(AGAIN, format!("{error:#}")),
            Err(_) => Pushed::Later(AGAIN, "no answer in time".to_owned()),
        }
    }

    async fn post(&self, endpoint: &Uri, browser: &Browser, topic: &str, message: &[u8]) -> anyhow::Result<(StatusCode, HeaderMap)> {
        let mut salt = [0; 16];
        OsRng.fill_bytes(&mut salt);
        let body = encrypt(message, browser, &vapid::new_key(), salt)?;
        let request = Request::post(endpoint.clone())
            .header(header::AUTHORIZATION, self.vapid.authorization(endpoint, OffsetDateTime::now_utc()))
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", KEPT_FOR.as_secs())
            .header("urgency", "high")
            .header("topic", topic)
            .body(Full::new(Bytes::from(body)))?;
        let (head, body) = self.client.request(request).await?.into_parts();
        // Only so that the connection can be used again.
        let _read = Limited::new(body, ANSWER).collect().await;
        Ok((head.status, head.headers))
    }
}

/// What an answer means (RFC 8030, 5 and 7.3).
fn read(status: StatusCode, headers: &HeaderMap) -> Pushed {
    match status {
        _ if status.is_success() => Pushed::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Pushed::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Pushed::Later(wait(headers), status.to_string()),
        _ if status.is_server_error() => Pushed::Later(wait(headers), status.to_string()),
        // Also a redirection: only the browser says where it is reached.
        _ => Pushed::Refused(status.to_string()),
    }
}

/// How long the service wants to be left alone.
fn wait(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    seconds.map_or(AGAIN, Duration::from_secs).clamp(AGAIN, KEPT_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(also: &[&str]) -> Push {
        let also = also.iter().map(|uri| uri.parse().expect("an address")).collect();
        Push::new(Vapid::new(vapid::new_key(), "mailto:chef@example.com".to_owned()), also, Duration::ZERO)
    }

    #[test]
    fn only_push_services_are_called() {
        let push = push(&[]);
        for (endpoint, good) in [
            ("https://fcm.googleapis.com/fcm/send/abc", true),
            ("https://fcm.googleapis.com:443/fcm/send/abc", true),
            ("https://updates.push.services.mozilla.com/wpush/v2/abc", true),
            ("https://wns2-par02p.notify.windows.com/w/?token=abc", true),
            ("https://web.push.apple.com/abc", true),
            ("http://fcm.googleapis.com/fcm/send/abc", false),
            ("https://fcm.googleapis.com:8443/abc", false),
            ("https://fcm.googleapis.com.evil.example/abc", false),
            ("https://evilnotify.windows.com/abc", false),
            ("https://notify.windows.com/abc", false),
            ("https://a@fcm.googleapis.com/abc", false),
            ("https://fcm.googleapis.com@evil.example/abc", false),
            ("https://127.0.0.1/abc", false),
            ("http://169.254.169.254/latest/meta-data", false),
            ("http://[::1]:6379/", false),
            ("https://localhost/abc", false),
            ("https://192.168.1.1/abc", false),
            ("ftp://fcm.googleapis.com/abc", false),
            ("/relative", false),
        ] {
            assert_eq!(push.is_service(&endpoint.parse().expect("an address")), good, "{endpoint}");
        }
    }

    #[test]
    fn a_service_of_the_house_is_called_as_it_was_named() {
        let push = push(&["https://push.example.net:8443", "http://127.0.0.1:9000"]);
        for (endpoint, good) in [
            ("https://push.example.net:8443/abc", true),
            ("http://127.0.0.1:9000/abc", true),
            ("https://push.example.net/abc", false),
            ("http://push.example.net:8443/abc", false),
            ("http://127.0.0.1:9001/abc", false),
            ("https://fcm.googleapis.com/fcm/send/abc", true),
        ] {
            assert_eq!(push.is_service(&endpoint.parse().expect("an address")), good, "{endpoint}");
        }
    }

    #[test]
    fn answers_mean_what_the_rfc_says() {
        let none = HeaderMap::new();
        let later = |seconds| HeaderMap::from_iter([(header::RETRY_AFTER, http::HeaderValue::from_static(seconds))]);
        assert_eq!(read(StatusCode::CREATED, &none), Pushed::Taken);
        assert_eq!((read(StatusCode::GONE, &none), read(StatusCode::NOT_FOUND, &none)), (Pushed::Gone, Pushed::Gone));
        let waits = |status, headers: &HeaderMap| match read(status, headers) {
            Pushed::Later(wait, _) => Some(wait.as_secs()),
            _ => None,
        };
        assert_eq!(waits(StatusCode::TOO_MANY_REQUESTS, &later("30")), Some(30));
        assert_eq!(waits(StatusCode::SERVICE_UNAVAILABLE, &later("86400")), Some(300), "no longer than the message is worth");
        assert_eq!(waits(StatusCode::BAD_GATEWAY, &later("Wed, 21 Oct 2026 07:28:00 GMT")), Some(2));
        for never in [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::FOUND] {
            assert!(matches!(read(never, &none), Pushed::Refused(_)), "{never}");
        }
    }
}
