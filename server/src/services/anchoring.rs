//! Each closing is kept once more, outside the database: in a file that belongs on another disk, and, where the house has said so, in somebody's mail.
//! Failing costs no closing: the file is written later, the mail is tried again until a mail server has it. Whoever looks after the till is told meanwhile:
//! the file has gone away (a disk that was pulled out, a folder that the system keeps from us) is a part that has failed ([`super::degraded`]).

use crate::adapters::post::{FOR_A_LETTER, Post};
use crate::config::MailConfig;
use crate::db;
use crate::error::{Error, Result};
use crate::owning;
use crate::state::{House, REGISTER};
use domain::Cents;
use domain::api::Flaw;
use domain::fiscal::{Anchor, Chain, Record};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// Closings in one letter.
const IN_A_LETTER: i64 = 500;
/// Closings that are anchored later at a time.
const AT_A_TIME: i64 = 500;
/// Nobody else mails for so long. A letter and the statements around it take less; a process that died holds the others up no longer.
const LEASE: Duration = FOR_A_LETTER.saturating_mul(3);

/// Where closings are anchored.
#[derive(Debug)]
pub struct Anchoring {
    /// The file.
    pub file: PathBuf,
    /// The mail; none: nobody asked for it.
    pub post: Option<Post>,
    /// A closing was written.
    pub due: Notify,
    /// The file could not be written the last time that it was tried.
    is_away: AtomicBool,
    /// Closings that it lacks, as far as this process knows.
    missing: AtomicI64,
}

impl Anchoring {
    /// # Errors
    /// When the mail address is none.
    pub fn new(file: PathBuf, mail: Option<&MailConfig>) -> anyhow::Result<Self> {
        let post = mail.map(Post::new).transpose()?;
        Ok(Self { file, post, due: Notify::new(), is_away: AtomicBool::new(false), missing: AtomicI64::new(0) })
    }

    /// Whether the file could be written the last time that it was tried.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !self.is_away.load(Ordering::Relaxed)
    }

    /// Closings that could not be written into it, and were not since.
    #[must_use]
    pub fn missing(&self) -> i64 {
        self.missing.load(Ordering::Relaxed)
    }

    fn tried<T>(&self, done: std::io::Result<T>) -> std::io::Result<T> {
        self.is_away.store(done.is_err(), Ordering::Relaxed);
        done
    }
}

/// Whether the file can be written now; it is made when it is not there. Nothing is written into it.
///
/// # Errors
/// What keeps it from being.
pub fn reach(house: &House) -> std::io::Result<()> {
    house.anchoring.tried(open(&house.anchoring.file).map(drop))
}

/// Whether the file can be written; one that could not is tried again, and given what it lacks.
pub async fn works(house: &House) -> bool {
    if house.anchoring.is_there() && house.anchoring.missing() == 0 {
        return true;
    }
    let done = if house.training { reach(house).map_err(Error::internal) } else { complete(house).await.map(drop) };
    done.is_ok()
}

/// Appends a closing to the file of anchors, and has it mailed.
pub fn keep(house: &House, record: &Record) {
    if let Err(error) = house.anchoring.tried(append(&house.anchoring.file, record)) {
        // In training nothing is missed.
        house.anchoring.missing.fetch_add(i64::from(!house.training), Ordering::Relaxed);
        let path = house.anchoring.file.display();
        tracing::error!(%path, %error, "FISCAL_ANCHORS: the closing could not be anchored; it will be tried again");
    }
    house.anchoring.due.notify_one();
}

fn open(path: &Path) -> std::io::Result<File> {
    match owning::make_private(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => drop(made?),
    }
    OpenOptions::new().read(true).append(true).open(path)
}

fn append(path: &Path, record: &Record) -> std::io::Result<()> {
    let line = serde_json::to_string(&Anchor::from(record)).map_err(std::io::Error::other)?;
    let mut file = open(path)?;
    let mut whole = Vec::new();
    file.read_to_end(&mut whole)?;
    // What was cut off in the middle of a line, by a full disk or a lost current, must not take this one with it.
    let end = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let cut_off = end < whole.len();
    // A file that may only grow keeps the rest, as a line of its own.
    let begin = if cut_off && file.set_len(end as u64).is_err() { "\n" } else { "" };
    file.write_all(format!("{begin}{line}\n").as_bytes())?;
    file.sync_data()
}

/// Anchors the closings that the file lacks: those that a process wrote and died, or whose disk was away. Returns how many.
///
/// # Errors
/// When the database does not answer, or the file cannot be written.
pub async fn complete(house: &House) -> Result<usize> {
    if house.training {
        return Ok(0);
    }
    let of_closings = |anchor: &&Anchor| anchor.register == REGISTER && anchor.chain == Chain::of_closings(false);
    let there: BTreeSet<i64> = read(house).0.iter().filter(of_closings).map(|anchor| anchor.seq).collect();
    // Not from the last one on: one that found the disk away stands before one that found it again.
    let mut last = (1..).take_while(|seq| there.contains(seq)).last().unwrap_or(0);
    let mut written = 0;
    loop {
        let missing = db::anchors::closings_after(&house.db, REGISTER, last, AT_A_TIME).await?;
        if missing.is_empty() {
            break;
        }
        for id in missing {
            let Some(record) = db::journal::record(&house.db, id).await? else { return Ok(written) };
            last = record.seq;
            if there.contains(&last) {
                continue;
            }
            if let Err(error) = house.anchoring.tried(append(&house.anchoring.file, &record)) {
                let closings = db::anchors::last_closing(&house.db, REGISTER).await?;
                let kept = i64::try_from(there.len() + written).unwrap_or(i64::MAX);
                house.anchoring.missing.store((closings - kept).max(1), Ordering::Relaxed);
                return Err(Error::internal(error));
            }
            written += 1;
        }
    }
    house.anchoring.missing.store(0, Ordering::Relaxed);
    reach(house).map_err(Error::internal)?;
    Ok(written)
}

