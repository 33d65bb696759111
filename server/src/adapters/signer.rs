//! The fiscal key. It lives in a file of mode 0600, never in the database, and signs one text at a time.
//!
//! RS256: RSASSA-PKCS1-v1_5 over SHA-256 with a 2048-bit key, so that `openssl dgst -sha256 -verify` can check any record by hand.
//!
//! `rsa` makes, reads and writes the key. AWS-LC signs with it: a payment holds the journal while its record is signed, and so all others; with AWS-LC
//! that takes as long as OpenSSL takes (`benches/journal` sets both beside each other). It signs blinded, in constant time (RUSTSEC-2023-0071 speaks of
//! timing that an observer can measure), and checks what it signed before it gives it away.

use anyhow::{Context, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::fiscal::SignatureCheck;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use verifier::Keys;

use crate::owning;

/// Keys that sign and are believed, in bytes: a shorter one proves nothing, a longer one cannot be read everywhere that a journal is checked.
const SIZES: std::ops::RangeInclusive<usize> = 256..=512;

/// Signs with the fiscal key.
#[derive(Clone)]
pub struct Signer {
    key: Arc<RsaKeyPair>,
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
        // What a process of that number left when it was killed.
        let _ = std::fs::remove_file(&draft);
        let mut file = owning::make_private(&draft)?;
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
        anyhow::ensure!(SIZES.contains(&key.size()), "FISCAL_KEY_FILE: a key of 2048 to 4096 bits is needed");
        let pair = RsaKeyPair::from_pkcs8(key.to_pkcs8_der()?.as_bytes());
        let pair = pair.map_err(|why| anyhow::anyhow!("FISCAL_KEY_FILE: this key does not sign ({why})"))?;
        Ok(Self { key_id: key_id(&public)?, public_key_pem, key: Arc::new(pair) })
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

    /// Makes the key that is to sign next and stores it beside the present one; nothing signs with it before [`Self::take_over`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn prepare_next(path: &Path) -> anyhow::Result<(Self, std::path::PathBuf)> {
        let draft = path.with_extension("next.pem");
        let _ = std::fs::remove_file(&draft);
        Ok((Self::open(&draft, true)?, draft))
    }

    /// Puts the next key in the place of the present one, which is kept beside it under its id.
    ///
    /// # Errors
    /// When the files cannot be moved.
    pub fn take_over(&self, path: &Path, next: &Path) -> anyhow::Result<()> {
        let kept = path.with_extension(format!("{}.pem", self.key_id));
        if !kept.exists() {
            std::fs::hard_link(path, &kept).with_context(|| format!("cannot keep the old key as {}", kept.display()))?;
        }
        std::fs::rename(next, path).with_context(|| format!("FISCAL_KEY_FILE: cannot write {}", path.display()))?;
        Ok(())
    }

    /// SHA-256 of the public half, hexadecimal: what is compared by eye.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.public_key_pem).unwrap_or_default()
    }

    /// Signs bytes: the raw signature, as `openssl` takes it.
    ///
    /// # Errors
    /// When signing fails, which it does not with a sound key.
    pub fn sign_bytes(&self, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        // Its error says nothing more.
        let made = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature);
        made.map_err(|_| anyhow::anyhow!("cannot sign"))?;
        Ok(signature)
    }

    /// Signs a text: base64url without padding, 342 characters.
    ///
    /// # Errors
    /// When signing fails, which it does not with a sound key.
    pub fn sign(&self, text: &str) -> anyhow::Result<String> {
        Ok(BASE64_URL_SAFE_NO_PAD.encode(self.sign_bytes(text.as_bytes())?))
    }
}

