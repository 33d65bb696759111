-- Dishes at the pass: what is said of them, under numbers that are given in the order of the commits, and how each wait ended.

-- The last number given. Whoever says something takes the next ones from this row and holds it until the commit: so a lower number is
-- never committed after a higher one, none is missing, and "everything after N" misses nothing.
create table event_head (
    the_one boolean primary key default true check (the_one),
    last bigint not null default 0 check (last >= 0)
);
insert into event_head default values;

create table dish_events (
    id bigint primary key check (id > 0),
    -- the event in which the dish was first said to be ready, when this one says it again: after a hand-over, or because nobody came
    about bigint references dish_events,
    -- who is told: 0 whoever looks after the table at that moment, 1 the other waiters of the room, 2 the till
    level smallint not null default 0 check (level between 0 and 2),
    -- As it was then; where the line is now counts. No foreign key: its check would wait for whoever holds the order, who may wait for the
    -- number that this transaction holds.
    order_id bigint not null,
    -- null when the kitchen system names a dish that is not on the slip
    line_id bigint references order_lines,
    dish text not null check (dish <> ''),
    -- how the kitchen system names this event
    erp_event_id text unique,
    at timestamptz not null default clock_timestamp(),
    check (level = 0 or about is not null)
);
create unique index one_escalation_per_level on dish_events (about, level) where level > 0;
create index dish_events_by_line on dish_events (line_id) where line_id is not null and about is null;
-- What is asked is always of the last hours, however many years lie below.
create index dish_events_by_time on dish_events (at);

-- How a wait at the pass ended: the first of these.
create table dish_ends (
    event_id bigint primary key references dish_events,
    how text not null check (how in ('acknowledged', 'served', 'recalled', 'voided')),
    -- who said that they see to it
    user_id bigint references users,
    at timestamptz not null default clock_timestamp(),
    check ((how = 'acknowledged') = (user_id is not null))
);

-- Whatever takes a dish away from the pass ends its wait: serving, calling back, taking off the bill. Here, because there are many ways to
-- do that and a forgotten one would ring for ever.
create function end_wait_at_the_pass() returns trigger language plpgsql as $$
begin
    insert into dish_ends (event_id, how)
    select e.id, case new.state when 'served' then 'served' when 'voided' then 'voided' else 'recalled' end
    from dish_events e where e.line_id = new.id and e.about is null
    on conflict (event_id) do nothing;
    return null;
end
$$;
create trigger a_dish_leaves_the_pass after update of state on order_lines
    for each row when (old.state = 'ready' and new.state <> 'ready') execute function end_wait_at_the_pass();

-- Who is told something about an order at this moment. One rule for the live event, for what was missed and for who may acknowledge.
create function told_of(the_order bigint, the_level smallint) returns setof bigint language sql stable as $$
    select o.server_user_id from orders o where o.id = the_order and the_level = 0
    union all
    -- whoever looks after another table of that room; when nobody does, every other waiter
    select u.id from users u
    where the_level = 1 and u.active and u.role = 'serveur'
      and u.id <> (select o.server_user_id from orders o where o.id = the_order)
      and (
          exists (
              select from orders mine join tables t on t.id = mine.table_id
              where mine.server_user_id = u.id and mine.status = 'open'
                and t.room_id = (select t.room_id from orders o join tables t on t.id = o.table_id where o.id = the_order)
          )
          or not exists (
              select from orders theirs join tables t on t.id = theirs.table_id join users w on w.id = theirs.server_user_id
              where theirs.status = 'open' and w.active and w.role = 'serveur'
                and w.id <> (select o.server_user_id from orders o where o.id = the_order)
                and t.room_id = (select t.room_id from orders o join tables t on t.id = o.table_id where o.id = the_order)
          )
      )
    union all
    select u.id from users u where the_level = 2 and u.active and u.role in ('caissier', 'admin')
$$;

-- What is said of dishes, with what is so now: guests move, tables are put together, people hand over.
create view dish_news as
    select e.id, e.level, e.at as said_at, first.id as event_id, first.at, first.dish, first.line_id,
           o.id as order_id, o.table_id, t.name as table_name, t.room_id, o.server_user_id, u.name as server_name,
           ends.how, ends.user_id as ended_by, ends.at as ended_at
    from dish_events e
    join dish_events first on first.id = coalesce(e.about, e.id)
    left join order_lines l on l.id = first.line_id
    left join orders was on was.id = first.order_id
    join orders o on o.id = coalesce(l.order_id, was.merged_into, was.id)
    join tables t on t.id = o.table_id
    join users u on u.id = o.server_user_id
    left join dish_ends ends on ends.event_id = first.id;

grant select, update on event_head to comptoir_app;
-- Facts: appended, never edited.
grant select, insert on dish_events, dish_ends to comptoir_app;
grant select on dish_news to comptoir_app;
