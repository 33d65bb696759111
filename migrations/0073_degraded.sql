-- What the technical journal says last of each part of the till is asked for every few seconds.
create index audit_logs_degraded on audit_logs (register, seq)
    where chain = 'J' and (metadata ->> 'code') in ('degraded_begun', 'degraded_ended');
