-- Orders: one stay of guests at a table, from the first dish to the last payment.

create table orders (
    id bigint generated always as identity primary key,
    -- names the order on tickets, for ever, whatever becomes of this database's numbers
    uuid uuid not null unique default gen_random_uuid(),
    table_id bigint not null references tables,
    status text not null default 'open' check (status in ('open', 'paid_complete')),
    covers smallint not null check (covers between 1 and 99),
    server_user_id bigint not null references users,
    rounds integer not null default 0,
    -- how many shares the table chose for what is not paid yet; null: by covers
    unpaid_shares smallint check (unpaid_shares between 1 and 99),
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    check ((status = 'open') = (closed_at is null))
);
-- A table has one open order: two phones that open it at the same moment meet here.
create unique index one_open_order_per_table on orders (table_id) where status = 'open';

create table order_lines (
    id bigint generated always as identity primary key,
    order_id bigint not null references orders,
    -- the menu of today may change; what the ticket needs is copied
    item_id bigint not null references menu_items,
    kind text not null check (kind in ('dish', 'wine', 'drink')),
    name text not null,
    qty integer not null check (qty between 1 and 99),
    unit_price_cents bigint not null check (unit_price_cents >= 0),
    vat_rate smallint not null,
    note text,
    course smallint not null check (course between 0 and 9),
    part_of text,
    round integer not null,
    state text not null default 'received' check (state in ('received', 'cooking', 'ready', 'served', 'voided')),
    state_at timestamptz not null default now(),
    created_at timestamptz not null default now()
);
create index order_lines_by_order on order_lines (order_id, id);
-- What the kitchen screen reads: dishes that are not served yet.
create index order_lines_in_kitchen on order_lines (order_id, round) where kind = 'dish' and state in ('received', 'cooking', 'ready');

-- Exactly once: the request's id, a digest of its body and the answer are stored in the transaction that has the effect.
create table idempotency (
    key uuid primary key,
    -- SHA-256 of route, person and body
    digest bytea not null,
    status smallint,
    answer json,
    created_at timestamptz not null default now()
);

grant select, insert, update, delete on orders, order_lines, idempotency to comptoir_app;
