//! Whether what is stored beside the journal still is what its records say: payments and lines, corrections, prints, notes, periods and days.

use super::guards::{CHECK_FAILED, flaw};
use super::journal::Span;
use crate::error::{Error, Result};
use domain::api::Flaw;
use domain::service_day::DAY_STARTS_AT_HOUR;
use sqlx::PgPool;

/// A record, by its number in its chain.
struct At {
    chain: String,
    seq: i64,
}

/// One flaw for each of these records.
fn named(records: Vec<At>, code: &str, detail: &str) -> Vec<Flaw> {
    let flaw = |At { chain, seq }| Flaw { chain, seq, code: code.to_owned(), detail: detail.to_owned() };
    records.into_iter().map(flaw).collect()
}

/// What is compared at a time.
#[derive(Debug, Clone, Copy)]
enum Part {
    Payments,
    Lines,
    Orders,
    Corrections,
    Periods,
    Days,
    /// What has no record at all.
    Unsigned,
}

impl Part {
    const ALL: [Self; 7] = [Self::Payments, Self::Lines, Self::Orders, Self::Corrections, Self::Periods, Self::Days, Self::Unsigned];

    const fn name(self) -> &'static str {
        match self {
            Self::Payments => "les règlements",
            Self::Lines => "les lignes",
            Self::Orders => "ce que les commandes devaient",
            Self::Corrections => "les remboursements, corrections, impressions et notes",
            Self::Periods => "les périodes",
            Self::Days => "les journées",
            Self::Unsigned => "ce qui n'a pas d'enregistrement",
        }
    }

    /// What differs of the records of a span.
    async fn that_differ(self, db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
        match self {
            Self::Payments => payments_that_differ(db, span).await,
            Self::Lines => lines_that_differ(db, span).await,
            Self::Orders => orders_that_differ(db, span).await,
            Self::Corrections => corrections_that_differ(db, span).await,
            Self::Periods => periods_that_differ(db, span).await,
            Self::Days => days_that_differ(db, span).await,
            Self::Unsigned => unsigned(db).await,
        }
    }
}

/// Records that cannot be taken apart are named one by one, up to so many of a part.
const NAMED: usize = 100;
/// So often a part is asked for in pieces.
const ASKED: usize = 5_000;
/// What has no record is named up to so many.
const UNSIGNED: i64 = 1_000;