/// How many closings the file names although the journal is empty: then this is not the database that they were written in, and a first record would begin
/// a second journal with the numbers of the first.
///
/// # Errors
/// When the database does not answer.
pub async fn before_the_first_record(house: &House) -> Result<usize> {
    let known = read(house).0.len();
    Ok(if known > 0 && db::journal::is_empty(&house.db).await? { known } else { 0 })
}

/// What was anchored, and what is wrong with the file itself. What can be read of it is compared although something cannot.
#[must_use]
pub fn read(house: &House) -> (Vec<Anchor>, Vec<Flaw>) {
    let said = |detail| vec![Flaw { chain: "*".to_owned(), seq: 0, code: "anchors_unreadable".to_owned(), detail }];
    let text = match std::fs::read(&house.anchoring.file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        // Nothing was closed yet, or the file has just been named.
        Err(error) if error.kind() == ErrorKind::NotFound => return (Vec::new(), Vec::new()),
        Err(error) => return (Vec::new(), said(format!("Le fichier d'ancres est illisible : {error}."))),
    };
    // A last line without its end was cut off while it was written; [`complete`] writes it again.
    let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
    let (anchors, wrong) = Anchor::read_what_can_be(whole);
    let flaws = match wrong.as_slice() {
        [] => Vec::new(),
        [line] => said(format!("La ligne {line} du fichier d'ancres n'en est pas une.")),
        [line, more @ ..] => said(format!("La ligne {line} du fichier d'ancres n'en est pas une, ni {} autres.", more.len())),
    };
    (anchors, flaws)
}

/// Mails the closings that were not, oldest first; every one, whenever it was written. Returns how many went out; in training none does.
///
/// Whose turn is it? → which were not mailed? → ask the mail server, with nothing held → write down that it has them → let others mail.
///
/// # Errors
/// When the database or the mail server does not answer. What was not taken is mailed the next time; at the worst it comes twice.
pub async fn mail(house: &House) -> Result<usize> {
    let Some(post) = house.anchoring.post.as_ref().filter(|_| !house.training) else { return Ok(0) };
    let holder = Uuid::new_v4();
    let mut sent = 0;
    loop {
        if !db::anchors::take_turn(&house.db, REGISTER, holder, LEASE).await? {
            return Ok(sent);
        }
        let taken = mail_some(house, post).await;
        // Not given back, it ends by itself.
        db::anchors::give_back(&house.db, REGISTER, holder).await?;
        match taken? {
            0 => return Ok(sent),
            closings => sent += closings,
        }
    }
}

/// One letter. Returns how many closings are in it.
async fn mail_some(house: &House, post: &Post) -> Result<usize> {
    let closings = db::anchors::not_mailed(&house.db, REGISTER, IN_A_LETTER).await?;
    let mut anchors = Vec::new();
    for (_, id) in &closings {
        anchors.extend(db::journal::record(&house.db, *id).await?.as_ref().map(Anchor::from));
    }
    let (Some(first), Some(last)) = (anchors.first(), anchors.last()) else { return Ok(0) };
    let subject = match anchors.len() {
        1 => format!("{} : clôture {} du {}", house.identity.name, last.seq, day_of(last)),
        _ => format!("{} : clôtures {} à {}", house.identity.name, first.seq, last.seq),
    };
    let mut lines = String::new();
    for anchor in &anchors {
        lines.push_str(&serde_json::to_string(anchor)?);
        lines.push('\n');
    }
    post.send(&subject, letter(&anchors), ("ancres.jsonl", lines)).await.map_err(Error::internal)?;
    let seqs: Vec<i64> = closings.iter().map(|(seq, _)| *seq).collect();
    let first_time = db::anchors::mailed(&house.db, REGISTER, &seqs).await?;
    if usize::try_from(first_time).ok() != Some(seqs.len()) {
        tracing::warn!(closings = seqs.len(), first_time, "closings were mailed twice: another process took over meanwhile");
    }
    Ok(seqs.len())
}

fn day_of(anchor: &Anchor) -> String {
    match (anchor.local.get(..4), anchor.local.get(4..6), anchor.local.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
        _ => anchor.local.clone(),
    }
}

/// What somebody reads who keeps it.
fn letter(anchors: &[Anchor]) -> String {
    let mut text = "Ce courrier garde, hors de la caisse, la trace de chaque clôture. Conservez-le : le fichier joint permet de prouver plus tard que\n\
                    le journal n'a pas été réécrit (comptoir fiscal verify --anchors ancres.jsonl).\n\n"
        .to_owned();
    for anchor in anchors {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "Clôture n° {}, {}, total {} €\n  enregistrement {}, empreinte {}",
            anchor.seq,
            day_of(anchor),
            Cents(anchor.total).to_french(),
            anchor.record,
            anchor.hash
        );
    }
    text
}
