-- Nobody but one function appends; what a ticket was made from does not change under it; the key that signs changes by a record only.

-- Payments and what they own belong to the role that nobody signs in as, like the journal.
alter table payments owner to comptoir_owner;
alter table share_parts owner to comptoir_owner;

-- Rows enter the journal through fiscal_append() alone, which works as comptoir_owner. A login that owns the database but was not made a
-- member of that role on purpose is refused here; one that was is found by the check of the catalogue and of the signatures.
create function refuse_journal_insert() returns trigger language plpgsql as $$
begin
    if current_user <> 'comptoir_owner' then
        raise exception 'Ajout direct dans audit_logs interdit (NF525)' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger audit_logs_no_insert before insert on audit_logs for each row execute function refuse_journal_insert();
alter table audit_logs enable always trigger audit_logs_no_insert;
alter function refuse_journal_insert() owner to comptoir_owner;

-- The heads move forward, one by one.
create function refuse_head_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.register, new.chain) = (old.register, old.chain) and new.last_seq = old.last_seq + 1 then
        return new;
    end if;
    raise exception 'Modification audit_logs interdite (NF525)' using errcode = 'insufficient_privilege';
end
$$;
create trigger fiscal_heads_no_change before update or delete on fiscal_heads for each row execute function refuse_head_change();
create trigger fiscal_heads_no_truncate before truncate on fiscal_heads for each statement execute function refuse_journal_change();
alter table fiscal_heads enable always trigger fiscal_heads_no_change;
alter table fiscal_heads enable always trigger fiscal_heads_no_truncate;
alter function refuse_head_change() owner to comptoir_owner;

-- A line that a ticket names stays what the ticket says: its name, price, rate, quantity and order. Where it stands in the kitchen may go on.
create function refuse_ticketed_line_change() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'UPDATE'
       and (new.order_id, new.item_id, new.kind, new.name, new.qty, new.unit_price_cents, new.vat_rate, new.options::text)
           is not distinct from
           (old.order_id, old.item_id, old.kind, old.name, old.qty, old.unit_price_cents, old.vat_rate, old.options::text)
       and (new.voided_qty = old.voided_qty
            -- what nobody has paid for may still be taken off
            or (new.qty - new.voided_qty) * new.unit_price_cents >= (select coalesce(sum(amount_cents), 0) from share_parts where line_id = old.id))
    then
        return new;
    end if;
    if exists (select from share_parts where line_id = old.id and amount_cents <> 0) then
        raise exception 'Modification d''une ligne encaissée interdite (NF525)' using errcode = 'insufficient_privilege';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end
$$;
create trigger order_lines_no_change before update or delete on order_lines for each row execute function refuse_ticketed_line_change();
create trigger order_lines_no_truncate before truncate on order_lines for each statement execute function refuse_payment_change();
alter table order_lines enable always trigger order_lines_no_change;
alter table order_lines enable always trigger order_lines_no_truncate;
alter function refuse_ticketed_line_change() owner to comptoir_owner;

-- Keys. The first one is remembered while the journal is empty; every other comes with the record that announced it.
alter table fiscal_keys
    add column announced_by bigint unique references audit_logs;
revoke insert on fiscal_keys from comptoir_app;

create function fiscal_remember_key(p_key_id text, p_public_key_pem text, p_announced_by bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from fiscal_keys where key_id = p_key_id and public_key_pem = p_public_key_pem) then
        return;
    end if;
    if p_announced_by is null then
        if exists (select from audit_logs) or exists (select from fiscal_keys) then
            raise exception 'Une clé ne s''ajoute que par un enregistrement (NF525)' using errcode = 'insufficient_privilege';
        end if;
    elsif not exists (
        select from audit_logs l
        where l.id = p_announced_by and l.transaction_type = 'JET' and l.metadata ->> 'code' = 'key_rotated'
          and l.metadata -> 'details' ->> 'new_key' = p_key_id and l.metadata -> 'details' ->> 'public_key' = p_public_key_pem
          and l.id = (select last_seq from fiscal_heads where chain = '*')
    ) then
        raise exception 'Une clé ne s''ajoute que par un enregistrement (NF525)' using errcode = 'insufficient_privilege';
    end if;
    insert into fiscal_keys (key_id, algorithm, public_key_pem, announced_by) values (p_key_id, 'RS256', p_public_key_pem, p_announced_by);
end
$$;
alter function fiscal_remember_key(text, text, bigint) owner to comptoir_owner;
revoke execute on function fiscal_remember_key(text, text, bigint) from public;
grant execute on function fiscal_remember_key(text, text, bigint) to comptoir_app;

-- Once a key was announced, the older one signs nothing more.
create function refuse_retired_key() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from fiscal_keys)
       and new.key_id <> (select key_id from fiscal_keys order by announced_by desc nulls last limit 1) then
        raise exception 'key % does not sign any more; restart this process', new.key_id using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger audit_logs_key before insert on audit_logs for each row execute function refuse_retired_key();
alter table audit_logs enable always trigger audit_logs_key;
alter function refuse_retired_key() owner to comptoir_owner;

-- The lock tells when the last record was written, so that a clock that went back is noticed and said.
drop function fiscal_lock(text, char, text);
create function fiscal_lock(p_register text, p_chain char(1), p_zone text)
returns table (last_seq bigint, last_hash text, last_signature text, utc_now timestamptz, local_now timestamp, last_utc timestamptz)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_last bigint;
begin
    insert into fiscal_heads values ('*', '*', 0, '', '') on conflict do nothing;
    select h.last_seq into v_last from fiscal_heads h where h.register = '*' and h.chain = '*' for update;
    return query
        select coalesce(h.last_seq, 0), coalesce(h.last_hash, ''), coalesce(h.last_signature, ''),
               date_trunc('second', clock.t), date_trunc('second', clock.t at time zone p_zone),
               (select l.utc_ts from audit_logs l where l.id = v_last)
        from (select clock_timestamp() as t) clock
        left join fiscal_heads h on h.register = p_register and h.chain = p_chain;
end
$$;
alter function fiscal_lock(text, char, text) owner to comptoir_owner;
revoke execute on function fiscal_lock(text, char, text) from public;
grant execute on function fiscal_lock(text, char, text) to comptoir_app;
