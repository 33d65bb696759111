//! Closings are mailed: once a mail server takes them, each of them, and what was mailed proves a journal as the file does.

use crate::program::Till;
use crate::support::TestApp;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::fiscal::Anchor;
use serde_json::json;
use server::config::MailConfig;
use server::db;
use server::services::self_check::{self, Depth};
use server::services::verifying::{Asked, verify_as, verify_house};
use server::services::{anchoring, degraded};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A mail server that keeps what it takes, and takes nothing at first where a test says so.
struct MailServer {
    letters: Mutex<Vec<String>>,
    refusing: Mutex<u32>,
    /// A letter waits for one before it is taken.
    may_take: Semaphore,
    /// Letters that wait, or waited.
    waiting: Semaphore,
}

impl MailServer {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Self {
            letters: Mutex::default(),
            refusing: Mutex::default(),
            may_take: Semaphore::new(1_000),
            waiting: Semaphore::new(0),
        });
        let of_listener = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&of_listener).speak(client));
            }
        });
        (server, format!("smtp://{address}?from=caisse@comptoir.example&to=comptable@example.fr"))
    }

    async fn speak(self: Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = client.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 here\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let refuses = line.starts_with("MAIL") && {
                let mut left = self.refusing.lock().unwrap();
                let refuses = *left > 0;
                *left = left.saturating_sub(1);
                refuses
            };
            let answer = match line.split(' ').next().unwrap_or_default() {
                _ if refuses => "451 later\r\n",
                "DATA" => {
                    writer.write_all(b"354 go on\r\n").await?;
                    let mut letter = String::new();
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        letter.push_str(&line);
                        letter.push('\n');
                    }
                    self.waiting.add_permits(1);
                    self.may_take.acquire().await.unwrap().forget();
                    self.letters.lock().unwrap().push(letter);
                    "250 taken\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            writer.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    }

    fn letters(&self) -> Vec<String> {
        self.letters.lock().unwrap().clone()
    }
}

/// The file of a letter, however it travels.
fn anchors_in(letter: &str) -> Vec<Anchor> {
    let part = letter.rsplit("ancres.jsonl").next().unwrap();
    let (head, body) = part.split_once("\n\n").unwrap();
    let body = body.split("\n--").next().unwrap();
    let text = if head.contains("base64") {
        String::from_utf8(BASE64_STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap()).unwrap()
    } else {
        body.replace("=\n", "").replace("=3D", "=")
    };
    Anchor::read_all(&text).unwrap_or_else(|line| panic!("line {line} of {text}"))
}

async fn close(app: &TestApp) {
    let cashier = app.signed_in("camille").await;
    let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    let order = cashier.post("/api/orders", &order).await.body;
    let pay = json!({"order_id": order["order_id"], "cover_number": 1, "amount": 24, "method": "ESPECES"});
    assert_eq!(cashier.post("/api/payments/split", &pay).await.status, 201);
    assert_eq!(cashier.post("/api/nf525/close", &json!({})).await.status, 200);
}

#[tokio::test]
async fn every_closing_is_mailed_when_a_mail_server_takes_it_and_proves_the_journal() {
    let (server, url) = MailServer::start().await;
    let app = TestApp::with(|config| config.fiscal_anchors_mail = Some(MailConfig::parse(&url).unwrap())).await;
    assert_eq!(anchoring::mail(&app.house).await.unwrap(), 0, "nothing was closed");

    // The mail server is busy: the closing is there nevertheless, and goes out with the next one.
    *server.refusing.lock().unwrap() = 1;
    close(&app).await;
    assert!(anchoring::mail(&app.house).await.is_err());
    assert!(server.letters().is_empty());
    close(&app).await;
    assert_eq!(anchoring::mail(&app.house).await.unwrap(), 2);
    assert_eq!(anchoring::mail(&app.house).await.unwrap(), 0, "each once");
    close(&app).await;
    // Two processes at the same moment.
    let (one, other) = tokio::join!(anchoring::mail(&app.house), anchoring::mail(&app.house));
    assert_eq!(one.unwrap() + other.unwrap(), 1);

    let letters = server.letters();
    assert_eq!(letters.len(), 2);
    assert!(letters[0].contains("To: comptable@example.fr") && letters[0].contains("From: caisse@comptoir.example"), "{}", letters[0]);
    let mailed: Vec<Anchor> = letters.iter().flat_map(|letter| anchors_in(letter)).collect();
    let (in_the_file, unreadable) = anchoring::read(&app.house);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert_eq!(mailed, in_the_file);
    assert_eq!(mailed.len(), 3);
    let asked = |anchors| Asked { anchors, ..Asked::default() };
    assert!(verify_as(&app.house.db, asked(mailed.clone())).await.unwrap().0.ok);

    // Whoever holds a letter notices a journal that was written again.
    let mut other = mailed;
    other[1].hash = "0".repeat(64);
    let (report, _) = verify_as(&app.house.db, asked(other)).await.unwrap();
    assert_eq!(report.flaws.iter().map(|flaw| flaw.code.as_str()).collect::<Vec<_>>(), ["anchor_differs"]);
}

#[tokio::test]
async fn a_mail_server_that_takes_its_time_holds_nothing_of_the_database_and_nobody_mails_the_same_meanwhile() {
    let (server, url) = MailServer::start().await;
    let app = TestApp::with(|config| config.fiscal_anchors_mail = Some(MailConfig::parse(&url).unwrap())).await;
    close(&app).await;
    server.may_take.forget_permits(1_000);
    let house = app.house.clone();
    let slow = tokio::spawn(async move { anchoring::mail(&house).await });
    server.waiting.acquire().await.unwrap().forget();
    let open =
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(open).fetch_one(&app.owner).await.unwrap(), 0, "no transaction waits for the mail server");
    close(&app).await;
    assert_eq!(anchoring::mail(&app.house).await.unwrap(), 0, "another process is at it");
    server.may_take.add_permits(1_000);
    assert_eq!(slow.await.unwrap().unwrap(), 2, "with the closing that came meanwhile");
    assert_eq!(anchoring::mail(&app.house).await.unwrap(), 0);
    assert_eq!(server.letters().len(), 2, "each closing once");
}

