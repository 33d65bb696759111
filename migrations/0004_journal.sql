-- The fiscal journal. Append only, by one function, in an order that leaves no gap; see server/src/services/journal.rs for the story.

create table audit_logs (
    -- also the master sequence over all chains: deleting the tail of one chain leaves a hole here
    id bigint primary key check (id > 0),
    transaction_type text not null,
    amount numeric(14, 2) not null,
    -- the service day
    date date not null,
    hash_current char(64) not null,
    hash_previous char(64) not null,
    -- RS256 over data_to_sign, base64url without padding
    signature text not null,
    -- the full content as canonical JSON. Type json keeps the text to the byte; jsonb would rewrite it
    metadata json not null,
    chain char(1) not null check (chain in ('T', 'D', 'N', 'P', 'G', 'J', 'A', 'X')),
    register text not null,
    seq bigint not null check (seq > 0),
    format text not null,
    local_ts char(14) not null,
    utc_ts timestamptz not null,
    vat text not null,
    extra text not null,
    content_sha256 char(64) not null,
    data_to_sign text not null,
    key_id text not null,
    app_version text not null,
    unique (register, chain, seq),
    -- no forks: a record has one successor
    unique (register, chain, hash_previous)
);

-- The last record of each chain, and of all chains of the establishment together (register '*', chain '*'). Locked last in every business transaction; numbers
-- come from here and not from a sequence, which would leave a gap at every rollback.
create table fiscal_heads (
    register text not null,
    chain char(1) not null,
    last_seq bigint not null,
    last_hash text not null,
    last_signature text not null,
    primary key (register, chain)
);

-- A day between two closings. A ticket belongs to the period whose range holds its number, never to DATE(paid_at).
create table fiscal_periods (
    register text not null,
    training boolean not null,
    no bigint not null check (no > 0),
    service_day date not null,
    start_seq bigint not null,
    -- known once a later period has begun or this one is closed
    end_seq bigint,
    -- on the clock of the restaurant, as the Z prints it
    opened_local timestamp not null,
    closed_at timestamptz,
    audit_log_id bigint references audit_logs,
    primary key (register, training, no),
    check ((closed_at is null) = (audit_log_id is null)),
    check (closed_at is null or end_seq is not null)
);
create index fiscal_periods_open on fiscal_periods (register, training, no) where closed_at is null;

-- Public keys, so that an old record can be checked after the key has changed. The private key never enters this database.
create table fiscal_keys (
    key_id text primary key,
    algorithm text not null,
    public_key_pem text not null,
    created_at timestamptz not null default now()
);

create function refuse_journal_change() returns trigger language plpgsql as $$
begin
    raise exception 'Modification audit_logs interdite (NF525)' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_logs_no_change before update or delete on audit_logs for each row execute function refuse_journal_change();
create trigger audit_logs_no_truncate before truncate on audit_logs for each statement execute function refuse_journal_change();
-- ALWAYS: also under session_replication_role = replica
alter table audit_logs enable always trigger audit_logs_no_change;
alter table audit_logs enable always trigger audit_logs_no_truncate;

create function refuse_payment_change() returns trigger language plpgsql as $$
begin
    raise exception 'Modification d''un paiement interdite (NF525)' using errcode = 'insufficient_privilege';
end
$$;
create trigger payments_no_change before update or delete on payments for each row execute function refuse_payment_change();
create trigger payments_no_truncate before truncate on payments for each statement execute function refuse_payment_change();
create trigger share_parts_no_change before update or delete on share_parts for each row execute function refuse_payment_change();
create trigger share_parts_no_truncate before truncate on share_parts for each statement execute function refuse_payment_change();
alter table payments enable always trigger payments_no_change;
alter table payments enable always trigger payments_no_truncate;
alter table share_parts enable always trigger share_parts_no_change;
alter table share_parts enable always trigger share_parts_no_truncate;

-- A payment names the one record that states it.
alter table payments add constraint payments_record foreign key (audit_log_id) references audit_logs;
alter table payments add constraint one_payment_per_record unique (audit_log_id);

-- A period changes twice: its end is fixed, and it is closed. What is fixed stays.
create function refuse_period_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.closed_at is null and (old.end_seq is null or old.end_seq = new.end_seq)
       and (new.register, new.training, new.no, new.service_day, new.start_seq, new.opened_local)
           = (old.register, old.training, old.no, old.service_day, old.start_seq, old.opened_local) then
        return new;
    end if;
    raise exception 'Modification d''une période fiscale interdite (NF525)' using errcode = 'insufficient_privilege';
