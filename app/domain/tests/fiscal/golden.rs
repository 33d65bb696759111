//! What was signed once must be rebuilt to the byte for as long as records are kept: a ticket and a Z of version 1, and one record of every kind of
//! version 2, frozen.
//!
//! A change here is a change of the canonical form: it needs a new format, not a new expectation. Version 1 was checked with an independent
//! SHA-256 over the frozen texts; version 2 is computed by `golden/vectors.py`, which shares nothing with this crate.

use crate::support::{Till, codes};
use domain::api::Method;
use domain::fiscal::{
    ArchiveContent, ByMethodCents, CORE_VERSION, Chain, ClosingContent, Draft, EventContent, FORMAT, Fact, Head, LongClosingContent,
    MoneyContent, NoteContent, PrintContent, Record, RecordKind, SignatureCheck, TicketContent, VatCents, Verifier,
};
use domain::{Cents, VatRate};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use time::macros::datetime;

/// Ticket 1057, the first share of four of table 5.
fn ticket_draft() -> (TicketContent, Draft, Head) {
    let till = Till::new(false);
    let mut content = till.ticket(&[(VatRate::INTERMEDIATE_10, 2400), (VatRate::STANDARD_20, 700)], Method::Especes);
    content.version = 1;
    content.ticket_no = 1057;
    content.issued_at_local = "20260214213045".to_owned();
    content.lines[1].qty_thousandths = 250;
    content.lines[1].unit_price = Cents(2800);
    let draft = Draft::of(&content, datetime!(2026-02-14 21:30:45), datetime!(2026-02-14 20:30:45 UTC)).unwrap();
    let head = Head { last_seq: 1056, last_signature: "kX3-previous_signature-Aw".to_owned(), last_hash: "ab".repeat(32) };
    (content, draft, head)
}

/// Z 27: the reference day, 42 payments, 318.82 at 20 % and 2337.98 at 10 %.
fn closing_draft() -> (ClosingContent, Draft) {
    let mut content = Till::new(false).z(0);
    (content.version, content.detail) = (1, None);
    content.z_number = 27;
    content.closed_at_local = "20260215012233".to_owned();
    (content.first_ticket, content.last_ticket, content.ticket_count, content.payment_count) = (1016, 1057, 42, 42);
    content.vat = VatCents::breakdown([(VatRate::STANDARD_20, Cents(31_882)), (VatRate::INTERMEDIATE_10, Cents(233_798))]);
    content.total = Cents(265_680);
    content.by_method = ByMethodCents { cb: Cents(184_530), especes: Cents(68_750), tr: Cents(12_400), cheque: Cents::ZERO };
    (content.perpetual_total, content.perpetual_absolute) = (Cents(123_456_789), Cents(123_556_789));
    let draft = Draft::of(&content, datetime!(2026-02-15 01:22:33), datetime!(2026-02-15 00:22:33 UTC)).unwrap();
    (content, draft)
}

#[test]
fn the_signed_text_of_a_ticket_is_frozen() {
    let (_, draft, head) = ticket_draft();
    let sealed = draft.seal(&head).unwrap();
    assert_eq!(sealed.content_text, include_str!("golden/ticket.json").trim_end());
    assert_eq!(
        sealed.data_to_sign,
        "F1,T,01,1057,TICKET,20260214213045,20260214T203045Z,1000:2400|2000:700,3100,\
         4bea30b234f6c21b87356463fad990c67566c265997626ba0cc976e290a85a9b,O,kX3-previous_signature-Aw"
    );
    assert_eq!(sealed.hash, "7ee27edbed1c7a0511b7ae900414a10d36d6348793830522cee30125feda54d3");
    assert_eq!((sealed.seq, sealed.hash_previous), (1057, "ab".repeat(32)));
    assert_eq!((FORMAT, CORE_VERSION), ("F1", "2.2"));
}

#[test]
fn the_signed_text_of_a_closing_is_frozen() {
    let (_, draft) = closing_draft();
    let sealed = draft.seal(&Head::genesis()).unwrap();
    assert_eq!(sealed.content_text, include_str!("golden/closing.json").trim_end());
    assert_eq!(
        sealed.data_to_sign,
        "F1,G,01,1,CLOSURE_Z,20260215012233,20260215T002233Z,1000:233798|2000:31882,265680,\
         123456789,123556789,20260214193000|20260215012233,T:1016-1057,\
         e69e09b1bc208f395ba9a8ef31cf310f47340bc877ffa4c59c3bb68700dcc13c,N,"
    );
    assert_eq!(sealed.hash, "726d5f0abc752d9a7dab5200c72d553332dbd69e2e7330ee3b5a0aea2f555946");
    assert_eq!(sealed.hash_previous, "0".repeat(64));
}

#[test]
fn a_stored_record_is_read_back_from_its_archive() {
    let (_, draft, head) = ticket_draft();
    let sealed = draft.seal(&head).unwrap();
    let record = draft.into_record(sealed, "c2ln".to_owned(), "K1".to_owned(), "Comptoir 0.1.0".to_owned());
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!((&json["chain"], &json["kind"], &json["utc"]), (&"T".into(), &"TICKET".into(), &"2026-02-14T20:30:45Z".into()));
    assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
}

