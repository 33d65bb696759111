-- Whose dish a kitchen system means. Its numbers and the names of its events are its own: it may begin at one again every morning.

-- The order that has the lines of this one by now: tables are put together, and then with others.
create function order_now(the_order bigint) returns bigint language sql stable as $$
    with recursive way as (
        select o.id, o.merged_into from orders o where o.id = the_order
        union all
        select o.id, o.merged_into from way join orders o on o.id = way.merged_into
    )
    select id from way where merged_into is null
$$;

-- Of the slips that ever had a number, those of the last hours count.
drop index kitchen_slips_by_erp;
create index kitchen_slips_by_erp on kitchen_slips (erp_order_id, sent_at) where erp_order_id is not null;

-- For which slip the kitchen system named the event; of several slips of one order under one number, the first. No foreign key, as for the order.
alter table dish_events add column erp_slip bigint;
-- What was said in this service may be said again.
update dish_events e set erp_slip = (
    select min(first.id) from order_lines l join kitchen_slips s on s.id = l.slip_id
    join kitchen_slips first on first.erp_order_id = s.erp_order_id and first.order_id = s.order_id and first.kind = 'fire'
    where l.id = e.line_id
) where e.erp_event_id is not null and e.at > now() - interval '12 hours';
alter table dish_events drop constraint dish_events_erp_event_id_key;
-- The same name for another slip is another event.
create unique index one_event_of_a_name_per_slip on dish_events (erp_slip, erp_event_id) where erp_event_id is not null;

-- Who is told something about an order at this moment. Whoever looks after the table stays told at every level: otherwise a waiter who is alone in
-- the house, and was out on the terrace when it rang, never hears of the dish again.
create or replace function told_of(the_order bigint, the_level smallint) returns setof bigint language sql stable as $$
    select o.server_user_id from orders o where o.id = the_order
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

create or replace view dish_news as
    select e.id, e.level, e.at as said_at, first.id as event_id, first.at, first.dish, first.line_id,
           o.id as order_id, o.table_id, t.name as table_name, t.room_id, o.server_user_id, u.name as server_name,
           ends.how, ends.user_id as ended_by, ends.at as ended_at,
           -- What is left of the line: what was taken off meanwhile nobody comes for. Not on the slip: one, as nobody said otherwise.
           case when first.is_one_more or l.id is null then 1 else greatest(l.qty - l.voided_qty, 1) end as qty
    from dish_events e
    join dish_events first on first.id = coalesce(e.about, e.id)
    left join order_lines l on l.id = first.line_id
    join orders o on o.id = coalesce(l.order_id, order_now(first.order_id))
    join tables t on t.id = o.table_id
    join users u on u.id = o.server_user_id
    left join dish_ends ends on ends.event_id = first.id;

-- As before; the event has its name for a slip.
drop function dish_is_ready(bigint, bigint, text, text, text);
create function dish_is_ready(the_order bigint, the_line bigint, was text, the_dish text, the_slip bigint, the_event text)
returns table (
    id bigint, at timestamptz, order_id bigint, table_id bigint, table_name text, server_user_id bigint, server_name text, qty integer
)
language plpgsql as $$
declare
    number bigint;
begin
    if was is not null then
        update order_lines l set state = 'ready', state_at = now() where l.id = the_line and l.state = was;
        if not found then
            return;
        end if;
    end if;
    -- From here to the commit nobody else gets a number; and whoever hands the table over waits, or has done so: the waiter read below is the one.
    update event_head set last = last + 1 returning last into number;
    insert into dish_events (id, order_id, line_id, dish, erp_slip, erp_event_id, is_one_more)
    values (number, the_order, the_line, the_dish, the_slip, the_event, the_line is not null and was is null);
    return query
        select n.event_id, n.at, n.order_id, n.table_id, n.table_name, n.server_user_id, n.server_name, n.qty from dish_news n where n.id = number;
end
$$;
