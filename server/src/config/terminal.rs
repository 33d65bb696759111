//! `TPE_URL`: the card terminal, and how to speak to it.

use super::{ConfigError, refuse};
use domain::terminal::Till;
use domain::terminal::caisse_ap::Dialect;
use domain::terminal::concert::Speech;
use std::time::Duration;

/// What `TPE_URL` may be.
const ACCEPTED: &str = "give simulator:, none, caisse-ap://HOST:8888?till=01&version=0300&timeout_s=240 or \
                        concert:///dev/ttyACM0?baud=9600&framing=8n1&timeout_s=240";
/// The port of Caisse-AP.
const PORT: u16 = 8888;
/// How long a guest may take, in seconds. Longer than any terminal waits itself: giving up early creates unknown payments.
const PATIENCE: u64 = 240;
/// How long a terminal that was given up is listened to, in seconds. Until then nobody can say that it took nothing.
const LATE: u64 = 120;
/// The longest of either that can be asked for.
const MOST_PATIENCE: u64 = 900;

/// The card terminal that `TPE_URL` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terminal {
    /// `simulator:`: no money moves.
    Simulator,
    /// `none`: a terminal of its own; the cashier types the approval code.
    Manual,
    /// `caisse-ap://`: over TCP.
    CaisseAp(CaisseApLine),
    /// `concert://`: on a serial line.
    Concert(ConcertLine),
}

impl Terminal {
    /// What it is, without where it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Manual => "none",
            Self::CaisseAp(_) => "caisse-ap",
            Self::Concert(_) => "concert",
        }
    }
}

/// How to reach a terminal over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaisseApLine {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The number under which it knows this till: `till=01`.
    pub till: Till,
    /// `version=0300`, and `maker=`, the number that the Association du Paiement gives.
    pub dialect: Dialect,
    /// How long a guest may take: `timeout_s=240`.
    pub patience: Duration,
    /// How long the terminal is listened to after that: `late_s=120`.
    pub late: Duration,
}

/// How to reach a terminal on a serial line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcertLine {
    /// The device.
    pub path: String,
    /// `baud=9600`.
    pub baud: u32,
    /// `framing=7e1` or `framing=8n1`.
    pub framing: Framing,
    /// What is said inside a frame: fixed fields, or with `version=0300` (and `maker=`) the tagged text of Caisse-AP.
    pub speech: Speech,
    /// The number under which it knows this till: `till=01`.
    pub till: Till,
    /// How long a guest may take: `timeout_s=240`.
    pub patience: Duration,
    /// How long the terminal is listened to after that: `late_s=120`.
    pub late: Duration,
}

/// Bits of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Seven, even parity, one stop bit: native serial ports.
    SevenEven,
    /// Eight, no parity, one stop bit: USB.
    EightNone,
}

impl std::str::FromStr for Framing {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "7e1" => Ok(Self::SevenEven),
            "8n1" => Ok(Self::EightNone),
            _ => Err(()),
        }
    }
}

/// Reads `TPE_URL`.
pub(super) fn parse_terminal(url: &str) -> Result<Terminal, ConfigError> {
    let refused = || refuse("TPE_URL", ACCEPTED);
    match url {
        "simulator:" => return Ok(Terminal::Simulator),
        "none" => return Ok(Terminal::Manual),
        _ => {}
    }
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut settings = Settings::read(query).ok_or_else(refused)?;
    let terminal = match place.split_once("://") {
        Some(("caisse-ap", address)) => caisse_ap(address, &mut settings).map(Terminal::CaisseAp),
        Some(("concert", path)) => concert(path, &mut settings).map(Terminal::Concert),
        _ => None,
    };
    terminal.filter(|_| settings.is_empty()).ok_or_else(refused)
}

fn caisse_ap(address: &str, settings: &mut Settings<'_>) -> Option<CaisseApLine> {
    let (host, port) = host_and_port(address, PORT)?;
    let version = settings.take("version").unwrap_or("0300");
    Some(CaisseApLine {
        host,
        port,
        dialect: settings.dialect(version)?,
        till: settings.till()?,
        patience: settings.patience()?,
        late: settings.late()?,
    })
}

fn concert(path: &str, settings: &mut Settings<'_>) -> Option<ConcertLine> {
    let on_usb = path.contains("ACM");
    let usual = if on_usb { Framing::EightNone } else { Framing::SevenEven };
    if !path.starts_with('/') {
        return None;
    }
    Some(ConcertLine {
        path: path.to_owned(),
        baud: settings.take("baud").map_or(Some(9600), |text| text.parse().ok().filter(|baud| (1200..=115_200).contains(baud)))?,
        framing: settings.take("framing").map_or(Some(usual), |text| text.parse().ok())?,
        speech: match settings.take("version") {
            Some(version) => Speech::Tagged(settings.dialect(version)?),
            None => Speech::Fixed,
        },
        till: settings.till()?,
        patience: settings.patience()?,
        late: settings.late()?,
    })
}

