-- Dishes that are not served yet, with the slip that told the kitchen of each. A file of its own, so that a test can ask how it is read:
-- through order_lines_in_kitchen, however many years of orders lie beside it.
select l.id, l.order_id, l.round, l.name, l.qty - l.voided_qty as "qty!", l.note, l.course, l.state, l.state_at,
       l.options as "options: Json<Vec<PricedOption>>", l.called_at,
       case when l.state <> 'held' then coalesce(l.fired_at, s.created_at, l.created_at) end as told_at,
       min(l.created_at) over (partition by l.order_id, l.round) as "sent_at!",
       t.name as table_name, u.name as server_name,
       -- of a dish at the pass: who said, after it was ready last, that they see to it
       case when l.state = 'ready' then (
           select seer.name from dish_events e
           left join dish_ends d on d.event_id = e.id
           left join users seer on seer.id = d.user_id
           where e.line_id = l.id and e.about is null
           order by e.id desc limit 1
       ) end as "seen_by?"
from order_lines l
join orders o on o.id = l.order_id
join tables t on t.id = o.table_id
join users u on u.id = o.server_user_id
left join kitchen_slips s on s.id = l.slip_id
where l.kind = 'dish' and l.state in ('held', 'received', 'cooking', 'ready')
  -- guests who have paid may still wait for a dish; those of yesterday do not
  and (o.status = 'open' or o.closed_at > now() - interval '3 hours')
order by 13, l.order_id, l.round, l.course, l.id
