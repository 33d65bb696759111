//! Each closing is kept once more, outside the database: in a file that belongs on another disk, and, where the house has said so, in somebody's mail.
//! Failing costs no closing: the file is complained about, the mail is tried again until a mail server has it.

use crate::adapters::post::Post;
use crate::config::MailConfig;
use crate::db;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER};
use domain::Cents;
use domain::fiscal::{Anchor, Record};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use tokio::sync::Notify;

/// Closings in one letter.
const IN_A_LETTER: i64 = 500;

/// Where closings are anchored.
#[derive(Debug)]
pub struct Anchoring {
    /// The file.
    pub file: PathBuf,
    /// The mail; none: nobody asked for it.
    pub post: Option<Post>,
    /// A closing was written.
    pub due: Notify,
}

impl Anchoring {
    /// # Errors
    /// When the mail address is none.
    pub fn new(file: PathBuf, mail: Option<&MailConfig>) -> anyhow::Result<Self> {
        Ok(Self { file, post: mail.map(Post::new).transpose()?, due: Notify::new() })
    }
}

/// Appends a closing to the file of anchors, and has it mailed.
pub fn keep(house: &House, record: &Record) {
    let kept = serde_json::to_string(&Anchor::from(record)).map_err(std::io::Error::other).and_then(|line| {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&house.anchoring.file)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()
    });
    if let Err(error) = kept {
        tracing::error!(path = %house.anchoring.file.display(), %error, "FISCAL_ANCHORS: the closing could not be anchored");
    }
    house.anchoring.due.notify_one();
}

/// What was anchored. A file that cannot be read says nothing; `verify --anchors` says why.
#[must_use]
pub fn read(house: &House) -> Vec<Anchor> {
    std::fs::read_to_string(&house.anchoring.file).ok().and_then(|text| Anchor::read_all(&text).ok()).unwrap_or_default()
}

/// Mails the closings that were not, oldest first; every one, whenever it was written. Returns how many went out; in training none does.
///
/// # Errors
/// When the database or the mail server does not answer. What was not taken is mailed the next time; at the worst it comes twice.
pub async fn mail(house: &House) -> Result<usize> {
    let Some(post) = house.anchoring.post.as_ref().filter(|_| !house.training) else { return Ok(0) };
    let mut sent = 0;
    loop {
        let mut tx = house.db.begin().await?;
        if !db::anchors::may_mail(&mut tx).await? {
            return Ok(sent);
        }
        let closings = db::anchors::not_mailed(&mut tx, REGISTER, IN_A_LETTER).await?;
        let mut anchors = Vec::new();
        for (_, id) in &closings {
            anchors.extend(db::journal::record(&mut *tx, *id).await?.as_ref().map(Anchor::from));
        }
        let (Some(first), Some(last)) = (anchors.first(), anchors.last()) else { return Ok(sent) };
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
        db::anchors::mailed(&mut tx, REGISTER, &seqs).await?;
        tx.commit().await?;
        sent += seqs.len();
    }
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
