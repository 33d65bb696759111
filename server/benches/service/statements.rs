//! The statements of the server itself, as `pgbench` runs them: what they are is read where the compiler keeps it (`.sqlx`), so that what is measured as
//! the limit is what the server asks, whatever that becomes. Values are sent as parameters of the same types, and the connection is set as the server's
//! lane is. What still differs: nulls stand in the text, and ids, digests and what else is different each time are worked out by PostgreSQL from a number
//! that `pgbench` draws, for it sends no text of its own making. A test runs them.

use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::process::Output;
use tokio::process::Command;

/// What `pgbench` runs, and the values of the variables in it that are the same each time.
pub struct Script {
    pub text: String,
    values: Vec<(String, String)>,
}

/// A query of the server, and the types of its parameters.
struct Asked {
    query: String,
    types: Vec<String>,
}

/// The one query that begins like this, says `with` and does not say `without`; on one line, its columns under names that `pgbench` can keep.
fn of_the_server(beginning: &str, with: &str, without: &str) -> Asked {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.sqlx");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let kept = serde_json::from_str::<serde_json::Value>(&text).unwrap();
        (kept["query"].as_str().unwrap().to_owned(), kept["describe"]["parameters"]["Left"].clone())
    };
    let mut found: Vec<(String, serde_json::Value)> = std::fs::read_dir(folder).unwrap().map(read).collect();
    found.retain(|(query, _)| query.starts_with(beginning) && query.contains(with) && !query.contains(without));
    assert_eq!(found.len(), 1, "one query of the server begins with {beginning:?} and says {with:?}: {found:#?}");
    let (query, kinds) = &found[0];
    let types = kinds.as_array().unwrap().iter().map(|kind| type_of(kind.as_str().unwrap())).collect();
    let lines = query.lines().filter(|line| !line.trim_start().starts_with("--"));
    let query = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    // `"mark!"`, `"facts!: Json<Facts>"`: the name, and what sqlx is told of it.
    let query = query
        .split('"')
        .enumerate()
        .map(|(i, part)| if i % 2 == 0 { part } else { part.split(['!', '?', ':']).next().unwrap_or(part) })
        .collect();
    Asked { query, types }
}

/// PostgreSQL's name of a type that sqlx calls like this.
fn type_of(kind: &str) -> String {
    let (element, array) = kind.strip_suffix("Array").map_or((kind, ""), |element| (element, "[]"));
    let name = match element {
        "Int2" => "smallint",
        "Int4" => "integer",
        "Int8" => "bigint",
        other => other,
    };
    format!("{}{array}", name.to_lowercase())
}

/// The same value each time: its text. Null and what is worked out are none; nor is the empty text, which `pgbench` does not take.
fn fixed(value: &str) -> Option<&str> {
    let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).filter(|text| !text.is_empty() && !text.contains('\''));
    quoted.or_else(|| (value.parse::<i64>().is_ok() || value == "true" || value == "false").then_some(value))
}

/// The query with `values[0]` for `$1` and so on. Every place has a value, and every value a place. What is the same each time is a variable of
/// `pgbench`, whose name begins like this.
fn filled(asked: &Asked, values: &[&str], name: &str, variables: &mut Vec<(String, String)>) -> String {
    let (query, types) = (&asked.query, &asked.types);
    variables.extend(values.iter().enumerate().filter_map(|(i, value)| Some((format!("{name}{i}"), fixed(value)?.to_owned()))));
    let mut unused: Vec<usize> = (1..=values.len()).collect();
    let mut parts = query.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let number: usize = part[..end].parse().unwrap();
        let value = values.get(number - 1).unwrap_or_else(|| panic!("nobody says what ${number} is: {query}"));
        match fixed(value) {
            Some(_) => text += &format!("(:{name}{}::{})", number - 1, types[number - 1]),
            None => text += value,
        }
        text += &part[end..];
        unused.retain(|one| *one != number);
    }
    assert!(unused.is_empty(), "the server no longer asks for {unused:?}: {query}");
    text
}