fn key_id(public: &RsaPublicKey) -> anyhow::Result<String> {
    let digest = Sha256::digest(public.to_public_key_der()?.as_bytes());
    Ok(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// SHA-256 of a public key, hexadecimal.
///
/// # Errors
/// When it is no public key.
pub fn fingerprint(pem: &str) -> anyhow::Result<String> {
    let public = RsaPublicKey::from_public_key_pem(pem).context("not a PEM public key")?;
    Ok(domain::fiscal::sha256_hex(public.to_public_key_der()?.as_bytes()))
}

/// Checks signatures with the public keys it was given.
#[derive(Clone, Default)]
pub struct Checker(HashMap<String, Arc<ParsedPublicKey>>);

impl Checker {
    /// Takes public keys as PEM, each under the id it has in the journal. What is no public key, or not the key that its id says, is left
    /// out: its records are then signed by an unknown key, and everything else can still be judged.
    #[must_use]
    pub fn new(pems: &[(String, String)]) -> Self {
        let readable = pems.iter().filter_map(|(id, pem)| read_public(pem).ok().filter(|(named, _)| named == id));
        Self(readable.collect())
    }

    /// Takes the one key of the auditor, whatever the database says.
    ///
    /// # Errors
    /// When it is not a public key.
    pub fn with_key(pem: &str) -> anyhow::Result<Self> {
        Ok(Self(HashMap::from([read_public(pem)?])))
    }

    /// Whether this key signed this text.
    #[must_use]
    pub fn check(&self, key_id: &str, signed: &[u8], signature: &str) -> SignatureCheck {
        let Some(key) = self.0.get(key_id) else { return SignatureCheck::UnknownKey };
        let valid = BASE64_URL_SAFE_NO_PAD.decode(signature).is_ok_and(|bytes| key.verify_sig(signed, &bytes).is_ok());
        if valid { SignatureCheck::Valid } else { SignatureCheck::Invalid }
    }
}

impl Keys for Checker {
    fn check(&self, key_id: &str, signed: &[u8], signature: &str) -> SignatureCheck {
        Self::check(self, key_id, signed, signature)
    }

    fn add(&mut self, pem: &str) {
        self.0.extend(read_public(pem).ok());
    }
}

/// The same limits as for a key that signs: one of fewer than 2048 bits proves nothing.
fn read_public(pem: &str) -> anyhow::Result<(String, Arc<ParsedPublicKey>)> {
    let public = RsaPublicKey::from_public_key_pem(pem).context("not a PEM public key")?;
    anyhow::ensure!(SIZES.contains(&public.size()), "not a public key of 2048 to 4096 bits");
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.to_pkcs1_der()?.as_bytes());
    Ok((key_id(&public)?, Arc::new(key.context("not a public key")?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
    use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier};

    #[test]
    fn rsa_makes_the_same_signatures() {
        for exponent in [65_537_u32, 3] {
            let key = RsaPrivateKey::new_with_exp(&mut OsRng, 2048, &exponent.into()).unwrap();
            let (ours, other) = (Signer::new(key.clone()).unwrap(), SigningKey::<Sha256>::new(key));
            let checker = Checker::new(&[(ours.key_id().to_owned(), ours.public_key_pem().to_owned())]);
            for text in ["", "F1,T,01,1", &"x".repeat(10_000)] {
                assert_eq!(ours.sign_bytes(text.as_bytes()).unwrap(), other.sign_with_rng(&mut OsRng, text.as_bytes()).to_vec());
                assert_eq!(checker.check(ours.key_id(), text.as_bytes(), &ours.sign(text).unwrap()), SignatureCheck::Valid);
            }
        }
    }

    #[test]
    fn a_key_that_proves_nothing_signs_nothing() {
        let short = RsaPrivateKey::new(&mut OsRng, 1024).unwrap();
        let pem = short.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
        assert!(Signer::new(short).err().unwrap().to_string().contains("2048"));
        assert!(Checker::with_key(&pem).err().unwrap().to_string().contains("2048"));
    }

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
    fn rsa_takes_the_same_signatures() {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::open(&folder.path().join("fiscal-key.pem"), true).unwrap();
        let checker = Checker::with_key(signer.public_key_pem()).unwrap();
        let other = VerifyingKey::<Sha256>::new(RsaPublicKey::from_public_key_pem(signer.public_key_pem()).unwrap());
        let both = |signature: &[u8]| {
            let ours = checker.check(signer.key_id(), b"F1,T,01", &BASE64_URL_SAFE_NO_PAD.encode(signature));
            let others = Signature::try_from(signature).is_ok_and(|signature| other.verify(b"F1,T,01", &signature).is_ok());
            (ours == SignatureCheck::Valid, others)
        };
        let signature = signer.sign_bytes(b"F1,T,01").unwrap();
        for place in 0..=signature.len() {
            let mut changed = signature.clone();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= 1;
            }
            let sound = place == signature.len();
            assert_eq!(both(&changed), (sound, sound), "{place}");
        }
        let longer = [&[0_u8][..], &signature[..]].concat();
        for odd in [&[][..], &signature[1..], &longer[..], &[0xff; 256][..], &[0; 256][..]] {
            assert_eq!(both(odd), (false, false), "{}", odd.len());
        }
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
