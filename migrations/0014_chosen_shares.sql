-- What the table chose for what is not paid: `unpaid_shares` counts equal shares, and `chosen_shares` holds shares that were made one by one,
-- [{number, parts: [{line_id, amount}], claims: [{line_id, qty}]}]. A chosen share stays here when it is paid: what it claimed as items cannot
-- be claimed again. Facts about money are elsewhere; this is only who means to pay what, and it is read and written under the order's lock.
alter table orders
    add column shares_by_choice boolean not null default false,
    add column chosen_shares jsonb not null default '[]';

-- Money beside the sale: a tip; and what meal vouchers were worth beyond what they settled, which is never given back.
alter table payments
    add column tip_cents bigint not null default 0 check (tip_cents >= 0),
    drop constraint payments_check,
    add constraint tendered_covers_it check (tendered_cents >= amount_cents + case when method = 'ESPECES' then tip_cents else 0 end),
    add constraint only_cash_and_vouchers_are_handed_over check (tendered_cents is null or method in ('ESPECES', 'TR'));
