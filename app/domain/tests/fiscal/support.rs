//! A till on paper: it records what the real one would, signed by a key that is a word.

use domain::api::{Flaw, Method, VerifyReport};
use domain::fiscal::{
    CONTENT_VERSION, Chain, ClosingContent, ClosingTotals, Draft, Head, Identity, Record, RecordKind, SharePart, SignatureCheck,
    TicketContent, TicketLine, TicketPayment, VatCents, Verifier, local_timestamp, sha256_hex,
};
use domain::{Cents, VatRate};
use std::collections::BTreeMap;
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

pub const SOFTWARE: &str = "Comptoir 0.1.0";
pub const KEY: &str = "K1";

pub fn identity() -> Identity {
    Identity {
        name: "Le Comptoir".to_owned(),
        address: vec!["12 rue des Halles".to_owned(), "75001 Paris".to_owned()],
        siret: "123 456 789 00012".to_owned(),
        naf: "56.10A".to_owned(),
        vat_no: "FR32123456789".to_owned(),
    }
}

/// As good as RSA for a test: nobody makes it without the word.
pub fn sign(word: &str, text: &[u8]) -> String {
    sha256_hex(&[word.as_bytes(), text].concat())
}

pub fn check(key_id: &str, signed: &[u8], signature: &str) -> SignatureCheck {
    match (key_id == KEY, signature == sign(KEY, signed)) {
        (false, _) => SignatureCheck::UnknownKey,
        (true, true) => SignatureCheck::Valid,
        (true, false) => SignatureCheck::Invalid,
    }
}

pub struct Till {
    pub training: bool,
    pub records: Vec<Record>,
    pub utc: OffsetDateTime,
    heads: BTreeMap<Chain, Head>,
    tickets: Vec<TicketContent>,
    closed_up_to: i64,
    z_number: i64,
    perpetual: (Cents, Cents),
}

impl Till {
    pub fn new(training: bool) -> Self {
        Self {
            training,
            records: Vec::new(),
            utc: datetime!(2026-02-14 18:30:00 UTC),
            heads: BTreeMap::new(),
            tickets: Vec::new(),
            closed_up_to: 0,
            z_number: 0,
            perpetual: (Cents::ZERO, Cents::ZERO),
        }
    }

    pub fn local(&self) -> PrimitiveDateTime {
        let paris = self.utc.to_offset(UtcOffset::from_hms(1, 0, 0).unwrap());
        PrimitiveDateTime::new(paris.date(), paris.time())
    }

    pub fn last_seq(&self, chain: Chain) -> i64 {
        self.heads.get(&chain).map_or(0, |head| head.last_seq)
    }

    /// Seals, signs and stores.
    pub fn append(&mut self, draft: Draft) -> &Record {
        let head = self.heads.entry(draft.chain).or_insert_with(Head::genesis);
        let sealed = draft.seal(head).unwrap();
        let signature = sign(KEY, sealed.data_to_sign.as_bytes());
        *head = Head { last_seq: sealed.seq, last_signature: signature.clone(), last_hash: sealed.hash.clone() };
        let mut record = draft.into_record(sealed, signature, KEY.to_owned(), SOFTWARE.to_owned());
        record.id = self.records.len() as i64 + 1;
        record.master_seq = record.id;
        self.records.push(record);
        self.utc += Duration::minutes(3);
        self.records.last().unwrap()
    }

