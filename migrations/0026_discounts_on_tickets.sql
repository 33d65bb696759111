-- What of a line's discount the ticket of a share says: a discount that came after some shares were paid is said by the tickets that follow, and
-- by nothing twice.
alter table share_parts add column discount_cents bigint not null default 0 check (discount_cents >= 0);
