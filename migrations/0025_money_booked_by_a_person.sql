-- Money that a terminal took and that no payment explained may be booked for a share by a person who knows whose it is.
alter table stray_decisions drop constraint stray_decisions_decision_check;
alter table stray_decisions
    add constraint stray_decisions_decision_check check (decision in ('refunded', 'kept', 'booked')),
    -- as which payment
    add column payment_id bigint unique references payment_attempts,
    -- the number on the terminal's ticket: of the refund that was made there, or of the payment that is booked
    add column approval_code text check (approval_code <> ''),
    add constraint booked_names_its_payment check ((decision = 'booked') = (payment_id is not null));
alter table contradiction_decisions add column approval_code text check (approval_code <> '');
-- Attempts by what terminals echo are looked up for every stray that is shown.
create index stray_words_by_reference on stray_words (reference) where reference is not null;