/// `HOST`, `HOST:PORT` or `[IPV6]:PORT`.
pub(super) fn host_and_port(address: &str, usual: u16) -> Option<(String, u16)> {
    let address = address.trim_end_matches('/');
    let (host, port) = match address.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']')?;
            let port = if rest.is_empty() { usual } else { rest.strip_prefix(':')?.parse().ok()? };
            (host, port)
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (address, usual),
        },
    };
    let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    (!host.is_empty() && plain && port != 0).then(|| (host.to_owned(), port))
}

/// `name=value` pairs, taken one by one.
pub(super) struct Settings<'q>(Vec<(&'q str, &'q str)>);

impl<'q> Settings<'q> {
    pub(super) fn read(query: &'q str) -> Option<Self> {
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=')).collect::<Option<_>>().map(Self)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'q str> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Whether every one was taken: one that nobody reads is a mistake that would be found out in the middle of a service.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn till(&mut self) -> Option<Till> {
        self.take("till").map_or(Some(Till::FIRST), |text| text.parse().ok())
    }

    fn patience(&mut self) -> Option<Duration> {
        let seconds = self.take("timeout_s").map_or(Some(PATIENCE), |text| text.parse().ok())?;
        (1..=MOST_PATIENCE).contains(&seconds).then(|| Duration::from_secs(seconds))
    }

    fn late(&mut self) -> Option<Duration> {
        let seconds = self.take("late_s").map_or(Some(LATE), |text| text.parse().ok())?;
        (0..=MOST_PATIENCE).contains(&seconds).then(|| Duration::from_secs(seconds))
    }

    fn dialect(&mut self, version: &str) -> Option<Dialect> {
        let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        let maker = self.take("maker").map_or_else(|| Dialect::default().maker, str::to_owned);
        (digits(version, 4) && digits(&maker, 12)).then(|| Dialect { version: version.to_owned(), maker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_named_as_in_the_contract() {
        let Ok(Terminal::CaisseAp(line)) = parse_terminal("caisse-ap://10.0.0.9:8888?till=02&version=0310&timeout_s=90") else { panic!() };
        assert_eq!((line.host.as_str(), line.port, line.till.to_string().as_str()), ("10.0.0.9", 8888, "02"));
        assert_eq!((line.dialect.version.as_str(), line.patience.as_secs()), ("0310", 90));
        let Ok(Terminal::CaisseAp(line)) = parse_terminal("caisse-ap://[fe80::1]") else { panic!() };
        assert_eq!((line.host.as_str(), line.port, line.patience.as_secs()), ("fe80::1", 8888, 240));
        let Ok(Terminal::Concert(line)) = parse_terminal("concert:///dev/ttyACM0?baud=19200") else { panic!() };
        assert_eq!((line.path.as_str(), line.baud, line.framing), ("/dev/ttyACM0", 19_200, Framing::EightNone));
        let Ok(Terminal::Concert(line)) = parse_terminal("concert:///dev/ttyS0?framing=8n1") else { panic!() };
        assert_eq!(line.framing, Framing::EightNone);
        let Ok(Terminal::Concert(line)) = parse_terminal("concert:///dev/ttyUSB0") else { panic!() };
        assert_eq!((line.framing, line.speech), (Framing::SevenEven, Speech::Fixed), "native ports");
        let Ok(Terminal::Concert(line)) = parse_terminal("concert:///dev/ttyACM0?version=0320&late_s=0") else { panic!() };
        let Speech::Tagged(dialect) = line.speech else { panic!() };
        assert_eq!((dialect.version.as_str(), line.late.as_secs()), ("0320", 0));
    }

    #[test]
    fn what_is_not_a_terminal_is_refused() {
        for url in [
            "caisse-ap:",
            "caisse-ap://",
            "caisse-ap://host:0",
            "caisse-ap://host:99999",
            "caisse-ap://host?till=0",
            "caisse-ap://host?till=01&till=02",
            "caisse-ap://host?version=3",
            "caisse-ap://host?timeout_s=0",
            "caisse-ap://host?timeout=10",
            "caisse-ap://host?till",
            "caisse-ap://host?late_s=901",
            "concert:///dev/ttyACM0?maker=012345678901",
            "concert:///dev/ttyACM0?version=3",
            "concert://ttyACM0",
            "concert:///dev/ttyACM0?baud=1",
            "concert:///dev/ttyACM0?framing=8e1",
            "nexo://host",
        ] {
            assert!(parse_terminal(url).is_err(), "{url}");
        }
    }
}
