-- The kitchen screen, with years of orders behind it: what it reads besides the dishes to do is short and recent.

-- The dishes that the kitchen finished last, to call them back.
create index order_lines_done on order_lines (state_at) where kind = 'dish' and state in ('ready', 'served');
-- Removals of the last minutes, which the kitchen must see before they go.
create index line_voids_told on line_voids (at) where slip_id is not null;