/// The statement of a further round of two items at one of the tables from `first` to `last`, as the server sends it: a transaction of its own. Ids
/// grow with time, as those of phones do. `told`: the built-in kitchen screen has each slip at once; else it waits for a kitchen system.
pub fn round(first: u32, last: u32, told: bool) -> Script {
    let id = "(lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7' || substr(md5(:k::text), 1, 19))::uuid";
    let digest = format!(r"'\x{}'", "00".repeat(32));
    #[rustfmt::skip]
    let values = [
        if told { "true" } else { "false" }, "'{0}'", "'{0,0}'", "'{12,34}'", "'{dish,wine}'", "'{Magret de canard,Cahors 2018}'", "'{1,1}'",
        "'{2400,2800}'", "'{1000,2000}'", "'{null,null}'", "'{2,0}'", "'{null,null}'", r#"'{"[]","[]"}'"#, "'{received,received}'", "'{t,f}'",
        "null", ":t", "null", "null", id, &digest, "'sent'", id,
    ];
    let mut variables = Vec::new();
    let store = filled(&of_the_server("with head as", "insert into kitchen_slips", "sync_intents"), &values, "s", &mut variables);
    let text = format!("\\set t random({first}, {last})\n\\set k random(1, 9000000000000000000)\n{store};\n");
    Script { text, values: variables }
}

/// What a share in cash asks of the database, in the order in which the server asks; what is signed is a text of the same length. Of bills of two lines
/// from `first` to `last`; share numbers are drawn so that hardly any is settled twice. The server lets its own requests at the journal one at a time, and
/// what it reads holds until it stores; several clients of `pgbench` do that with an advisory lock.
pub fn cash_share(first: i64, last: i64, clients: usize) -> Script {
    let key = "md5(:k::text)::uuid";
    let mut variables = Vec::new();
    let bill = of_the_server("select o.id, o.uuid", "fiscal_bill_mark(", "insert");
    let ask = filled(&bill, &[":o", key, "'01'", "'X'", "'Europe/Paris'", "true"], "a", &mut variables);
    #[rustfmt::skip]
    let values = [
        // the record
        "'01'", "'X'", ":last_seq::bigint + 1", "'TICKET'", "2550", "current_date", "(md5(:k::text) || md5(:s::text))",
        "coalesce(nullif(:last_hash::text, ''), repeat('0', 64))", "repeat('s', 342)", "to_json(repeat('x', 1200))::text", "'F1'", "'20260101000000'",
        "now()", "'1000=1850'", "''", "(md5('c') || md5('c'))", "repeat('d', 700)", "(select key_id from fiscal_keys limit 1)", "'bench'",
        // the payment
        ":payment", ":o", ":s", "'ESPECES'", "2550", "3000", "450", "0", "4",
        // its parts
        "(select array_agg(id) from order_lines where order_id = :o)", "array[1850, 700]", "array[0, 0]",
        // the bill goes on
        "false", "false", "null", "false", "'[]'", key, "json_build_object('payment_id', 1)::text", ":mark", ":last", r"'\x00'",
    ];
    let store = filled(&of_the_server("with unchanged as", "insert into payments", "insert into refunds"), &values, "b", &mut variables);
    let (turn, over) = if clients > 1 { ("select pg_advisory_lock(1);\n", "select pg_advisory_unlock(1);\n") } else { ("", "") };
    let text = format!(
        "\\set o random({first}, {last})\n\\set s random(5, 30000)\n\\set k random(1, 9000000000000000000)\n{turn}{ask} \\gset\n{store} \\gset\n{over}"
    );
    Script { text, values: variables }
}

/// As whom, and how the server's lane asks (`server/src/db/lane.rs`): planned once for all arguments, and never by reading a table whole.
const AS_THE_LANE: &str = "-c role=comptoir_app -c plan_cache_mode=force_generic_plan -c enable_seqscan=off";

/// Runs `pgbench` with a script, as the till, so many clients for as long as the arguments say.
pub async fn pgbench(options: &PgConnectOptions, clients: usize, long: [&str; 2], script: &Script) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &script.text).unwrap();
    let socket = options.get_socket().expect("a private cluster is reached by its socket").clone();
    Command::new(program("pgbench"))
        .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &clients.min(2).to_string()])
        .args(long)
        .args(script.values.iter().map(|(name, value)| format!("-D{name}={value}")))
        .arg("-f")
        .arg(file.path())
        .arg("-h")
        .arg(&socket)
        .args(["-U", options.get_username(), options.get_database().unwrap_or("comptoir")])
        .env("PGOPTIONS", AS_THE_LANE)
        .output()
        .await
        .unwrap()
}

/// A client program of PostgreSQL: on the PATH, or where Debian keeps those of the newest version.
fn program(name: &str) -> std::path::PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin").join(name)).filter(|path| path.is_file()).max();
    newest.unwrap_or_else(|| name.into())
}
