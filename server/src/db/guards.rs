//! What guards the journal inside the database, looked at from the catalogue; and whether payments still are what their tickets say.

use crate::error::Result;
use domain::api::Flaw;
use sqlx::PgPool;

fn flaw(code: &str, detail: String) -> Flaw {
    Flaw { chain: "*".to_owned(), seq: 0, code: code.to_owned(), detail }
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
                 and pg_get_userbyid(p.proowner) = 'comptoir_owner'
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

    let rights = sqlx::query_scalar!(
        r#"select concat(privilege, ' ', guarded) as "right!"
           from unnest(array['audit_logs', 'fiscal_heads', 'fiscal_keys', 'payments', 'share_parts', 'fiscal_prints', 'fiscal_corrections',
                             'fiscal_notes', 'fiscal_long_periods', 'fiscal_periods', 'refunds', 'refund_parts', 'method_transfers',
                             'discounts', 'discount_parts', 'prints']) as guarded,
                unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as privilege
           where (privilege <> 'INSERT' or guarded in ('audit_logs', 'fiscal_heads', 'fiscal_keys'))
             and has_table_privilege('comptoir_app', 'public.' || guarded, privilege)"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(
        rights.into_iter().map(|right| flaw("right_too_wide", format!("La caisse a le droit « {right} », qu'elle ne doit pas avoir."))),
    );

    let powerful = sqlx::query_scalar!(
        r#"select rolname::text as "role!" from pg_roles
           where (rolname = 'comptoir_app' and (rolsuper or rolcreaterole or rolbypassrls or pg_has_role('comptoir_app', 'comptoir_owner', 'member')))
              or (rolname = 'comptoir_owner' and (rolcanlogin or rolsuper))"#
    )
    .fetch_all(db)
    .await?;
    flaws.extend(powerful.into_iter().map(|role| flaw("role_too_powerful", format!("Le rôle « {role} » peut plus qu'il ne doit."))));

    let owned = sqlx::query_scalar!(
        r#"select c.relname::text as "table!" from pg_class c
           where c.oid = any(array['audit_logs', 'fiscal_heads', 'fiscal_keys', 'fiscal_periods', 'fiscal_long_periods', 'fiscal_prints',
                                   'fiscal_corrections', 'fiscal_notes', 'payments', 'share_parts', 'refunds', 'refund_parts',
                                   'method_transfers', 'discounts', 'discount_parts', 'prints']::regclass[])
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

/// What is stored beside the journal and is not what its records say: payments, refunds and corrected means that were changed or are gone, prints and notes
/// that are counted otherwise. `after`: only what records after this one say.
///
/// # Errors
/// When the database does not answer.
pub async fn facts_that_differ(db: &PgPool, after: i64) -> Result<Vec<Flaw>> {
    let mut flaws = payments_that_differ(db, after).await?;
    let rows = sqlx::query!(
        r#"select l.chain as "chain!", l.seq as "seq!", it.code as "code!"
           from audit_logs l
           cross join lateral (
               select 'refund_missing' as code where l.transaction_type = 'ANNULATION'
                   and not exists (select from refunds r where r.audit_log_id = l.id)
               union all
               select 'correction_missing' where l.transaction_type = 'ANNULATION'
                   and not exists (select from fiscal_corrections c where c.audit_log_id = l.id and c.register = l.register and c.chain = l.chain
                                     and c.ticket_no = (l.metadata -> 'corrects' ->> 'ticket_no')::bigint)
               union all
               select 'refund_differs' from refunds r where r.audit_log_id = l.id
                   and (l.transaction_type <> 'ANNULATION' or r.amount_cents <> -(l.amount * 100)::bigint
                        or r.amount_cents <> (select coalesce(sum(p.amount_cents), 0) from refund_parts p where p.refund_id = r.id)
                        or array[r.method] <> array(select distinct paid ->> 'method' from json_array_elements(l.metadata -> 'payments') paid))
               union all
               select 'transfer_missing' where l.transaction_type = 'TRANSFERT'
                   and not exists (select from method_transfers t where t.audit_log_id = l.id)
               union all
               select 'transfer_differs' from method_transfers t where t.audit_log_id = l.id
                   and (l.transaction_type <> 'TRANSFERT' or t.from_method <> l.metadata ->> 'method' or t.to_method is distinct from l.metadata ->> 'to')
           ) it
           where l.id > $1 and l.transaction_type in ('ANNULATION', 'TRANSFERT')
           union all
           select l.chain, l.seq, 'print_differs' from audit_logs l
           where l.id > $1 and l.transaction_type in ('REMISE', 'DUPLICATA')
             and not exists (select from fiscal_prints p where p.audit_log_id = l.id and p.chain = l.metadata ->> 'of'
                               and p.seq = (l.metadata ->> 'seq')::bigint and p.print_no = (l.metadata ->> 'print_no')::integer)
           union all
           select l.chain, l.seq, 'note_differs' from audit_logs l
           where l.id > $1 and l.transaction_type = 'NOTE'
             and not exists (select from fiscal_notes n where n.audit_log_id = l.id and n.note_no = l.seq and n.total_cents = (l.amount * 100)::bigint)
           order by 1, 2"#,
        after
    )
    .fetch_all(db)
    .await?;
    flaws.extend(rows.into_iter().map(|row| {
        let detail = match row.code.as_str() {
            "refund_missing" => "Le remboursement de cette annulation manque.",
            "correction_missing" => "L'annulation n'est plus comptée avec le ticket qu'elle corrige.",
            "refund_differs" => "Le remboursement enregistré n'est pas celui de l'annulation.",
            "transfer_missing" => "La correction du moyen de paiement manque.",
            "transfer_differs" => "La correction du moyen de paiement n'est pas celle qui a été signée.",
            "print_differs" => "Cette impression n'est plus comptée avec les autres du même document.",
            _ => "La note remise n'est plus celle qui a été signée.",
        };
        Flaw { chain: row.chain, seq: row.seq, code: row.code, detail: detail.to_owned() }
    }));
    let unsigned = sqlx::query!(
        r#"select 'refund' as "what!", r.id as "id!" from refunds r join audit_logs l on l.id = r.audit_log_id where l.transaction_type <> 'ANNULATION'
           union all
           select 'transfer', t.id from method_transfers t join audit_logs l on l.id = t.audit_log_id where l.transaction_type <> 'TRANSFERT'
           union all
           select 'parts', p.id from payments p
           where p.audit_log_id > $1
             and p.amount_cents <> (select coalesce(sum(s.amount_cents), 0) from share_parts s where s.payment_id = p.id)
           limit 100"#,
        after
    )
    .fetch_all(db)
    .await?;
    flaws.extend(unsigned.into_iter().map(|row| match row.what.as_str() {
        "refund" => flaw("refund_without_record", format!("Le remboursement {} n'a pas d'annulation.", row.id)),
        "transfer" => flaw("transfer_without_record", format!("La correction {} n'a pas d'enregistrement.", row.id)),
        _ => flaw("share_differs", format!("Les lignes réglées par le règlement {} ne font pas son montant.", row.id)),
    }));
    Ok(flaws)
}

/// Tickets whose stored payments are not what the ticket says: another sum, or a means that the ticket does not name. A ticket over nothing has none.
///
/// # Errors
/// When the database does not answer.
async fn payments_that_differ(db: &PgPool, after: i64) -> Result<Vec<Flaw>> {
    let rows = sqlx::query!(
        r#"select l.chain as "chain!", l.seq as "seq!"
           from audit_logs l
           join payments p on p.audit_log_id = l.id
           where l.id > $1
           group by l.id
           having sum(p.amount_cents) <> (l.amount * 100)::bigint
               or array_agg(distinct p.method order by p.method)
                  <> array(select distinct paid ->> 'method' from json_array_elements(l.metadata -> 'payments') paid order by 1)
           order by l.id"#,
        after
    )
    .fetch_all(db)
    .await?;
    let differ = rows.into_iter().map(|row| Flaw {
        chain: row.chain,
        seq: row.seq,
        code: "payment_differs".to_owned(),
        detail: "Le règlement enregistré n'est pas celui du ticket.".to_owned(),
    });
    let missing = sqlx::query!(
        r#"select l.chain as "chain!", l.seq as "seq!" from audit_logs l
           where l.id > $1 and l.transaction_type = 'TICKET' and l.amount <> 0
             and not exists (select from payments p where p.audit_log_id = l.id)
           order by l.id"#,
        after
    )
    .fetch_all(db)
    .await?;
    let missing = missing.into_iter().map(|row| Flaw {
        chain: row.chain,
        seq: row.seq,
        code: "payment_missing".to_owned(),
        detail: "Le règlement du ticket manque.".to_owned(),
    });
    let orphans = sqlx::query_scalar!(
        r#"select p.id from payments p left join audit_logs l on l.id = p.audit_log_id where l.id is null order by p.id limit 100"#
    )
    .fetch_all(db)
    .await?;
    let orphans = orphans.into_iter().map(|id| flaw("payment_without_ticket", format!("Le règlement {id} n'a pas de ticket.")));
    Ok(differ.chain(missing).chain(orphans).collect())
}
