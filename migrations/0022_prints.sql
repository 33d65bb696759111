-- Prints on their way: what is to come out of the till's printer, and what became of it. The journal counts prints (fiscal_prints); this says
-- whether the paper came out.

create table prints (
    id bigint generated always as identity primary key,
    -- chosen by whoever asked: the same again is the same print
    uuid uuid unique,
    -- the document: a ticket, a Z, a note
    audit_log_id bigint not null references audit_logs,
    print_no integer not null check (print_no >= 0),
    -- the record of this print
    print_log_id bigint not null unique references audit_logs,
    target text not null check (target in ('printer', 'browser')),
    -- handed: the browser has it, and nobody learns more
    state text not null check (state in ('waiting', 'sending', 'printed', 'not_printed', 'doubtful', 'handed')),
    -- what is wrong with the printer
    trouble text check (trouble <> ''),
    user_id bigint not null references users,
    asked_at timestamptz not null default now(),
    state_at timestamptz not null default now(),
    next_at timestamptz not null default now(),
    give_up_at timestamptz not null,
    unique (audit_log_id, print_no),
    check ((state = 'handed') = (target = 'browser'))
);
create index prints_waiting on prints (next_at) where state in ('waiting', 'sending');

-- What a print is of, and its number, stay; and once something may be on paper, nothing makes it unprinted.
create function refuse_print_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.state in ('waiting', 'sending', 'not_printed')
       and (new.id, new.audit_log_id, new.print_no, new.print_log_id, new.asked_at)
           = (old.id, old.audit_log_id, old.print_no, old.print_log_id, old.asked_at) then
        return new;
    end if;
    raise exception 'Modification d''une impression interdite (NF525)' using errcode = 'insufficient_privilege';
end
$$;
create trigger prints_no_change before update or delete on prints for each row execute function refuse_print_change();
create trigger prints_no_truncate before truncate on prints for each statement execute function refuse_print_change();
alter table prints enable always trigger prints_no_change;
alter table prints enable always trigger prints_no_truncate;
alter table prints owner to comptoir_owner;
alter function refuse_print_change() owner to comptoir_owner;

grant select, insert, update (uuid, target, state, trouble, user_id, state_at, next_at, give_up_at) on prints to comptoir_app;
