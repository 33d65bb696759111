//! Who sells, as every ticket says it (CGI art. 242 nonies A and the decree on notes: name, address, SIRET, NAF, VAT number).

use serde::{Deserialize, Serialize};

/// What fits on the narrowest paper beside nothing else.
const LONGEST: usize = 48;
/// Lines of an address.
const MOST_LINES: usize = 6;

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The name on the door.
    pub name: String,
    /// Address, line by line.
    pub address: Vec<String>,
    /// SIRET number.
    pub siret: String,
    /// NAF code.
    pub naf: String,
    /// Intra-community VAT number.
    pub vat_no: String,
}

/// What is wrong with an [`Identity`], in words for whoever wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentity {
    /// `name`.
    #[error("name: one line of 1 to 48 characters that can be printed")]
    Name,
    /// `address`.
    #[error("address: one to six lines of 1 to 48 characters that can be printed")]
    Address,
    /// `siret`.
    #[error("siret: fourteen digits whose last one checks the others")]
    Siret,
    /// `naf`.
    #[error("naf: four digits and a letter, such as 5610A")]
    Naf,
    /// `vat_no`.
    #[error("vat_no: FR, two characters, and the first nine digits of the SIRET; or empty, for whoever is not liable to VAT")]
    VatNo,
}

impl Identity {
    /// Whether it can stand on a ticket.
    ///
    /// # Errors
    /// The first field that cannot.
    pub fn check(&self) -> Result<(), NotAnIdentity> {
        let is_line =
            |text: &String| text.trim() == text && (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if !is_line(&self.name) {
            return Err(NotAnIdentity::Name);
        }
        if !(1..=MOST_LINES).contains(&self.address.len()) || !self.address.iter().all(is_line) {
            return Err(NotAnIdentity::Address);
        }
        let siren = siren(&self.siret).ok_or(NotAnIdentity::Siret)?;
        let naf: Vec<char> = self.naf.chars().collect();
        if !matches!(naf.as_slice(), [a, b, c, d, letter] if [a, b, c, d].iter().all(|c| c.is_ascii_digit()) && letter.is_ascii_uppercase())
        {
            return Err(NotAnIdentity::Naf);
        }
        let key = self.vat_no.strip_prefix("FR").and_then(|rest| rest.strip_suffix(siren));
        let is_key = |key: &str| key.len() == 2 && key.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
        if self.vat_no.is_empty() || key.is_some_and(is_key) { Ok(()) } else { Err(NotAnIdentity::VatNo) }
    }
}

/// The first nine digits of a SIRET number whose check digit is right (ISO/IEC 7812). Those of La Poste follow another rule.
fn siren(siret: &str) -> Option<&str> {
    const LA_POSTE: &str = "356000000";
    if siret.len() != 14 || !siret.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = || siret.bytes().map(|byte| u32::from(byte - b'0'));
    let luhn: u32 = digits().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { 2 * digit / 10 + 2 * digit % 10 } else { digit }).sum();
    let siren = siret.get(..9)?;
    let holds = luhn.is_multiple_of(10) || (siren == LA_POSTE && digits().sum::<u32>().is_multiple_of(5));
    holds.then_some(siren)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn house() -> Identity {
        Identity {
            name: "Chez Léon".to_owned(),
            address: vec!["3 place du Marché".to_owned(), "69001 Lyon".to_owned()],
            siret: "73282932000074".to_owned(),
            naf: "5610A".to_owned(),
            vat_no: "FR44732829320".to_owned(),
        }
    }

    #[test]
    fn what_can_stand_on_a_ticket_does() {
        assert_eq!(house().check(), Ok(()));
        assert_eq!(Identity { vat_no: String::new(), ..house() }.check(), Ok(()));
        assert_eq!(Identity { siret: "35600000000048".to_owned(), vat_no: String::new(), ..house() }.check(), Ok(()), "La Poste");
    }

    #[test]
    fn what_cannot_is_named() {
        for (wrong, field) in [
            (Identity { name: " ".to_owned(), ..house() }, NotAnIdentity::Name),
            (Identity { name: "x".repeat(49), ..house() }, NotAnIdentity::Name),
            (Identity { address: Vec::new(), ..house() }, NotAnIdentity::Address),
            (Identity { address: vec!["a\nb".to_owned()], ..house() }, NotAnIdentity::Address),
            (Identity { siret: "73282932000075".to_owned(), ..house() }, NotAnIdentity::Siret),
            (Identity { siret: "732829320".to_owned(), ..house() }, NotAnIdentity::Siret),
            (Identity { naf: "5610".to_owned(), ..house() }, NotAnIdentity::Naf),
            (Identity { vat_no: "FR44732829321".to_owned(), ..house() }, NotAnIdentity::VatNo),
            (Identity { vat_no: "44732829320".to_owned(), ..house() }, NotAnIdentity::VatNo),
        ] {
            assert_eq!(wrong.check(), Err(field));
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_seen(at in 0_usize..14, by in 1_u8..10) {
            let mut digits = house().siret.into_bytes();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            let siret = String::from_utf8(digits).unwrap();
            prop_assert_eq!(Identity { siret, ..house() }.check(), Err(NotAnIdentity::Siret));
        }
    }
}
