-- Something is taken off a price: who, why, and how much off each line. A removal that takes back what was taken off is a row of its own.
create table discounts (
    id bigint generated always as identity primary key,
    order_id bigint not null references orders,
    -- off this line; null: off all that was not paid
    line_id bigint references order_lines,
    -- as it was asked for; null: an amount
    basis_points integer check (basis_points between 1 and 10000),
    reason text not null check (reason <> ''),
    user_id bigint not null references users,
    at timestamptz not null default now()
);
create index discounts_by_order on discounts (order_id);
create table discount_parts (
    discount_id bigint not null references discounts,
    line_id bigint not null references order_lines,
    -- negative: a part of the line was removed, and its discount with it
    amount_cents bigint not null check (amount_cents <> 0),
    primary key (discount_id, line_id)
);

alter table order_lines
    -- the sum of its parts in discount_parts
    add column discount_cents bigint not null default 0 check (discount_cents >= 0),
    -- why, when there is one, as the ticket says it
    add column discount_reason text,
    add column discount_by text,
    add constraint no_more_off_than_it_costs check (discount_cents <= unit_price_cents * (qty - voided_qty));

create trigger discounts_no_change before update or delete on discounts for each row execute function refuse_payment_change();
create trigger discounts_no_truncate before truncate on discounts for each statement execute function refuse_payment_change();
create trigger discount_parts_no_change before update or delete on discount_parts for each row execute function refuse_payment_change();
create trigger discount_parts_no_truncate before truncate on discount_parts for each statement execute function refuse_payment_change();
alter table discounts enable always trigger discounts_no_change;
alter table discounts enable always trigger discounts_no_truncate;
alter table discount_parts enable always trigger discount_parts_no_change;
alter table discount_parts enable always trigger discount_parts_no_truncate;
grant select, insert on discounts, discount_parts to comptoir_app;
