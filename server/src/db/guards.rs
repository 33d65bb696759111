//! What guards the journal inside the database, looked at from the catalogue.

use crate::error::Result;
use domain::api::Flaw;
use sqlx::PgPool;

/// A part of the check did not work, and nothing is proven by that. On the screens until one that works; never in the journal.
pub const CHECK_FAILED: &str = "check_failed";

/// Whether a flaw is one of what guards the journal, which every check looks at anew.
#[must_use]
pub fn is_of_guards(flaw: &Flaw) -> bool {
    let codes = [
        "table_missing",
        "guard_disabled",
        "guard_replaced",
        "guard_bypassed",
        "right_too_wide",
        "role_too_powerful",
        "role_missing",
        "owner_changed",
    ];
    codes.contains(&flaw.code.as_str()) || flaw.code == "guards_unreadable"
}

pub(super) fn flaw(code: &str, detail: String) -> Flaw {
    Flaw { chain: "*".to_owned(), seq: 0, code: code.to_owned(), detail }
}

/// A table that is guarded: by what, and what the till may do to it besides reading.
struct Guarded {
    table: &'static str,
    /// What runs before a row of it is changed or deleted.
    on_change: &'static str,
    /// What runs before it is emptied.
    on_truncate: &'static str,
    /// It belongs to the role that nobody can sign in as.
    is_owned: bool,
    may: &'static [&'static str],
    /// Columns that a guard lets change, once or in its order.
    may_set: &'static [&'static str],
}

impl Guarded {
    /// Rows are added and nothing else, by the till itself.
    const fn appended(table: &'static str, on_change: &'static str) -> Self {
        Self { table, on_change, on_truncate: on_change, is_owned: true, may: &["INSERT"], may_set: &[] }
    }

    /// Nothing is written but by the functions of the journal.
    const fn closed(table: &'static str, on_change: &'static str) -> Self {
        Self { table, on_change, on_truncate: "refuse_journal_change", is_owned: true, may: &[], may_set: &[] }
    }

    /// It belongs to whoever made it; its guard does the rest.
    const fn made_by_anybody(table: &'static str, on_change: &'static str) -> Self {
        Self { table, on_change, on_truncate: "refuse_payment_change", is_owned: false, may: &["INSERT"], may_set: &[] }
    }
}

/// Every guarded table.
const GUARDED: [Guarded; 24] = [
    Guarded::closed("audit_logs", "refuse_journal_change"),
    Guarded::closed("fiscal_heads", "refuse_head_change"),
    Guarded::closed("fiscal_keys", "refuse_journal_change"),
    Guarded {
        on_truncate: "refuse_journal_change",
        may_set: &["end_seq", "closed_at", "audit_log_id", "last_record"],
        ..Guarded::appended("fiscal_periods", "refuse_period_change")
    },
    Guarded::appended("fiscal_long_periods", "refuse_journal_change"),
    Guarded::appended("fiscal_prints", "refuse_journal_change"),
    Guarded::appended("fiscal_corrections", "refuse_journal_change"),
    Guarded::appended("fiscal_notes", "refuse_journal_change"),
    Guarded::appended("payments", "refuse_payment_change"),
    Guarded::appended("share_parts", "refuse_payment_change"),
    Guarded::appended("refunds", "refuse_payment_change"),
    Guarded::appended("refund_parts", "refuse_payment_change"),
    Guarded::appended("method_transfers", "refuse_payment_change"),
    Guarded::appended("discounts", "refuse_payment_change"),
    Guarded::appended("discount_parts", "refuse_payment_change"),
    Guarded {
        may_set: &["uuid", "target", "state", "trouble", "user_id", "state_at", "next_at", "give_up_at"],
        ..Guarded::appended("prints", "refuse_print_change")
    },
    Guarded { may: &["INSERT", "UPDATE", "DELETE"], ..Guarded::made_by_anybody("order_lines", "refuse_ticketed_line_change") },
    Guarded {
        may_set: &["state", "booked_cents", "approval_code", "error_code", "state_at", "listening_until"],
        ..Guarded::made_by_anybody("payment_attempts", "refuse_attempt_step")
    },
    Guarded::made_by_anybody("attempt_parts", "refuse_payment_change"),
    Guarded::made_by_anybody("attempt_events", "refuse_payment_change"),
    Guarded { may_set: &["effect", "stood"], ..Guarded::made_by_anybody("attempt_words", "refuse_word_change") },
    Guarded::made_by_anybody("contradiction_decisions", "refuse_payment_change"),
    Guarded::made_by_anybody("stray_words", "refuse_payment_change"),
    Guarded::made_by_anybody("stray_decisions", "refuse_payment_change"),
];

