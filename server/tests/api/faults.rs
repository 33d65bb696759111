//! Whatever dies, stands still or runs out under load: nothing that was answered is lost, nothing is there twice, and the journal is sound.
//!
//! The real program with its private PostgreSQL and a real Redis. Phones order and pay, in cash and by card, and repeat what was not answered, under the
//! same id; meanwhile servers, databases and caches are killed with `kill -9`, the database stands still, its disk is full, and the clock of the machine
//! jumps by hours. The terminal has a ledger of its own. `COMPTOIR_FAULTS` says how many faults (6 unless said; `make campaign` makes a hundred).

use crate::folder::folder;
use crate::program::{PATIENCE, Person, Till};
use crate::support::TestApp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use server::sim::tpe::{Script, Simulator};
use sqlx::{Connection, PgPool};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// What a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    ServerKilled,
    DatabaseKilled,
    RedisKilled,
    /// Nothing is answered for two seconds, and then everything.
    DatabaseStandsStill,
    DiskFull,
    /// Hours forward or back, for the server and its database alike.
    ClockJumps,
}

/// Who works, and from which table on; each has four tables. The first takes cards, at the only terminal.
const PHONES: [(&str, i64); 4] = [("camille", 1), ("gerant", 5), ("camille", 9), ("gerant", 13)];

/// What a phone was answered.
#[derive(Default)]
struct Told {
    /// Every order's id and the table's round.
    orders: u64,
    /// What each ticket came to, in cents.
    tickets: BTreeMap<i64, i64>,
    /// The same of those paid by card.
    by_card: BTreeMap<i64, i64>,
    /// What a person said of payments that nobody knew the end of.
    resolved: u64,
}

struct Phone {
    person: Person,
    repeated: Arc<AtomicU64>,
    terminal: Option<Arc<Simulator>>,
}

