-- Money: a share is a part of each line of an order; a payment settles one share.

create table payments (
    id bigint generated always as identity primary key,
    order_id bigint not null references orders,
    share_number smallint not null check (share_number > 0),
    method text not null check (method in ('CB', 'ESPECES', 'TR', 'CHEQUE')),
    amount_cents bigint not null check (amount_cents > 0),
    tendered_cents bigint check (tendered_cents >= amount_cents),
    -- only cash gives change
    change_cents bigint not null default 0 check (change_cents >= 0 and (change_cents = 0 or method = 'ESPECES')),
    status text not null check (status in ('approved')),
    user_id bigint not null references users,
    -- the record in the journal, written in the same transaction
    audit_log_id bigint not null,
    created_at timestamptz not null default now()
);
create index payments_by_order on payments (order_id);
-- One payment per share: two cashiers on one share meet here.
create unique index one_payment_per_share on payments (order_id, share_number);

-- What a settled share owns of each line. It is never touched again.
create table share_parts (
    payment_id bigint not null references payments,
    line_id bigint not null references order_lines,
    amount_cents bigint not null check (amount_cents >= 0),
    primary key (payment_id, line_id)
);
create index share_parts_by_line on share_parts (line_id);

grant select, insert on payments, share_parts to comptoir_app;
