-- Attempts to charge a card. An attempt is stored before anything is said to a terminal, and every step of it before the next byte goes
-- out; what became of it stays for ever.
--
-- One number names an attempt and the payment that it becomes: attempts take theirs from the sequence of payments, and an approved attempt
-- is settled by the payment of the same number. So `payment_id` of the contract means the same thing before and after, and cash, which needs
-- no attempt, counts in the same row of numbers.

-- Shares that are held are counted among those that are not paid.
alter table orders drop constraint orders_unpaid_shares_check;
alter table orders add constraint orders_unpaid_shares_check check (unpaid_shares between 1 and 999);

create table payment_attempts (
    id bigint primary key default nextval('payments_id_seq') check (id > 0),
    -- the id that the client chose for its request
    uuid uuid,
    -- as the terminal echoes it
    reference char(10) not null unique check (reference ~ '^[0-9A-Z]{10}$'),
    order_id bigint not null references orders,
    share_number smallint not null check (share_number > 0),
    amount_cents bigint not null check (amount_cents > 0),
    -- added by the guest; outside the sale and outside VAT
    tip_cents bigint not null default 0 check (tip_cents >= 0),
    -- which terminal, without its settings; `none`: one that is not on the line
    terminal text not null check (terminal <> ''),
    till char(2) not null check (till ~ '^[0-9]{2}$'),
    state text not null default 'created'
        check (state in ('created', 'sending', 'sent', 'approved', 'declined', 'cancelled', 'failed', 'unknown', 'not_sent')),
    -- what the terminal really took
    booked_cents bigint check (booked_cents between 1 and amount_cents),
    approval_code text check (approval_code <> ''),
    -- why it is not approved, in the protocol's words or ours
    error_code text,
    user_id bigint not null references users,
    -- the process that works on it holds an advisory lock of this number as long as it lives
    worker bigint not null,
    created_at timestamptz not null default now(),
    state_at timestamptz not null default now(),
    check ((state = 'approved') = (booked_cents is not null))
);
create index payment_attempts_by_order on payment_attempts (order_id);
-- Two cashiers on one share meet here, and an unknown attempt keeps its share locked.
create unique index one_live_attempt_per_share on payment_attempts (order_id, share_number)
    where state in ('created', 'sending', 'sent', 'unknown');
-- A terminal does one thing at a time.
create unique index one_live_attempt_per_terminal on payment_attempts (terminal)
    where state in ('created', 'sending', 'sent') and terminal <> 'none';
-- A request charges once. One of which nothing came may be made again.
create unique index one_attempt_per_request on payment_attempts (uuid) where uuid is not null and state not in ('not_sent', 'failed');

-- What the share owned of each line when the attempt began: a late approval books exactly that.
create table attempt_parts (
    attempt_id bigint not null references payment_attempts,
    line_id bigint not null references order_lines,
    amount_cents bigint not null check (amount_cents >= 0),
    primary key (attempt_id, line_id)
);

-- Every step, for ever. A remark (from and to the same) is what came in when nothing could change any more.
create table attempt_events (
    id bigint generated always as identity primary key,
    attempt_id bigint not null references payment_attempts,
    at timestamptz not null default clock_timestamp(),
    from_state text,
    to_state text not null,
    why text not null check (why <> ''),
    -- who; null: the machine
    user_id bigint references users
);
create index attempt_events_by_attempt on attempt_events (attempt_id, id);

-- A payment by card is an attempt that was approved.
alter table payments add column attempt_id bigint generated always as (case when method = 'CB' then id end) stored;
alter table payments add constraint card_payment_is_an_attempt foreign key (attempt_id) references payment_attempts;

-- An attempt changes its state and what belongs to it. What is final stays, and after the first byte nothing becomes unsent.
create function refuse_attempt_change() returns trigger language plpgsql as $$
declare
    v_possible boolean := false;
begin
    if tg_op = 'UPDATE' then
        v_possible := case old.state
            when 'created' then new.state in ('sending', 'not_sent', 'approved')
            when 'sending' then new.state in ('sent', 'not_sent', 'approved', 'declined', 'cancelled', 'failed', 'unknown')
            when 'sent' then new.state in ('approved', 'declined', 'cancelled', 'failed', 'unknown')
            when 'unknown' then new.state in ('approved', 'declined', 'cancelled', 'failed')
            else false
        end and (to_jsonb(new) - array['state', 'state_at', 'booked_cents', 'approval_code', 'error_code'])
              = (to_jsonb(old) - array['state', 'state_at', 'booked_cents', 'approval_code', 'error_code']);
    end if;
    if not v_possible then
        raise exception 'Modification d''une tentative de paiement interdite' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger payment_attempts_no_change before update or delete on payment_attempts for each row execute function refuse_attempt_change();
create trigger payment_attempts_no_truncate before truncate on payment_attempts for each statement execute function refuse_payment_change();
create trigger attempt_parts_no_change before update or delete on attempt_parts for each row execute function refuse_payment_change();
create trigger attempt_parts_no_truncate before truncate on attempt_parts for each statement execute function refuse_payment_change();
create trigger attempt_events_no_change before update or delete on attempt_events for each row execute function refuse_payment_change();
create trigger attempt_events_no_truncate before truncate on attempt_events for each statement execute function refuse_payment_change();
alter table payment_attempts enable always trigger payment_attempts_no_change;
alter table payment_attempts enable always trigger payment_attempts_no_truncate;
alter table attempt_parts enable always trigger attempt_parts_no_change;
alter table attempt_parts enable always trigger attempt_parts_no_truncate;
alter table attempt_events enable always trigger attempt_events_no_change;
alter table attempt_events enable always trigger attempt_events_no_truncate;
alter function refuse_attempt_change() owner to comptoir_owner;

grant usage on sequence payments_id_seq to comptoir_app;
grant select, insert, update (state, state_at, booked_cents, approval_code, error_code) on payment_attempts to comptoir_app;
grant select, insert on attempt_parts, attempt_events to comptoir_app;