impl Phone {
    /// Repeats what was not answered. What is refused for good is a fault of this test.
    async fn post(&self, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = self.person.http.post(format!("{}{path}", self.person.base)).header("cookie", &self.person.cookie).json(body);
            if let Ok(answer) = request.timeout(Duration::from_secs(15)).send().await {
                let status = answer.status();
                if let Ok(said) = answer.json::<Value>().await {
                    if status.is_success() {
                        return said;
                    }
                    assert!(status.is_server_error(), "{path}: {status} {said}");
                }
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks until it is answered.
    async fn get(&self, path: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = self.person.http.get(format!("{}{path}", self.person.base)).header("cookie", &self.person.cookie);
            if let Ok(answer) = request.timeout(Duration::from_secs(15)).send().await
                && answer.status().is_success()
                && let Ok(said) = answer.json().await
            {
                return said;
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One tap, which may end in any way, or not be answered at all: what became of it the bill says.
    async fn tap(&self, order: &Value, owed: i64) {
        let pay = json!({"order_id": order, "cover_number": 1, "amount": owed, "method": "CB", "uuid": Uuid::now_v7()});
        let request = self.person.http.post(format!("{}/api/payments/split", self.person.base)).header("cookie", &self.person.cookie);
        if let Ok(answer) = request.json(&pay).timeout(Duration::from_secs(15)).send().await {
            let status = answer.status().as_u16();
            let said = answer.text().await.unwrap_or_default();
            assert!(matches!(status, 201 | 402 | 409 | 500..), "{status} {said}");
        }
    }

    /// The whole bill by card, until it is paid; a person looks at the terminal when nobody knows. Returns the number of the ticket.
    async fn settle_by_card(&self, terminal: &Simulator, order: &Value, owed: i64, resolved: &mut u64) -> i64 {
        let deadline = Instant::now() + PATIENCE * 2;
        let before = terminal.charged().len();
        let mut last = String::new();
        loop {
            assert!(Instant::now() < deadline, "order {order} is never paid: {last}, the terminal talks: {}", terminal.is_talking());
            let bill = self.get(&format!("/api/orders/{order}/bill")).await;
            let share = &bill["shares"][0];
            match share["status"].as_str() {
                Some("paid") => {
                    let payment = self.get(&format!("/api/payments/{}", share["payment_id"])).await;
                    return payment["ticket_no"].as_i64().unwrap_or_else(|| panic!("{payment} of {bill}"));
                }
                Some("unpaid") => {
                    terminal.play(vec![match rand::random_range(0..20) {
                        0..15 => Script::Approve,
                        15..18 => Script::Slow(Duration::from_millis(rand::random_range(0..1_300))),
                        18 => Script::Decline,
                        _ => Script::Silent,
                    }]);
                    self.tap(order, owed).await;
                }
                _ => {
                    let payment = &share["payment_id"];
                    let attempt = self.get(&format!("/api/payments/{payment}")).await;
                    last = format!("{attempt} of {bill}");
                    if attempt["status"] == "unknown" && !terminal.is_talking() {
                        let outcome = if terminal.charged().len() > before { "accepted" } else { "not_accepted" };
                        let said = json!({"outcome": outcome, "reason": "Ticket du TPE lu"});
                        let path = format!("{}/api/payments/{payment}/resolve", self.person.base);
                        let request = self.person.http.post(path).header("cookie", &self.person.cookie).json(&said);
                        if let Ok(answer) = request.timeout(Duration::from_secs(15)).send().await {
                            *resolved += u64::from(answer.status().is_success());
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Orders, perhaps a second round, and the whole bill.
    async fn work(self, first_table: i64, evening: Arc<AtomicBool>) -> Told {
        let mut told = Told::default();
        while !evening.load(Ordering::Relaxed) {
            let table = first_table + i64::try_from(told.orders).unwrap() % 4;
            let qty = 1 + told.orders % 3;
            let order = json!({"table_id": table, "covers": 1, "uuid": Uuid::now_v7(), "items": [{"dish_id": 12, "qty": qty}, {"wine_id": 34, "qty": 1}]});
            let taken = self.post("/api/orders", &order).await;
            told.orders += 1;
            let owed = i64::try_from(24 * qty + 28).unwrap();
            let ticket = if let Some(terminal) = &self.terminal {
                let ticket = self.settle_by_card(terminal, &taken["order_id"], owed, &mut told.resolved).await;
                told.by_card.insert(ticket, owed * 100);
                ticket
            } else {
                let pay =
                    json!({"order_id": taken["order_id"], "cover_number": 1, "amount": owed, "method": "ESPECES", "uuid": Uuid::now_v7()});
                let paid = self.post("/api/payments/split", &pay).await;
                assert_eq!(paid["status"], "order_complete", "{paid}");
                paid["ticket_no"].as_i64().unwrap()
            };
            let again = told.tickets.insert(ticket, owed * 100);
            assert_eq!(again, None, "two payments with one ticket");
        }
        told
    }
}

fn postmaster(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postgres/data/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
}

/// The postmaster and all that it started.
fn family(postmaster: Pid) -> Vec<Pid> {
    let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
    std::iter::once(postmaster).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok().map(Pid::from_raw))).collect()
}

/// Who is gone meanwhile is gone.
fn say(to: &[Pid], what: Signal) {
    for pid in to {
        let _ = kill(*pid, what);
    }
}

fn redis(port: u16) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// A small disk of its own, where this may be made; elsewhere the disk is never full here.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }

    /// Takes all that is left, and gives it back.
    async fn fill(&self, for_so_long: Duration) {
        let ballast = self.0.join("ballast");
        let mut file = tokio::fs::File::create(&ballast).await.unwrap();
        let block = vec![0_u8; 1 << 20];
        while tokio::io::AsyncWriteExt::write_all(&mut file, &block).await.is_ok()
            && tokio::io::AsyncWriteExt::flush(&mut file).await.is_ok()
        {}
        tokio::time::sleep(for_so_long).await;
        drop(file);
        tokio::fs::remove_file(&ballast).await.unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").args(["--lazy"]).arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_there_twice_whatever_dies() {
    let kinds = [Fault::ServerKilled, Fault::DatabaseKilled, Fault::RedisKilled, Fault::DatabaseStandsStill, Fault::DiskFull];
    evening(&kinds, false).await;
}

/// What dies here is not the database: it would be back with the time of the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_there_twice_whatever_the_clock_says() {
    evening(&[Fault::ClockJumps, Fault::ServerKilled, Fault::ClockJumps, Fault::RedisKilled], true).await;
}

async fn evening(kinds: &[Fault], clock_jumps: bool) {
    let wanted: usize = std::env::var("COMPTOIR_FAULTS").ok().map_or(6, |text| text.parse().unwrap());
    let began = Instant::now();
    let folder = folder();
    let place = folder.path().join("disk");
    let disk = SmallDisk::mount(&place);
    let data = place.join("data");
    let redis_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redis_url = format!("redis://127.0.0.1:{redis_port}");
    let terminal = Simulator::playing(Vec::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let terminal_url = format!("caisse-ap://{}?timeout_s=1&late_s=1", listener.local_addr().unwrap());
    tokio::spawn(Arc::clone(&terminal).serve(listener));
    let mut settings = vec![("TPE_URL", terminal_url), ("REDIS_URL", redis_url)];
    let clock = if clock_jumps { Some(Clock::with_a_database(&data).await) } else { None };
    settings.extend(clock.iter().flat_map(Clock::told));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut cache = redis(redis_port);
    let mut till = Till::serve(&data, &settings).await;

    let (evening, repeated) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut working = Vec::new();
    for (n, (who, first_table)) in PHONES.into_iter().enumerate() {
        let terminal = (n == 0).then(|| Arc::clone(&terminal));
        let phone = Phone { person: till.sign_in(who).await, repeated: Arc::clone(&repeated), terminal };
        working.push(tokio::spawn(phone.work(first_table, Arc::clone(&evening))));
    }

    // Hours, and whether it ever went back by more than what setting a clock by the network does.
    let (mut hours, mut went_back, mut jumps) = (0, false, Vec::new());
    let mut made: BTreeMap<Fault, u64> = BTreeMap::new();
    for n in 0..wanted {
        tokio::time::sleep(Duration::from_millis(rand::random_range(200..1_200))).await;
        // Each kind once, then as it comes.
        let fault = kinds.get(n).or_else(|| kinds.choose(&mut rand::rng())).copied().unwrap();
        match (fault, &disk) {
            (Fault::ServerKilled, _) => {
                till.kill_in_place().await;
                till = till.again(&data, &settings).await;
            }
            (Fault::DatabaseKilled, _) => {
                if let Some(pid) = postmaster(&data) {
                    say(&family(pid), Signal::SIGKILL);
                }
            }
            (Fault::RedisKilled, _) => {
                cache.kill().await.unwrap();
                tokio::time::sleep(Duration::from_millis(300)).await;
                cache = redis(redis_port);
            }
            (Fault::DatabaseStandsStill, _) => {
                let Some(pid) = postmaster(&data) else { continue };
                let still = family(pid);
                say(&still, Signal::SIGSTOP);
                tokio::time::sleep(Duration::from_secs(2)).await;
                say(&still, Signal::SIGCONT);
            }
            (Fault::DiskFull, Some(disk)) => disk.fill(Duration::from_secs(2)).await,
            (Fault::DiskFull, None) => continue,
            (Fault::ClockJumps, _) => {
                let clock = clock.as_ref().unwrap();
                // Forward, then back, then anywhere within an afternoon.
                let to = if hours > 0 { -rand::random_range(1..3) } else { rand::random_range(1..4) };
                went_back |= to < hours;
                hours = to;
                jumps.push(hours);
                clock.jump(hours);
            }
        }
        *made.entry(fault).or_default() += 1;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    evening.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for phone in working {
        let phone = phone.await.unwrap();
        told.orders += phone.orders;
        told.resolved += phone.resolved;
        told.by_card.extend(phone.by_card);
        let tickets = told.tickets.len() + phone.tickets.len();
        told.tickets.extend(phone.tickets);
        assert_eq!(told.tickets.len(), tickets, "one ticket for two phones");
    }

    // Every day is closed by the till as it is now, and the Zs say together what the phones were told.
    let camille = till.sign_in("camille").await;
    let (mut count, mut total, mut days) = (0, 0, 0);
    loop {
        let (status, z) = camille.post("/api/nf525/close", &json!({})).await;
        assert_eq!(status, 200, "{z}");
        if z["already_closed"] == true {
            break;
        }
        days += 1;
        count += z["summary"]["count"].as_u64().unwrap();
        total += domain::Cents::parse(&z["summary"]["total_ttc"].to_string()).unwrap().0;
    }
    let sold: i64 = told.tickets.values().sum();
    assert_eq!((count, total), (u64::try_from(told.tickets.len()).unwrap(), sold), "{days} days");
    let (_, report) = camille.get("/api/nf525/verify").await;
    assert_eq!(report["ok"], true, "{report}");
    till.kill().await;

    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let db = PgPool::connect_with(cluster.connect_options()).await.unwrap();
    let rounds: i64 = sqlx::query_scalar("select sum(rounds)::bigint from orders").fetch_one(&db).await.unwrap();
    assert_eq!(u64::try_from(rounds).unwrap(), told.orders, "every order once");
    let booked: Vec<(i64, i64)> = sqlx::query_as("select l.seq, p.amount_cents from payments p join audit_logs l on l.id = p.audit_log_id")
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(booked.into_iter().collect::<BTreeMap<_, _>>(), told.tickets, "every payment once, with its ticket");
    // The terminal's ledger against ours: each charge is one payment of that amount, and no payment by card is without.
    let cards: Vec<(String, i64, i64)> = sqlx::query_as(
        "select a.reference, p.amount_cents, l.seq from payments p join payment_attempts a on a.id = p.attempt_id join audit_logs l on l.id = p.audit_log_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert_eq!(cards.iter().map(|(_, cents, ticket)| (*ticket, *cents)).collect::<BTreeMap<_, _>>(), told.by_card);
    let charged: Vec<(String, i64)> = terminal.charged().into_iter().map(|charge| (charge.reference, charge.amount.0)).collect();
    let booked: BTreeMap<String, i64> = cards.into_iter().map(|(reference, cents, _)| (reference, cents)).collect();
    assert_eq!((charged.len(), charged.into_iter().collect::<BTreeMap<_, _>>()), (booked.len(), booked), "charged, and booked");
    let said: i64 =
        sqlx::query_scalar("select count(*) from audit_logs where data_to_sign like '%CLOCK_WENT_BACK%'").fetch_one(&db).await.unwrap();
    let recorded: Vec<(String, i64)> =
        sqlx::query_as("select to_char(utc_ts, 'DD HH24'), count(*) from audit_logs group by 1 order by min(id)")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(said > 0, went_back, "a clock that went back is in the journal: {jumps:?}, {recorded:?}");
    let open: i64 = sqlx::query_scalar("select count(*) from orders where status = 'open'").fetch_one(&db).await.unwrap();
    assert_eq!(open, 0);
    db.close().await;
    cluster.stop().await.unwrap();
    println!(
        "{made:?}{}: {} orders and {} payments answered, each there once, {} of them by card ({} charges, {} resolved by a person), {} requests \
         repeated, journal of {} records sound, {days} Z of {} right, {:.0?}",
        if disk.is_some() { "" } else { " (no disk of its own: it was never full)" },
        told.orders,
        told.tickets.len(),
        told.by_card.len(),
        terminal.charged().len(),
        told.resolved,
        repeated.load(Ordering::Relaxed),
        report["records"],
        euros(sold),
        began.elapsed()
    );
}

/// The time that a server and its database are told. The file lies where the database's own user can read it.
struct Clock {
    file: PathBuf,
    library: PathBuf,
    _database: Child,
}

impl Clock {
    /// With a database in this folder that goes by it, and that a server will take over.
    async fn with_a_database(data: &Path) -> Self {
        let folders = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let library = folders.into_iter().find(|library| library.exists()).expect("libfaketime, which .ci/setup test installs");
        let file = std::env::temp_dir().join(format!("comptoir-clock-{}", Uuid::now_v7()));
        jump(&file, 0);
        // The till makes its database and says how it calls it; the same is called again under another clock.
        let cluster = Cluster::start(data, Durability::Full).await.unwrap();
        let called = std::fs::read(format!("/proc/{}/cmdline", postmaster(data).unwrap())).unwrap();
        let called: Vec<String> = called.split(|byte| *byte == 0).map(|word| String::from_utf8(word.to_owned()).unwrap()).collect();
        cluster.stop().await.unwrap();
        let of = std::fs::metadata(data.join("postgres/data")).unwrap();
        let words: Vec<&String> = called.iter().filter(|word| !word.is_empty()).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).uid(of.uid()).gid(of.gid()).current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let database = command.envs(told(&library, &file)).spawn().unwrap();
        // Until it says that it is ready, a till would start one of its own, by the time of the machine.
        let deadline = Instant::now() + PATIENCE;
        let ready =
            || std::fs::read_to_string(data.join("postgres/data/postmaster.pid")).is_ok_and(|said| said.trim_end().ends_with("ready"));
        while !ready() {
            assert!(Instant::now() < deadline, "the database under another clock is never ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { file, library, _database: database }
    }

    fn told(&self) -> Vec<(&'static str, String)> {
        told(&self.library, &self.file)
    }

    /// So many hours from the machine's own, at once.
    fn jump(&self, hours: i64) {
        jump(&self.file, hours);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Intervals are measured by a clock that never jumps, as on any machine.
fn told(library: &Path, file: &Path) -> Vec<(&'static str, String)> {
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let yes = || "1".to_owned();
    vec![
        ("LD_PRELOAD", path(library)),
        ("FAKETIME_TIMESTAMP_FILE", path(file)),
        ("FAKETIME_NO_CACHE", yes()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", yes()),
        ("FAKETIME_DISABLE_SHM", yes()),
    ]
}

fn jump(file: &Path, hours: i64) {
    let draft = file.with_extension("new");
    std::fs::write(&draft, format!("{hours:+}h")).unwrap();
    std::fs::rename(&draft, file).unwrap();
}

/// As the contract writes it.
fn euros(cents: i64) -> Value {
    serde_json::from_str(&domain::Cents(cents).to_decimal())
        .map(|value: Value| if cents % 100 == 0 { json!(cents / 100) } else { value })
        .unwrap()
}

/// What was to wait for seconds when the clock went back by hours waits for nothing: the slip, the print, the person who mistyped.
#[tokio::test]
async fn nobody_waits_for_the_time_at_which_the_clock_once_was() {
    let app = TestApp::start().await;
    let forward = "now() + interval '3 hours'";
    let ask = |sql: String| sqlx::query(sqlx::AssertSqlSafe(sql));
    let stranger = app.stranger();
    let sign_in = |pin: &str| json!({"username": "camille", "pin": pin});
    for _ in 0..6 {
        stranger.post("/api/auth/login", &sign_in("0000")).await;
    }
    assert_eq!(stranger.post("/api/auth/login", &sign_in("1234")).await.status, 429, "locked, as it should be");
    for table in ["sign_in_failures", "sign_in_peers"] {
        ask(format!("update {table} set locked_until = {forward}")).execute(&app.owner).await.unwrap();
    }
    assert_eq!(stranger.post("/api/auth/login", &sign_in("1234")).await.status, 200);

    let alice = app.signed_in("alice").await;
    let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    assert_eq!(alice.post("/api/orders", &order).await.status, 201);
    ask("update kitchen_slips set sent_at = null".to_owned()).execute(&app.owner).await.unwrap();
    let claim = || server::db::outbox::claim(&app.house.db, Duration::from_secs(10), Duration::from_secs(60));
    ask("update kitchen_slips set next_attempt_at = now() + interval '50 seconds'".to_owned()).execute(&app.owner).await.unwrap();
    assert!(claim().await.unwrap().is_none(), "it waits, as it should");
    ask(format!("update kitchen_slips set next_attempt_at = {forward}, claimed_until = {forward}")).execute(&app.owner).await.unwrap();
    assert!(claim().await.unwrap().is_some());

    let dead = 77;
    ask(format!("insert into processes (id, seen_at) values ({dead}, clock_timestamp())")).execute(&app.owner).await.unwrap();
    let is_gone = || server::db::processes::is_gone(&app.house.db, dead);
    assert!(!is_gone().await.unwrap(), "seen a moment ago");
    ask(format!("update processes set seen_at = {forward} where id = {dead}")).execute(&app.owner).await.unwrap();
    // A database that has just begun takes nobody for gone.
    let deadline = Instant::now() + PATIENCE;
    while !is_gone().await.unwrap() {
        assert!(Instant::now() < deadline, "it is never gone");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The database began at nine, and now it is seven: whoever died meanwhile is gone, and a card's share is not locked for two hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_died_is_gone_though_the_database_began_in_the_future() {
    let folder = folder();
    let data = folder.path().join("data");
    let clock = Clock::with_a_database(&data).await;
    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let mut db = sqlx::PgConnection::connect_with(&cluster.connect_options()).await.unwrap();
    // As the migrations make it, as far as this looks at it.
    sqlx::query("create table processes (id bigint primary key, seen_at timestamptz not null default clock_timestamp())")
        .execute(&mut db)
        .await
        .unwrap();
    let dead = 77;
    server::db::processes::beat(&mut db, dead).await.unwrap();
    clock.jump(-2);
    let began: bool =
        sqlx::query_scalar("select pg_postmaster_start_time() > clock_timestamp() + interval '1 hour'").fetch_one(&mut db).await.unwrap();
    assert!(began, "the clock did not go back");
    assert!(server::db::processes::is_gone(&mut db, dead).await.unwrap());
    db.close().await.unwrap();
    cluster.stop().await.unwrap();
}
