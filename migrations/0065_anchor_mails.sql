-- Closings that a mail server has taken, so that each goes out although mail servers are sometimes away.
create table anchor_mails (
    register text not null,
    -- number in the chain of closings
    seq bigint not null check (seq > 0),
    mailed_at timestamptz not null default now(),
    primary key (register, seq)
);
grant select, insert on anchor_mails to comptoir_app;
