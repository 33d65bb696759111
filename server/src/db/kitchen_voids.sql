-- What was taken off lately and the kitchen had been told of. A file of its own for the same reason as kitchen_slips.sql; the index is
-- line_voids_told.
select v.id, v.line_id, v.qty, v.reason, v.at, l.order_id, l.round, l.name, l.course, l.created_at,
       t.name as table_name, u.name as server_name
from line_voids v
join order_lines l on l.id = v.line_id
join orders o on o.id = l.order_id
join tables t on t.id = o.table_id
join users u on u.id = o.server_user_id
where v.at > now() - make_interval(mins => $1) and v.slip_id is not null
order by v.id
