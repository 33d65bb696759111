-- Phones that are told even while they sleep: where a push service takes messages for them, and how far pushing has come.

-- A subscription lives as long as the session in which it was made: whoever signs out, is dismissed or gets another PIN is pushed nothing.
create table push_subscriptions (
    session_id text primary key references sessions on delete cascade,
    -- one browser has one; the person who signed in last gets what comes there
    endpoint text not null unique check (endpoint <> ''),
    -- the browser's keys (RFC 8291): an uncompressed point of P-256, and 16 secret bytes
    p256dh bytea not null check (octet_length(p256dh) = 65),
    auth bytea not null check (octet_length(auth) = 16),
    -- the last number that this phone said it heard over its socket: up to there it need not be pushed
    heard bigint not null default 0 check (heard >= 0),
    created_at timestamptz not null default now()
);

-- Up to which number was pushed. Of several processes the one that gets this row pushes what comes next.
create table push_head (
    the_one boolean primary key default true check (the_one),
    last bigint not null default 0 check (last >= 0)
);
insert into push_head default values;

grant select, insert, update, delete on push_subscriptions to comptoir_app;
grant select, update on push_head to comptoir_app;
