//! Keys in the browser: no library of the machine, no `WebCrypto` (browsers give it to pages of secure addresses only, and a saved page or a
//! till in the local network is none).

use crate::archive::Keys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::fiscal::{SignatureCheck, sha256_hex};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPublicKey, sha2::Sha256};
use std::collections::BTreeMap;

/// Public keys by the first 16 figures of their fingerprint.
#[derive(Default)]
pub struct PublicKeys(BTreeMap<String, VerifyingKey<Sha256>>);

impl PublicKeys {
    /// Takes public keys as PEM, each under the id that it was given. What is no public key, or another than its id says, is left out: its
    /// records are then signed by an unknown key.
    #[must_use]
    pub fn new(pems: &[(String, String)]) -> Self {
        let readable = pems.iter().filter_map(|(id, pem)| read(pem).filter(|(named, _)| named == id));
        Self(readable.collect())
    }

    /// SHA-256 of a public key, hexadecimal; nothing when it is none.
    #[must_use]
    pub fn fingerprint(pem: &str) -> Option<String> {
        let public = RsaPublicKey::from_public_key_pem(pem.trim()).ok()?;
        Some(sha256_hex(public.to_public_key_der().ok()?.as_bytes()))
    }
}

impl Keys for PublicKeys {
    fn check(&self, key_id: &str, signed: &[u8], signature: &str) -> SignatureCheck {
        let Some(key) = self.0.get(key_id) else { return SignatureCheck::UnknownKey };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).ok();
        let signature = bytes.and_then(|bytes| Signature::try_from(bytes.as_slice()).ok());
        match signature.is_some_and(|signature| key.verify(signed, &signature).is_ok()) {
            true => SignatureCheck::Valid,
            false => SignatureCheck::Invalid,
        }
    }

    fn add(&mut self, pem: &str) {
        self.0.extend(read(pem));
    }
}

fn read(pem: &str) -> Option<(String, VerifyingKey<Sha256>)> {
    let public = RsaPublicKey::from_public_key_pem(pem.trim()).ok()?;
    // As everywhere else: nothing shorter proves anything.
    if public.size() < 256 {
        return None;
    }
    let id = PublicKeys::fingerprint(pem)?.chars().take(16).collect();
    Some((id, VerifyingKey::new(public)))
}
