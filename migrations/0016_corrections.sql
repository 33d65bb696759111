-- What corrects a payment, which itself never changes: money given back, and means that were recorded wrongly. Each names its signed record.

create table refunds (
    id bigint generated always as identity primary key,
    payment_id bigint not null references payments,
    -- the means by which the money had come
    method text not null check (method in ('CB', 'ESPECES', 'TR', 'CHEQUE')),
    amount_cents bigint not null check (amount_cents > 0),
    -- a person makes the refund at the terminal; this is its number
    approval_code text check (approval_code <> ''),
    reason text not null check (reason <> ''),
    user_id bigint not null references users,
    audit_log_id bigint not null unique references audit_logs,
    at timestamptz not null default now(),
    constraint a_card_refund_has_its_number check (method <> 'CB' or approval_code is not null)
);
create index refunds_by_payment on refunds (payment_id);
create table refund_parts (
    refund_id bigint not null references refunds,
    line_id bigint not null references order_lines,
    amount_cents bigint not null check (amount_cents > 0),
    primary key (refund_id, line_id)
);

create table method_transfers (
    id bigint generated always as identity primary key,
    payment_id bigint not null references payments,
    from_method text not null check (from_method in ('CB', 'ESPECES', 'TR', 'CHEQUE')),
    to_method text not null check (to_method in ('CB', 'ESPECES', 'TR', 'CHEQUE') and to_method <> from_method),
    reason text not null check (reason <> ''),
    user_id bigint not null references users,
    audit_log_id bigint not null unique references audit_logs,
    at timestamptz not null default now()
);
create index method_transfers_by_payment on method_transfers (payment_id, id);

create trigger refunds_no_change before update or delete on refunds for each row execute function refuse_payment_change();
create trigger refunds_no_truncate before truncate on refunds for each statement execute function refuse_payment_change();
create trigger refund_parts_no_change before update or delete on refund_parts for each row execute function refuse_payment_change();
create trigger refund_parts_no_truncate before truncate on refund_parts for each statement execute function refuse_payment_change();
create trigger method_transfers_no_change before update or delete on method_transfers for each row execute function refuse_payment_change();
create trigger method_transfers_no_truncate before truncate on method_transfers for each statement execute function refuse_payment_change();
alter table refunds enable always trigger refunds_no_change;
alter table refunds enable always trigger refunds_no_truncate;
alter table refund_parts enable always trigger refund_parts_no_change;
alter table refund_parts enable always trigger refund_parts_no_truncate;
alter table method_transfers enable always trigger method_transfers_no_change;
alter table method_transfers enable always trigger method_transfers_no_truncate;
grant select, insert on refunds, refund_parts, method_transfers to comptoir_app;
