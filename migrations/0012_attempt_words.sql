-- What a terminal says is stored before anything is done about it; booking happens from what is stored. A crash between the two is finished
-- by whoever comes next.

-- 1. An attempt knows whether it belongs to training, and whether its terminal is still listened to after we stopped waiting.
alter table payment_attempts
    add column training boolean,
    -- set while the line of an unknown attempt is still open: until then the terminal may say how it ended
    add column listening_until timestamptz;
alter table payment_attempts disable trigger payment_attempts_no_change;
update payment_attempts a
set training = coalesce((select l.chain = 'X' from payments p join audit_logs l on l.id = p.audit_log_id where p.id = a.id),
                        a.terminal = 'simulator:');
alter table payment_attempts enable always trigger payment_attempts_no_change;
alter table payment_attempts alter column training set not null;
alter table payment_attempts add constraint only_the_unknown_is_listened_to check (listening_until is null or state = 'unknown');
-- The terminal takes the share and what the guest adds.
alter table payment_attempts drop constraint payment_attempts_check;
alter table payment_attempts add constraint booked_is_at_most_what_was_asked check (booked_cents between 1 and amount_cents + tip_cents);

-- A terminal that is still listened to is still at it: a second dialogue would be answered with the result of the first.
drop index one_live_attempt_per_terminal;
create unique index one_live_attempt_per_terminal on payment_attempts (terminal)
    where (state in ('created', 'sending', 'sent') or listening_until is not null) and terminal <> 'none';
-- What holds a share, or works on it: looked at every second.
create index live_attempts on payment_attempts (worker) where state in ('created', 'sending', 'sent', 'unknown');

-- 2. The words of terminals, as they came.
create table attempt_words (
    id bigint generated always as identity primary key,
    attempt_id bigint not null references payment_attempts,
    at timestamptz not null default clock_timestamp(),
    outcome text not null check (outcome in ('approved', 'declined', 'cancelled', 'failed')),
    -- what was taken
    amount_cents bigint check (amount_cents > 0),
    approval_code text check (approval_code <> ''),
    -- why it was not approved, in the protocol's words
    error_code text,
    -- it came after we had stopped waiting
    late boolean not null,
    -- what came of it; null: nothing yet. `repeated` says what was known, `contradicts` says something else than what the attempt ended with
    effect text check (effect in ('taken', 'repeated', 'contradicts')),
    -- where the attempt stood then
    stood text,
    check ((outcome = 'approved') = (amount_cents is not null)),
    check ((effect is null) = (stood is null))
);
create index attempt_words_by_attempt on attempt_words (attempt_id, id);
create index attempt_words_waiting on attempt_words (id) where effect is null;
create index attempt_words_contradicting on attempt_words (id) where effect = 'contradicts';

-- What a person decided about a contradiction. Until then no day is closed.
create table contradiction_decisions (
    word_id bigint primary key references attempt_words,
    at timestamptz not null default clock_timestamp(),
    user_id bigint not null references users,
    -- refunded: the money was given back. kept: what is booked is right
    decision text not null check (decision in ('refunded', 'kept')),
    reason text not null check (reason <> '')
);

-- Words that name no attempt of ours, or do not agree with the one that they name. Acknowledged to the terminal, hence never lost here.
create table stray_words (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    terminal text not null,
    reference text,
    amount_cents bigint,
    currency text,
    till text,
    outcome text not null
);

create function refuse_word_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.effect is null and new.effect is not null
       and (to_jsonb(new) - array['effect', 'stood']) = (to_jsonb(old) - array['effect', 'stood']) then
        return new;
    end if;
    raise exception 'Modification d''une réponse du TPE interdite' using errcode = 'insufficient_privilege';
end
$$;
create trigger attempt_words_no_change before update or delete on attempt_words for each row execute function refuse_word_change();
create trigger attempt_words_no_truncate before truncate on attempt_words for each statement execute function refuse_payment_change();
create trigger contradiction_decisions_no_change before update or delete on contradiction_decisions
    for each row execute function refuse_payment_change();
create trigger contradiction_decisions_no_truncate before truncate on contradiction_decisions
    for each statement execute function refuse_payment_change();
