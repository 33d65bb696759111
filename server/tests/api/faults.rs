//! Whatever dies, stands still or runs out under load: nothing that was answered is lost, nothing is there twice, and the journal is sound.
//!
//! The real program with its private PostgreSQL and a real Redis. Phones order and pay and repeat what was not answered, under the same id; meanwhile
//! servers, databases and caches are killed with `kill -9`, the database stands still, and its disk is full. `COMPTOIR_FAULTS` says how many faults
//! (6 unless said; `make campaign` makes a hundred).

use crate::program::{PATIENCE, Person, Till};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use sqlx::PgPool;
use std::collections::BTreeMap;
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
}

/// Who works, and from which table on; each has four tables.
const PHONES: [(&str, i64); 4] = [("camille", 1), ("gerant", 5), ("camille", 9), ("gerant", 13)];

/// What a phone was answered.
#[derive(Default)]
struct Told {
    /// Every order's id and the table's round.
    orders: u64,
    /// What each ticket came to, in cents.
    tickets: BTreeMap<i64, i64>,
}

struct Phone {
    person: Person,
    repeated: Arc<AtomicU64>,
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

    /// Orders, perhaps a second round, and the whole bill in cash.
    async fn work(self, first_table: i64, evening: Arc<AtomicBool>) -> Told {
        let mut told = Told::default();
        while !evening.load(Ordering::Relaxed) {
            let table = first_table + i64::try_from(told.orders).unwrap() % 4;
            let qty = 1 + told.orders % 3;
            let order = json!({"table_id": table, "covers": 1, "uuid": Uuid::now_v7(), "items": [{"dish_id": 12, "qty": qty}, {"wine_id": 34, "qty": 1}]});
            let taken = self.post("/api/orders", &order).await;
            told.orders += 1;
            let owed = 24 * qty + 28;
            let pay =
                json!({"order_id": taken["order_id"], "cover_number": 1, "amount": owed, "method": "ESPECES", "uuid": Uuid::now_v7()});
            let paid = self.post("/api/payments/split", &pay).await;
            assert_eq!(paid["status"], "order_complete", "{paid}");
            let again = told.tickets.insert(paid["ticket_no"].as_i64().unwrap(), i64::try_from(owed * 100).unwrap());
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
    let wanted: usize = std::env::var("COMPTOIR_FAULTS").ok().map_or(6, |text| text.parse().unwrap());
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("disk");
    let disk = SmallDisk::mount(&place);
    let data = place.join("data");
    let redis_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redis_url = format!("redis://127.0.0.1:{redis_port}");
    let settings = [("TPE_URL", "none"), ("REDIS_URL", redis_url.as_str())];
    let mut cache = redis(redis_port);
    let mut till = Till::serve(&data, &settings).await;

    let (evening, repeated) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut working = Vec::new();
    for (who, first_table) in PHONES {
        let phone = Phone { person: till.sign_in(who).await, repeated: Arc::clone(&repeated) };
        working.push(tokio::spawn(phone.work(first_table, Arc::clone(&evening))));
    }

    let kinds = [Fault::ServerKilled, Fault::DatabaseKilled, Fault::RedisKilled, Fault::DatabaseStandsStill, Fault::DiskFull];
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
        }
        *made.entry(fault).or_default() += 1;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    evening.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for phone in working {
        let phone = phone.await.unwrap();
        told.orders += phone.orders;
        let tickets = told.tickets.len() + phone.tickets.len();
        told.tickets.extend(phone.tickets);
        assert_eq!(told.tickets.len(), tickets, "one ticket for two phones");
    }

    // The day is closed by the till as it is now, and the Z says what the phones were told.
    let camille = till.sign_in("camille").await;
    let (status, z) = camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(status, 200, "{z}");
    let sold: i64 = told.tickets.values().sum();
    assert_eq!((&z["summary"]["count"], &z["summary"]["total_ttc"]), (&json!(told.tickets.len()), &euros(sold)), "{}", z["summary"]);
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
    let open: i64 = sqlx::query_scalar("select count(*) from orders where status = 'open'").fetch_one(&db).await.unwrap();
    assert_eq!(open, 0);
    db.close().await;
    cluster.stop().await.unwrap();
    println!(
        "{made:?}{}: {} orders and {} payments answered, each there once, {} requests repeated, journal of {} records sound, Z of {} right, {:.0?}",
        if disk.is_some() { "" } else { " (no disk of its own: it was never full)" },
        told.orders,
        told.tickets.len(),
        repeated.load(Ordering::Relaxed),
        report["records"],
        euros(sold),
        began.elapsed()
    );
}

/// As the contract writes it.
fn euros(cents: i64) -> Value {
    serde_json::from_str(&domain::Cents(cents).to_decimal())
        .map(|value: Value| if cents % 100 == 0 { json!(cents / 100) } else { value })
        .unwrap()
}