/// What is stored beside the journal and is not what its records say: payments, refunds and corrected means that were changed or are gone, prints and notes
/// that are counted otherwise. `after`: only what records after this one say.
///
/// # Errors
/// When the database does not answer.
pub async fn that_differ(db: &PgPool, after: i64) -> Result<Vec<Flaw>> {
    let ends = sqlx::query!(r#"select min(id) as first, max(id) as last from audit_logs"#).fetch_one(db).await.map_err(Error::from);
    let ends = match ends {
        Ok(row) => Span { first: row.first.unwrap_or(1), last: row.last.unwrap_or(after) },
        // Which the reading of the journal says; without it there is nothing to compare with.
        Err(error) if error.is_unreadable_data() => return Ok(Part::ALL.map(unreadable).to_vec()),
        Err(error) => return Err(error),
    };
    let mut flaws = Vec::new();
    for part in Part::ALL {
        // Closings are few, and each decides where the next one begins.
        let first = if after < 1 || matches!(part, Part::Periods) { ends.first } else { after.saturating_add(1) };
        flaws.extend(compare(db, part, Span { first, last: ends.last }).await?);
    }
    Ok(flaws)
}

fn unreadable(part: Part) -> Flaw {
    flaw("facts_unreadable", format!("Ce qui est à côté du journal ne se compare plus avec lui : {}.", part.name()))
}

/// Compares a part. What was altered so that nothing can be compared with it, a content, a column, a right, must not keep the rest from being said: a
/// record that cannot be taken apart is looked for in halves, and named.
async fn compare(db: &PgPool, part: Part, whole: Span) -> Result<Vec<Flaw>> {
    let (mut flaws, mut named, mut asked) = (Vec::new(), 0, 0);
    let mut left = vec![whole];
    while let Some(span) = left.pop() {
        let Span { first, last } = span;
        asked += 1;
        match part.that_differ(db, span).await {
            Ok(found) => flaws.extend(found),
            // What has no record is not looked for by records.
            Err(error) if error.is_unreadable_value() && asked < ASKED && !matches!(part, Part::Unsigned) => {
                if first < last {
                    let middle = i64::try_from((i128::from(first) + i128::from(last)).div_euclid(2)).unwrap_or(first);
                    left.push(Span { first: middle + 1, last });
                    left.push(Span { first, last: middle });
                } else if named < NAMED {
                    named += 1;
                    flaws.push(one_unreadable(db, part, first).await);
                } else if named == NAMED {
                    named += 1;
                    flaws.push(unreadable(part));
                }
            }
            Err(error) if error.is_unreadable_data() => {
                tracing::error!(%error, part = part.name(), "cannot be compared with the journal");
                flaws.push(unreadable(part));
                return Ok(flaws);
            }
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, part = part.name(), "not compared with the journal");
                flaws.push(flaw(CHECK_FAILED, format!("Un contrôle n'a pas pu être fait jusqu'au bout : {}.", part.name())));
                return Ok(flaws);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(flaws)
}

/// A record of which nothing can be compared.
async fn one_unreadable(db: &PgPool, part: Part, id: i64) -> Flaw {
    let row = sqlx::query_as!(At, r#"select chain as "chain!", seq as "seq!" from audit_logs where id = $1"#, id).fetch_optional(db).await;
    let Ok(Some(At { chain, seq })) = row else { return unreadable(part) };
    let detail = format!("Le contenu de cet enregistrement ne se compare plus avec ce qui est à côté : {}.", part.name());
    Flaw { chain, seq, code: "facts_unreadable".to_owned(), detail }
}

/// Refunds, corrected means, prints and notes that are not what their records say, and parts that are not their payment.
///
/// # Errors
/// When the database does not answer.
async fn corrections_that_differ(db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
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
                   and (l.transaction_type <> 'ANNULATION' or r.amount_cents <> -(l.amount * 100)
                        or r.amount_cents <> (select coalesce(sum(p.amount_cents), 0) from refund_parts p where p.refund_id = r.id)
                        or array[r.method] <> array(select distinct paid ->> 'method' from json_array_elements(l.metadata -> 'payments') paid)
                        or not exists (select from payments p join audit_logs t on t.id = p.audit_log_id
                                       where p.id = r.payment_id and t.register = l.register and t.chain = l.chain
                                         and t.seq = (l.metadata -> 'corrects' ->> 'ticket_no')::bigint))
               union all
               select 'more_than_sold' where l.transaction_type = 'ANNULATION'
                   and (select sum(-c.amount) from fiscal_corrections f join audit_logs c on c.id = f.audit_log_id
                        where f.register = l.register and f.chain = l.chain and f.ticket_no = (l.metadata -> 'corrects' ->> 'ticket_no')::bigint)
                       > (select t.amount from audit_logs t
                          where t.register = l.register and t.chain = l.chain and t.seq = (l.metadata -> 'corrects' ->> 'ticket_no')::bigint)
               union all
               select 'transfer_missing' where l.transaction_type = 'TRANSFERT'
                   and not exists (select from method_transfers t where t.audit_log_id = l.id)
               union all
               select 'transfer_differs' from method_transfers t where t.audit_log_id = l.id
                   and (l.transaction_type <> 'TRANSFERT' or t.from_method <> l.metadata ->> 'method' or t.to_method is distinct from l.metadata ->> 'to'
                        or not exists (select from payments p join audit_logs k on k.id = p.audit_log_id
                                       where p.id = t.payment_id and k.register = l.register and k.seq = (l.metadata ->> 'ticket_no')::bigint
                                         and k.chain = case when (l.metadata ->> 'training')::boolean then 'X' else 'T' end))
           ) it
           where l.id between $1 and $2 and l.transaction_type in ('ANNULATION', 'TRANSFERT')
           union all
           select l.chain, l.seq, 'print_differs' from audit_logs l
           where l.id between $1 and $2 and l.transaction_type in ('REMISE', 'DUPLICATA')
             and not exists (select from fiscal_prints p where p.audit_log_id = l.id and p.chain = l.metadata ->> 'of'
                               and p.seq = (l.metadata ->> 'seq')::bigint and p.print_no = (l.metadata ->> 'print_no')::integer)
           union all
           select l.chain, l.seq, 'note_differs' from audit_logs l
           where l.id between $1 and $2 and l.transaction_type = 'NOTE'
             and not exists (select from fiscal_notes n where n.audit_log_id = l.id and n.note_no = l.seq and n.total_cents = l.amount * 100)
           order by 1, 2"#,
        span.first,
        span.last
    )
    .fetch_all(db)
    .await?;
    flaws.extend(rows.into_iter().map(|row| {
        let detail = match row.code.as_str() {
            "refund_missing" => "Le remboursement de cette annulation manque.",
            "correction_missing" => "L'annulation n'est plus comptée avec le ticket qu'elle corrige.",
            "refund_differs" => "Le remboursement enregistré n'est pas celui de l'annulation.",
            "more_than_sold" => "Il a été rendu plus que ce que le ticket a vendu.",
            "transfer_missing" => "La correction du moyen de paiement manque.",
            "transfer_differs" => "La correction du moyen de paiement n'est pas celle qui a été signée.",
            "print_differs" => "Cette impression n'est plus comptée avec les autres du même document.",
            _ => "La note remise n'est plus celle qui a été signée.",
        };
        Flaw { chain: row.chain, seq: row.seq, code: row.code, detail: detail.to_owned() }
    }));
    Ok(flaws)
}

/// Tickets whose lines are no longer the lines of the order that they settle: another name, price, rate or part.
///
/// # Errors
/// When the database does not answer.
async fn lines_that_differ(db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
    let rows = sqlx::query_as!(
        At,
        r#"select l.chain as "chain!", l.seq as "seq!"
           from payments p
           join audit_logs l on l.id = p.audit_log_id and l.transaction_type = 'TICKET'
           where p.audit_log_id between $1 and $2
             and array(select concat_ws(' ', o.unit_price_cents, o.vat_rate, s.amount_cents, o.name) collate "C" as line
                       from share_parts s join order_lines o on o.id = s.line_id
                       where s.payment_id = p.id and s.amount_cents <> 0 order by line)
                 <> array(select concat_ws(' ', said ->> 'unit_price', said ->> 'rate', said ->> 'amount', said ->> 'name') collate "C" as line
                          from json_array_elements(l.metadata -> 'lines') said where said ->> 'amount' <> '0' order by line)
           order by l.id"#,
        span.first,
        span.last
    )
    .fetch_all(db)
    .await?;
    Ok(named(rows, "line_differs", "Les lignes de la commande ne sont plus celles du ticket."))
}

/// Settled orders that owe something else than what their tickets settled: a quantity, a removal or a discount that was changed since.
///
/// # Errors
/// When the database does not answer.
async fn orders_that_differ(db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
    let rows = sqlx::query_as!(
        At,
        r#"select l.chain as "chain!", l.seq as "seq!"
           from (select p.order_id, min(p.audit_log_id) as record from payments p where p.audit_log_id between $1 and $2 group by p.order_id) first
           join orders o on o.id = first.order_id
           join audit_logs l on l.id = first.record
           where o.status = 'paid_complete'
             and exists (
                 select from order_lines i
                 where i.order_id = o.id
                   and (i.discount_cents <> coalesce((select sum(d.amount_cents) from discount_parts d where d.line_id = i.id), 0)
                        or i.unit_price_cents * (i.qty - i.voided_qty) - i.discount_cents
                           <> coalesce((select sum(s.amount_cents) from share_parts s where s.line_id = i.id), 0)))
           order by l.id"#,
        span.first,
        span.last
    )
    .fetch_all(db)
    .await?;
    Ok(named(rows, "order_differs", "Ce que la commande devait n'est plus ce que ses tickets ont réglé."))
}

/// Closings whose day, range or number stands otherwise in what decides where the next one begins.
///
/// # Errors
/// When the database does not answer.
async fn periods_that_differ(db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
    let rows = sqlx::query_as!(
        At,
        r#"select l.chain as "chain!", l.seq as "seq!"
           from audit_logs l
           where l.id between $1 and $2 and l.transaction_type = 'CLOSURE_Z' and not exists (
               select from fiscal_periods p
               where p.audit_log_id = l.id and p.register = l.register and p.training = (l.chain = 'X')
                 and p.no = (l.metadata ->> 'z_number')::bigint and p.service_day = (l.metadata ->> 'service_day')::date
                 and p.start_seq = (l.metadata ->> 'first_ticket')::bigint and p.end_seq = (l.metadata ->> 'last_ticket')::bigint
                 and p.first_record = coalesce((l.metadata -> 'detail' ->> 'first_record')::bigint, p.first_record)
                 and p.last_record = coalesce((l.metadata -> 'detail' ->> 'last_record')::bigint, p.last_record))
           union all
           select l.chain, l.seq from audit_logs l
           where l.id between $1 and $2 and l.transaction_type in ('CLOSURE_M', 'CLOSURE_A') and not exists (
               select from fiscal_long_periods p
               where p.audit_log_id = l.id and p.register = l.register and p.training = (l.chain = 'X')
                 and p.kind = case l.transaction_type when 'CLOSURE_M' then 'month' else 'year' end
                 and p.number = (l.metadata ->> 'number')::bigint and p.period = l.metadata ->> 'period'
                 and p.first_no = (l.metadata ->> 'first')::bigint and p.last_no = (l.metadata ->> 'last')::bigint
                 and p.last_day = (to_date(rpad(p.period, 7, '-12'), 'YYYY-MM') + interval '1 month - 1 day')::date)
           order by 1, 2"#,
        span.first,
        span.last
    )
    .fetch_all(db)
    .await?;
    Ok(named(rows, "period_differs", "La période de cette clôture n'est plus celle qui a été signée."))
}

/// Records whose day, by which archives take them, is not that of the period that holds them, nor, where they have none, that of the clock; `date` is no
/// part of the signed text.
///
/// # Errors
/// When the database does not answer.
async fn days_that_differ(db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
    let rows = sqlx::query_as!(
        At,
        r#"select l.chain as "chain!", l.seq as "seq!"
           from fiscal_periods p
           join audit_logs l on l.id between greatest(p.first_record, $1) and least(coalesce(p.last_record, $2), $2)
               and l.register = p.register and (l.chain = 'X') = p.training
           where l.date <> p.service_day
             and l.transaction_type in ('TICKET', 'ANNULATION', 'NOTE', 'FOND', 'ENTREE', 'SORTIE', 'COMPTAGE', 'POURBOIRE', 'TRANSFERT')
           union all
           select l.chain, l.seq from audit_logs l
           where l.id between $1 and $2 and l.transaction_type in ('REMISE', 'DUPLICATA', 'JET', 'ARCHIVE')
             and l.date <> to_date(left(l.local_ts, 8), 'YYYYMMDD') - case when substr(l.local_ts, 9, 2)::integer < $3 then 1 else 0 end
             and (l.transaction_type in ('JET', 'ARCHIVE')
                  or not exists (select from fiscal_periods p where p.register = l.register and p.training = (l.chain = 'X')
                                   and p.service_day = l.date and l.id between p.first_record and coalesce(p.last_record, l.id)))
           union all
           select l.chain, l.seq from audit_logs l
           where l.id between $1 and $2 and l.transaction_type = 'CLOSURE_Z' and l.date <> (l.metadata ->> 'service_day')::date
           union all
           select l.chain, l.seq from audit_logs l
           where l.id between $1 and $2 and l.transaction_type in ('CLOSURE_M', 'CLOSURE_A')
             and l.date <> (to_date(rpad(l.metadata ->> 'period', 7, '-12'), 'YYYY-MM') + interval '1 month - 1 day')::date
           order by 1, 2"#,
        span.first,
        span.last,
        i32::try_from(DAY_STARTS_AT_HOUR).unwrap_or(i32::MAX)
    )
    .fetch_all(db)
    .await?;
    Ok(named(rows, "day_differs", "La journée de cet enregistrement n'est pas celle de sa période."))
}

/// Tickets whose stored payments are not what the ticket says: another sum, or a means that the ticket does not name. A ticket over nothing has none.
///
/// # Errors
/// When the database does not answer.
async fn payments_that_differ(db: &PgPool, span: Span) -> Result<Vec<Flaw>> {
    let rows = sqlx::query!(
        r#"select l.chain as "chain!", l.seq as "seq!"
           from audit_logs l
           join payments p on p.audit_log_id = l.id
           where l.id between $1 and $2
           group by l.id
           having sum(p.amount_cents) <> l.amount * 100
               or sum(p.tip_cents) <> (select coalesce(sum((paid ->> 'tip')::bigint), 0) from json_array_elements(l.metadata -> 'payments') paid)
               or sum(p.change_cents) <> (select coalesce(sum((paid ->> 'change')::bigint), 0) from json_array_elements(l.metadata -> 'payments') paid)
               or array_agg(distinct p.method order by p.method)
                  <> array(select distinct paid ->> 'method' from json_array_elements(l.metadata -> 'payments') paid order by 1)
           order by l.id"#,
        span.first,
        span.last
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
           where l.id between $1 and $2 and l.transaction_type = 'TICKET' and l.amount <> 0
             and not exists (select from payments p where p.audit_log_id = l.id)
           order by l.id"#,
        span.first,
        span.last
    )
    .fetch_all(db)
    .await?;
    let missing = missing.into_iter().map(|row| Flaw {
        chain: row.chain,
        seq: row.seq,
        code: "payment_missing".to_owned(),
        detail: "Le règlement du ticket manque.".to_owned(),
    });
    let parts = sqlx::query_as!(
        At,
        r#"select l.chain as "chain!", l.seq as "seq!"
           from payments p join audit_logs l on l.id = p.audit_log_id
           where p.audit_log_id between $1 and $2
             and p.amount_cents <> (select coalesce(sum(s.amount_cents), 0) from share_parts s where s.payment_id = p.id)
           order by l.id"#,
        span.first,
        span.last
    )
    .fetch_all(db)
    .await?;
    let parts = named(parts, "share_differs", "Les lignes réglées par ce règlement ne font pas son montant.");
    Ok(differ.chain(missing).chain(parts).collect())
}

/// What has no record, or one of another kind.
///
/// # Errors
/// When the database does not answer.
async fn unsigned(db: &PgPool) -> Result<Vec<Flaw>> {
    let rows = sqlx::query!(
        r#"select 'payment' as "what!", p.id as "id!" from payments p left join audit_logs l on l.id = p.audit_log_id where l.id is null
           union all
           select 'refund', r.id from refunds r left join audit_logs l on l.id = r.audit_log_id where l.transaction_type is distinct from 'ANNULATION'
           union all
           select 'transfer', t.id from method_transfers t left join audit_logs l on l.id = t.audit_log_id
           where l.transaction_type is distinct from 'TRANSFERT'
           union all
           select 'period', p.no from fiscal_periods p left join audit_logs l on l.id = p.audit_log_id
           where p.audit_log_id is not null and l.transaction_type is distinct from 'CLOSURE_Z'
           union all
           select 'period', p.number from fiscal_long_periods p left join audit_logs l on l.id = p.audit_log_id
           where l.transaction_type is null or l.transaction_type not in ('CLOSURE_M', 'CLOSURE_A')
           order by 1, 2 limit $1"#,
        UNSIGNED + 1
    )
    .fetch_all(db)
    .await?;
    if i64::try_from(rows.len()).is_ok_and(|rows| rows > UNSIGNED) {
        return Ok(vec![flaw(
            "payment_without_ticket",
            format!("Plus de {UNSIGNED} règlements, corrections ou périodes n'ont pas d'enregistrement."),
        )]);
    }
    let said = rows.into_iter().map(|row| match row.what.as_str() {
        "payment" => flaw("payment_without_ticket", format!("Le règlement {} n'a pas de ticket.", row.id)),
        "refund" => flaw("refund_without_record", format!("Le remboursement {} n'a pas d'annulation.", row.id)),
        "transfer" => flaw("transfer_without_record", format!("La correction {} n'a pas d'enregistrement.", row.id)),
        _ => flaw("period_without_record", format!("La période {} est close sans clôture signée.", row.id)),
    });
    Ok(said.collect())
}
