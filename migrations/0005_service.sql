-- A service in full: what a dish is ordered with, courses that wait, lines taken off, tables that change hands, and the slips that the
-- kitchen gets.

alter table menu_items
    -- the fourteen of Regulation (EU) 1169/2011, annex II, by their code in `domain`
    add column allergens text[] not null default '{}',
    -- out until then; null while out: until somebody says otherwise
    add column back_at timestamptz check (back_at is null or not available),
    -- for a wine by the glass: the bottle it comes from
    add column glass_of bigint references menu_items;
create unique index one_glass_per_bottle on menu_items (glass_of) where glass_of is not null;
create index menu_items_coming_back on menu_items (back_at) where back_at is not null;

-- Wines for everything under a heading, after those of the dish itself.
create table category_pairings (
    category text not null,
    wine_id bigint not null references menu_items,
    rank smallint not null check (rank between 1 and 3),
    reason text not null,
    primary key (category, rank),
    unique (category, wine_id)
);

-- What is asked about a dish: at most one choice of each group.
create table menu_options (
    item_id bigint not null references menu_items,
    rank smallint not null,
    group_name text not null check (group_name <> ''),
    required boolean not null default false,
    primary key (item_id, rank),
    unique (item_id, group_name)
);
create table menu_option_choices (
    item_id bigint not null,
    rank smallint not null,
    position smallint not null,
    choice text not null check (choice <> ''),
    -- added to the price of one
    price_cents bigint not null default 0 check (price_cents between 0 and 1000000),
    primary key (item_id, rank, position),
    unique (item_id, rank, choice),
    foreign key (item_id, rank) references menu_options on delete cascade
);

-- Notes that are said every evening, to tap instead of type.
create table preset_notes (
    rank smallint primary key,
    note text not null unique check (note <> '')
);

alter table orders drop constraint orders_status_check, drop constraint orders_check;
alter table orders
    add constraint orders_status_check check (status in ('open', 'paid_complete', 'merged', 'cancelled')),
    add constraint closed_when_not_open check ((status = 'open') = (closed_at is null)),
    -- where its lines went
    add column merged_into bigint references orders,
    add constraint merged_names_where check ((status = 'merged') = (merged_into is not null)),
    -- the guests want to pay
    add column bill_asked_at timestamptz;

-- What is told to the kitchen at one time for one table. Its content is what its lines, or its removals, say; both never change, so a slip
-- that is sent again is the same slip. Until `sent_at` the kitchen may or may not have it.
create table kitchen_slips (
    id bigint generated always as identity primary key,
    -- the Idempotency-Key of every attempt to deliver it
    key uuid not null unique default gen_random_uuid(),
    order_id bigint not null references orders,
    -- where the guests sat then: slips of one table are delivered in order
    table_id bigint not null references tables,
    round integer not null,
    kind text not null default 'fire' check (kind in ('fire', 'void')),
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    -- as the kitchen system names it
    erp_order_id text,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error text
);
create index kitchen_slips_waiting on kitchen_slips (next_attempt_at) where sent_at is null;
create index kitchen_slips_waiting_by_table on kitchen_slips (table_id, id) where sent_at is null;
create index kitchen_slips_by_order on kitchen_slips (order_id);
create index kitchen_slips_by_erp on kitchen_slips (erp_order_id) where erp_order_id is not null;

alter table order_lines drop constraint order_lines_state_check;
alter table order_lines
    add constraint order_lines_state_check check (state in ('held', 'received', 'cooking', 'ready', 'served', 'voided')),
    -- taken off again; the facts are in line_voids
    add column voided_qty integer not null default 0 check (voided_qty between 0 and qty),
    add constraint voided_means_all check ((state = 'voided') = (voided_qty = qty)),
    -- [{group, choice, price}] as ordered; the prices are part of unit_price_cents
    add column options jsonb not null default '[]',
    -- the waiter asked the kitchen for it
    add column called_at timestamptz,
    -- the slip that told the kitchen; null for drinks, and while held
    add column slip_id bigint references kitchen_slips;
create index order_lines_by_slip on order_lines (slip_id) where slip_id is not null;
drop index order_lines_in_kitchen;
create index order_lines_in_kitchen on order_lines (order_id, round) where kind = 'dish' and state in ('held', 'received', 'cooking', 'ready');

-- Lines taken off, for ever: who, how many, why.
create table line_voids (
    id bigint generated always as identity primary key,
    line_id bigint not null references order_lines,
    qty integer not null check (qty > 0),
    reason text not null check (reason <> ''),
    user_id bigint not null references users,
    slip_id bigint references kitchen_slips,
    at timestamptz not null default now()
);
create index line_voids_by_line on line_voids (line_id);
create index line_voids_by_slip on line_voids (slip_id) where slip_id is not null;

-- What happened to an order besides its lines and its money.
create table order_events (
    id bigint generated always as identity primary key,
    order_id bigint not null references orders,
    kind text not null check (kind in ('transfer', 'merge', 'handover', 'fire', 'hold', 'release', 'bill_asked')),
    user_id bigint not null references users,
    detail jsonb not null default '{}',
    at timestamptz not null default now()
);
create index order_events_by_order on order_events (order_id);

grant select, insert, update, delete on category_pairings, menu_options, menu_option_choices, preset_notes to comptoir_app;
grant select, insert, update on kitchen_slips to comptoir_app;
-- Facts: appended, never edited.
grant select, insert on line_voids, order_events to comptoir_app;
