-- Questions that walked through years of rows, most of all when what they look for was never there.

-- The last payment that was to go out to a terminal, also of a terminal that never had one.
create index payment_attempts_by_terminal on payment_attempts (terminal, (id + 0)) where state <> 'created';

-- The last technical event with a code, also with one that never happened. The code is the text that canonical JSON has for it: a content that
-- somebody made unreadable is passed over and keeps nobody from writing.
create index audit_logs_events on audit_logs (register, (substring(metadata::text from '"code":"([^"]*)"')), seq) where chain = 'J';

-- What is said last of one part of the till, however often another part failed.
drop index audit_logs_degraded;
create index audit_logs_degraded on audit_logs (register, (metadata -> 'details' ->> 'part'), seq)
    where chain = 'J' and (metadata ->> 'code') in ('degraded_begun', 'degraded_ended');

-- The closing of a service day.
create index fiscal_periods_by_day on fiscal_periods (register, training, service_day, no);
