//! What guards the journal inside the database, looked at from the catalogue.

use crate::error::Result;
use domain::api::Flaw;
use sqlx::PgPool;

pub(super) fn flaw(code: &str, detail: String) -> Flaw {
    Flaw { chain: "*".to_owned(), seq: 0, code: code.to_owned(), detail }
}

/// Which guarded tables somebody dropped or renamed.
///
/// # Errors
/// When the database does not answer.
pub async fn gone(db: &PgPool) -> Result<Vec<Flaw>> {
    let tables = sqlx::query_scalar!(
        r#"select kept as "kept!"
           from unnest(array['audit_logs', 'fiscal_heads', 'fiscal_keys', 'fiscal_periods', 'fiscal_long_periods', 'fiscal_prints',
                             'fiscal_corrections', 'fiscal_notes', 'payments', 'share_parts', 'order_lines', 'refunds', 'refund_parts',
                             'method_transfers', 'discounts', 'discount_parts', 'prints', 'payment_attempts', 'attempt_parts']) as kept
           where to_regclass('public.' || kept) is null"#
    )
    .fetch_all(db)
    .await?;
    Ok(tables.into_iter().map(|table| flaw("table_missing", format!("La table « {table} » n'existe plus."))).collect())
}

/// Guards that are missing, switched off, replaced or owned by somebody else; rights that the till must not have.
///
/// # Errors
/// When the database does not answer.
pub async fn missing(db: &PgPool) -> Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
    let triggers = sqlx::query_scalar!(
        r#"select concat(guarded, '_', guard) as "guard!"
           from unnest(array['audit_logs', 'payments', 'share_parts', 'fiscal_periods', 'fiscal_keys', 'fiscal_heads', 'fiscal_long_periods',
                             'fiscal_prints', 'fiscal_corrections', 'fiscal_notes', 'order_lines', 'payment_attempts', 'attempt_parts',
                             'attempt_events', 'attempt_words', 'contradiction_decisions', 'stray_words', 'stray_decisions', 'refunds',
                             'refund_parts', 'method_transfers', 'discounts', 'discount_parts', 'prints']) as guarded,
                unnest(array['no_change', 'no_truncate', 'no_insert', 'key']) as guard
           where (guard in ('no_change', 'no_truncate') or guarded = 'audit_logs')
             and not exists (
               select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
               where t.tgrelid = to_regclass('public.' || guarded) and t.tgname = concat(guarded, '_', guard) and t.tgenabled = 'A'
                 and p.prosrc like '%raise exception%' and pg_get_userbyid(p.proowner) = 'comptoir_owner'
                 -- one of those whose text is compared below; before every such statement, whatever the row and the column
                 and p.pronamespace = 'public'::regnamespace and p.proname ~ '^(refuse|check)_'
                 and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
                 and t.tgtype = case guard when 'no_change' then 1 + 2 + 8 + 16 when 'no_truncate' then 2 + 32 else 1 + 2 + 4 end
           )"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(triggers.into_iter().map(|guard| flaw("guard_disabled", format!("La protection « {guard} » est absente ou désactivée."))));

    // What keeps charged and booked the same is a constraint in the form of two triggers.
    let promises = sqlx::query_scalar!(
        r#"select promise as "promise!"
           from (values ('payments', 'card_payment_is_approved'), ('payment_attempts', 'approved_attempt_is_booked')) as held (guarded, promise)
           where not exists (
               select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
               where t.tgrelid = to_regclass('public.' || guarded) and t.tgname = promise and t.tgenabled = 'A'
                 and pg_get_userbyid(p.proowner) = 'comptoir_owner' and p.proname ~ '^(refuse|check)_' and t.tgqual is null
                 and cardinality(t.tgattr::int2[]) = 0
           )"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(promises.into_iter().map(|guard| flaw("guard_disabled", format!("La protection « {guard} » est absente ou désactivée."))));

    // The guards' own text: a function that was replaced by a gentler one would keep its name.
    let functions = sqlx::query!(
        r#"select p.proname::text as "name!", encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') as "digest!" from pg_proc p
           where p.pronamespace = 'public'::regnamespace and (p.proname like 'refuse\_%' or p.proname like 'fiscal\_%' or p.proname like 'check\_%') order by p.proname"#
    )
    .fetch_all(db)
    .await?;
    let expected = expected_functions();
    for (name, digest) in &expected {
        if functions.iter().all(|function| (function.name.as_str(), function.digest.as_str()) != (name.as_str(), digest.as_str())) {
            flaws.push(flaw("guard_replaced", format!("La fonction « {name} » n'est pas celle de cette version.")));
        }
    }

    // What would act behind the guards: a function with more rights than the till's, a rule in place of a statement, rows that somebody does not see.
    let behind = sqlx::query_scalar!(
        r#"select concat('la fonction ', p.proname) as "what!" from pg_proc p
           where p.pronamespace = 'public'::regnamespace and p.prosecdef and p.proname <> all($1)
           union all
           select concat('la règle ', r.rulename, ' de ', r.tablename) from pg_rules r where r.schemaname = 'public'
           union all
           select concat('le filtre de lignes de ', c.relname) from pg_class c
           where c.relnamespace = 'public'::regnamespace and c.relrowsecurity"#,
        &expected.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    )
    .fetch_all(db)
    .await?;
    flaws.extend(behind.into_iter().map(|what| flaw("guard_bypassed", format!("Quelque chose agit à côté des protections : {what}."))));

    let columns = sqlx::query_scalar!(
        r#"select kept as "kept!"
           from unnest(array['audit_logs', 'fiscal_heads', 'fiscal_keys', 'payments', 'share_parts', 'fiscal_prints', 'fiscal_corrections',
                             'fiscal_notes', 'fiscal_long_periods', 'refunds', 'refund_parts', 'method_transfers', 'discounts',
                             'discount_parts']) as kept
           where has_any_column_privilege('comptoir_app', to_regclass('public.' || kept)::oid, 'UPDATE')
             and not has_table_privilege('comptoir_app', to_regclass('public.' || kept)::oid, 'UPDATE')"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(
        columns
            .into_iter()
            .map(|table| flaw("right_too_wide", format!("La caisse peut changer une colonne de « {table} », ce qu'elle ne doit pas."))),
    );

    let rights = sqlx::query_scalar!(
        r#"select concat(privilege, ' ', guarded) as "right!"
           from unnest(array['audit_logs', 'fiscal_heads', 'fiscal_keys', 'payments', 'share_parts', 'fiscal_prints', 'fiscal_corrections',
                             'fiscal_notes', 'fiscal_long_periods', 'fiscal_periods', 'refunds', 'refund_parts', 'method_transfers',
                             'discounts', 'discount_parts', 'prints']) as guarded,
                unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as privilege
           where (privilege <> 'INSERT' or guarded in ('audit_logs', 'fiscal_heads', 'fiscal_keys'))
             and has_table_privilege('comptoir_app', to_regclass('public.' || guarded)::oid, privilege)"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(
        rights.into_iter().map(|right| flaw("right_too_wide", format!("La caisse a le droit « {right} », qu'elle ne doit pas avoir."))),
    );

    let powerful = sqlx::query_scalar!(
        r#"select rolname::text as "role!" from pg_roles
           where (rolname in ('comptoir_app', 'comptoir_till')
                  and (rolsuper or rolcreaterole or rolbypassrls or rolreplication or pg_has_role(oid, 'comptoir_owner', 'member')))
              or (rolname = 'comptoir_owner' and (rolcanlogin or rolsuper))"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(powerful.into_iter().map(|role| flaw("role_too_powerful", format!("Le rôle « {role} » peut plus qu'il ne doit."))));

    let owned = sqlx::query_scalar!(
        r#"select c.relname::text as "table!" from pg_class c
           where c.relnamespace = 'public'::regnamespace
             and c.relname = any(array['audit_logs', 'fiscal_heads', 'fiscal_keys', 'fiscal_periods', 'fiscal_long_periods', 'fiscal_prints',
                                       'fiscal_corrections', 'fiscal_notes', 'payments', 'share_parts', 'refunds', 'refund_parts',
                                       'method_transfers', 'discounts', 'discount_parts', 'prints'])
             and pg_get_userbyid(c.relowner) <> 'comptoir_owner'"#
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