/// What else runs at these tables: table, trigger, function, when it runs (`pg_trigger.tgtype`). The first two guard the journal further; the last two
/// keep charged and booked the same.
const MORE_TRIGGERS: [(&str, &str, &str, i16); 4] = [
    ("audit_logs", "audit_logs_no_insert", "refuse_journal_insert", FOR_EACH_ROW | BEFORE | INSERT),
    ("audit_logs", "audit_logs_key", "refuse_retired_key", FOR_EACH_ROW | BEFORE | INSERT),
    ("payments", "card_payment_is_approved", "check_card_payment_is_approved", FOR_EACH_ROW | INSERT),
    ("payment_attempts", "approved_attempt_is_booked", "check_attempt_is_booked", FOR_EACH_ROW | INSERT | UPDATE),
];

/// Triggers at a guarded table that guard nothing: table, name, function, when it runs. After the row, so that it changes nothing of it.
const HARMLESS: [(&str, &str, &str, i16); 1] = [("order_lines", "a_dish_leaves_the_pass", "end_wait_at_the_pass", FOR_EACH_ROW | UPDATE)];

const FOR_EACH_ROW: i16 = 1;
const BEFORE: i16 = 2;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;
const TRUNCATE: i16 = 32;

/// Functions that act with the rights of the journal's owner.
const AS_OWNER: [&str; 7] = [
    "fiscal_append",
    "fiscal_hold",
    "fiscal_lock",
    "fiscal_lock_day",
    "fiscal_remember_key",
    "refuse_retired_key",
    "refuse_ticketed_line_change",
];

/// Functions of the till's own rights that belong to whoever made them.
const MADE_BY_ANYBODY: [&str; 3] = ["fiscal_bill_facts", "fiscal_bill_mark", "fiscal_pay_if_unchanged"];

fn tables(which: impl Fn(&Guarded) -> bool) -> Vec<String> {
    GUARDED.iter().filter(|guarded| which(guarded)).map(|guarded| guarded.table.to_owned()).collect()
}

/// Which guarded tables somebody dropped or renamed.
async fn gone(db: &PgPool) -> Result<Vec<Flaw>> {
    let tables = sqlx::query_scalar!(
        r#"select kept as "kept!" from unnest($1::text[]) kept where to_regclass('public.' || kept) is null"#,
        &tables(|_| true)
    )
    .fetch_all(db)
    .await?;
    Ok(tables.into_iter().map(|table| flaw("table_missing", format!("La table « {table} » n'existe plus."))).collect())
}

/// Guards that are missing, switched off, replaced or owned by somebody else; rights that the till must not have. Each kind by itself: what keeps one from
/// being looked at keeps none of the others.
pub async fn missing(db: &PgPool) -> [Result<Vec<Flaw>>; 6] {
    [gone(db).await, triggers(db).await, functions(db).await, what_acts_beside_them(db).await, rights(db).await, roles(db).await]
}

