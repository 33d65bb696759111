//! A till on paper: it records what the real one would, signed by a key that is a word.

use domain::api::{Flaw, Method, VerifyReport};
use domain::fiscal::{
    CONTENT_VERSION, Chain, ChainEnd, ClosingContent, ClosingDetail, ClosingTotals, Correction, Counted, Draft, EventCode, EventContent,
    Fact, Head, Identity, LongClosingContent, LongKind, MoneyContent, MoneyKind, NoteContent, NoteLine, PrintContent, PrintMeans, Record,
    SharePart, SignatureCheck, TicketContent, TicketLine, TicketPayment, VatCents, Verifier, local_timestamp, sha256_hex,
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
    /// The word that signs.
    pub key: String,
    next_key: Option<String>,
    heads: BTreeMap<Chain, Head>,
    counted: Vec<(i64, Counted)>,
    closed_up_to: i64,
    closed_record: i64,
    z_number: i64,
    perpetual: (Cents, Cents),
}

impl Till {
    pub fn new(training: bool) -> Self {
        Self {
            training,
            records: Vec::new(),
            utc: datetime!(2026-02-14 18:30:00 UTC),
            key: KEY.to_owned(),
            next_key: None,
            heads: BTreeMap::new(),
            counted: Vec::new(),
            closed_up_to: 0,
            closed_record: 0,
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
        let signature = sign(&self.key, sealed.data_to_sign.as_bytes());
        *head = Head { last_seq: sealed.seq, last_signature: signature.clone(), last_hash: sealed.hash.clone() };
        let mut record = draft.into_record(sealed, signature, self.key.clone(), SOFTWARE.to_owned());
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
                discount: None,
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
                tip: Cents::ZERO,
                excess: Cents::ZERO,
            }],
            training: self.training,
            corrects: None,
            notes: Vec::new(),
            responsible: None,
        }
    }

    pub fn sell(&mut self, amounts: &[(VatRate, i64)], method: Method) {
        self.state(&self.ticket(amounts, method));
    }

    /// Seals a fact and remembers what it adds to the day.
    pub fn state(&mut self, fact: &impl Fact) {
        let draft = Draft::of(fact, self.local(), self.utc).unwrap();
        let (kind, text) = (draft.kind, draft.content.to_string());
        let id = self.append(draft).id;
        self.counted.extend(Counted::read(kind, &text).unwrap().map(|adds| (id, adds)));
    }

    pub fn event(&mut self, label: &str) {
        self.event_of(EventCode::Started, label);
    }

    /// Names the key that signs from the next record on.
    pub fn rotate(&mut self, next: &str) {
        self.next_key = Some(next.to_owned());
        self.event_of(EventCode::KeyRotated, "clé");
        self.next_key = None;
    }

    pub fn event_of(&mut self, code: EventCode, label: &str) {
        let details = self.next_key.iter().map(|key| ("new_key".to_owned(), key.clone())).collect();
        self.state(&EventContent {
            version: CONTENT_VERSION,
            software: SOFTWARE.to_owned(),
            register: "01".to_owned(),
            at_local: local_timestamp(self.local()),
            operator: String::new(),
            code,
            nf525_code: code.nf525(),
            label: label.to_owned(),
            details,
        });
    }

    /// A movement of money, in cash.
    pub fn money(&self, kind: MoneyKind, cents: i64) -> MoneyContent {
        MoneyContent {
            version: CONTENT_VERSION,
            software: SOFTWARE.to_owned(),
            register: "01".to_owned(),
            at_local: local_timestamp(self.local()),
            operator: "camille".to_owned(),
            kind,
            amount: Cents(cents),
            method: Method::Especes,
            to: None,
            ticket_no: None,
            reason: "banque".to_owned(),
            training: self.training,
        }
    }

    pub fn note(&self, cents: i64) -> NoteContent {
        NoteContent {
            version: CONTENT_VERSION,
            identity: identity(),
            software: SOFTWARE.to_owned(),
            note_no: self.last_seq(Chain::N.or_training(self.training)) + 1,
            register: "01".to_owned(),
            at_local: local_timestamp(self.local()),
            operator: "alice".to_owned(),
            table: "5".to_owned(),
            covers: 2,
            order_ref: "0194fdc2-0000-7000-8000-000000000005".to_owned(),
            replaces: None,
            lines: vec![NoteLine { name: "Magret".to_owned(), qty_thousandths: 1000, unit_price: Cents(cents), amount: Cents(cents) }],
            total: Cents(cents),
            training: self.training,
        }
    }

    pub fn print(&self, ticket_no: i64, print_no: u32) -> PrintContent {
        PrintContent {
            version: CONTENT_VERSION,
            software: SOFTWARE.to_owned(),
            register: "01".to_owned(),
            at_local: local_timestamp(self.local()),
            operator: "camille".to_owned(),
            of: Chain::of_tickets(self.training),
            seq: ticket_no,
            print_no,
            means: PrintMeans::Paper,
            training: self.training,
        }
    }

    /// A counter-entry.
    pub fn refund(&self, ticket_no: i64, cents: i64) -> TicketContent {
        let mut content = self.ticket(&[(VatRate::INTERMEDIATE_10, -cents)], Method::Especes);
        content.payments[0].tendered = None;
        content.payments[0].change = Cents::ZERO;
        content.corrects = Some(Correction { ticket_no, reason: "plat renvoyé".to_owned() });
        content
    }

    /// The Z of all tickets that no Z covers, up to the number `last`.
    pub fn z(&self, last: i64) -> ClosingContent {
        let tickets = Chain::of_tickets(self.training);
        let last_record = if last == self.last_seq(tickets) {
            self.records.len() as i64
        } else {
            self.records.iter().rfind(|record| record.chain == tickets && record.seq <= last).map_or(0, |record| record.id)
        };
        let mut totals = ClosingTotals::default();
        for (_, adds) in self.counted.iter().filter(|(id, _)| (self.closed_record + 1..=last_record).contains(id)) {
            totals.count(adds);
        }
        let others = self.heads.iter().filter(|(chain, _)| **chain != Chain::of_closings(self.training));
        let detail = ClosingDetail {
            first_record: self.closed_record + 1,
            last_record,
            chains: others
                .map(|(chain, head)| ChainEnd { chain: *chain, seq: head.last_seq, signature: head.last_signature.clone() })
                .collect(),
            ..ClosingDetail::summing(&totals)
        };
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
            detail: Some(detail),
        }
    }

    /// The month that sums the days that no month covers.
    pub fn month(&self, number: i64, zs: &[ClosingContent]) -> LongClosingContent {
        let mut sums = ClosingTotals::default();
        for z in zs {
            sums.add_closing(z.ticket_count, z.payment_count, &z.vat, z.total, &z.by_method);
        }
        LongClosingContent {
            version: CONTENT_VERSION,
            identity: identity(),
            software: SOFTWARE.to_owned(),
            kind: LongKind::Month,
            number,
            period: "2026-02".to_owned(),
            register: "01".to_owned(),
            closed_at_local: local_timestamp(self.local()),
            operator: String::new(),
            first: zs.first().map_or(0, |z| z.z_number),
            last: zs.last().map_or(0, |z| z.z_number),
            ticket_count: sums.ticket_count,
            payment_count: sums.payment_count,
            vat: sums.vat,
            total: sums.total,
            by_method: sums.by_method,
            perpetual_total: zs.last().map_or(Cents::ZERO, |z| z.perpetual_total),
            perpetual_absolute: zs.last().map_or(Cents::ZERO, |z| z.perpetual_absolute),
            training: self.training,
        }
    }

    /// Records a Z as it is, sound or not.
    pub fn record_z(&mut self, z: &ClosingContent) {
        self.append(Draft::of(z, self.local(), self.utc).unwrap());
        self.closed_up_to = z.last_ticket;
        self.closed_record = z.detail.as_ref().map_or(self.closed_record, |detail| detail.last_record);
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
