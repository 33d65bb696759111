//! No guest pays twice, and no payment is lost, whatever breaks: real servers, real sockets and pseudo-terminals, terminals with a ledger of
//! their own.
//!
//! Three tills on one database, each with a terminal (TCP; Concert; tagged text in Concert's frame). The dialogue is cut at every byte in both
//! directions, servers are killed with `kill -9` at random moments, taps are repeated, two cashiers meet on one share, terminals refuse, fall
//! silent, answer late, damaged, or for somebody else. A person who looks at the terminal resolves what nobody knows. Then the ledgers are
//! compared: *charges of the terminals = payments booked by card + payments that nobody knows the end of*, each once.
//!
//! `COMPTOIR_ATTEMPTS` says how many attempts at least, and until every cut was made (40 unless said, with some of the cuts; from 1000 on with
//! all of them).
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test says what it expected, and a campaign what it did")]

#[path = "ground/folder.rs"]
mod folder;
#[path = "ground/tally.rs"]
mod tally;

use domain::Cents;
use domain::terminal::caisse_ap::{Dialect, debit};
use domain::terminal::{Charge, Reference, Till};
use folder::folder;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use server::sim::tpe::line::PseudoTerminal;
use server::sim::tpe::{Script, Simulator};
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tally::tally;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// A hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a cut is tried that did not happen. Places beyond the last byte never happen.
const MOST_TRIES: u8 = 4;
/// Guests at each table.
const COVERS: i64 = 20;
/// Bytes of an answer in tagged text; one more than there are costs nothing.
const ANSWER: usize = 106;
/// Bytes of a request and an answer in fixed fields, framed, with what is said around them.
const FIXED: (usize, usize) = (42, 31);

/// A till, its terminal and its server.
struct Station {
    name: &'static str,
    terminal: Arc<Simulator>,
    terminal_url: String,
    address: String,
    data: PathBuf,
    server: tokio::sync::Mutex<Option<Child>>,
    /// Where the dialogue is cut, one after the other, and how often that was tried.
    cuts: Mutex<Vec<(Script, u8)>>,
    /// How many were made, by what the terminal says.
    made: AtomicUsize,
}

/// What all of them share.
struct Campaign {
    db: PgPool,
    http: reqwest::Client,
    cookies: Vec<String>,
    wanted: i64,
    attempts: AtomicI64,
    kills: AtomicUsize,
    repeated: AtomicUsize,
    races: AtomicUsize,
    resolved: AtomicUsize,
    answers: Mutex<BTreeMap<String, usize>>,
    violations: Mutex<Vec<String>>,
}

impl Station {
    async fn start(&self) {
        let mut server = Command::new(env!("CARGO_BIN_EXE_comptoir"))
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL")
            .env("COMPTOIR_DATA", &self.data)
            .env("COMPTOIR_ADDR", &self.address)
            .env("COMPTOIR_DEMO", "1")
            .env("TPE_URL", &self.terminal_url)
            .env("RUST_LOG", std::env::var("COMPTOIR_CAMPAIGN_LOG").unwrap_or_else(|_| "off".to_owned()))
            .spawn()
            .expect("the server starts");
        let stdout = server.stdout.take().expect("its output");
        let mut lines = BufReader::new(stdout).lines();
        tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable").expect("a line");
        // Read on, so that it never stops at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        *self.server.lock().await = Some(server);
    }

    async fn kill(&self) {
        if let Some(mut server) = self.server.lock().await.take() {
            server.kill().await.expect("it is killed");
        }
    }

    /// What the terminal does next: the cuts first, then anything. With a cut: how often it was tried.
    fn next_script(&self) -> (Script, Option<u8>) {
        match self.cuts.lock().expect("no panic").pop() {
            Some((cut, tries)) => (cut, Some(tries)),
            None => (Self::any_script(), None),
        }
    }

    fn any_script() -> Script {
        match rand::random_range(0..20) {
            0..=5 => Script::Approve,
            6..=7 => Script::Decline,
            8 => Script::Cancel,
            9 => Script::Silent,
            10 => Script::Partial,
            11..=12 => Script::Slow(Duration::from_millis(rand::random_range(0..2500))),
            13 => Script::WrongEcho,
            14 => Script::BadLrc(1),
            15 => Script::BadLrc(3),
            16 => Script::Collision,
            17 => Script::DropRequest(rand::random_range(0..90)),
            18 => Script::DropAnswer(rand::random_range(0..110)),
            _ => Script::Refuse,
        }
    }
}