    /// A ticket with a line per amount.
    pub fn ticket(&self, amounts: &[(VatRate, i64)], method: Method) -> TicketContent {
        let lines: Vec<TicketLine> = amounts
            .iter()
            .map(|(rate, cents)| TicketLine {
                name: if *rate == VatRate::STANDARD_20 { "Cahors 2018" } else { "Magret de canard" }.to_owned(),
                qty_thousandths: 1000,
                unit_price: Cents(*cents),
                amount: Cents(*cents),
                rate: *rate,
            })
            .collect();
        let total = lines.iter().map(|line| line.amount).sum();
        TicketContent {
            version: CONTENT_VERSION,
            identity: identity(),
            software: SOFTWARE.to_owned(),
            ticket_no: self.last_seq(Chain::of_tickets(self.training)) + 1,
            register: "01".to_owned(),
            table: "5".to_owned(),
            covers: 4,
            share: Some(SharePart { number: 1, of: 4 }),
            operator: "camille".to_owned(),
            order_ref: "0194fdc2-0000-7000-8000-000000000005".to_owned(),
            issued_at_local: local_timestamp(self.local()),
            vat: VatCents::breakdown(lines.iter().map(|line| (line.rate, line.amount))),
            lines,
            total,
            payments: vec![TicketPayment {
                method,
                amount: total,
                tendered: Some(total + Cents(450)),
                change: Cents(450),
                approval_code: None,
            }],
            training: self.training,
        }
    }

    pub fn sell(&mut self, amounts: &[(VatRate, i64)], method: Method) {
        let content = self.ticket(amounts, method);
        self.append(Draft::ticket(&content, self.local(), self.utc).unwrap());
        self.tickets.push(content);
    }

    pub fn event(&mut self, label: &str) {
        let draft = Draft {
            chain: Chain::J,
            register: "01".to_owned(),
            kind: RecordKind::TechnicalEvent,
            local: self.local(),
            utc: self.utc,
            vat: Vec::new(),
            total: Cents::ZERO,
            extra: vec!["START".to_owned()],
            content: serde_json::json!({"version": 1, "software": SOFTWARE, "label": label}),
        };
        self.append(draft);
    }

    /// The Z of all tickets that no Z covers, up to the number `last`.
    pub fn z(&self, last: i64) -> ClosingContent {
        let mut totals = ClosingTotals::default();
        totals.extend(self.tickets.iter().filter(|ticket| (self.closed_up_to + 1..=last).contains(&ticket.ticket_no)));
        ClosingContent {
            version: CONTENT_VERSION,
            identity: identity(),
            software: SOFTWARE.to_owned(),
            z_number: self.z_number + 1,
            register: "01".to_owned(),
            service_day: date!(2026 - 02 - 14),
            opened_at_local: "20260214193000".to_owned(),
            closed_at_local: local_timestamp(self.local()),
            operator: "camille".to_owned(),
            first_ticket: self.closed_up_to + 1,
            last_ticket: last,
            ticket_count: totals.ticket_count,
            payment_count: totals.payment_count,
            vat: totals.vat,
            total: totals.total,
            by_method: totals.by_method,
            perpetual_total: self.perpetual.0 + totals.total,
            perpetual_absolute: self.perpetual.1 + totals.absolute,
            training: self.training,
        }
    }

    /// Records a Z as it is, sound or not.
    pub fn record_z(&mut self, z: &ClosingContent) {
        self.append(Draft::closing(z, self.local(), self.utc).unwrap());
        self.closed_up_to = z.last_ticket;
        self.z_number = z.z_number;
        self.perpetual = (z.perpetual_total, z.perpetual_absolute);
    }

    pub fn close(&mut self) {
        self.record_z(&self.z(self.last_seq(Chain::of_tickets(self.training))));
    }

    /// What the journal remembers of its ends.
    pub fn heads(&self) -> Vec<(String, Chain, Head)> {
        self.heads.iter().map(|(chain, head)| ("01".to_owned(), *chain, head.clone())).collect()
    }

    /// Verifies `records` against what this till remembers.
    pub fn verify(&self, records: &[Record]) -> VerifyReport {
        let mut verifier = Verifier::new(&check);
        records.iter().for_each(|record| verifier.feed(record));
        verifier.finish(&self.heads(), Some(self.records.len() as i64))
    }
}

/// Each flaw as `chain seq code`.
pub fn codes(flaws: &[Flaw]) -> Vec<String> {
    flaws.iter().map(|flaw| format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)).collect()
}
