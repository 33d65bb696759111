-- Who mails closings just now. A mail server is asked outside any transaction, so that nobody waits for it; this row keeps two processes from asking
-- at once, and is worth nothing once `until` has passed: whoever held it is gone.
create table anchor_mail_turns (
    register text primary key,
    holder uuid not null,
    until timestamptz not null
);
grant select, insert, update, delete on anchor_mail_turns to comptoir_app;
