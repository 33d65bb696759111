//! The fiscal key. It lives in a file of mode 0600, never in the database, and signs one text at a time.
//!
//! RS256: RSASSA-PKCS1-v1_5 over SHA-256 with a 2048-bit key, so that `openssl dgst -sha256 -verify` can check any record by hand.
//! Signing is blinded (RUSTSEC-2023-0071 speaks of timing that an observer can measure) and the crate checks its own result.

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::fiscal::SignatureCheck;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// Signs with the fiscal key.
#[derive(Clone)]
pub struct Signer {
    key: Arc<SigningKey<Sha256>>,
    key_id: String,
    public_key_pem: String,
}

impl Signer {
    /// Reads the key; makes one when there is none and nothing was ever signed.
    ///
    /// # Errors
    /// When the file is missing although records exist, is readable by others, or holds no key.
    pub fn open(path: &Path, journal_is_empty: bool) -> anyhow::Result<Self> {
        if path.exists() {
            return Self::read(path);
        }
        if !journal_is_empty {
            bail!(
                "FISCAL_KEY_FILE: the key {} is missing but the journal already holds signed records; restore the file from your backup",
                path.display()
            );
        }
        let key = RsaPrivateKey::new(&mut OsRng, 2048).context("cannot make a fiscal key")?;
        let pem = key.to_pkcs8_pem(LineEnding::LF).context("cannot write the fiscal key")?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Written beside and linked into place: a crash leaves no half a key, and of two processes that start at once one wins.
        let draft = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft)?;
        match linked {
            Ok(()) => tracing::info!(path = %path.display(), "made a fiscal key; keep a copy of it outside this machine"),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("FISCAL_KEY_FILE: cannot write {}", path.display())),
        }
        Self::read(path)
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mode = std::fs::metadata(path).with_context(|| format!("FISCAL_KEY_FILE: cannot read {shown}"))?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("FISCAL_KEY_FILE: {shown} can be read by others; run: chmod 600 {shown}");
        }
        let pem = std::fs::read_to_string(path).with_context(|| format!("FISCAL_KEY_FILE: cannot read {shown}"))?;
        let key = RsaPrivateKey::from_pkcs8_pem(&pem).with_context(|| format!("FISCAL_KEY_FILE: {shown} holds no PKCS#8 PEM key"))?;
        Self::new(key)
    }

    fn new(key: RsaPrivateKey) -> anyhow::Result<Self> {
        let public = key.to_public_key();
        let public_key_pem = public.to_public_key_pem(LineEnding::LF)?;
        Ok(Self { key_id: key_id(&public)?, public_key_pem, key: Arc::new(SigningKey::new(key)) })
    }

    /// Names the key: the first 16 hexadecimal digits of the SHA-256 of its public half.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public half, for the database, the archive and the auditor.
    #[must_use]
    pub fn public_key_pem(&self) -> &str {
        &self.public_key_pem
    }

    /// Signs a text: base64url without padding, 342 characters.
    ///
    /// # Errors
    /// When signing fails, which it does not with a sound key.
    pub fn sign(&self, text: &str) -> anyhow::Result<String> {
        let signature = self.key.try_sign_with_rng(&mut OsRng, text.as_bytes()).context("cannot sign")?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

fn key_id(public: &RsaPublicKey) -> anyhow::Result<String> {
    let digest = Sha256::digest(public.to_public_key_der()?.as_bytes());
    Ok(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Checks signatures with the public keys it was given.
pub struct Checker(HashMap<String, VerifyingKey<Sha256>>);

impl Checker {
    /// Takes public keys as PEM, each under the id it has in the journal. What is no public key, or not the key that its id says, is left
    /// out: its records are then signed by an unknown key, and everything else can still be judged.
    #[must_use]
    pub fn new(pems: &[(String, String)]) -> Self {
        let readable = pems.iter().filter_map(|(id, pem)| {
            let public = RsaPublicKey::from_public_key_pem(pem).ok()?;
            (key_id(&public).ok()? == *id).then(|| (id.clone(), VerifyingKey::new(public)))
        });
        Self(readable.collect())
    }

    /// Takes the one key of the auditor, whatever the database says.
    ///
    /// # Errors
    /// When it is not a public key.
    pub fn with_key(pem: &str) -> anyhow::Result<Self> {
        let public = RsaPublicKey::from_public_key_pem(pem).context("not a PEM public key")?;
        Ok(Self(HashMap::from([(key_id(&public)?, VerifyingKey::new(public))])))
    }

    /// Whether this key signed this text.
    #[must_use]
    pub fn check(&self, key_id: &str, signed: &[u8], signature: &str) -> SignatureCheck {
        let Some(key) = self.0.get(key_id) else { return SignatureCheck::UnknownKey };
        let valid = BASE64_URL_SAFE_NO_PAD
            .decode(signature)
            .ok()
            .and_then(|bytes| Signature::try_from(bytes.as_slice()).ok())
            .is_some_and(|signature| key.verify(signed, &signature).is_ok());
        if valid { SignatureCheck::Valid } else { SignatureCheck::Invalid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_checks_what_it_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fiscal-key.pem");
        let signer = Signer::open(&path, true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Signer::open(&path, false).unwrap();
        assert_eq!(again.key_id(), signer.key_id());

        let signature = signer.sign("F1,T,01").unwrap();
        assert_eq!(signature.len(), 342);
        let checker = Checker::new(&[(signer.key_id().to_owned(), signer.public_key_pem().to_owned())]);
        assert_eq!(checker.check(signer.key_id(), b"F1,T,01", &signature), SignatureCheck::Valid);
        assert_eq!(checker.check(signer.key_id(), b"F1,T,02", &signature), SignatureCheck::Invalid);
        assert_eq!(checker.check("another", b"F1,T,01", &signature), SignatureCheck::UnknownKey);
    }

    #[test]
    fn a_lost_key_and_a_key_open_to_others_stop_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fiscal-key.pem");
        let lost = Signer::open(&path, false).err().unwrap().to_string();
        assert!(lost.contains("FISCAL_KEY_FILE") && lost.contains("backup"), "{lost}");
        Signer::open(&path, true).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = Signer::open(&path, true).err().unwrap().to_string();
        assert!(open.contains("chmod 600"), "{open}");
    }
}
