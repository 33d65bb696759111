-- A share that is settled in cash asks the database twice: once what there is, and once, when its ticket is signed, to store all of it if that is still so.

-- Their names begin like those of the guards, and so the check of the journal sees when one was replaced.

-- All that is known about the money of an order but its head. Its plan is kept; that of a function in SQL would be made anew for each bill.
create function fiscal_bill_facts(p_order bigint) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'lines', (
            select coalesce(json_agg(l), '[]') from (
                select l.id, l.item_id, l.kind, l.name, l.qty, l.voided_qty, l.unit_price_cents, l.vat_rate, l.state, l.note, l.course,
                       l.round, l.part_of, l.options, l.called_at is not null as called, l.discount_cents, l.discount_reason,
                       l.discount_by, s.id is not null as told, s.sent_at is not null as sent
                from order_lines l left join kitchen_slips s on s.id = l.slip_id where l.order_id = p_order order by l.id
            ) l),
        'settled', (
            select coalesce(json_agg(m), '[]') from (
                select m.id, m.share_number, m.amount_cents, p.line_id, p.amount_cents as part, p.discount_cents as off
                from payments m left join share_parts p on p.payment_id = m.id
                where m.order_id = p_order order by m.share_number, p.line_id
            ) m),
        'held', (
            select coalesce(json_agg(a), '[]') from (
                select a.id, a.share_number, a.amount_cents, a.state, p.line_id, p.amount_cents as part
                from payment_attempts a join attempt_parts p on p.attempt_id = a.id
                where a.order_id = p_order and a.state in ('created', 'sending', 'sent', 'unknown') order by a.share_number, p.line_id
            ) a),
        'notes', (
            select coalesce(json_agg(n), '[]') from (
                select n.note_no, n.training from fiscal_notes n where n.order_id = p_order order by n.audit_log_id
            ) n));
end
$$;

-- What changes when anything of that does, or the order itself.
create function fiscal_bill_mark(p_order bigint, p_facts json) returns text language plpgsql stable as $$
begin
    return (select md5(o::text || p_facts::text) from orders o where o.id = p_order);
end
$$;

-- Holds the journal until the end of the transaction, and says whether its last record is still this one.
create function fiscal_hold(p_last bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_last bigint;
begin
    select h.last_seq into v_last from fiscal_heads h where h.register = '*' and h.chain = '*' for update;
    return v_last is not distinct from p_last;
end
$$;
alter function fiscal_hold(bigint) owner to comptoir_owner;
revoke execute on function fiscal_hold(bigint) from public;
grant execute on function fiscal_hold(bigint) to comptoir_app;

-- Holds an order and the journal for a payment, if both are as they were read, and stores the answer to its request. Otherwise nothing is stored. Each
-- statement sees what is there once the one before has its lock. Nobody is waited for who holds the order.
create function fiscal_pay_if_unchanged(p_order bigint, p_mark text, p_last bigint, p_key uuid, p_digest bytea, p_answer text) returns boolean
language plpgsql as $$
begin
    perform from orders where id = p_order for update skip locked;
    if not found or fiscal_bill_mark(p_order, fiscal_bill_facts(p_order)) is distinct from p_mark then
        return false;
    end if;
    if p_key is not null then
        insert into idempotency (key, digest, status, answer) values (p_key, p_digest, 201, p_answer::json) on conflict (key) do nothing;
        if not found then
            return false;
        end if;
    end if;
    if fiscal_hold(p_last) then
        return true;
    end if;
    delete from idempotency where key = p_key;
    return false;
end
$$;
