-- How many plates are said ready at once: a waiter who comes for three with two hands wants to know.

-- One more plate of a line that was said ready before, as kitchens say that plate by plate: then it is one, however many the line has.
alter table dish_events add column is_one_more boolean not null default false;

create or replace view dish_news as
    select e.id, e.level, e.at as said_at, first.id as event_id, first.at, first.dish, first.line_id,
           o.id as order_id, o.table_id, t.name as table_name, t.room_id, o.server_user_id, u.name as server_name,
           ends.how, ends.user_id as ended_by, ends.at as ended_at,
           -- What is left of the line: what was taken off meanwhile nobody comes for. Not on the slip: one, as nobody said otherwise.
           case when first.is_one_more or l.id is null then 1 else greatest(l.qty - l.voided_qty, 1) end as qty
    from dish_events e
    join dish_events first on first.id = coalesce(e.about, e.id)
    left join order_lines l on l.id = first.line_id
    left join orders was on was.id = first.order_id
    join orders o on o.id = coalesce(l.order_id, was.merged_into, was.id)
    join tables t on t.id = o.table_id
    join users u on u.id = o.server_user_id
    left join dish_ends ends on ends.event_id = first.id;

-- As before, and with how many come back.
drop function dish_is_ready(bigint, bigint, text, text, text);
create function dish_is_ready(the_order bigint, the_line bigint, was text, the_dish text, the_event text)
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
    insert into dish_events (id, order_id, line_id, dish, erp_event_id, is_one_more)
    values (number, the_order, the_line, the_dish, the_event, the_line is not null and was is null);
    return query
        select n.event_id, n.at, n.order_id, n.table_id, n.table_name, n.server_user_id, n.server_name, n.qty from dish_news n where n.id = number;
end
$$;