#[test]
fn the_reference_day_closes_as_the_sum_of_its_ticket() {
    let mut till = Till::new(false);
    till.sell(&[(VatRate::STANDARD_20, 31_882), (VatRate::INTERMEDIATE_10, 233_798)], Method::Cb);
    let z = till.z(till.last_seq(Chain::T));
    let summary = z.summary();
    assert_eq!((summary.total_ttc, summary.total_tva, summary.count), (Cents(265_680), Cents(26_568), 1));
    assert_eq!((summary.by_method.cb, summary.perpetual_total), (Cents(265_680), Cents(265_680)));
    till.record_z(&z);
    assert_eq!(codes(&till.verify(&till.records).flaws), [""; 0]);
}

#[test]
fn a_z_is_to_the_cent_the_sum_of_its_tickets_and_not_the_tax_of_their_sum() {
    let mut till = Till::new(false);
    // 0.05 at 10 % holds 0.0045 of tax: nothing on each ticket, so nothing on the Z, though the tax in 0.50 would be 0.05.
    for _ in 0..10 {
        till.sell(&[(VatRate::INTERMEDIATE_10, 5)], Method::Cb);
    }
    let z = till.z(10);
    assert_eq!((z.vat[0].gross, z.vat[0].vat), (Cents(50), Cents::ZERO));
    assert_eq!(VatCents::breakdown([(VatRate::INTERMEDIATE_10, Cents(50))])[0].vat, Cents(5));
}

/// A record as the script computed it.
#[derive(Deserialize)]
struct Vector {
    kind: RecordKind,
    chain: Chain,
    seq: i64,
    previous_signature: String,
    content: String,
    data_to_sign: String,
    hash: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("golden/version2.json")).unwrap()
}

/// What this crate reads out of the content, and would sign.
fn rebuilt(vector: &Vector) -> Record {
    fn draft<T: Fact + DeserializeOwned>(text: &str) -> Draft {
        let content: T = serde_json::from_str(text).unwrap();
        Draft::of(&content, datetime!(2026-02-14 21:30:45), datetime!(2026-02-14 20:30:45 UTC)).unwrap()
    }
    let draft = match vector.kind {
        RecordKind::Sale | RecordKind::Refund => draft::<TicketContent>,
        RecordKind::Note => draft::<NoteContent>,
        RecordKind::Original | RecordKind::Duplicate => draft::<PrintContent>,
        RecordKind::Float | RecordKind::CashIn | RecordKind::CashOut | RecordKind::CashCount | RecordKind::Tip | RecordKind::Transfer => {
            draft::<MoneyContent>
        }
        RecordKind::ClosureZ => draft::<ClosingContent>,
        RecordKind::ClosureMonth | RecordKind::ClosureYear => draft::<LongClosingContent>,
        RecordKind::TechnicalEvent => draft::<EventContent>,
        RecordKind::Archive => draft::<ArchiveContent>,
    }(&vector.content);
    let head = Head { last_seq: vector.seq - 1, last_signature: vector.previous_signature.clone(), ..Head::genesis() };
    let sealed = draft.seal(&head).unwrap();
    draft.into_record(sealed, "c2ln".to_owned(), "K1".to_owned(), "Comptoir 0.1.0".to_owned())
}

#[test]
fn every_kind_of_record_of_version_2_is_frozen() {
    let vectors = vectors();
    let kinds: BTreeSet<&str> = vectors.iter().map(|vector| vector.kind.as_str()).collect();
    assert_eq!(kinds, RecordKind::ALL.iter().map(|kind| kind.as_str()).collect(), "every kind has its vector");
    assert_eq!(vectors.iter().map(|vector| vector.chain).collect::<BTreeSet<_>>(), Chain::ALL.into_iter().collect());
    for vector in &vectors {
        let record = rebuilt(vector);
        let what = format!("{} {}", vector.chain, vector.seq);
        assert_eq!((record.kind, record.chain, record.seq), (vector.kind, vector.chain, vector.seq), "{what}");
        assert_eq!(record.content_text, vector.content, "{what}");
        assert_eq!(record.data_to_sign, vector.data_to_sign, "{what}");
        assert_eq!(record.hash_current, vector.hash, "{what}");
    }
}

/// Each alone: what it says of itself holds. What needs its neighbours (ranges, sums, counts) is told apart by its code.
#[test]
fn every_frozen_record_holds_by_itself() {
    let trusting = |_: &str, _: &[u8], _: &str| SignatureCheck::Valid;
    for (number, vector) in (50..).zip(&vectors()) {
        let record = Record { id: number, master_seq: number, ..rebuilt(vector) };
        let mut verifier = Verifier::from_the_middle(&trusting, number);
        verifier.feed(&record);
        let flaws = verifier.finish(&[], None).flaws;
        let alone: Vec<_> = flaws.iter().filter(|flaw| !flaw.code.starts_with("closing_")).collect();
        assert!(alone.is_empty(), "{} {}: {alone:?}", vector.chain, vector.seq);
        // And a letter of the content that changes is noticed.
        let changed = Record { content_text: record.content_text.replacen("Comptoir", "Comptoit", 1), ..record };
        let mut verifier = Verifier::from_the_middle(&trusting, number);
        verifier.feed(&changed);
        assert!(verifier.finish(&[], None).flaws.iter().any(|flaw| flaw.code == "content_digest_differs"));
    }
}