end
$$;
create trigger fiscal_periods_no_change before update or delete on fiscal_periods for each row execute function refuse_period_change();
create trigger fiscal_periods_no_truncate before truncate on fiscal_periods for each statement execute function refuse_journal_change();
alter table fiscal_periods enable always trigger fiscal_periods_no_change;
alter table fiscal_periods enable always trigger fiscal_periods_no_truncate;
create trigger fiscal_keys_no_change before update or delete on fiscal_keys for each row execute function refuse_journal_change();
create trigger fiscal_keys_no_truncate before truncate on fiscal_keys for each statement execute function refuse_journal_change();
alter table fiscal_keys enable always trigger fiscal_keys_no_change;
alter table fiscal_keys enable always trigger fiscal_keys_no_truncate;

-- `pg_temp` last: a temporary table of the caller must not stand in for ours inside these functions.
-- Locks the journal for the rest of the transaction and tells what the next record of a chain has to follow. The times are those of
-- the one clock that all server processes share, to the second, taken once the lock is held so that they follow the sequence.
create function fiscal_lock(p_register text, p_chain char(1), p_zone text)
returns table (last_seq bigint, last_hash text, last_signature text, utc_now timestamptz, local_now timestamp)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into fiscal_heads values ('*', '*', 0, '', '') on conflict do nothing;
    perform 1 from fiscal_heads h where h.register = '*' and h.chain = '*' for update;
    return query
        select coalesce(h.last_seq, 0), coalesce(h.last_hash, ''), coalesce(h.last_signature, ''),
               date_trunc('second', clock.t), date_trunc('second', clock.t at time zone p_zone)
        from (select clock_timestamp() as t) clock
        left join fiscal_heads h on h.register = p_register and h.chain = p_chain;
end
$$;

-- Appends one record and moves the heads. Refuses what does not follow.
create function fiscal_append(
    p_register text, p_chain char(1), p_seq bigint, p_type text, p_amount_cents bigint, p_date date, p_hash char(64), p_previous char(64),
    p_signature text, p_content text, p_format text, p_local_ts char(14), p_utc_ts timestamptz, p_vat text, p_extra text,
    p_content_sha256 char(64), p_data_to_sign text, p_key_id text, p_app_version text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_id bigint;
    v_seq bigint;
    v_hash text;
begin
    select h.last_seq + 1 into strict v_id from fiscal_heads h where h.register = '*' and h.chain = '*' for update;
    select h.last_seq, h.last_hash into v_seq, v_hash from fiscal_heads h where h.register = p_register and h.chain = p_chain;
    if p_seq <> coalesce(v_seq, 0) + 1 or p_previous <> coalesce(v_hash, repeat('0', 64)) then
        raise exception 'record % % does not follow', p_chain, p_seq using errcode = 'serialization_failure';
    end if;
    insert into audit_logs
        (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format, local_ts, utc_ts,
         vat, extra, content_sha256, data_to_sign, key_id, app_version)
    values
        (v_id, p_type, p_amount_cents / 100.0, p_date, p_hash, p_previous, p_signature, p_content::json, p_chain, p_register, p_seq, p_format,
         p_local_ts, p_utc_ts, p_vat, p_extra, p_content_sha256, p_data_to_sign, p_key_id, p_app_version);
    insert into fiscal_heads values (p_register, p_chain, p_seq, p_hash, p_signature)
    on conflict (register, chain) do update
        set last_seq = excluded.last_seq, last_hash = excluded.last_hash, last_signature = excluded.last_signature;
    update fiscal_heads set last_seq = v_id, last_hash = p_hash, last_signature = p_signature
    where register = '*' and chain = '*';
    return v_id;
end
$$;

alter table audit_logs owner to comptoir_owner;
alter table fiscal_heads owner to comptoir_owner;
alter table fiscal_periods owner to comptoir_owner;
alter table fiscal_keys owner to comptoir_owner;
alter function refuse_period_change() owner to comptoir_owner;
alter function refuse_journal_change() owner to comptoir_owner;
alter function refuse_payment_change() owner to comptoir_owner;
alter function fiscal_lock(text, char, text) owner to comptoir_owner;
alter function fiscal_append(text, char, bigint, text, bigint, date, char, char, text, text, text, char, timestamptz, text, text, char, text, text, text)
    owner to comptoir_owner;
revoke execute on function fiscal_lock(text, char, text) from public;
revoke execute on function fiscal_append(text, char, bigint, text, bigint, date, char, char, text, text, text, char, timestamptz, text, text, char, text, text, text)
    from public;
grant execute on function fiscal_lock(text, char, text) to comptoir_app;
grant execute on function fiscal_append(text, char, bigint, text, bigint, date, char, char, text, text, text, char, timestamptz, text, text, char, text, text, text)
    to comptoir_app;
grant select on audit_logs, fiscal_heads, fiscal_keys to comptoir_app;
grant insert on fiscal_keys to comptoir_app;
grant select, insert, update (end_seq, closed_at, audit_log_id) on fiscal_periods to comptoir_app;
