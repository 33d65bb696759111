//! Who sends a push message (RFC 8292): a key of the house, and an address at which the push service can complain.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::Uri;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::rand_core::OsRng;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// How long a token is valid; a push service takes a day at most.
const VALID_FOR: Duration = Duration::hours(12);

/// The sender.
#[derive(Clone)]
pub struct Vapid {
    key: SecretKey,
    subject: String,
}

impl Vapid {
    /// Signs with this key; `subject` is a `mailto:` or `https:` address.
    #[must_use]
    pub const fn new(key: SecretKey, subject: String) -> Self {
        Self { key, subject }
    }

    /// Reads a key as [`write_key`] writes it.
    #[must_use]
    pub fn read_key(text: &str) -> Option<SecretKey> {
        BASE64.decode(text).ok().and_then(|bytes| SecretKey::from_slice(&bytes).ok())
    }

    /// What browsers are told, so that they take messages from us and from nobody else: 65 bytes as base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        BASE64.encode(self.key.public_key().to_encoded_point(false).as_bytes())
    }

    /// The header for a message to this address.
    #[must_use]
    pub fn authorization(&self, endpoint: &Uri, now: OffsetDateTime) -> String {
        let origin =
            format!("{}://{}", endpoint.scheme_str().unwrap_or("https"), endpoint.authority().map_or("", |authority| authority.as_str()));
        let claims = json!({ "aud": origin, "exp": (now + VALID_FOR).unix_timestamp(), "sub": self.subject });
        let signed = format!("{}.{}", BASE64.encode(r#"{"typ":"JWT","alg":"ES256"}"#), BASE64.encode(claims.to_string()));
        let signature: Signature = SigningKey::from(&self.key).sign(signed.as_bytes());
        format!("vapid t={signed}.{}, k={}", BASE64.encode(signature.to_bytes()), self.public_key())
    }
}

impl PartialEq for Vapid {
    fn eq(&self, other: &Self) -> bool {
        self.public_key() == other.public_key() && self.subject == other.subject
    }
}

/// The key stays out of logs.
impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vapid").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A key drawn at random by the system.
#[must_use]
pub fn new_key() -> SecretKey {
    SecretKey::random(&mut OsRng)
}

/// A key as text: 32 bytes as base64url.
#[must_use]
pub fn write_key(key: &SecretKey) -> String {
    BASE64.encode(key.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier;

    #[test]
    fn a_push_service_can_check_who_sends() {
        let vapid = Vapid::new(new_key(), "mailto:chef@example.com".to_owned());
        let now = OffsetDateTime::UNIX_EPOCH;
        let header = vapid.authorization(&"https://push.example.net:8443/p/abc?x=1".parse().expect("an address"), now);
        let (token, key) = header.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).expect("two parts");
        assert_eq!(key, vapid.public_key());
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let key = VerifyingKey::from_sec1_bytes(&BASE64.decode(key).expect("base64url")).expect("a key");
        let signature = Signature::from_slice(&BASE64.decode(signature).expect("base64url")).expect("a signature");
        key.verify(signed.as_bytes(), &signature).expect("it fits");
        let claims = BASE64.decode(signed.split_once('.').expect("two parts").1).expect("base64url");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims, json!({"aud": "https://push.example.net:8443", "exp": 43200, "sub": "mailto:chef@example.com"}));
    }

    #[test]
    fn a_key_is_read_back_and_never_printed() {
        let key = new_key();
        assert_eq!(Vapid::read_key(&write_key(&key)).as_ref(), Some(&key));
        assert!(Vapid::read_key("short").is_none());
        let vapid = Vapid::new(key.clone(), "mailto:a@example.com".to_owned());
        assert!(!format!("{vapid:?}").contains(&write_key(&key)));
    }
}
