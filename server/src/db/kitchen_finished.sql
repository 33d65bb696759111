-- The dishes that were finished or served last, to call them back. A file of its own for the same reason as kitchen_slips.sql; the index is
-- order_lines_done.
select l.id, l.order_id, l.round, l.course, l.name, l.qty - l.voided_qty as "qty!", l.state_at, t.name as table_name
from (
    select * from order_lines
    where kind = 'dish' and state in ('ready', 'served') and state_at > now() - interval '6 hours'
    order by state_at desc
    limit $1
) l
join orders o on o.id = l.order_id
join tables t on t.id = o.table_id
order by l.state_at desc, l.id
