-- The number of guests can be corrected without ordering anything; who did it stays.
alter table order_events drop constraint order_events_kind_check;
alter table order_events
    add constraint order_events_kind_check
        check (kind in ('transfer', 'merge', 'handover', 'fire', 'hold', 'release', 'bill_asked', 'covers'));
