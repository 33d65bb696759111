-- Whoever records a sale needs the newest period too, as it is once the journal is locked: asked together, in two statements of one function,
-- because a statement sees what was there when it began, and a closing may have been waited for.
create function fiscal_lock_day(p_register text, p_chain char(1), p_zone text, p_training boolean)
returns table (last_seq bigint, last_hash text, last_signature text, utc_now timestamptz, local_now timestamp, last_utc timestamptz,
               newest_day date, newest_is_open boolean)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    select * into last_seq, last_hash, last_signature, utc_now, local_now, last_utc from fiscal_lock(p_register, p_chain, p_zone);
    select p.service_day, p.audit_log_id is null into newest_day, newest_is_open
    from fiscal_periods p where p.register = p_register and p.training = p_training order by p.no desc limit 1;
    return next;
end
$$;
alter function fiscal_lock_day(text, char, text, boolean) owner to comptoir_owner;
revoke execute on function fiscal_lock_day(text, char, text, boolean) from public;
grant execute on function fiscal_lock_day(text, char, text, boolean) to comptoir_app;
