//! `PRINTER_URL`: the ticket printer, and how wide its paper is.

use super::terminal::{Settings, host_and_port};
use super::{ConfigError, refuse};
use domain::receipt::escpos::CodePage;
use std::fmt;

/// What `PRINTER_URL` may be.
const ACCEPTED: &str = "give tcp://HOST:9100?columns=48, file:///dev/usb/lp0?columns=42 or serial:///dev/ttyUSB0?baud=19200, with columns=32, 42 \
                        or 48, charset=pc858, windows-1252 or iso-8859-15, status=off for a printer that never answers; on a serial line \
                        flow=none, hardware or software";
/// Where printers listen.
const PORT: u16 = 9100;

/// The printer that `PRINTER_URL` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printer {
    /// How it is reached.
    pub line: PrinterLine,
    /// `columns=48`: characters in a row, 32 on 58 mm paper, 42 or 48 on 80 mm.
    pub columns: usize,
    /// `charset=pc858`: the code page that it knows.
    pub page: CodePage,
    /// `status=off`: never ask how it is. Otherwise a printer that does not answer costs a second a paper.
    pub asks: bool,
}

/// How a printer is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterLine {
    /// `tcp://HOST:PORT`
    Tcp {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// `file:///dev/usb/lp0`: a device that takes bytes and says nothing.
    Device(String),
    /// `serial:///dev/ttyUSB0`: eight bits, no parity, one stop bit.
    Serial {
        /// The device.
        path: String,
        /// `baud=19200`
        baud: u32,
        /// `flow=none`
        flow: Flow,
    },
}

/// Who says when a serial printer cannot take more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Nobody.
    None,
    /// RTS and CTS.
    Hardware,
    /// XON and XOFF.
    Software,
}

impl fmt::Display for PrinterLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Device(path) => write!(f, "file://{path}"),
            Self::Serial { path, .. } => write!(f, "serial://{path}"),
        }
    }
}

impl Printer {
    /// Reads what `PRINTER_URL` says.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        parse_printer(url)
    }
}

/// Reads `PRINTER_URL`.
pub(super) fn parse_printer(url: &str) -> Result<Printer, ConfigError> {
    read(url).ok_or_else(|| refuse("PRINTER_URL", ACCEPTED))
}

fn read(url: &str) -> Option<Printer> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut settings = Settings::read(query)?;
    let device = |path: &str| path.starts_with('/').then(|| path.to_owned());
    let line = match place.split_once("://")? {
        ("tcp", address) => {
            let (host, port) = host_and_port(address, PORT)?;
            PrinterLine::Tcp { host, port }
        }
        ("file", path) => PrinterLine::Device(device(path)?),
        ("serial", path) => PrinterLine::Serial {
            path: device(path)?,
            baud: settings.take("baud").map_or(Some(19_200), |text| text.parse().ok().filter(|baud| (1200..=921_600).contains(baud)))?,
            flow: match settings.take("flow") {
                None | Some("none") => Flow::None,
                Some("hardware") => Flow::Hardware,
                Some("software") => Flow::Software,
                Some(_) => return None,
            },
        },
        _ => return None,
    };
    let printer = Printer {
        line,
        columns: match settings.take("columns") {
            None | Some("48") => 48,
            Some("42") => 42,
            Some("32") => 32,
            Some(_) => return None,
        },
        page: settings.take("charset").map_or(Some(CodePage::Pc858), |name| name.parse().ok())?,
        asks: match settings.take("status") {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => return None,
        },
    };
    settings.is_empty().then_some(printer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printers_are_named_as_in_the_contract() {
        let printer = parse_printer("tcp://10.0.0.7:9100?columns=42").expect("a printer");
        assert_eq!(printer.line, PrinterLine::Tcp { host: "10.0.0.7".to_owned(), port: 9100 });
        assert_eq!((printer.columns, printer.page, printer.asks), (42, CodePage::Pc858, true));
        let printer = parse_printer("tcp://printer.local").expect("a printer");
        assert_eq!((printer.line.to_string().as_str(), printer.columns), ("tcp://printer.local:9100", 48));
        let printer = parse_printer("tcp://[fe80::7]:9101?charset=windows-1252&status=off").expect("a printer");
        assert_eq!((printer.line.to_string().as_str(), printer.page, printer.asks), ("tcp://[fe80::7]:9101", CodePage::Windows1252, false));
        let printer = parse_printer("file:///dev/usb/lp0?columns=32").expect("a printer");
        assert_eq!((printer.line, printer.columns), (PrinterLine::Device("/dev/usb/lp0".to_owned()), 32));
        let printer = parse_printer("serial:///dev/ttyUSB0?baud=38400&flow=hardware").expect("a printer");
        assert_eq!(printer.line, PrinterLine::Serial { path: "/dev/ttyUSB0".to_owned(), baud: 38_400, flow: Flow::Hardware });
        let printer = parse_printer("serial:///dev/ttyUSB0").expect("a printer");
        assert_eq!(printer.line, PrinterLine::Serial { path: "/dev/ttyUSB0".to_owned(), baud: 19_200, flow: Flow::None });
    }

    #[test]
    fn what_is_not_a_printer_is_refused_with_its_variable() {
        for url in [
            "tcp:",
            "tcp://",
            "tcp://:9100",
            "tcp://host:0",
            "tcp://host:99999",
            "tcp://user@host",
            "tcp://[fe80::7]9100",
            "tcp://host?columns=40",
            "tcp://host?columns=48&columns=42",
            "tcp://host?charset=utf-8",
            "tcp://host?baud=9600",
            "tcp://host?status=maybe",
            "file://lp0",
            "file:///dev/usb/lp0?flow=none",
            "serial:///dev/ttyUSB0?baud=1",
            "serial:///dev/ttyUSB0?flow=xon",
            "usb://04b8:0202",
            "lp0",
        ] {
            let error = parse_printer(url).expect_err(url).to_string();
            assert!(error.starts_with("PRINTER_URL ") && !error.contains('\n'), "{error}");
        }
    }
}