impl Campaign {
    fn violation(&self, what: String) {
        eprintln!("VIOLATION {what}");
        self.violations.lock().expect("no panic").push(what);
    }

    /// Calls until something answers: a till that is killed comes back.
    async fn call(&self, station: &Station, cashier: usize, path: &str, body: Option<&Value>) -> (u16, Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let url = format!("http://{}{path}", station.address);
            let request = match body {
                Some(body) => self.http.post(url).json(body),
                None => self.http.get(url),
            };
            if let Ok(answer) = request.header("cookie", &self.cookies[cashier % self.cookies.len()]).send().await {
                let status = answer.status().as_u16();
                if let Ok(body) = answer.json::<Value>().await {
                    if status == 500 {
                        self.violation(format!("{}: {path} answered 500", station.name));
                    }
                    return (status, body);
                }
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One tap, repeated under its number until it is answered.
    #[expect(clippy::too_many_arguments, reason = "a tap says all of a payment")]
    async fn tap(&self, station: &Station, cashier: usize, order: &Value, share: u64, amount: f64, method: &str, uuid: Uuid) -> u16 {
        let body = json!({"order_id": order, "cover_number": share, "amount": amount, "method": method, "uuid": uuid});
        let (status, answer) = self.call(station, cashier, "/api/payments/split", Some(&body)).await;
        let says = format!("{status} {}", answer["code"].as_str().or(answer["status"].as_str()).unwrap_or_default());
        if !matches!(status, 201 | 402 | 409 | 503 | 504) {
            self.violation(format!("{}: a payment answered {says}: {answer}", station.name));
        }
        *self.answers.lock().expect("no panic").entry(says).or_default() += 1;
        status
    }

    async fn share(&self, station: &Station, order: &Value, share: u64) -> Option<Value> {
        let (_, bill) = self.call(station, 0, &format!("/api/orders/{order}/bill"), None).await;
        bill["shares"].as_array()?.iter().find(|view| view["cover_number"] == share).cloned()
    }

    /// A person looks at the terminal, waits until it is done with its guest, and says what it shows.
    async fn resolve(&self, stations: &[Arc<Station>], station: &Station, id: i64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (reference, state): (String, String) = sqlx::query_as("select reference, state from payment_attempts where id = $1")
                .bind(id)
                .fetch_one(&self.db)
                .await
                .expect("the attempt");
            if matches!(state.as_str(), "approved" | "declined" | "cancelled" | "failed" | "not_sent") {
                return;
            }
            assert!(Instant::now() < deadline, "attempt {id} never ends: {state}");
            if state == "unknown" && stations.iter().all(|station| !station.terminal.is_talking()) {
                let charged = stations.iter().flat_map(|station| station.terminal.charged()).find(|charge| charge.reference == reference);
                let reason = "Ticket du TPE lu";
                let body = match charged {
                    Some(charge) => {
                        json!({"outcome": "accepted", "amount": serde_json::from_str::<Value>(&charge.amount.to_decimal()).expect("a number"), "reason": reason})
                    }
                    None => json!({"outcome": "not_accepted", "reason": reason}),
                };
                if self.call(station, 0, &format!("/api/payments/{id}/resolve"), Some(&body)).await.0 == 200 {
                    self.resolved.fetch_add(1, Ordering::Relaxed);
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// One share, once: a tap, and what gets in its way.
    async fn episode(&self, stations: &[Arc<Station>], station: &Arc<Station>, order: &Value, share: u64, amount: f64) {
        let (script, tries) = station.next_script();
        let cuts_before = station.terminal.cuts();
        station.terminal.play(vec![script]);
        let uuid = Uuid::now_v7();
        let first = self.tap(station, 0, order, share, amount, "CB", uuid);
        let second = async {
            match rand::random_range(0..8) {
                // The same tap again, at once.
                0 => {
                    self.repeated.fetch_add(1, Ordering::Relaxed);
                    self.tap(station, 0, order, share, amount, "CB", uuid).await;
                }
                // Another cashier, here or at another till, by card or in cash.
                1 | 2 => {
                    self.races.fetch_add(1, Ordering::Relaxed);
                    let other = &stations[rand::random_range(0..stations.len())];
                    let method = if rand::random() { "CB" } else { "ESPECES" };
                    tokio::time::sleep(Duration::from_millis(rand::random_range(0..60))).await;
                    self.tap(other, 1, order, share, amount, method, Uuid::now_v7()).await;
                }
                _ => {}
            }
        };
        let killer = async {
            if rand::random_range(0..8) == 0 {
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..1200))).await;
                station.kill().await;
                self.kills.fetch_add(1, Ordering::Relaxed);
                station.start().await;
            }
        };
        tokio::join!(first, second, killer);
        match tries {
            Some(_) if station.terminal.cuts() > cuts_before => {
                station.made.fetch_add(1, Ordering::Relaxed);
            }
            // A server that was killed, or a terminal that was busy, never came so far: it is for another share.
            Some(tries) if tries < MOST_TRIES => station.cuts.lock().expect("no panic").insert(0, (script, tries + 1)),
            _ => {}
        }
        if rand::random_range(0..4) == 0 {
            self.repeated.fetch_add(1, Ordering::Relaxed);
            self.tap(station, 0, order, share, amount, "CB", uuid).await;
        }
    }

    /// A till's evening: table after table, share after share.
    async fn evening(self: Arc<Self>, stations: Arc<Vec<Arc<Station>>>, at: usize) {
        let station = &stations[at];
        let items = json!([{"dish_id": 12, "qty": COVERS / 2}, {"wine_id": 34, "qty": COVERS / 2}]);
        let table = i64::try_from(at).expect("few") * 6;
        for round in 0.. {
            let table = table + 1 + round % 6;
            let body = json!({"table_id": table, "covers": COVERS, "items": items, "uuid": Uuid::now_v7()});
            let (status, placed) = self.call(station, 0, "/api/orders", Some(&body)).await;
            assert_eq!(status, 201, "{placed}");
            let order = &placed["order_id"];
            let mut share = 1;
            while let Some(view) = self.share(station, order, share).await {
                if self.attempts.load(Ordering::Relaxed) >= self.wanted && station.cuts.lock().expect("no panic").is_empty() {
                    return;
                }
                match view["status"].as_str() {
                    Some("paid") => share += 1,
                    Some("unpaid") => {
                        let amount = view["amount"].as_f64().expect("an amount");
                        self.episode(&stations, station, order, share, amount).await;
                        let attempts =
                            sqlx::query_scalar("select count(*) from payment_attempts").fetch_one(&self.db).await.expect("a count");
                        self.attempts.store(attempts, Ordering::Relaxed);
                    }
                    _ => self.resolve(&stations, station, view["payment_id"].as_i64().expect("its payment")).await,
                }
            }
        }
    }

    /// Compares the ledgers. Returns how much was charged, booked and is not known, in cents.
    async fn compare(&self, stations: &[Arc<Station>]) -> (i64, i64, i64) {
        let attempts: Vec<(String, String, Option<i64>, i64)> =
            sqlx::query_as("select reference, state, booked_cents, amount_cents from payment_attempts")
                .fetch_all(&self.db)
                .await
                .expect("attempts");
        let attempts: HashMap<&str, (&str, Option<i64>)> =
            attempts.iter().map(|(reference, state, booked, _)| (reference.as_str(), (state.as_str(), *booked))).collect();
        let (mut charged, mut unknown) = (0, 0);
        let mut seen: HashMap<String, Cents> = HashMap::new();
        for charge in stations.iter().flat_map(|station| station.terminal.charged()) {
            charged += charge.amount.0;
            if seen.insert(charge.reference.clone(), charge.amount).is_some() {
                self.violation(format!("{} was charged twice", charge.reference));
            }
            match attempts.get(charge.reference.as_str()) {
                Some(("approved", Some(booked))) if *booked == charge.amount.0 => {}
                Some(("unknown", None)) => unknown += charge.amount.0,
                other => self.violation(format!("{} was charged {} and stands as {other:?}", charge.reference, charge.amount)),
            }
        }
        let payments: Vec<(String, i64)> =
            sqlx::query_as("select a.reference, p.amount_cents from payments p join payment_attempts a on a.id = p.attempt_id")
                .fetch_all(&self.db)
                .await
                .expect("payments");
        let booked = payments.iter().map(|(_, cents)| cents).sum();
        for (reference, cents) in payments {
            if seen.get(&reference) != Some(&Cents(cents)) {
                self.violation(format!("{reference} is booked with {cents} cents, and was charged {:?}", seen.get(&reference)));
            }
        }
        if charged != booked + unknown {
            self.violation(format!("{charged} charged, {booked} booked, {unknown} not known"));
        }
        for (what, sql) in [
            ("shares paid twice", "select count(*) - count(distinct (order_id, share_number)) from payments"),
            (
                "payments that own something else",
                "select count(*) from payments p where amount_cents <> (select sum(amount_cents) from share_parts where payment_id = p.id)",
            ),
            (
                "orders paid beyond their total",
                "select count(*) from orders o where (select sum(amount_cents) from payments where order_id = o.id) > (select sum((qty - voided_qty) * unit_price_cents) from order_lines where order_id = o.id)",
            ),
            (
                "approvals without payment",
                "select count(*) from payment_attempts a where state = 'approved' and not exists (select from payments p where p.attempt_id = a.id)",
            ),
            ("words without effect", "select count(*) from attempt_words where effect is null"),
            ("contradictions", "select count(*) from attempt_words where effect = 'contradicts'"),
        ] {
            let count: i64 = sqlx::query_scalar(sql).fetch_one(&self.db).await.expect("a count");
            if count != 0 {
                self.violation(format!("{count} {what}"));
            }
        }
        (charged, booked, unknown)
    }
}

/// Every place where a dialogue can be cut, or a handful of them.
fn cuts(requests: usize, answers: usize, all: bool) -> Vec<Script> {
    let every = (0..requests).map(Script::DropRequest).chain((0..answers).map(Script::DropAnswer));
    if all { every.collect() } else { every.filter(|_| rand::random_range(0..20) == 0).collect() }
}

fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("its address").to_string()
}

fn on_a_line(folder: &Path, name: &'static str, terminal: &Arc<Simulator>, stop: &Arc<AtomicBool>) -> String {
    let line = PseudoTerminal::open().expect("a pseudo-terminal");
    let link = folder.join(name);
    line.link(&link).expect("a link");
    let (terminal, stop) = (Arc::clone(terminal), Arc::clone(stop));
    std::thread::spawn(move || terminal.serve_line(line, &|| stop.load(Ordering::Relaxed)));
    format!("concert://{}", link.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_terminals_charged_is_what_is_booked_or_not_known() {
    let wanted: i64 = std::env::var("COMPTOIR_ATTEMPTS").ok().map_or(40, |text| text.parse().expect("COMPTOIR_ATTEMPTS is a number"));
    let all = wanted >= 1000;
    let began = Instant::now();
    let data = folder();
    // The servers adopt the cluster of their folder; this test holds it open meanwhile.
    let cluster = Cluster::start(data.path(), Durability::Throwaway).await.expect("PostgreSQL starts");
    let db = PgPool::connect_with(cluster.connect_options()).await.expect("a pool");

    let charge = Charge { reference: Reference::from_random(1), amount: Cents(2600), till: Till::FIRST };
    let tagged = debit(&charge, &Dialect::default()).len();
    let stop = Arc::new(AtomicBool::new(false));
    let mut stations = Vec::new();
    for (name, requests, answers, setting) in
        [("tcp", tagged + 1, ANSWER, ""), ("concert", FIXED.0, FIXED.1, ""), ("tagged", tagged + 6, ANSWER + 4, "&version=0300")]
    {
        let terminal = Simulator::playing(Vec::new());
        let url = if name == "tcp" {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            tokio::spawn(Arc::clone(&terminal).serve(listener));
            format!("caisse-ap://{address}")
        } else {
            on_a_line(data.path(), name, &terminal, &stop)
        };
        let framing = if name == "tcp" { "" } else { "&framing=8n1" };
        stations.push(Arc::new(Station {
            name,
            terminal,
            terminal_url: format!("{url}?timeout_s=1&late_s=1{framing}{setting}"),
            address: free_address(),
            data: data.path().to_owned(),
            server: tokio::sync::Mutex::new(None),
            cuts: Mutex::new(cuts(requests, answers, all).into_iter().map(|cut| (cut, 1)).collect()),
            made: AtomicUsize::new(0),
        }));
    }
    for station in &stations {
        station.start().await;
    }
    let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
    let mut cookies = Vec::new();
    for who in ["camille", "gerant"] {
        let login = http.post(format!("http://{}/api/auth/login", stations[0].address)).json(&json!({"username": who, "pin": "1234"}));
        let answer = login.send().await.expect("an answer");
        cookies.push(answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned());
    }
    let cuts: usize = stations.iter().map(|station| station.cuts.lock().expect("no panic").len()).sum();
    let campaign = Arc::new(Campaign {
        db: db.clone(),
        http,
        cookies,
        wanted,
        attempts: AtomicI64::new(0),
        kills: AtomicUsize::new(0),
        repeated: AtomicUsize::new(0),
        races: AtomicUsize::new(0),
        resolved: AtomicUsize::new(0),
        answers: Mutex::default(),
        violations: Mutex::default(),
    });
    let stations = Arc::new(stations);
    let evenings: Vec<_> = (0..stations.len()).map(|at| tokio::spawn(Arc::clone(&campaign).evening(Arc::clone(&stations), at))).collect();
    for evening in evenings {
        evening.await.expect("an evening ends");
    }
    let cut: usize = stations.iter().map(|station| station.made.load(Ordering::Relaxed)).sum();

    // What is under way ends by itself, known or not.
    let deadline = Instant::now() + PATIENCE;
    let live = "select (select count(*) from payment_attempts where state in ('created', 'sending', 'sent') or listening_until is not null)
                     + (select count(*) from attempt_words where effect is null)";
    while sqlx::query_scalar::<_, i64>(live).fetch_one(&db).await.expect("a count") > 0
        || stations.iter().any(|station| station.terminal.is_talking())
    {
        assert!(Instant::now() < deadline, "something never ends");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (charged, booked, unknown) = campaign.compare(&stations).await;
    let open: Vec<i64> = sqlx::query_scalar("select id from payment_attempts where state = 'unknown'").fetch_all(&db).await.expect("ids");
    // And once people have looked, nothing is left open.
    for id in &open {
        campaign.resolve(&stations, &stations[0], *id).await;
    }
    let (charged_in_the_end, booked_in_the_end, left) = campaign.compare(&stations).await;
    if left != 0 || charged_in_the_end != booked_in_the_end {
        campaign.violation(format!("{charged_in_the_end} charged and {booked_in_the_end} booked in the end"));
    }
    let (_, verified) = campaign.call(&stations[0], 0, "/api/nf525/verify", None).await;
    if verified["ok"] != json!(true) {
        campaign.violation(format!("the journal: {verified}"));
    }
    let states: Vec<(String, i64)> =
        sqlx::query_as("select state, count(*) from payment_attempts group by state order by state").fetch_all(&db).await.expect("states");
    let attempts: i64 = states.iter().map(|(_, count)| count).sum();
    let requests: usize = stations.iter().map(|station| station.terminal.requests()).sum();
    let payments: (i64, i64) =
        sqlx::query_as("select count(*) filter (where method = 'CB'), count(*) filter (where method <> 'CB') from payments")
            .fetch_one(&db)
            .await
            .expect("counts");
    for station in stations.iter() {
        station.kill().await;
    }
    stop.store(true, Ordering::Relaxed);
    let violations = campaign.violations.lock().expect("no panic").clone();
    let seen = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    eprintln!(
        "{attempts} attempts {states:?}\n{requests} requests reached a terminal, {cut} of them cut at a chosen byte ({cuts} places), {} servers \
         killed, {} taps repeated, {} races of two cashiers, {} resolved by a person\nanswers: {:?}\n{} payments by card, {} in cash; before the \
         last look: charged {charged}, booked {booked}, not known {unknown} cents ({} payments); in the end: charged {charged_in_the_end}, \
         booked {booked_in_the_end}\n{} violations, {:.0?}",
        seen(&campaign.kills),
        seen(&campaign.repeated),
        seen(&campaign.races),
        seen(&campaign.resolved),
        campaign.answers.lock().expect("no panic"),
        payments.0,
        payments.1,
        open.len(),
        violations.len(),
        began.elapsed()
    );
    tally(&json!({
        "attempts": attempts, "requests": requests, "cut": cut, "kills": seen(&campaign.kills), "repeated": seen(&campaign.repeated),
        "races": seen(&campaign.races), "resolved": seen(&campaign.resolved), "by_card": payments.0, "in_cash": payments.1,
        "charged_cents": charged_in_the_end, "booked_cents": booked_in_the_end, "violations": violations.len(),
    }));
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(attempts >= wanted);
    // One place beyond the last byte of each direction of each terminal.
    assert!(cuts - cut <= 2 * stations.len(), "{} of {cuts} places were never cut", cuts - cut);
    cluster.stop().await.expect("a clean stop");
}
