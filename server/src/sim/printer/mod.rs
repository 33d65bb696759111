//! A ticket printer: it hears ESC/POS over TCP as a real one does, keeps what it printed, and has the troubles that it is told to have.
//!
//! What it has on paper can be read as text and looked at as a picture.

mod picture;

pub use picture::picture;

use domain::receipt::escpos::{Decoder, Heard, Status};
use domain::receipt::{Laid, Row, Size};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// There is no paper; what comes is thrown away.
    PaperOut,
    /// The cover is open; what comes is thrown away.
    CoverOpen,
    /// It prints and never says how it is, as many do.
    Silent,
    /// The line drops after so many bytes.
    DropAfter(usize),
    /// The paper ends after so many rows.
    PaperEndsAfter(usize),
}

impl FromStr for Fault {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let after = |prefix| text.strip_prefix(prefix).and_then(|count: &str| count.parse().ok());
        Ok(match text {
            "none" => Self::None,
            "paper-out" => Self::PaperOut,
            "cover-open" => Self::CoverOpen,
            "silent" => Self::Silent,
            _ => match (after("drop-after:"), after("paper-ends-after:")) {
                (Some(bytes), _) => Self::DropAfter(bytes),
                (_, Some(rows)) => Self::PaperEndsAfter(rows),
                _ => return Err(format!("{text}: give none, paper-out, cover-open, silent, drop-after:BYTES or paper-ends-after:ROWS")),
            },
        })
    }
}

/// What lies in the tray: from one cut to the next, or to the end of what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Characters in a row of the roll.
    pub columns: usize,
    /// What is on it.
    pub laid: Vec<Laid>,
    /// It was cut off.
    pub was_cut: bool,
}

impl Printed {
    /// Its words, a row a line.
    #[must_use]
    pub fn text(&self) -> String {
        self.laid
            .iter()
            .map(|laid| match laid {
                Laid::Row(row) => format!("{}\n", row.text),
                Laid::Code(data) => format!("[QR {data}]\n"),
                Laid::Cut | Laid::Drawer => String::new(),
            })
            .collect()
    }
}

/// Is told of a paper and of its number.
type Report = Box<dyn Fn(&Printed, usize) + Send + Sync>;

/// A printer.
pub struct Simulator {
    columns: usize,
    state: Mutex<State>,
    /// Counts what happened, for whoever waits.
    moved: watch::Sender<usize>,
    /// Told of each paper.
    report: Report,
}

#[derive(Default)]
struct State {
    fault: Fault,
    papers: Vec<Printed>,
    kicks: usize,
    strange: Vec<String>,
}

impl Simulator {
    /// A printer with paper of so many columns.
    #[must_use]
    pub fn new(columns: usize) -> Arc<Self> {
        Self::reporting(columns, |_, _| {})
    }

    /// One that tells of each paper and its number.
    #[must_use]
    pub fn reporting(columns: usize, report: impl Fn(&Printed, usize) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { columns, state: Mutex::default(), moved: watch::Sender::new(0), report: Box::new(report) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks or mends it.
    pub fn set(&self, fault: Fault) {
        self.state().fault = fault;
    }

    /// Everything that it printed.
    #[must_use]
    pub fn papers(&self) -> Vec<Printed> {
        self.state().papers.clone()
    }

    /// How often the drawer opened.
    #[must_use]
    pub fn kicks(&self) -> usize {
        self.state().kicks
    }

    /// What it did not understand.
    #[must_use]
    pub fn strange(&self) -> Vec<String> {
        self.state().strange.clone()
    }

    /// Waits until something is true of it.
    ///
    /// # Errors
    /// When it is not within ten seconds.
    pub async fn until(&self, is_true: impl Fn(&Self) -> bool) -> Result<(), &'static str> {
        let mut moved = self.moved.subscribe();
        tokio::time::timeout(Duration::from_secs(10), async {
            while !is_true(self) {
                if moved.changed().await.is_err() {
                    return;
                }
            }
        })
        .await
        .map_err(|_| "it never came to that")
    }

    /// Prints for every till that calls.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                // One at a time, as a printer does: the others wait in its queue.
                Ok((stream, _)) => {
                    if let Err(error) = self.hear(stream).await {
                        tracing::debug!(%error, "the till hung up");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulated printer cannot take a call");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn hear(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut decoder = Decoder::default();
        let mut buffer = [0; 1024];
        let mut on_paper = Vec::new();
        let (mut heard_bytes, mut rows) = (0, 0);
        let mut ended = Ok(());
        loop {
            let count = match stream.read(&mut buffer).await {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            };
            let fault = self.state().fault;
            let taken = match fault {
                Fault::DropAfter(bytes) => count.min(bytes.saturating_sub(heard_bytes)),
                _ => count,
            };
            heard_bytes += taken;
            for heard in decoder.push(&buffer[..taken]) {
                self.print(heard, &mut on_paper, &mut rows, &mut stream).await?;
            }
            if taken < count {
                break;
            }
        }
        self.tear(on_paper, false);
        ended
    }

    /// How it is, after so many rows of this call.
    fn status(&self, rows: usize) -> Option<Status> {
        let well = Status::default();
        Some(match self.state().fault {
            Fault::None | Fault::DropAfter(_) => well,
            Fault::PaperOut => Status { offline: true, paper_out: true, ..well },
            Fault::PaperEndsAfter(most) if rows >= most => Status { offline: true, paper_out: true, ..well },
            Fault::PaperEndsAfter(_) => Status { paper_low: true, ..well },
            Fault::CoverOpen => Status { offline: true, cover_open: true, ..well },
            Fault::Silent => return None,
        })
    }

    async fn print(&self, heard: Heard, on_paper: &mut Vec<Laid>, rows: &mut usize, stream: &mut TcpStream) -> std::io::Result<()> {
        match heard {
            Heard::Asked(question) => match self.status(*rows) {
                Some(status) => stream.write_all(&[status.answer(question)]).await,
                None => Ok(()),
            },
            Heard::Laid(Laid::Drawer) => {
                self.state().kicks += 1;
                self.moved.send_modify(|count| *count += 1);
                Ok(())
            }
            Heard::Laid(Laid::Cut) => {
                self.tear(std::mem::take(on_paper), true);
                Ok(())
            }
            Heard::Laid(laid) => {
                if self.status(*rows).is_none_or(|status| status.trouble().is_none()) {
                    *rows += 1;
                    on_paper.extend(self.wrapped(laid));
                }
                Ok(())
            }
            Heard::Strange(what) => {
                self.state().strange.push(what);
                Ok(())
            }
        }
    }

    /// A printer breaks a row that is too long wherever it ends.
    fn wrapped(&self, laid: Laid) -> Vec<Laid> {
        let Laid::Row(row) = laid else { return vec![laid] };
        let room = self.columns / row.size.columns();
        let letters: Vec<char> = row.text.chars().collect();
        if letters.len() <= room {
            return vec![Laid::Row(row)];
        }
        letters.chunks(room).map(|part| Laid::Row(Row { text: part.iter().collect(), ..row })).collect()
    }

    fn tear(&self, laid: Vec<Laid>, was_cut: bool) {
        if laid.is_empty() {
            return;
        }
        let paper = Printed { columns: self.columns, laid, was_cut };
        let number = {
            let mut state = self.state();
            state.papers.push(paper.clone());
            state.papers.len()
        };
        (self.report)(&paper, number);
        self.moved.send_modify(|count| *count += 1);
    }
}

/// Dots that a row takes, downwards.
const fn height(size: Size) -> usize {
    match size {
        Size::Normal => 30,
        Size::Tall | Size::Double => 54,
    }
}
