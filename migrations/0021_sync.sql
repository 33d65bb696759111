-- Orders that phones kept while there was no network, and the phones.

-- What a phone says of itself.
create table devices (
    -- the number that the app gave itself on that phone
    id uuid primary key,
    -- who used it last
    user_id bigint not null references users,
    -- orders that it said it keeps, and how many of them wait for a person
    held integer not null check (held >= 0),
    conflicts integer not null check (conflicts >= 0),
    app text not null default '',
    seen_at timestamptz not null default now(),
    -- its person signed out
    left_at timestamptz
);

-- Every order that came this way, once for ever, also those that were refused: the row is what two copies of one request, the decision
-- about it and its drop wait for each other at.
create table sync_intents (
    uuid uuid primary key,
    user_id bigint not null references users,
    -- as it was typed; the table may have left the plan since. Nothing is known of one that was dropped before it ever arrived
    table_id bigint,
    offline_at timestamptz,
    received_at timestamptz not null default now(),
    outcome text not null default 'conflict' check (outcome in ('conflict', 'taken', 'resolved', 'dropped')),
    -- why the last try was refused
    conflict text,
    -- where it is
    order_id bigint references orders,
    -- sent in its place
    resolved_by uuid,
    settled_at timestamptz,
    check ((outcome = 'taken') = (order_id is not null)),
    check ((outcome = 'resolved') = (resolved_by is not null)),
    check ((outcome = 'conflict') = (settled_at is null))
);
create index sync_intents_open on sync_intents (received_at) where outcome = 'conflict';
create index sync_intents_taken on sync_intents (settled_at) where outcome = 'taken';

-- What people decided.
create table sync_decisions (
    id bigint generated always as identity primary key,
    uuid uuid not null references sync_intents,
    kind text not null check (kind in ('append', 'other_table', 'amended', 'drop')),
    user_id bigint not null references users,
    reason text not null default '',
    -- sent in its place
    resolved_by uuid,
    at timestamptz not null default now(),
    check ((kind = 'drop') = (resolved_by is null))
);
create index sync_decisions_by_intent on sync_decisions (uuid);

grant select, insert, update on devices, sync_intents to comptoir_app;
-- Facts: appended, never edited.
grant select, insert on sync_decisions to comptoir_app;
