-- Since when a dish is awaited that was told, then held, then called for: since the call. The slip that told of it first is older, and counting
-- from there the dish would be late as soon as it is called.
alter table order_lines add column fired_at timestamptz;
