//! What the machine can do at most: the same statements without us, and the same bytes without us.

use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

/// Tables from number 1000 on, each with an open order: a second round is the usual case, and the same for both sides.
pub async fn seed(owner: &mut sqlx::PgConnection, tables: u32) {
    let sql = format!(
        "insert into tables (id, name, room_id, seats, x, y) select i, 'B' || i, 1, 4, 50, 50 from generate_series(1000, {}) i;
         insert into orders (table_id, covers, server_user_id) select id, 4, 1 from tables where id >= 1000;",
        999 + tables
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

/// The statement of a further round, as the server sends it: the open order of the table, unless something was answered under this id, with its
/// lines, its slip and the answer. A transaction of its own. Ids grow with time, as those of phones do.
fn statements(tables: u32, told: bool) -> String {
    format!(
        "\\set t random(1000, {last})\n\\set k random(1, 9000000000000000000)\n{store};\n",
        last = 999 + tables,
        store = STORE.replace('\n', " ").replace("{sent_at}", if told { "now()" } else { "null" }),
    )
}

const STORE: &str = "with ids as (
  select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(:k::text), 1, 19))::uuid as id
), head as (
  update orders o set rounds = o.rounds + 1
  where o.id = coalesce(null, (select id from orders where table_id = :t and status = 'open'))
    and o.status = 'open' and o.table_id = coalesce(:t, o.table_id) and o.server_user_id = coalesce(null, o.server_user_id)
    and o.covers = coalesce(null, o.covers) and not exists (select from idempotency where key = (select id from ids))
  returning o.id, o.rounds, o.table_id, 0 as n, (select id from ids) as key,
    '\\x0000000000000000000000000000000000000000000000000000000000000000'::bytea as digest, 'sent' as status, (select id from ids) as slip
), slip as (
  insert into kitchen_slips (key, order_id, table_id, round, sent_at)
  select h.slip, h.id, h.table_id, h.rounds, {sent_at} from head h where h.n = any('{0}'::integer[]) returning id, order_id
), stored as (
  insert into order_lines (order_id, round, item_id, kind, name, qty, unit_price_cents, vat_rate, note, course, part_of, options, state, slip_id)
  select h.id, h.rounds, new.item_id, new.kind, new.name, new.qty, new.price, new.rate, new.note, new.course, new.part_of, new.options, new.state,
    case when new.to_kitchen then s.id end
  from unnest('{0,0}'::integer[], '{12,34}'::bigint[], '{dish,wine}'::text[], '{Magret de canard,Cahors 2018}'::text[], '{1,1}'::integer[],
    '{2400,2800}'::bigint[], '{1000,2000}'::smallint[], '{null,null}'::text[], '{2,0}'::smallint[], '{null,null}'::text[],
    '{\"[]\",\"[]\"}'::jsonb[], '{received,received}'::text[], '{t,f}'::boolean[])
    with ordinality as new (n, item_id, kind, name, qty, price, rate, note, course, part_of, options, state, to_kitchen, position)
  join head h on h.n = new.n left join slip s on s.order_id = h.id
  order by new.position
), answered as (
  insert into idempotency (key, digest, status, answer)
  select h.key, h.digest, 201, json_build_object('order_id', h.id, 'status', h.status, 'round', h.rounds, 'slip', s.id)
  from head h left join slip s on s.order_id = h.id where h.key is not null
) select h.n, h.id, h.table_id, h.rounds, s.id as slip, now() as at from head h left join slip s on s.order_id = h.id";

/// Slips that wait for the kitchen system.
pub async fn waiting(owner: &mut sqlx::PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from kitchen_slips where sent_at is null").fetch_one(owner).await.unwrap()
}

/// Transactions a second that `pgbench` gets with this statement. `told`: the built-in kitchen screen has each slip at once; else it waits for a
/// kitchen system.
pub async fn pgbench(options: &PgConnectOptions, clients: usize, long: Duration, tables: u32, told: bool) -> f64 {
    run_pgbench(options, clients, long, &statements(tables, told)).await
}

/// Transactions a second that `pgbench` gets with a script.
pub async fn run_pgbench(options: &PgConnectOptions, clients: usize, long: Duration, statements: &str) -> f64 {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), statements).unwrap();
    let socket = options.get_socket().expect("a private cluster is reached by its socket").clone();
    let output = Command::new(program("pgbench"))
        .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &clients.min(2).to_string()])
        .args(["-T", &long.as_secs().to_string(), "-f"])
        .arg(script.path())
        .arg("-h")
        .arg(&socket)
        .args(["-U", options.get_username(), options.get_database().unwrap_or("comptoir")])
        .env("PGOPTIONS", "-c role=comptoir_app")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("number of failed transactions: 0 "), "{text}");
    text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok()).expect("pgbench says how many")
}

/// A client program of PostgreSQL: on the PATH, or where Debian keeps those of the newest version.
fn program(name: &str) -> std::path::PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin").join(name)).filter(|path| path.is_file()).max();
    newest.unwrap_or_else(|| name.into())
}

/// A handler that returns the bytes of a file and does nothing else, until it is ended.
pub async fn bare_handler(body: &Path) {
    use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
    let bytes = axum::body::Bytes::from(std::fs::read(body).unwrap());
    let handler = move || async move {
        ([(ETAG, "\"0123456789abcdef\""), (CACHE_CONTROL, "private, no-cache"), (CONTENT_TYPE, "application/json")], bytes)
    };
    let router = axum::Router::new().route("/api/menu", axum::routing::get(handler));
    let address = std::env::var("COMPTOIR_ADDR").unwrap();
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    println!("bare handler on {address}");
    let ended = async {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap().recv().await;
    };
    axum::serve(listener, router).with_graceful_shutdown(ended).await.unwrap();
}
