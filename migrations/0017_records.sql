-- What the journal knows besides tickets: prints, notes, counter-entries, months and years. Each of these rows stands beside its record and is
-- written in the same transaction; what counts is the record, these only make it quick to find.

-- A day covers everything of its register between two records of the journal, so that money that is no sale belongs to exactly one day too.
alter table fiscal_periods
    add column first_record bigint,
    add column last_record bigint,
    add constraint fiscal_periods_records check (last_record >= first_record - 1);
alter table fiscal_periods disable trigger fiscal_periods_no_change;
update fiscal_periods p set
    first_record = coalesce(
        (select id from audit_logs l where l.register = p.register and l.chain = case when p.training then 'X' else 'T' end and l.seq = p.start_seq),
        (select coalesce(max(id), 0) + 1 from audit_logs where p.audit_log_id is null or id < p.audit_log_id)),
    last_record = case when p.end_seq is null then null else greatest(
        (select coalesce(max(id), 0) from audit_logs l
         where l.register = p.register and l.chain = case when p.training then 'X' else 'T' end and l.seq <= p.end_seq),
        coalesce((select id from audit_logs l
         where l.register = p.register and l.chain = case when p.training then 'X' else 'T' end and l.seq = p.start_seq) - 1, 0)) end;
update fiscal_periods set last_record = first_record - 1 where last_record < first_record - 1;
alter table fiscal_periods enable always trigger fiscal_periods_no_change;
alter table fiscal_periods
    alter column first_record set not null,
    add constraint fiscal_periods_ends_together check ((end_seq is null) = (last_record is null));

create or replace function refuse_period_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.closed_at is null and (old.end_seq is null or (old.end_seq, old.last_record) = (new.end_seq, new.last_record))
       and (new.register, new.training, new.no, new.service_day, new.start_seq, new.first_record, new.opened_local)
           = (old.register, old.training, old.no, old.service_day, old.start_seq, old.first_record, old.opened_local) then
        return new;
    end if;
    raise exception 'Modification d''une période fiscale interdite (NF525)' using errcode = 'insufficient_privilege';
end
$$;
alter function refuse_period_change() owner to comptoir_owner;

-- Months and years, once they are closed.
create table fiscal_long_periods (
    register text not null,
    training boolean not null,
    kind text not null check (kind in ('month', 'year')),
    -- their place among the closings of their kind
    number bigint not null check (number > 0),
    -- 2026-02, 2026
    period text not null,
    -- nothing may be sold on this day or before any more
    last_day date not null,
    -- the closings that it sums: days of a month, months of a year
    first_no bigint not null,
    last_no bigint not null check (last_no >= first_no),
    audit_log_id bigint not null unique references audit_logs,
    primary key (register, training, kind, number),
    unique (register, training, kind, period)
);

-- Prints of tickets, closings and notes: 0 is the original.
create table fiscal_prints (
    register text not null,
    chain char(1) not null,
    seq bigint not null,
    print_no integer not null check (print_no >= 0),
    audit_log_id bigint not null unique references audit_logs,
    primary key (register, chain, seq, print_no)
);

-- Counter-entries, by the ticket that they correct: no more is given back than was sold.
create table fiscal_corrections (
    register text not null,
    chain char(1) not null,
    ticket_no bigint not null,
    audit_log_id bigint not null unique references audit_logs,
    primary key (register, chain, ticket_no, audit_log_id)
);

-- Provisional notes, by order: a Z names those whose order nothing settled.
create table fiscal_notes (
    audit_log_id bigint primary key references audit_logs,
    register text not null,
    training boolean not null,
    note_no bigint not null,
    order_id bigint not null references orders,
    table_name text not null,
    total_cents bigint not null
);
create index fiscal_notes_by_order on fiscal_notes (order_id);

do $$
declare
    v_table text;
begin
    foreach v_table in array array['fiscal_long_periods', 'fiscal_prints', 'fiscal_corrections', 'fiscal_notes'] loop
        execute format('create trigger %1$s_no_change before update or delete on %1$I for each row execute function refuse_journal_change()', v_table);
        execute format('create trigger %1$s_no_truncate before truncate on %1$I for each statement execute function refuse_journal_change()', v_table);
        execute format('alter table %1$I enable always trigger %1$s_no_change', v_table);
        execute format('alter table %1$I enable always trigger %1$s_no_truncate', v_table);
        execute format('alter table %1$I owner to comptoir_owner', v_table);
        execute format('grant select, insert on %1$I to comptoir_app', v_table);
    end loop;
end
$$;
grant update (last_record) on fiscal_periods to comptoir_app;
