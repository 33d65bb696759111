-- Archives take a span of service days.
create index audit_logs_by_day on audit_logs (date, id);
-- Technical events by what they say, and the last record of a chain, are found by the unique (register, chain, seq).
create index audit_logs_key_rotations on audit_logs (id) where transaction_type = 'JET' and (metadata ->> 'code') = 'key_rotated';