/// Each guard is where it belongs: for every such statement, whatever the row and the column, whoever asks (`ENABLE ALWAYS`), and it is the one that
/// is meant and not another of a gentler mind.
async fn triggers(db: &PgPool) -> Result<Vec<Flaw>> {
    let mut expected: Vec<(String, String, String, i16)> = Vec::new();
    for guarded in &GUARDED {
        for (kind, function, runs) in [
            ("no_change", guarded.on_change, FOR_EACH_ROW | BEFORE | DELETE | UPDATE),
            ("no_truncate", guarded.on_truncate, BEFORE | TRUNCATE),
        ] {
            expected.push((guarded.table.to_owned(), format!("{}_{kind}", guarded.table), function.to_owned(), runs));
        }
    }
    expected.extend(MORE_TRIGGERS.map(|(table, name, function, runs)| (table.to_owned(), name.to_owned(), function.to_owned(), runs)));
    let tables: Vec<String> = expected.iter().map(|row| row.0.clone()).collect();
    let names: Vec<String> = expected.iter().map(|row| row.1.clone()).collect();
    let functions: Vec<String> = expected.iter().map(|row| row.2.clone()).collect();
    let runs: Vec<i16> = expected.iter().map(|row| row.3).collect();
    let missing = sqlx::query_scalar!(
        r#"select guard as "guard!"
           from unnest($1::text[], $2::text[], $3::text[], $4::smallint[]) as expected (guarded, guard, function, runs)
           where not exists (
               select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
               where t.tgrelid = to_regclass('public.' || guarded) and t.tgname = guard and t.tgenabled = 'A' and t.tgtype = runs
                 and p.pronamespace = 'public'::regnamespace and p.proname = function and p.pronargs = 0
                 and pg_get_userbyid(p.proowner) = 'comptoir_owner' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0)"#,
        &tables,
        &names,
        &functions,
        &runs
    )
    .fetch_all(db)
    .await?;
    Ok(missing
        .into_iter()
        .map(|guard| flaw("guard_disabled", format!("La protection « {guard} » est absente, désactivée ou une autre.")))
        .collect())
}

/// The guards' own text: a function that was replaced by a gentler one would keep its name, and so would one beside it with other arguments.
async fn functions(db: &PgPool) -> Result<Vec<Flaw>> {
    let found = sqlx::query!(
        r#"select p.proname::text as "name!", pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p.prosrc, 'UTF8')), 'hex') as "digest!", p.prosecdef as "as_owner!",
                  coalesce(p.proconfig = array['search_path=pg_catalog, public, pg_temp'], false) as "is_fixed!", p.proconfig is null as "is_plain!",
                  pg_get_userbyid(p.proowner) = 'comptoir_owner' as "is_owned!"
           from pg_proc p
           where p.pronamespace = 'public'::regnamespace and p.proname ~ '^(refuse|fiscal|check)_' order by p.proname"#
    )
    .fetch_all(db)
    .await?;
    let expected = expected_functions();
    let mut flaws = Vec::new();
    for (name, digest) in &expected {
        let as_owner = AS_OWNER.contains(&name.as_str());
        let of_this_name: Vec<_> = found.iter().filter(|function| function.name == *name).collect();
        let holds = matches!(of_this_name.as_slice(), [one] if one.digest == *digest && one.as_owner == as_owner
            && if as_owner || name.starts_with("check_") { one.is_fixed } else { one.is_plain }
            && (one.is_owned || MADE_BY_ANYBODY.contains(&name.as_str())));
        if !holds {
            flaws.push(flaw("guard_replaced", format!("La fonction « {name} » n'est pas celle de cette version.")));
        }
    }
    let more = found.iter().filter(|function| expected.iter().all(|(name, _)| *name != function.name));
    flaws.extend(more.map(|function| beside(&format!("la fonction {}", function.name))));
    Ok(flaws)
}

fn beside(what: &str) -> Flaw {
    flaw("guard_bypassed", format!("Quelque chose agit à côté des protections : {what}."))
}

