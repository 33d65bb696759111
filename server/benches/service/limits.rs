//! What the machine can do at most: the same statements without us, and the same bytes without us.

use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

/// Tables from number 1000 on, each with an open order: a second round is the usual case, and the same for both sides.
pub async fn seed(owner: &mut sqlx::PgConnection, tables: u32) {
    let sql = format!(
        "insert into tables (id, name, room_id, seats, x, y) select i, 'B' || i, 1, 4, 0, 0 from generate_series(1000, {}) i;
         insert into orders (table_id, covers, server_user_id) select id, 4, 1 from tables where id >= 1000;",
        999 + tables
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

/// The statements of an order in the order in which the server sends them: who is it; begin; the id; the table; its order; the round; the
/// lines with their slip; the answer; commit; and the look at the table that the other screens are told of.
fn statements(tables: u32, session: &str) -> String {
    format!(
        r#"\set t random(1000, {last})
\set k random(1, 9000000000000000000)
select data, expires_at from sessions where id = '{session}' and expires_at > now();
begin;
insert into idempotency (key, digest) values (md5(:k::text)::uuid, '\x{digest}') on conflict (key) do nothing;
select name, seats from tables where id = :t for no key update;
select o.id as o, o.server_user_id, u.name from orders o join users u on u.id = o.server_user_id where o.table_id = :t and o.status = 'open' for update of o \gset
update orders set rounds = rounds + 1, covers = coalesce(null, covers) where id = :o returning rounds as r, table_id \gset
{lines};
update idempotency set status = 201, answer = '{{"order_id":1,"status":"sent","round":1}}'::text::json where key = md5(:k::text)::uuid;
commit;
{look};
"#,
        last = 999 + tables,
        digest = "00".repeat(32),
        lines = LINES.replace('\n', " "),
        look = LOOK.replace('\n', " "),
    )
}

const LINES: &str = "with slip as (
  insert into kitchen_slips (order_id, table_id, round, sent_at) select :o, :t, :r, now() where true = any('{t,f}'::boolean[]) returning id
), stored as (
  insert into order_lines (order_id, round, item_id, kind, name, qty, unit_price_cents, vat_rate, note, course, part_of, options, state, slip_id)
  select :o, :r, item_id, kind, name, qty, price, rate, note, course, part_of, options, state, case when to_kitchen then (select id from slip) end
  from unnest('{12,34}'::bigint[], '{dish,wine}'::text[], '{Magret de canard,Cahors 2018}'::text[], '{1,1}'::integer[], '{2400,2800}'::bigint[],
    '{1000,2000}'::smallint[], '{null,null}'::text[], '{2,0}'::smallint[], '{null,null}'::text[], '{\"[]\",\"[]\"}'::jsonb[],
    '{received,received}'::text[], '{t,f}'::boolean[])
    with ordinality as new (item_id, kind, name, qty, price, rate, note, course, part_of, options, state, to_kitchen, position)
  order by position
) select id from (values (1)) as always left join slip on true";

const LOOK: &str = "select t.id, t.name, r.name as room, t.seats, t.x, t.y, t.round, o.id as order_id, o.server_user_id, u.name as server_name,
  o.opened_at, o.covers, coalesce(l.total, 0)::bigint as total, coalesce(l.ready, false) as ready, o.bill_asked_at is not null as bill_asked,
  coalesce(p.paid, 0)::bigint as paid
from tables t join rooms r on r.id = t.room_id
left join orders o on o.table_id = t.id and o.status = 'open'
left join users u on u.id = o.server_user_id
left join lateral (select sum((qty - voided_qty) * unit_price_cents) as total, bool_or(state = 'ready') as ready
  from order_lines where order_id = o.id and state <> 'voided') l on true
left join lateral (select sum(amount_cents) as paid from payments where order_id = o.id) p on true
where :t::bigint is null or t.id = :t order by r.rank, t.id";

/// Transactions a second that `pgbench` gets with these statements.
pub async fn pgbench(options: &PgConnectOptions, clients: usize, long: Duration, tables: u32, cookie: &str) -> f64 {
    let session = session_name(cookie);
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), statements(tables, &session)).unwrap();
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

/// The row of `sessions` that a cookie opens.
fn session_name(cookie: &str) -> String {
    use base64::Engine;
    let value = cookie.split_once('=').unwrap().1;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value).unwrap();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
