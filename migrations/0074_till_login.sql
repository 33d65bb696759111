-- Who the till signs in as where it keeps a server of its own: somebody who is nothing but the till. Whoever signs in as the owner and only acts as the
-- till could stop doing so. By itself this login may do nothing: it has to become `comptoir_app`, and can become nobody else.
do $$
begin
    if not exists (select from pg_roles where rolname = 'comptoir_till') then
        create role comptoir_till login noinherit;
    end if;
end
$$;
grant comptoir_app to comptoir_till;
