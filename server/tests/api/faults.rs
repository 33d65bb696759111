//! Whatever dies, stands still, falls silent or runs out under load: nothing that was answered is lost, nothing is there twice, and the journal is
//! sound, after each fault and at the end.
//!
//! The real program with its private PostgreSQL and a real Redis. Phones order and pay, in cash and by card, and repeat what was not answered, under the
//! same id; meanwhile servers, databases, caches and kitchens are killed with `kill -9`, the database stands still, its disk is full, the clock of the
//! machine jumps by hours, and the cables between all of them are slow, cut, or open at one end only. The terminal has a ledger of its own, and the
//! kitchen a book; after each fault all books are compared. `COMPTOIR_FAULTS` says how many faults each evening has (6 unless said; `make campaign` makes a hundred). From fifty on a kind of
//! fault that was never made is a failure.

mod auditor;
mod cable;
mod clock;
mod ears;
mod kitchen;
mod lost;
mod machine;
mod phone;

use crate::folder::folder;
use crate::program::{PATIENCE, Till};
use crate::slips;
use crate::tally::tally;
use auditor::Auditor;
use cable::{Cable, State, To};
use clock::Clock;
use ears::Ear;
use kitchen::Kitchen;
use machine::{SmallDisk, family, postmaster, redis, say, socket_of};
use nix::sys::signal::Signal;
use phone::{Ledger, PHONES, Phone, Told};
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use server::sim::tpe::Simulator;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    ServerKilled,
    DatabaseKilled,
    RedisKilled,
    KitchenKilled,
    /// Nothing is answered for two seconds, and then everything.
    DatabaseStandsStill,
    DiskFull,
    /// Hours forward or back, for the server and its database alike.
    ClockJumps,
    /// Each packet takes its time.
    DatabaseSlow,
    /// All connections are reset.
    DatabaseCut,
    HalfOpenDatabase,
    HalfOpenRedis,
    HalfOpenKitchen,
    HalfOpenTerminal,
    /// The sockets of phones that listen.
    HalfOpenPhones,
}

/// From so many faults on, each kind must have been made, and have met somebody.
const ALL_KINDS: usize = 50;
/// How long a cable is half open.
const LOST: Duration = Duration::from_secs(3);

/// The cables of an evening.
struct Cables {
    database: Cable,
    redis: Cable,
    kitchen: Cable,
    terminal: Cable,
}

