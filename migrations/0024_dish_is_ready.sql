-- A kitchen system says that a dish is ready, in one statement: one way to the database, one to the disk, and what is to be told comes back with it.

-- The line is moved on if it still stands where it was seen to stand; with `was` null no line is. No row comes back when somebody else moved it
-- meanwhile: then it is to be looked at again. An event that was said before is refused by the constraint on its name, and leaves no trace.
create function dish_is_ready(the_order bigint, the_line bigint, was text, the_dish text, the_event text)
returns table (id bigint, at timestamptz, order_id bigint, table_id bigint, table_name text, server_user_id bigint, server_name text)
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
    insert into dish_events (id, order_id, line_id, dish, erp_event_id) values (number, the_order, the_line, the_dish, the_event);
    return query
        select n.event_id, n.at, n.order_id, n.table_id, n.table_name, n.server_user_id, n.server_name from dish_news n where n.id = number;
end
$$;
