-- What people decide about what terminals said beside the match.

-- 1. An approval that came after its payment had ended otherwise may be booked, while its share is open.
alter table contradiction_decisions drop constraint contradiction_decisions_decision_check;
-- refunded: the money was given back. kept: what is booked is right. booked: it was booked after all
alter table contradiction_decisions
    add constraint contradiction_decisions_decision_check check (decision in ('refunded', 'kept', 'booked'));

-- For that the attempt becomes one that nobody knows the end of once more, by a decision that is stored before, and by nothing else.
create or replace function refuse_attempt_step() returns trigger language plpgsql as $$
declare
    v_free text[] := array['state', 'state_at', 'booked_cents', 'approval_code', 'error_code', 'listening_until'];
    v_possible boolean := false;
begin
    if tg_op = 'UPDATE' then
        if new.state = old.state then
            v_possible := old.listening_until is not null and new.listening_until is null
                and (to_jsonb(new) - 'listening_until') = (to_jsonb(old) - 'listening_until');
        else
            v_possible := case
                when old.state = 'created' then new.state in ('sending', 'not_sent', 'approved')
                when old.state = 'sending' then new.state in ('sent', 'not_sent', 'approved', 'declined', 'cancelled', 'failed', 'unknown')
                when old.state = 'sent' then new.state in ('approved', 'declined', 'cancelled', 'failed', 'unknown')
                when old.state = 'unknown' then new.state in ('approved', 'declined', 'cancelled', 'failed')
                when old.state in ('not_sent', 'declined', 'cancelled', 'failed') then new.state = 'unknown' and exists (
                    select from public.attempt_words w join public.contradiction_decisions d on d.word_id = w.id
                    where w.attempt_id = old.id and w.effect = 'contradicts' and w.outcome = 'approved' and d.decision = 'booked')
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
alter function refuse_attempt_step() owner to comptoir_owner;

-- 2. Money that a terminal says it took and that no payment of ours explains. Null: heard before this was asked.
alter table stray_words add column training boolean;
create index approved_strays on stray_words (id) where outcome = 'approved' and training is not null;

-- What a person found out about it.
create table stray_decisions (
    stray_id bigint primary key references stray_words,
    at timestamptz not null default clock_timestamp(),
    user_id bigint not null references users,
    -- refunded: the money was given back. kept: there is nothing to do, it is booked elsewhere or was never taken here
    decision text not null check (decision in ('refunded', 'kept')),
    reason text not null check (reason <> '')
);
create trigger stray_decisions_no_change before update or delete on stray_decisions for each row execute function refuse_payment_change();
create trigger stray_decisions_no_truncate before truncate on stray_decisions for each statement execute function refuse_payment_change();
alter table stray_decisions enable always trigger stray_decisions_no_change;
alter table stray_decisions enable always trigger stray_decisions_no_truncate;
grant select, insert on stray_decisions to comptoir_app;
