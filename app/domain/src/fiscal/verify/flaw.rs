//! The names of what can be wrong. They are part of the outside contract: programs look at them.

/// What is wrong with a record, or with the numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawCode {
    /// Numbers of a chain are missing; the flaw is listed at the first of them.
    SeqGap,
    /// Numbers of the journal are missing; listed under chain `*` at the first of them.
    MasterGap,
    /// The end of a chain, or of the journal, is missing; listed at the number that was expected.
    LostTail,
    /// The last record of a chain is not the one that the journal remembers.
    HeadDiffers,
    /// A number that is not greater than the one before.
    OutOfOrder,
    /// A row that is no record.
    UnreadableRecord,
    /// The number of the row is not its number in the journal.
    IdDiffers,
    /// The clock went back by more than five minutes.
    ClockBackwards,
    /// The signed text is not the text of the fields.
    SignedTextDiffers,
    /// The hash is not that of the signed text.
    HashDiffers,
    /// The hash of the record before is another.
    PreviousHashDiffers,
    /// The signature of the record before is another.
    PreviousSignatureDiffers,
    /// The signature was not made over this text by this key.
    SignatureInvalid,
    /// The content is not the one whose digest was signed.
    ContentDigestDiffers,
    /// The signed fields say something else than the content.
    ContentFieldsDiffer,
    /// The content names another software than the record.
    SoftwareDiffers,
    /// Lines, VAT and payments of a ticket do not come to its total.
    TicketDoesNotAddUp,
    /// The range of a closing does not begin where the last one ended, or ends after the last ticket.
    ClosingRangeBroken,
    /// A closing is not the sum of its tickets.
    ClosingTotalsDiffer,
    /// A perpetual total is not the last one plus the day.
    ClosingPerpetualDiffers,
    /// A counter-entry, a transfer or an archive names something that is not there.
    ReferenceBroken,
    /// Prints of a ticket are not counted one by one.
    PrintCountBroken,
    /// A closing remembers another end of a chain than the journal has.
    ChainEndDiffers,
    /// An older canonical form or content after a newer one.
    VersionWentBack,
    /// A key signs that no record announced.
    KeyNotAnnounced,
    /// An anchor kept elsewhere names another record.
    AnchorDiffers,
    /// Undecided: the public key is not at hand.
    UnknownKey,
    /// Undecided: a canonical form of a later version.
    UnknownFormat,
    /// Undecided: a content that this version cannot read, though its digest holds.
    UnknownContent,
}

impl FlawCode {
    /// Stable, English, snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeqGap => "seq_gap",
            Self::MasterGap => "master_gap",
            Self::LostTail => "lost_tail",
            Self::HeadDiffers => "head_differs",
            Self::OutOfOrder => "out_of_order",
            Self::UnreadableRecord => "unreadable_record",
            Self::IdDiffers => "id_differs",
            Self::ClockBackwards => "clock_backwards",
            Self::SignedTextDiffers => "signed_text_differs",
            Self::HashDiffers => "hash_differs",
            Self::PreviousHashDiffers => "previous_hash_differs",
            Self::PreviousSignatureDiffers => "previous_signature_differs",
            Self::SignatureInvalid => "signature_invalid",
            Self::ContentDigestDiffers => "content_digest_differs",
            Self::ContentFieldsDiffer => "content_fields_differ",
            Self::SoftwareDiffers => "software_differs",
            Self::TicketDoesNotAddUp => "ticket_does_not_add_up",
            Self::ClosingRangeBroken => "closing_range_broken",
            Self::ClosingTotalsDiffer => "closing_totals_differ",
            Self::ClosingPerpetualDiffers => "closing_perpetual_differs",
            Self::ReferenceBroken => "reference_broken",
            Self::PrintCountBroken => "print_count_broken",
            Self::ChainEndDiffers => "chain_end_differs",
            Self::VersionWentBack => "version_went_back",
            Self::KeyNotAnnounced => "key_not_announced",
            Self::AnchorDiffers => "anchor_differs",
            Self::UnknownKey => "unknown_key",
            Self::UnknownFormat => "unknown_format",
            Self::UnknownContent => "unknown_content",
        }
    }

    /// Proves nothing either way.
    #[must_use]
    pub const fn is_undecided(self) -> bool {
        matches!(self, Self::UnknownKey | Self::UnknownFormat | Self::UnknownContent)
    }
}