#[tokio::test]
async fn who_died_while_mailing_holds_nobody_up_for_long_whatever_the_clock_does() {
    let (server, url) = MailServer::start().await;
    let app = TestApp::with(|config| config.fiscal_anchors_mail = Some(MailConfig::parse(&url).unwrap())).await;
    for (until, mailed) in [("30 seconds", 0), ("-1 second", 1), ("1 day", 1)] {
        close(&app).await;
        let turn = "insert into anchor_mail_turns values ('01', gen_random_uuid(), clock_timestamp() + $1::text::interval)";
        sqlx::query(turn).bind(until).execute(&app.owner).await.unwrap();
        assert_eq!(anchoring::mail(&app.house).await.unwrap() > 0, mailed > 0, "{until}");
        sqlx::query("delete from anchor_mail_turns").execute(&app.owner).await.unwrap();
    }
    let mailed: usize = server.letters().iter().map(|letter| anchors_in(letter).len()).sum();
    assert_eq!(mailed, 3, "each closing once");
}

#[tokio::test]
async fn a_file_of_anchors_that_lost_something_is_completed_and_one_that_was_spoilt_is_said() {
    let app = TestApp::start().await;
    let file = &app.house.anchoring.file;
    for _ in 0..3 {
        close(&app).await;
    }
    assert_eq!(anchoring::complete(&app.house).await.unwrap(), 0);
    let whole = std::fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();

    // The process died after a closing and before its anchor; or in the middle of it.
    for (left, missing) in [(format!("{}\n", lines[0]), 2), (format!("{}\n{}", lines[0], &lines[1][..40]), 2), (String::new(), 3)] {
        std::fs::write(file, left).unwrap();
        assert!(verify_house(&app.house, None).await.unwrap().ok, "what was cut off is no fraud");
        assert_eq!(anchoring::complete(&app.house).await.unwrap(), missing);
        assert_eq!(std::fs::read_to_string(file).unwrap(), whole);
    }
    std::fs::remove_file(file).unwrap();
    assert_eq!(anchoring::complete(&app.house).await.unwrap(), 3);
    assert_eq!(std::fs::read_to_string(file).unwrap(), whole);

    // Somebody spoils it, so that it says nothing any more: the other lines still count, and that it is spoilt is said.
    let spoilt = format!(
        "{}\n{}\n{}\n",
        lines[0],
        lines[1].replace("\"register\"", "\"registre\""),
        lines[2].replacen("\"total\":", "\"total\":1", 1)
    );
    std::fs::write(file, spoilt).unwrap();
    let found: Vec<String> = verify_house(&app.house, None).await.unwrap().flaws.into_iter().map(|flaw| flaw.code).collect();
    assert_eq!(found, ["anchor_differs", "anchors_unreadable"]);
    assert_eq!(self_check::check(&app.house, Depth::Recent(1_000)).await.unwrap(), 2);
    let auditor = app.signed_in("audit").await.get("/api/nf525/verify").await.body;
    assert_eq!((&auditor["ok"], auditor["flaws"].as_array().unwrap().len()), (&json!(false), 2), "{auditor}");
}