impl Cables {
    async fn lay(data: &Path, redis: u16, kitchen: u16, terminal: u16) -> Self {
        Self {
            database: Cable::lay(To::Socket(socket_of(data).join(".s.PGSQL.5432"))).await,
            redis: Cable::lay(To::Port(redis)).await,
            kitchen: Cable::lay(To::Port(kitchen)).await,
            terminal: Cable::lay(To::Port(terminal)).await,
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// All that the till says of the kitchen.
async fn kitchen_says(till: &Till) -> String {
    let Ok(page) = reqwest::get(format!("{}/metrics", till.base)).await else { return "nothing".to_owned() };
    page.text().await.unwrap_or_default().lines().filter(|line| line.starts_with("comptoir_kitchen")).collect::<Vec<_>>().join(", ")
}

/// Slips that the kitchen has not taken, as the till counts them.
async fn slips_waiting(till: &Till) -> Option<u64> {
    let page = reqwest::get(format!("{}/metrics", till.base)).await.ok()?.text().await.ok()?;
    page.lines().find_map(|line| line.strip_prefix("comptoir_kitchen_slips_waiting "))?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_there_twice_whatever_dies() {
    use Fault::{DatabaseKilled, DatabaseStandsStill, DiskFull, KitchenKilled, RedisKilled, ServerKilled};
    evening("whatever dies", &[ServerKilled, DatabaseKilled, KitchenKilled, RedisKilled, DatabaseStandsStill, DiskFull]).await;
}

/// What dies here is not the database: it would be back with the time of the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_there_twice_whatever_the_clock_says() {
    use Fault::{ClockJumps, RedisKilled, ServerKilled};
    evening("whatever the clock says", &[ClockJumps, ServerKilled, ClockJumps, RedisKilled]).await;
}

/// A database that somebody else keeps, over a network that fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_is_there_twice_whatever_the_cables_do() {
    use Fault::{DatabaseCut, DatabaseSlow, HalfOpenDatabase, HalfOpenKitchen, HalfOpenPhones, HalfOpenRedis, HalfOpenTerminal};
    let kinds = [HalfOpenDatabase, HalfOpenKitchen, HalfOpenTerminal, DatabaseSlow, HalfOpenPhones, HalfOpenRedis, DatabaseCut];
    evening("whatever the cables do", &kinds).await;
}

async fn evening(name: &str, kinds: &[Fault]) {
    let wanted: usize = std::env::var("COMPTOIR_FAULTS").ok().map_or(6, |text| text.parse().unwrap());
    let began = Instant::now();
    let folder = folder();
    let place = folder.path().join("disk");
    let disk = if kinds.contains(&Fault::DiskFull) { SmallDisk::mount(&place) } else { None };
    assert!(wanted < ALL_KINDS || disk.is_some() || !kinds.contains(&Fault::DiskFull), "a disk that is full has to be made, as root");
    let data = place.join("data");
    let (redis_port, kitchen_port) = (free_port(), free_port());
    let terminal = Simulator::playing(Vec::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let terminal_port = listener.local_addr().unwrap().port();
    tokio::spawn(Arc::clone(&terminal).serve(listener));
    let clock = if kinds.contains(&Fault::ClockJumps) { Some(Clock::with_a_database(&data).await) } else { None };
    // Over cables the database is somebody else's: this evening keeps it.
    let (kept, cables) = if kinds.contains(&Fault::HalfOpenDatabase) {
        let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
        (Some(cluster), Some(Cables::lay(&data, redis_port, kitchen_port, terminal_port).await))
    } else {
        (None, None)
    };
    let over = |cable: fn(&Cables) -> &Cable, port| cables.as_ref().map_or(port, |cables| cable(cables).port);
    let terminal_at = over(|cables| &cables.terminal, terminal_port);
    let mut settings = vec![
        ("TPE_URL", format!("caisse-ap://127.0.0.1:{terminal_at}?timeout_s=1&late_s=1")),
        ("REDIS_URL", format!("redis://127.0.0.1:{}", over(|cables| &cables.redis, redis_port))),
        ("ERP_URL", format!("http://127.0.0.1:{}", over(|cables| &cables.kitchen, kitchen_port))),
        ("ERP_WAIT_MS", "20".to_owned()),
        ("ERP_JWT_SECRET", kitchen::SECRET.to_owned()),
        ("READY_COLLEAGUES_S", "0".to_owned()),
        ("READY_TILL_S", "0".to_owned()),
    ];
    if let Some(cables) = &cables {
        // Where it leaves a folder when it is killed.
        settings.push(("TMPDIR", folder.path().to_str().unwrap().to_owned()));
        settings.push(("DATABASE_URL", format!("postgres://comptoir@127.0.0.1:{}/comptoir?sslmode=disable", cables.database.port)));
    }
    settings.extend(clock.iter().flat_map(Clock::told));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut cache = redis(redis_port);
    let mut till = Till::serve(&data, &settings).await;
    let webhook = cables.as_ref().map(|_| format!("{}/api/webhooks/erp/dish-ready", till.base));
    let mut kitchen = Kitchen::open(kitchen_port, folder.path(), webhook).await;

    let (evening, repeated) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let to_phones = Cable::lay(To::Port(till.base.rsplit(':').next().unwrap().parse().unwrap())).await;
    let (mut working, mut ears) = (Vec::new(), Vec::new());
    for (n, (who, first_table)) in PHONES.into_iter().enumerate() {
        let terminal = (n == 0).then(|| Arc::clone(&terminal));
        let person = till.sign_in(who).await;
        if cables.is_some() {
            ears.push(Ear::open(who, &person.cookie, &to_phones));
        }
        let phone = Phone { n, person, repeated: Arc::clone(&repeated), ledger: Arc::clone(&ledger), terminal };
        working.push(tokio::spawn(phone.work(first_table, Arc::clone(&evening))));
    }
    let person = till.sign_in("audit").await;
    let reader = Phone { n: PHONES.len(), person, repeated: Arc::default(), ledger: Arc::default(), terminal: None };
    let mut auditor = Auditor {
        data: data.clone(),
        phone: reader,
        ledger: Arc::clone(&ledger),
        terminal: Arc::clone(&terminal),
        kitchen: kitchen.log.clone(),
        checks: 0,
    };
    for ear in &ears {
        ear.has_heard_something().await;
    }

    // Hours, and whether it ever went back by more than what setting a clock by the network does.
    let (mut hours, mut went_back, mut jumps) = (0, false, Vec::new());
    let mut made: BTreeMap<Fault, u64> = BTreeMap::new();
    for n in 0..wanted {
        tokio::time::sleep(Duration::from_millis(rand::random_range(200..1_200))).await;
        // Each kind once, then as it comes.
        let fault = kinds.get(n).or_else(|| kinds.choose(&mut rand::rng())).copied().unwrap();
        let cable = |cable: fn(&Cables) -> &Cable| cable(cables.as_ref().unwrap());
        match fault {
            Fault::ServerKilled => {
                till.kill_in_place().await;
                till = till.again(&data, &settings).await;
            }
            Fault::DatabaseKilled => {
                let Some(pid) = postmaster(&data) else { continue };
                say(&family(pid), Signal::SIGKILL);
            }
            Fault::RedisKilled => {
                cache.kill().await.unwrap();
                tokio::time::sleep(Duration::from_millis(300)).await;
                cache = redis(redis_port);
            }
            Fault::KitchenKilled => {
                kitchen.kill().await;
                tokio::time::sleep(Duration::from_millis(300)).await;
                kitchen.again().await;
            }
            Fault::DatabaseStandsStill => {
                let Some(pid) = postmaster(&data) else { continue };
                let still = family(pid);
                say(&still, Signal::SIGSTOP);
                tokio::time::sleep(Duration::from_secs(2)).await;
                say(&still, Signal::SIGCONT);
            }
            Fault::DiskFull => match &disk {
                Some(disk) => disk.fill(Duration::from_secs(2)).await,
                None => continue,
            },
            Fault::ClockJumps => {
                let clock = clock.as_ref().unwrap();
                // Forward, then back, then anywhere within an afternoon.
                let to = if hours > 0 { -rand::random_range(1..3) } else { rand::random_range(1..4) };
                went_back |= to < hours;
                hours = to;
                jumps.push(hours);
                clock.jump(hours);
            }
            Fault::DatabaseSlow => cable(|cables| &cables.database).is(State::Slow(50..=300), Duration::from_secs(4)).await,
            Fault::DatabaseCut => cable(|cables| &cables.database).is(State::Cut, Duration::from_millis(300)).await,
            Fault::HalfOpenDatabase | Fault::HalfOpenRedis | Fault::HalfOpenKitchen | Fault::HalfOpenTerminal | Fault::HalfOpenPhones => {
                let half_open = match fault {
                    Fault::HalfOpenDatabase => cable(|cables| &cables.database),
                    Fault::HalfOpenRedis => cable(|cables| &cables.redis),
                    Fault::HalfOpenKitchen => cable(|cables| &cables.kitchen),
                    Fault::HalfOpenTerminal => cable(|cables| &cables.terminal),
                    _ => &to_phones,
                };
                // One that met nobody was none.
                if !half_open.is_half_open(LOST, PATIENCE).await {
                    continue;
                }
            }
        }
        *made.entry(fault).or_default() += 1;
        auditor.check(fault).await;
    }
    let never: Vec<&Fault> = kinds.iter().filter(|fault| !made.contains_key(fault)).collect();
    if kinds.contains(&Fault::DiskFull) && disk.is_none() {
        println!("*** THE DISK WAS NEVER FULL: only root can give this evening a small disk of its own. ***");
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

    // What waits for the kitchen arrives when it answers again: while fewer wait than before it goes on. A breaker that is open looks every half minute,
    // a slip that failed often every minute.
    let (mut deadline, mut least) = (Instant::now() + 3 * PATIENCE, None);
    let left = Instant::now();
    loop {
        let waiting = slips_waiting(&till).await;
        if waiting == Some(0) {
            break;
        }
        if waiting.is_some() && least.is_none_or(|least| waiting < Some(least)) {
            (deadline, least) = (Instant::now() + 3 * PATIENCE, waiting);
        }
        assert!(Instant::now() < deadline, "{waiting:?} slips never arrive: {}", kitchen_says(&till).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let left = left.elapsed();

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
    // Nothing more is said of dishes.
    kitchen.kill().await;
    let (mut heard, mut came_back) = (0, 0);
    if let Some(cluster) = &kept {
        let db = PgPool::connect_with(cluster.connect_options()).await.unwrap();
        for ear in &ears {
            let (said, times) = ear.missed_nothing(&db).await;
            (heard, came_back) = (heard + said, came_back + times);
        }
        db.close().await;
    }
    drop(ears);
    till.kill().await;

    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let db = PgPool::connect_with(cluster.connect_options()).await.unwrap();
    let (slips, deliveries) = slips::check(&db, &kitchen.log).await;
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
    if let Some(kept) = kept {
        kept.stop().await.unwrap();
    }
    let (charges, repeated) = (terminal.charged().len(), repeated.load(Ordering::Relaxed));
    let lost = cables.iter().flat_map(|cables| [&cables.database, &cables.redis, &cables.kitchen, &cables.terminal]).chain([&to_phones]);
    let lost: u64 = lost.map(Cable::lost).sum();
    println!(
        "{made:?}, never {never:?}: {} orders and {} payments answered, each there once, {} of them by card ({charges} charges, {} resolved by a \
         person), {repeated} requests repeated, {} checks in between, {slips} slips cooked once in {deliveries} deliveries, the last {left:.0?} after the last fault, {heard} dishes heard by \
         phones that came back {came_back} times, {lost} connections lost at one end, journal of {} records sound, {days} Z of {} right, {:.0?}",
        told.orders,
        told.tickets.len(),
        told.by_card.len(),
        told.resolved,
        auditor.checks,
        report["records"],
        euros(sold),
        began.elapsed()
    );
    let made: BTreeMap<String, u64> = made.into_iter().map(|(fault, times)| (format!("{fault:?}"), times)).collect();
    tally(&json!({
        "evening": name, "faults": made, "orders": told.orders, "payments": told.tickets.len(), "by_card": told.by_card.len(), "charges": charges,
        "resolved": told.resolved, "repeated": repeated, "checks": auditor.checks, "slips": slips, "deliveries": deliveries, "heard": heard,
        "lost": lost, "records": report["records"], "days": days,
    }));
    // In the form of a campaign whoever reads that it passed believes that everything was tried.
    assert!(wanted < ALL_KINDS || never.is_empty(), "never made: {never:?}");
}

/// As the contract writes it.
fn euros(cents: i64) -> Value {
    serde_json::from_str(&domain::Cents(cents).to_decimal())
        .map(|value: Value| if cents % 100 == 0 { json!(cents / 100) } else { value })
        .unwrap()
}
