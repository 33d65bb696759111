//! The lines to a printer: TCP, a device file, a serial port.

use crate::config::{Flow, PrinterLine};
use nix::fcntl::OFlag;
use serialport::{DataBits, FlowControl, Parity, SerialPort, StopBits};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// To reach a device of the local network.
const CONNECTING: Duration = Duration::from_secs(3);
/// How often a full device is looked at again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long the other end may take to hang up.
const HANGING_UP: Duration = Duration::from_millis(500);

/// A line to a printer. Reads and writes end after the patience that was last asked for.
pub trait Wire: Read + Write {
    /// Whether anything can ever come back.
    fn answers(&self) -> bool;
    /// How long the next reads and writes may take.
    ///
    /// # Errors
    /// When the line does not know patience.
    fn wait_up_to(&mut self, patience: Duration) -> io::Result<()>;
    /// Everything was said.
    fn hang_up(&mut self);
}

/// Opens the line.
pub(super) fn open(line: &PrinterLine) -> io::Result<Box<dyn Wire>> {
    Ok(match line {
        PrinterLine::Tcp { host, port } => Box::new(connect(host, *port)?),
        PrinterLine::Device(path) => Box::new(Device::open(path)?),
        PrinterLine::Serial { path, baud, flow } => {
            let flow = match flow {
                Flow::None => FlowControl::None,
                Flow::Hardware => FlowControl::Hardware,
                Flow::Software => FlowControl::Software,
            };
            let port = serialport::new(path, *baud).data_bits(DataBits::Eight).parity(Parity::None).stop_bits(StopBits::One);
            Box::new(Serial(port.flow_control(flow).timeout(CONNECTING).open()?))
        }
    })
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECTING) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Wire for TcpStream {
    fn answers(&self) -> bool {
        true
    }

    fn wait_up_to(&mut self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }

    /// Closed at once, a connection may take what the printer has not read yet with it.
    fn hang_up(&mut self) {
        if self.shutdown(Shutdown::Write).is_err() || self.set_read_timeout(Some(HANGING_UP)).is_err() {
            return;
        }
        let until = Instant::now() + HANGING_UP;
        let mut rest = [0; 64];
        while Instant::now() < until && matches!(self.read(&mut rest), Ok(1..)) {}
    }
}

/// A device file. It is opened without blocking: one whose printer is off would never return.
struct Device {
    file: File,
    patience: Duration,
}

impl Device {
    fn open(path: &str) -> io::Result<Self> {
        // Never created: what is not there is a printer that is not plugged in.
        let file = OpenOptions::new().append(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
        Ok(Self { file, patience: CONNECTING })
    }
}

impl Read for Device {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Write for Device {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let until = Instant::now() + self.patience;
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => std::thread::sleep(AGAIN),
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Wire for Device {
    fn answers(&self) -> bool {
        false
    }

    fn wait_up_to(&mut self, patience: Duration) -> io::Result<()> {
        self.patience = patience;
        Ok(())
    }

    fn hang_up(&mut self) {}
}

struct Serial(Box<dyn SerialPort>);

impl Read for Serial {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Returns once the last bit is out.
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Wire for Serial {
    fn answers(&self) -> bool {
        true
    }

    fn wait_up_to(&mut self, patience: Duration) -> io::Result<()> {
        self.0.set_timeout(patience).map_err(io::Error::from)
    }

    fn hang_up(&mut self) {}
}