#[tokio::test]
async fn nothing_is_mailed_in_training() {
    let (server, url) = MailServer::start().await;
    let app = TestApp::with(|config| {
        config.training = true;
        config.fiscal_anchors_mail = Some(MailConfig::parse(&url).unwrap());
    })
    .await;
    close(&app).await;
    assert_eq!(anchoring::mail(&app.house).await.unwrap(), 0);
    assert!(server.letters().is_empty());
}

/// A disk that was pulled out costs no closing; it is said where somebody looks, and made good when the disk is back.
#[tokio::test]
async fn a_disk_that_is_away_is_said_and_costs_no_closing_and_no_anchor() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, pulled_out) = (folder.path().join("disk"), folder.path().join("pulled-out"));
    let app = TestApp::with(|config| config.fiscal_anchors = disk.join("anchors.jsonl")).await;
    let camille = app.signed_in("camille").await;
    let said = async || {
        let page = app.stranger().get("/metrics").await.text;
        let figure = |name: &str| page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<i64>().ok());
        let ready = app.stranger().get("/health/ready").await;
        assert_eq!(ready.status, 200, "the till sells");
        let on_the_page = camille.post("/call/closing", &json!({})).await.body["anchors_away"].as_bool();
        let degraded = ready.body["degraded"] == json!(["anchors"]);
        (figure("comptoir_anchors_up"), figure("comptoir_closings_not_anchored"), degraded, on_the_page)
    };
    let kept = || anchoring::read(&app.house).0.iter().map(|anchor| anchor.seq).collect::<Vec<_>>();
    let works = async || degraded::look(&app.house).await.unwrap().into_iter().any(|part| part == ("anchors", true));

    // Not plugged in when the till opens.
    assert!(anchoring::reach(&app.house).is_err());
    assert_eq!(said().await, (Some(0), Some(0), true, Some(true)));
    close(&app).await;
    close(&app).await;
    assert_eq!(said().await, (Some(0), Some(2), true, Some(true)));
    assert!(!works().await, "tried again, and still away");
    assert_eq!(said().await, (Some(0), Some(2), true, Some(true)));
    std::fs::create_dir(&disk).unwrap();
    assert!(works().await);
    assert_eq!((kept(), said().await), (vec![1, 2], (Some(1), Some(0), false, Some(false))));

    // Away for one closing, and back for the next: the one between is not forgotten.
    std::fs::rename(&disk, &pulled_out).unwrap();
    close(&app).await;
    assert_eq!(said().await, (Some(0), Some(1), true, Some(true)));
    std::fs::rename(&pulled_out, &disk).unwrap();
    close(&app).await;
    assert_eq!((kept(), said().await), (vec![1, 2, 4], (Some(1), Some(1), false, Some(false))));
    assert!(works().await);
    assert_eq!((kept(), said().await), (vec![1, 2, 4, 3], (Some(1), Some(0), false, Some(false))));
    assert_eq!(anchoring::complete(&app.house).await.unwrap(), 0, "each once");
    assert!(verify_house(&app.house, None).await.unwrap().ok);

    // The technical journal says so as of any other part.
    let mut watch = degraded::Watch::default();
    for (seconds, there) in [(0, false), (61, false), (70, true)] {
        degraded::heed(&app.house, &mut watch, &[("anchors", there)], Duration::from_secs(seconds)).await.unwrap();
        assert_eq!(db::journal::is_degraded(&app.house.db, "01", "anchors").await.unwrap(), seconds == 61, "{seconds}");
    }
}

#[tokio::test]
async fn a_till_opens_without_the_disk_of_its_anchors_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let away = folder.path().join("not-plugged-in/anchors.jsonl");
    let settings = [("FISCAL_ANCHORS", away.to_str().unwrap()), ("RUST_LOG", "warn")];
    let till = Till::serve(&folder.path().join("data"), &settings).await;
    let said = till.said.lock().unwrap().clone();
    let line = said.lines().find(|line| line.contains("FISCAL_ANCHORS: the file cannot be written")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("WARN") && line.contains("not-plugged-in"), "{line}");
    let camille = till.sign_in("camille").await;
    assert_eq!(camille.get("/health/ready").await, (200, json!({"status": "ready", "degraded": ["anchors"]})));
    till.stop().await;
}