/// What would act behind the guards: a function with more rights than the till's, another trigger, a rule in place of a statement, rows that somebody
/// does not see.
async fn what_acts_beside_them(db: &PgPool) -> Result<Vec<Flaw>> {
    let mut known: Vec<String> =
        GUARDED.iter().flat_map(|it| [format!("{0}.{0}_no_change", it.table), format!("{0}.{0}_no_truncate", it.table)]).collect();
    known.extend(MORE_TRIGGERS.iter().map(|(table, name, ..)| format!("{table}.{name}")));
    let harmless: Vec<String> = HARMLESS.iter().map(|(table, name, function, runs)| format!("{table}.{name} {function} {runs}")).collect();
    let found = sqlx::query_scalar!(
        r#"select concat('la fonction ', p.proname) as "what!" from pg_proc p join pg_namespace n on n.oid = p.pronamespace
           where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema') and not (n.nspname = 'public' and p.proname = any($1))
             and (n.nspname = 'public' or pg_get_userbyid(p.proowner) = 'comptoir_owner'
                  -- What others keep in the same database counts where the till can call it.
                  or exists (select from pg_roles r where r.rolname in ('comptoir_app', 'comptoir_till')
                               and has_schema_privilege(r.oid, n.oid, 'USAGE') and has_function_privilege(r.oid, p.oid, 'EXECUTE'))
                     and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))
           union all
           -- What fits a question of ours better than PostgreSQL's own would be taken instead of it.
           select concat('l''opérateur ', o.oprname) from pg_operator o
           where o.oprnamespace = 'public'::regnamespace
             and not exists (select from pg_depend d where d.classid = 'pg_operator'::regclass and d.objid = o.oid and d.deptype = 'e')
           union all
           select concat('la fonction ', p.proname, ', du nom d''une de PostgreSQL') from pg_proc p
           where p.pronamespace = 'public'::regnamespace
             and exists (select from pg_proc own where own.pronamespace = 'pg_catalog'::regnamespace and own.proname = p.proname)
             and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
           union all
           select concat('la conversion ', c.castsource::regtype, ' vers ', c.casttarget::regtype) from pg_cast c
           where c.oid >= 16384::oid
             and not exists (select from pg_depend d where d.classid = 'pg_cast'::regclass and d.objid = c.oid and d.deptype = 'e')
           union all
           select concat('le déclencheur ', t.tgname, ' de ', c.relname)
           from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
           where c.relnamespace = 'public'::regnamespace and c.relname = any($2) and not t.tgisinternal and concat(c.relname, '.', t.tgname) <> all($3)
             and concat(c.relname, '.', t.tgname, ' ', p.proname, ' ', t.tgtype) <> all($4)
           union all
           select concat('la règle ', r.rulename, ' de ', r.tablename) from pg_rules r where r.schemaname = 'public'
           union all
           select concat('le filtre de lignes de ', c.relname) from pg_class c
           where c.relnamespace = 'public'::regnamespace and c.relrowsecurity"#,
        &AS_OWNER.map(str::to_owned),
        &tables(|_| true),
        &known,
        &harmless
    )
    .fetch_all(db)
    .await?;
    Ok(found.iter().map(|what| beside(what)).collect())
}

/// What the till may do that it must not: as the role that works, or as the one that signs in.
async fn rights(db: &PgPool) -> Result<Vec<Flaw>> {
    let mut forbidden: Vec<(String, String)> = Vec::new();
    let mut fixed: Vec<(String, String)> = Vec::new();
    for guarded in &GUARDED {
        let all = ["INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"];
        forbidden
            .extend(all.iter().filter(|right| !guarded.may.contains(right)).map(|right| (guarded.table.to_owned(), (*right).to_owned())));
        if !guarded.may.contains(&"UPDATE") {
            fixed.push((guarded.table.to_owned(), guarded.may_set.join(",")));
        }
    }
    let (tables, privileges): (Vec<_>, Vec<_>) = forbidden.into_iter().unzip();
    let (kept, may_set): (Vec<_>, Vec<_>) = fixed.into_iter().unzip();
    let found = sqlx::query_scalar!(
        r#"select distinct concat(privilege, ' ', guarded) as "right!"
           from unnest($1::text[], $2::text[]) as forbidden (guarded, privilege), pg_roles r
           where r.rolname in ('comptoir_app', 'comptoir_till') and has_table_privilege(r.oid, to_regclass('public.' || guarded)::oid, privilege)
           union
           select distinct concat('UPDATE (', a.attname, ') ', kept)
           from unnest($3::text[], $4::text[]) as fixed (kept, may_set), pg_roles r, pg_attribute a
           where r.rolname in ('comptoir_app', 'comptoir_till') and a.attrelid = to_regclass('public.' || kept) and a.attnum > 0 and not a.attisdropped
             and a.attname <> all(string_to_array(may_set, ',')) and has_column_privilege(r.oid, a.attrelid, a.attnum, 'UPDATE')
             and not has_table_privilege(r.oid, a.attrelid, 'UPDATE')
           union
           select distinct concat('INSERT (…) ', guarded)
           from unnest($1::text[], $2::text[]) as forbidden (guarded, privilege), pg_roles r
           where privilege = 'INSERT' and r.rolname in ('comptoir_app', 'comptoir_till')
             and has_any_column_privilege(r.oid, to_regclass('public.' || guarded)::oid, 'INSERT')
             and not has_table_privilege(r.oid, to_regclass('public.' || guarded)::oid, 'INSERT')
           order by 1"#,
        &tables,
        &privileges,
        &kept,
        &may_set
    )
    .fetch_all(db)
    .await?;
    Ok(found
        .into_iter()
        .map(|right| flaw("right_too_wide", format!("La caisse a le droit « {right} », qu'elle ne doit pas avoir.")))
        .collect())
}

