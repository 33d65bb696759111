//! What a printer says of itself when it is asked (`DLE EOT n`), and what keeps a paper from being printed.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What keeps a printer from printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// There is no paper.
    NoPaper,
    /// The cover is open.
    CoverOpen,
    /// The cutter is stuck.
    Cutter,
    /// It says that something else is wrong.
    Fault,
    /// It is switched to offline.
    Offline,
    /// No connection, no device.
    Unreachable,
    /// The line broke, or it stopped taking bytes.
    Interrupted,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 7] =
        [Self::NoPaper, Self::CoverOpen, Self::Cutter, Self::Fault, Self::Offline, Self::Unreachable, Self::Interrupted];

    /// Stable, English, snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPaper => "no_paper",
            Self::CoverOpen => "cover_open",
            Self::Cutter => "cutter",
            Self::Fault => "fault",
            Self::Offline => "offline",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
        }
    }

    /// What to do, in French.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoPaper => "L’imprimante n’a plus de papier : changez le rouleau.",
            Self::CoverOpen => "Le capot de l’imprimante est ouvert : refermez-le.",
            Self::Cutter => "Le massicot de l’imprimante est bloqué : éteignez-la et dégagez le papier.",
            Self::Fault => "L’imprimante signale une panne : éteignez-la et rallumez-la.",
            Self::Offline => "L’imprimante est hors ligne : appuyez sur son bouton.",
            Self::Unreachable => "L’imprimante ne répond pas : vérifiez qu’elle est allumée et branchée.",
            Self::Interrupted => "L’imprimante s’est arrêtée en route : regardez ce qui est sorti.",
        }
    }
}

impl FromStr for Trouble {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|trouble| trouble.as_str() == text).ok_or("unknown trouble")
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a printer says of itself. Nothing set: all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// It takes no data, whatever the reason.
    pub offline: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// There is no paper.
    pub paper_out: bool,
    /// The paper will soon be at its end.
    pub paper_low: bool,
    /// The cutter is stuck.
    pub cutter: bool,
    /// Another fault.
    pub fault: bool,
}

/// Bits that every answer has, and those that tell it from data.
const FRAME: u8 = 0x12;
const FRAME_MASK: u8 = 0x93;

impl Status {
    /// The questions that it is put together from.
    pub const QUESTIONS: [u8; 4] = [1, 2, 3, 4];

    /// Adds the answer to a question. False when it is none: printers also send status of their own accord.
    pub const fn hear(&mut self, question: u8, answer: u8) -> bool {
        if answer & FRAME_MASK != FRAME {
            return false;
        }
        match question {
            1 => self.offline = answer & 0x08 != 0,
            2 => {
                self.cover_open = answer & 0x04 != 0;
                self.paper_out |= answer & 0x20 != 0;
                self.fault |= answer & 0x40 != 0;
            }
            3 => {
                self.cutter = answer & 0x08 != 0;
                self.fault |= answer & 0x60 != 0;
            }
            4 => {
                self.paper_low = answer & 0x0c != 0;
                self.paper_out |= answer & 0x60 != 0;
            }
            _ => {}
        }
        true
    }

    /// The answer to a question, as a printer gives it.
    #[must_use]
    pub const fn answer(self, question: u8) -> u8 {
        const fn bit(set: bool, bit: u8) -> u8 {
            if set { bit } else { 0 }
        }
        FRAME
            | match question {
                1 => bit(self.offline, 0x08),
                2 => bit(self.cover_open, 0x04) | bit(self.paper_out, 0x20) | bit(self.fault, 0x40),
                3 => bit(self.cutter, 0x08) | bit(self.fault, 0x20),
                4 => bit(self.paper_low, 0x0c) | bit(self.paper_out, 0x60),
                _ => 0,
            }
    }

    /// What keeps it from printing; the most useful word when there are several.
    #[must_use]
    pub const fn trouble(self) -> Option<Trouble> {
        match self {
            Self { cover_open: true, .. } => Some(Trouble::CoverOpen),
            Self { paper_out: true, .. } => Some(Trouble::NoPaper),
            Self { cutter: true, .. } => Some(Trouble::Cutter),
            Self { fault: true, .. } => Some(Trouble::Fault),
            Self { offline: true, .. } => Some(Trouble::Offline),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ready_answers_of_real_printers_are_no_trouble() {
        for ready in [0x12, 0x16] {
            let mut status = Status::default();
            assert!(status.hear(1, ready));
            assert_eq!(status.trouble(), None);
        }
        let mut status = Status::default();
        assert!(status.hear(1, 0x1e) && status.hear(2, 0x36) && status.hear(4, 0x72));
        assert_eq!(status.trouble(), Some(Trouble::CoverOpen), "an open cover comes first: it also reads as no paper");
        assert!(!Status::default().hear(1, 0x0f) && !Status::default().hear(1, b'?'), "what is no answer is not believed");
        for trouble in Trouble::ALL {
            assert_eq!(trouble.as_str().parse(), Ok(trouble));
            assert_eq!(serde_json::to_value(trouble).unwrap(), trouble.as_str());
            assert!(trouble.sentence().ends_with('.'));
        }
    }

    proptest! {
        #[test]
        fn what_a_printer_answers_is_what_is_heard(bits in any::<[bool; 6]>()) {
            let [offline, cover_open, paper_out, paper_low, cutter, fault] = bits;
            let status = Status { offline, cover_open, paper_out, paper_low: paper_low || paper_out, cutter, fault };
            let mut heard = Status::default();
            for question in Status::QUESTIONS {
                prop_assert!(heard.hear(question, status.answer(question)));
            }
            heard.paper_low |= heard.paper_out;
            prop_assert_eq!(heard, status);
        }
    }
}
