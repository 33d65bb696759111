-- Telling the kitchen system: who is at it, what it refuses, and in what order.

alter table kitchen_slips
    -- a server process is calling with this slip; when it dies meanwhile, another takes over after this
    add column claimed_until timestamptz,
    -- how often the kitchen system answered that it does not want this slip
    add column refusals integer not null default 0;

-- How many the slip named: what was taken off while the dish still waited was never told. Null: all that were ordered.
alter table order_lines add column told_qty integer check (told_qty between 1 and qty);

-- Slips that later ones of the same table or order wait for. One that was refused three times gives way, and so does the removal of what
-- it orders, which must not come before it: a table is never held up for ever by one slip.
create view kitchen_slips_ahead as
    select s.id, s.table_id, s.order_id from kitchen_slips s
    where s.sent_at is null and s.refusals < 3
      and not exists (
          select from line_voids v
          join order_lines l on l.id = v.line_id
          join kitchen_slips ordered on ordered.id = l.slip_id
          where v.slip_id = s.id and ordered.sent_at is null and ordered.refusals >= 3
      );

-- Few wait at any time, among all of a restaurant's years: these stay small. The oldest comes first.
drop index kitchen_slips_waiting;
create index kitchen_slips_waiting on kitchen_slips (id) where sent_at is null;
create index kitchen_slips_waiting_by_order on kitchen_slips (order_id, id) where sent_at is null;

grant select on kitchen_slips_ahead to comptoir_app;