/// Who the till is and who owns the journal.
async fn roles(db: &PgPool) -> Result<Vec<Flaw>> {
    let powerful = sqlx::query_scalar!(
        r#"select rolname::text as "role!" from pg_roles
           where (rolname in ('comptoir_app', 'comptoir_till')
                  and (rolsuper or rolcreaterole or rolbypassrls or rolreplication
                       or pg_has_role(oid, (select o.oid from pg_roles o where o.rolname = 'comptoir_owner'), 'member')))
              or (rolname = 'comptoir_owner' and (rolcanlogin or rolsuper))"#
    )
    .fetch_all(db)
    .await?;
    let mut flaws: Vec<_> =
        powerful.into_iter().map(|role| flaw("role_too_powerful", format!("Le rôle « {role} » peut plus qu'il ne doit."))).collect();
    let missing = sqlx::query_scalar!(
        r#"select named as "role!" from unnest(array['comptoir_app', 'comptoir_owner']) named where not exists (select from pg_roles where rolname = named)"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(missing.into_iter().map(|role| flaw("role_missing", format!("Le rôle « {role} » n'existe plus."))));
    let owned = sqlx::query_scalar!(
        r#"select c.relname::text as "table!" from pg_class c
           where c.relnamespace = 'public'::regnamespace and c.relname = any($1) and pg_get_userbyid(c.relowner) <> 'comptoir_owner'"#,
        &tables(|guarded| guarded.is_owned)
    )
    .fetch_all(db)
    .await?;
    flaws.extend(owned.into_iter().map(|table| flaw("owner_changed", format!("La table « {table} » n'appartient plus à comptoir_owner."))));
    Ok(flaws)
}

/// Name and SHA-256 of the text of every guard, as the migrations make it. The text between the dollar quotes is what PostgreSQL stores.
fn expected_functions() -> Vec<(String, String)> {
    let mut functions = std::collections::BTreeMap::new();
    for migration in super::MIGRATIONS.iter() {
        let mut rest: &str = migration.sql.as_str();
        while let Some(at) = rest.find("function ") {
            let before = rest.get(..at).unwrap_or_default();
            rest = rest.get(at + "function ".len()..).unwrap_or_default();
            let name: String = rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
            if before.ends_with("drop ") {
                functions.remove(&name);
            }
            let creates = before.ends_with("create ") || before.ends_with("create or replace ");
            if !creates || !["refuse_", "fiscal_", "check_"].iter().any(|begin| name.starts_with(begin)) {
                continue;
            }
            let body = rest.split_once("$$").and_then(|(_, body)| body.split_once("$$")).map(|(body, _)| body);
            if let Some(body) = body {
                functions.insert(name, domain::fiscal::sha256_hex(body.as_bytes()));
            }
        }
    }
    functions.into_iter().collect()
}
