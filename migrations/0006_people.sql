-- Who may guess a PIN, and from where; and what a menu that people keep may hold.

-- Failed sign-ins by address, over all names: one PIN can be tried on everybody. An address here is what a network hands out to one
-- household: an IPv4 address, or the first 64 bits of an IPv6 address.
create table sign_in_peers (
    peer text primary key,
    -- drains with time once the address may try again
    failures double precision not null check (failures >= 0),
    locked_until timestamptz not null
);

alter table menu_items
    -- what fits on a ticket and on a button
    add constraint name_fits check (char_length(name) <= 80),
    -- more is a slip of the finger
    add constraint price_fits check (price_cents <= 10000000);

grant select, insert, update, delete on sign_in_peers to comptoir_app;
