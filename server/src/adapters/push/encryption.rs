//! Message encryption for Web Push (RFC 8291) in the content coding `aes128gcm` (RFC 8188), one record a message.
//!
//! Our own, because it is a page long and can be held against the examples of both RFCs byte for byte. The crates that do it draw keys and salts
//! themselves, so that what they write can only be read back by themselves, and bring OpenSSL or a second family of ciphers along. The curve is
//! that of `p256`, so that the key of an example can be brought along; HKDF and AES-GCM are those of `aws-lc-rs`,
//! with which this binary speaks TLS anyway.

use anyhow::{anyhow, ensure};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};

/// The record size that the header names.
const RECORD: u32 = 4096;
/// The longest message, in bytes: with its header (16 bytes of salt, 4 of record size, 1 + 65 of key), its delimiter (1) and its tag (16) it fills
/// the 4096 bytes that every push service takes (RFC 8291, 4).
pub const LONGEST: usize = 4096 - (16 + 4 + 1 + 65) - 1 - 16;

/// The keys of a browser's subscription.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser {
    key: PublicKey,
    auth: [u8; 16],
}

impl Browser {
    /// `None` unless the key is a point of P-256, as 65 uncompressed bytes, and the secret 16 bytes.
    #[must_use]
    pub fn new(p256dh: &[u8], auth: &[u8]) -> Option<Self> {
        let key = PublicKey::from_sec1_bytes(p256dh).ok().filter(|_| p256dh.len() == 65)?;
        Some(Self { key, auth: auth.try_into().ok()? })
    }
}

/// They stay out of logs.
impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser(…)")
    }
}

/// Encrypts for a browser, with a key and a salt that are used for this message only.
///
/// # Errors
/// When the message is longer than [`LONGEST`].
pub fn encrypt(message: &[u8], browser: &Browser, once: &SecretKey, salt: [u8; 16]) -> anyhow::Result<Vec<u8>> {
    ensure!(message.len() <= LONGEST, "a message of {} bytes is too long to be pushed", message.len());
    let (ours, theirs) = (once.public_key().to_encoded_point(false), browser.key.to_encoded_point(false));
    let shared = p256::ecdh::diffie_hellman(once.to_nonzero_scalar(), browser.key.as_affine());
    let info = [b"WebPush: info\0".as_slice(), theirs.as_bytes(), ours.as_bytes()].concat();
    let input: [u8; 32] = derive(&browser.auth, shared.raw_secret_bytes(), &info)?;
    seal(message, &input, salt, ours.as_bytes())
}

/// A message of one record, with its header (RFC 8188, 2).
fn seal(message: &[u8], input: &[u8], salt: [u8; 16], key_id: &[u8]) -> anyhow::Result<Vec<u8>> {
    let key: [u8; 16] = derive(&salt, input, b"Content-Encoding: aes128gcm\0")?;
    // That of the first record, which is the only one.
    let nonce: [u8; 12] = derive(&salt, input, b"Content-Encoding: nonce\0")?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).map_err(|_| anyhow!("a key of another length"))?);
    // The delimiter of the last record, and no padding: how long the name of a dish is may be known.
    let mut record = [message, &[2]].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .map_err(|_| anyhow!("the message cannot be sealed"))?;
    Ok([&salt[..], &RECORD.to_be_bytes(), &[u8::try_from(key_id.len())?], key_id, &record].concat())
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF with SHA-256 (RFC 5869).
fn derive<const N: usize>(salt: &[u8], from: &[u8], info: &[u8]) -> anyhow::Result<[u8; N]> {
    let mut derived = [0; N];
    Salt::new(HKDF_SHA256, salt)
        .extract(from)
        .expand(&[info], Length(N))
        .and_then(|key| key.fill(&mut derived))
        .map_err(|_| anyhow!("a key of that length cannot be derived"))?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64.decode(text).expect("base64url")
    }

    fn array<const N: usize>(text: &str) -> [u8; N] {
        bytes(text).try_into().expect("as long as it should be")
    }

    // RFC 8291, section 5 and appendix A.
    const BROWSER: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const ONCE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";

    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_for_byte() {
        let browser = Browser::new(&bytes(BROWSER), &bytes(AUTH)).expect("keys");
        let once = SecretKey::from_slice(&bytes(ONCE)).expect("a key");
        let message = b"When I grow up, I want to be a watermelon";
        let body = encrypt(message, &browser, &once, array(SALT)).expect("a body");
        assert_eq!(
            BASE64.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn each_step_of_that_example_is_as_its_appendix_says() {
        let browser = Browser::new(&bytes(BROWSER), &bytes(AUTH)).expect("keys");
        let once = SecretKey::from_slice(&bytes(ONCE)).expect("a key");
        let shared = p256::ecdh::diffie_hellman(once.to_nonzero_scalar(), browser.key.as_affine());
        assert_eq!(BASE64.encode(shared.raw_secret_bytes()), "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let ours = once.public_key().to_encoded_point(false);
        let info = [b"WebPush: info\0".as_slice(), &bytes(BROWSER), ours.as_bytes()].concat();
        let input: [u8; 32] = derive(&bytes(AUTH), shared.raw_secret_bytes(), &info).expect("derived");
        assert_eq!(BASE64.encode(input), "S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg");
        let key: [u8; 16] = derive(&bytes(SALT), &input, b"Content-Encoding: aes128gcm\0").expect("derived");
        let nonce: [u8; 12] = derive(&bytes(SALT), &input, b"Content-Encoding: nonce\0").expect("derived");
        assert_eq!((BASE64.encode(key).as_str(), BASE64.encode(nonce).as_str()), ("oIhVW04MRdy2XN9CiKLxTg", "4h_95klXJ5E_qnoN"));
    }

    #[test]
    fn the_example_of_rfc_8188_comes_out_byte_for_byte() {
        // Section 3.1: a key that both sides know, and no name for it.
        let body = seal(b"I am the walrus", &bytes("yqdlZ-tYemfogSmv7Ws5PQ"), array("I1BsxtFttlv3u_Oo94xnmw"), b"").expect("a body");
        assert_eq!(BASE64.encode(body), "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
    }

    #[test]
    fn keys_that_are_none_are_refused_and_long_messages_too() {
        assert_eq!(Browser::new(&[4; 65], &[0; 16]), None, "not on the curve");
        assert_eq!(Browser::new(&bytes(BROWSER)[..64], &bytes(AUTH)), None);
        assert_eq!(Browser::new(&bytes(BROWSER), &[0; 15]), None);
        let browser = Browser::new(&bytes(BROWSER), &bytes(AUTH)).expect("keys");
        let compressed = browser.key.to_encoded_point(true);
        assert_eq!(Browser::new(compressed.as_bytes(), &bytes(AUTH)), None, "a browser gives both coordinates");
        let once = SecretKey::from_slice(&bytes(ONCE)).expect("a key");
        assert_eq!(encrypt(&[0; LONGEST], &browser, &once, [0; 16]).expect("a body").len(), 4096);
        assert!(encrypt(&[0; LONGEST + 1], &browser, &once, [0; 16]).is_err());
        assert!(!format!("{browser:?}").contains('4'), "and keys are not printed");
    }
}