create trigger stray_words_no_change before update or delete on stray_words for each row execute function refuse_payment_change();
create trigger stray_words_no_truncate before truncate on stray_words for each statement execute function refuse_payment_change();
alter table attempt_words enable always trigger attempt_words_no_change;
alter table attempt_words enable always trigger attempt_words_no_truncate;
alter table contradiction_decisions enable always trigger contradiction_decisions_no_change;
alter table contradiction_decisions enable always trigger contradiction_decisions_no_truncate;
alter table stray_words enable always trigger stray_words_no_change;
alter table stray_words enable always trigger stray_words_no_truncate;
alter function refuse_word_change() owner to comptoir_owner;

-- 3. An attempt may also end its listening, in the same state.
create function refuse_attempt_step() returns trigger language plpgsql as $$
declare
    v_free text[] := array['state', 'state_at', 'booked_cents', 'approval_code', 'error_code', 'listening_until'];
    v_possible boolean := false;
begin
    if tg_op = 'UPDATE' then
        if new.state = old.state then
            v_possible := old.listening_until is not null and new.listening_until is null
                and (to_jsonb(new) - 'listening_until') = (to_jsonb(old) - 'listening_until');
        else
            v_possible := case old.state
                when 'created' then new.state in ('sending', 'not_sent', 'approved')
                when 'sending' then new.state in ('sent', 'not_sent', 'approved', 'declined', 'cancelled', 'failed', 'unknown')
                when 'sent' then new.state in ('approved', 'declined', 'cancelled', 'failed', 'unknown')
                when 'unknown' then new.state in ('approved', 'declined', 'cancelled', 'failed')
                else false
            end and (to_jsonb(new) - v_free) = (to_jsonb(old) - v_free);
        end if;
    end if;
    if not v_possible then
        raise exception 'Modification d''une tentative de paiement interdite' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
drop trigger payment_attempts_no_change on payment_attempts;
create trigger payment_attempts_no_change before update or delete on payment_attempts for each row execute function refuse_attempt_step();
alter table payment_attempts enable always trigger payment_attempts_no_change;
alter function refuse_attempt_step() owner to comptoir_owner;
drop function refuse_attempt_change();

-- 4. Approved means booked, and booked by card means approved: looked at as the transaction ends.
create function check_attempt_is_booked() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if new.state = 'approved' and not exists (
        select from payments p
        where p.id = new.id and p.order_id = new.order_id and p.share_number = new.share_number
          and p.amount_cents = least(new.booked_cents, new.amount_cents)
    ) then
        raise exception 'attempt % is approved and not booked', new.id
            using errcode = 'integrity_constraint_violation', constraint = 'approved_attempt_is_booked';
    end if;
    return null;
end
$$;
create constraint trigger approved_attempt_is_booked after insert or update on payment_attempts
    deferrable initially deferred for each row execute function check_attempt_is_booked();
create function check_card_payment_is_approved() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if new.attempt_id is not null and not exists (select from payment_attempts a where a.id = new.attempt_id and a.state = 'approved') then
        raise exception 'payment % is by card and not approved', new.id
            using errcode = 'integrity_constraint_violation', constraint = 'card_payment_is_approved';
    end if;
    return null;
end
$$;
create constraint trigger card_payment_is_approved after insert on payments
    deferrable initially deferred for each row execute function check_card_payment_is_approved();
alter table payment_attempts enable always trigger approved_attempt_is_booked;
alter table payments enable always trigger card_payment_is_approved;
alter function check_attempt_is_booked() owner to comptoir_owner;
alter function check_card_payment_is_approved() owner to comptoir_owner;

-- 5. Server processes. One that lives holds the advisory lock of its number and says so here twice a second; it is gone when it does neither.
create table processes (
    id bigint primary key,
    seen_at timestamptz not null default clock_timestamp()
);

grant update (listening_until) on payment_attempts to comptoir_app;
grant select, insert on attempt_words, contradiction_decisions, stray_words to comptoir_app;
grant update (effect, stood) on attempt_words to comptoir_app;
grant select, insert, delete, update (seen_at) on processes to comptoir_app;
