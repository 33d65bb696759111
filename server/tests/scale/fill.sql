-- Years of a restaurant in a minute: {orders} settled orders of ten lines with everything that hangs on them, for measurements and for looking at plans.
-- Rows satisfy every constraint and belong together (sums, VAT, shares, numbers, ranges of the days); records carry the content of one that was
-- really written and no signature of their own, so that everything but the check of the journal works on it. For throwaway databases and their owner.
set session_replication_role = replica;
create temp table guarded as select tgrelid::regclass::text as of, tgname from pg_trigger where tgenabled = 'A' and not tgisinternal;
do $$
declare
    t text;
begin
    for t in select distinct of from guarded loop
        execute format('alter table %s disable trigger all', t);
    end loop;
end
$$;

-- The number of the record of the n-th ticket: after five of them comes a technical event, after a hundred a closing.
create function pg_temp.record_of(before bigint, n bigint) returns bigint language sql immutable as $$
    select before + n + (n - 1) / 5 + (n - 1) / 100
$$;

-- What is there already, so that it can be filled further.
create temp table base as
select (select coalesce(max(id), 0) from orders) as o, (select coalesce(max(id), 0) from order_lines) as l, (select coalesce(max(id), 0) from payments) as p,
       (select coalesce(max(id), 0) from audit_logs) as a, (select coalesce(max(seq), 0) from audit_logs where chain = 'T') as t,
       (select coalesce(max(seq), 0) from audit_logs where chain = 'J') as j, (select coalesce(max(seq), 0) from audit_logs where chain = 'G') as g,
       (select coalesce(max(id), 0) from attempt_words) as w, (select coalesce(max(id), 0) from stray_words) as s,
       (select coalesce(max(number), 0) from fiscal_long_periods where kind = 'month') as m,
       (select coalesce(max(id), 0) from kitchen_slips) as k, (select coalesce(max(id), 0) from dish_events) as e,
       (select coalesce(max(no), 0) from fiscal_periods where register = '01' and not training) as d,
       (select coalesce(max(id), 0) from discounts) as c, (select coalesce(max(id), 0) from refunds) as r,
       now() - interval '1095 days' as since, interval '1095 days' / {orders} as every;

insert into orders (id, table_id, status, covers, server_user_id, rounds, opened_at, closed_at)
overriding system value
select b.o + n, 1 + n % 20, 'paid_complete', 2, 1 + n % 3, 2, b.since + n * b.every, b.since + n * b.every + interval '90 minutes'
from base b, generate_series(1, {orders}) n;

insert into kitchen_slips (id, order_id, table_id, round, created_at, sent_at, erp_order_id, attempts)
overriding system value
select b.k + 2 * n - 2 + round, b.o + n, 1 + n % 20, round, b.since + n * b.every, b.since + n * b.every + interval '1 second', 'K' || b.k + 2 * n - 2 + round, 1
from base b, generate_series(1, {orders}) n, generate_series(1, 2) round;

-- Six dishes at 10 % and four wines or drinks at 20 %: 152.00 a table.
insert into order_lines (id, order_id, item_id, kind, name, qty, unit_price_cents, vat_rate, course, round, state, state_at, created_at, slip_id)
overriding system value
select b.l + 10 * n - 10 + i, b.o + n, case when i <= 6 then 12 else 34 end, case when i <= 6 then 'dish' else 'wine' end,
       case when i <= 6 then 'Magret de canard' else 'Cahors 2018' end, 1, case when i <= 6 then 1200 else 2000 end, case when i <= 6 then 1000 else 2000 end,
       case when i <= 6 then 2 else 0 end, 1 + i % 2, 'served', b.since + n * b.every + interval '30 minutes', b.since + n * b.every,
       case when i <= 6 then b.k + 2 * n - 1 + i % 2 end
from base b, generate_series(1, {orders}) n, generate_series(1, 10) i;

-- Tickets, among them what corrected one.
insert into audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format, local_ts, utc_ts, vat,
    extra, content_sha256, data_to_sign, key_id, app_version)
select pg_temp.record_of(b.a, n),
       case when n > {orders} - 100 then model.transaction_type when n % 100 = 0 then 'ANNULATION' when n % 100 = 1 then 'TRANSFERT' else model.transaction_type end,
       model.amount, ((b.since + n * b.every) at time zone 'Europe/Paris')::date, encode(sha256((b.a + n)::text::bytea), 'hex'),
       encode(sha256((b.a + n - 1)::text::bytea), 'hex'), model.signature,
       replace(model.metadata::text, '"ticket_no":' || model.seq || ',', '"ticket_no":' || b.t + n || ',')::json, model.chain, model.register, b.t + n, model.format,
       to_char((b.since + n * b.every) at time zone 'Europe/Paris', 'YYYYMMDDHH24MISS'), b.since + n * b.every, model.vat, model.extra, model.content_sha256,
       model.data_to_sign, model.key_id, model.app_version
from base b, (select * from audit_logs where chain = 'T' order by id limit 1) model, generate_series(1, {orders}) n;
-- Technical events; now and then the printer fails, and works again.
insert into audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format, local_ts, utc_ts, vat,
    extra, content_sha256, data_to_sign, key_id, app_version)
select b.a + 6 * n + (5 * n - 1) / 100, 'JET', 0, (at.t at time zone 'Europe/Paris')::date, encode(sha256((b.j + n || 'j')::bytea), 'hex'),
       encode(sha256((b.j + n - 1 || 'j')::bytea), 'hex'), model.signature,
       format('{"at_local":"%s","code":"%s","details":%s,"label":"Banc","nf525_code":0,"operator":"","register":"01","software":"banc","version":2}',
              to_char(at.t at time zone 'Europe/Paris', 'YYYYMMDDHH24MISS'),
              case n % 50 when 48 then 'degraded_begun' when 49 then 'degraded_ended' when 2 then 'started' else 'menu_changed' end,
              case when n % 50 in (48, 49) then '{"part":"printer"}' else '{}' end)::json,
       'J', '01', b.j + n, model.format, to_char(at.t at time zone 'Europe/Paris', 'YYYYMMDDHH24MISS'), at.t, '', 'MENU_CHANGED:0', model.content_sha256,
       model.data_to_sign, model.key_id, model.app_version
from base b, (select * from audit_logs where chain = 'T' order by id limit 1) model, generate_series(1, {orders} / 5) n,
     lateral (select b.since + 5 * n * b.every as t) at;
-- Closings, as the last that was really made: the next one goes on from what it says.
insert into audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format, local_ts, utc_ts, vat,
    extra, content_sha256, data_to_sign, key_id, app_version)
select b.a + 121 * n, 'CLOSURE_Z', model.amount, (at.t at time zone 'Europe/Paris')::date, encode(sha256((b.g + n || 'g')::bytea), 'hex'),
       encode(sha256((b.g + n - 1 || 'g')::bytea), 'hex'), model.signature, model.metadata, 'G', '01', b.g + n, model.format,
       to_char(at.t at time zone 'Europe/Paris', 'YYYYMMDDHH24MISS'), at.t, model.vat, model.extra, model.content_sha256, model.data_to_sign, model.key_id,
       model.app_version
from base b, (select * from audit_logs where chain = 'G' order by id desc limit 1) model, generate_series(1, {orders} / 100 - 1) n,
     lateral (select b.since + 100 * n * b.every as t) at;

-- Every third by card, at one of three terminals.
insert into payment_attempts (id, uuid, reference, order_id, share_number, amount_cents, terminal, till, state, booked_cents, approval_code, user_id, worker, created_at, state_at,
    training)
select b.p + n, gen_random_uuid(), lpad(upper(to_hex(b.p + n)), 10, '0'), b.o + n, 1, 15200, (array['caisse-ap://10.0.0.9:8888', 'caisse-ap://10.0.0.10:8888', 'concert:///dev/ttyUSB0'])[1 + n / 3 % 3], '01', 'approved', 15200, '123456', 4, 1,
       b.since + n * b.every, b.since + n * b.every, false
from base b, generate_series(3, {orders}, 3) n;
insert into attempt_parts (attempt_id, line_id, amount_cents)
select b.p + n, b.l + 10 * n - 10 + i, case when i <= 6 then 1200 else 2000 end from base b, generate_series(3, {orders}, 3) n, generate_series(1, 10) i;
insert into attempt_events (attempt_id, at, from_state, to_state, why, user_id)
select b.p + n, b.since + n * b.every, case step when 1 then null when 2 then 'created' when 3 then 'sending' else 'sent' end,
       case step when 1 then 'created' when 2 then 'sending' when 3 then 'sent' else 'approved' end, 'asked', 4
from base b, generate_series(3, {orders}, 3) n, generate_series(1, 4) step;
insert into attempt_words (id, attempt_id, at, outcome, amount_cents, approval_code, late, effect, stood)
overriding system value
select b.w + n / 3, b.p + n, b.since + n * b.every, 'approved', 15200, '123456', false, 'taken', 'sent' from base b, generate_series(3, {orders}, 3) n;
-- What terminals say beside the match, and what was decided of it.
insert into attempt_words (id, attempt_id, at, outcome, error_code, late, effect, stood)
overriding system value
select b.w + {orders} / 3 + n, b.p + 999 * n, b.since + 999 * n * b.every, 'declined', '05', true, 'contradicts', 'approved'
from base b, generate_series(1, {orders} / 1000) n;
insert into contradiction_decisions (word_id, at, user_id, decision, reason)
select b.w + {orders} / 3 + n, b.since + 999 * n * b.every, 4, 'kept', 'Vu avec la banque' from base b, generate_series(1, {orders} / 1000) n;
insert into stray_words (id, at, terminal, reference, amount_cents, currency, till, outcome, training)
overriding system value
select b.s + n, b.since + 999 * n * b.every, 'caisse-ap://10.0.0.9:8888', lpad(upper(to_hex(b.s + n)), 10, 'S'), 15200, '978', '01',
       case n % 3 when 0 then 'approved' else 'declined' end, false
from base b, generate_series(1, {orders} / 1000) n;
insert into stray_decisions (stray_id, at, user_id, decision, reason)
select b.s + n, b.since + 999 * n * b.every, 4, 'kept', 'Autre caisse' from base b, generate_series(3, {orders} / 1000, 3) n;

insert into payments (id, order_id, share_number, method, amount_cents, tendered_cents, change_cents, status, user_id, audit_log_id, created_at)
overriding system value
select b.p + n, b.o + n, 1, case when n % 3 = 0 then 'CB' else 'ESPECES' end, 15200, case when n % 3 <> 0 then 16000 end, case when n % 3 <> 0 then 800 else 0 end,
       'approved', 4, pg_temp.record_of(b.a, n), b.since + n * b.every
from base b, generate_series(1, {orders}) n;
insert into share_parts (payment_id, line_id, amount_cents)
select b.p + n, b.l + 10 * n - 10 + i, case when i <= 6 then 1200 else 2000 end from base b, generate_series(1, {orders}) n, generate_series(1, 10) i;

-- Phones name each order, its second round, and each payment; ids that say when they were made are forgotten after a month. A program's ids, which do not
-- say it, are kept for ever.
insert into idempotency (key, digest, status, answer, created_at)
select (lpad(to_hex((extract(epoch from b.since + n * b.every) * 1000)::bigint), 12, '0') || '7' || substr(md5((b.o + n) || '-' || i), 1, 19))::uuid,
       sha256(((b.o + n) || '-' || i)::bytea), 201, json_build_object('order_id', b.o + n, 'status', 'sent', 'round', i), b.since + n * b.every
from base b, generate_series({orders} * 35 / 36, {orders}) n, generate_series(1, 3) i
union all
select overlay(md5((b.o + n) || '-p') placing '4' from 13)::uuid, sha256(((b.o + n) || '-p')::bytea), 201, '{}'::json, b.since + n * b.every
from base b, generate_series(1, {orders}) n;

insert into order_events (order_id, kind, user_id, at) select b.o + n, 'fire', 1, b.since + n * b.every from base b, generate_series(1, {orders}) n;
insert into line_voids (line_id, qty, reason, user_id, slip_id, at)
select b.l + 10 * n - 9, 1, 'Erreur de saisie', 1, b.k + 2 * n, b.since + n * b.every from base b, generate_series(20, {orders}, 20) n;
insert into discounts (id, order_id, basis_points, reason, user_id, at)
overriding system value
select b.c + n, b.o + n, 1000, 'Attente', 4, b.since + n * b.every from base b, generate_series(30, {orders}, 30) n;
insert into discount_parts (discount_id, line_id, amount_cents) select b.c + n, b.l + 10 * n - 9, 120 from base b, generate_series(30, {orders}, 30) n;
insert into refunds (id, payment_id, method, amount_cents, reason, user_id, audit_log_id, at)
overriding system value
select b.r + n, b.p + n, 'ESPECES', 1200, 'Plat froid', 5, pg_temp.record_of(b.a, n), b.since + n * b.every from base b, generate_series(100, {orders}, 100) n where n % 3 <> 0;
insert into refund_parts (refund_id, line_id, amount_cents)
select b.r + n, b.l + 10 * n - 9, 1200 from base b, generate_series(100, {orders}, 100) n where n % 3 <> 0;
insert into method_transfers (payment_id, from_method, to_method, reason, user_id, audit_log_id, at)
select b.p + n, 'ESPECES', 'CHEQUE', 'Erreur', 4, pg_temp.record_of(b.a, n), b.since + n * b.every from base b, generate_series(101, {orders}, 100) n;
insert into fiscal_corrections (register, chain, ticket_no, audit_log_id)
select '01', 'T', b.t + n, pg_temp.record_of(b.a, n) from base b, generate_series(100, {orders}, 100) n;
insert into fiscal_prints (register, chain, seq, print_no, audit_log_id) select '01', 'T', b.t + n, 0, pg_temp.record_of(b.a, n) from base b, generate_series(1, {orders}) n;
insert into prints (uuid, audit_log_id, print_no, print_log_id, target, state, user_id, asked_at, state_at, give_up_at)
select gen_random_uuid(), pg_temp.record_of(b.a, n), 0, pg_temp.record_of(b.a, n), 'printer', 'printed', 4, b.since + n * b.every, b.since + n * b.every, b.since + n * b.every
from base b, generate_series(1, {orders}) n;
insert into fiscal_notes (audit_log_id, register, training, note_no, order_id, table_name, total_cents)
select pg_temp.record_of(b.a, n), '01', false, b.a + n, b.o + n, '5', 15200 from base b, generate_series(4, {orders}, 4) n;

insert into dish_events (id, order_id, line_id, dish, erp_event_id, erp_slip, at)
select b.e + n, b.o + n, b.l + 10 * n - 9, 'Magret de canard', 'E' || b.e + n, b.k + 2 * n, b.since + n * b.every from base b, generate_series(1, {orders}) n;
insert into dish_ends (event_id, how, user_id, at)
select b.e + n, 'acknowledged', 1, b.since + n * b.every + interval '40 seconds' from base b, generate_series(1, {orders}) n;
-- Every fiftieth was not fetched in time.
insert into dish_events (id, about, level, order_id, line_id, dish, at)
select b.e + {orders} + n, b.e + 50 * n, 1, b.o + 50 * n, b.l + 500 * n - 9, 'Magret de canard', b.since + 50 * n * b.every + interval '30 seconds'
from base b, generate_series(1, {orders} / 50) n;
update event_head set last = (select max(id) from dish_events);

insert into sync_intents (uuid, user_id, table_id, offline_at, received_at, outcome, order_id, settled_at)
select gen_random_uuid(), 1 + n % 3, 1 + n % 20, b.since + n * b.every, b.since + n * b.every, 'taken', b.o + n, b.since + n * b.every
from base b, generate_series(5, {orders}, 5) n;
insert into sync_decisions (uuid, kind, user_id, reason, at) select uuid, 'drop', user_id, 'Partis', received_at from sync_intents where uuid::text like '0%';

-- A day of a hundred tickets, each closed; the last records are of today.
insert into fiscal_periods (register, training, no, service_day, start_seq, end_seq, opened_local, closed_at, audit_log_id, first_record, last_record)
select '01', false, b.d + n, ((b.since + n * 100 * b.every) at time zone 'Europe/Paris')::date, b.t + 100 * n - 99, b.t + 100 * n,
       (b.since + n * 100 * b.every) at time zone 'Europe/Paris', b.since + n * 100 * b.every,
       b.a + 121 * n, b.a + 121 * n - 120, b.a + 121 * n - 1
from base b, generate_series(1, {orders} / 100 - 1) n;

insert into fiscal_long_periods (register, training, kind, number, period, last_day, first_no, last_no, audit_log_id)
select '01', false, 'month', b.m + n, 'M' || b.m + n, ((b.since + n * 3000 * b.every) at time zone 'Europe/Paris')::date, b.d + 30 * n - 29, b.d + 30 * n,
       b.a + 121 * 30 * n
from base b, generate_series(1, ({orders} - 1) / 3000) n;
insert into anchor_mails (register, seq, mailed_at) select '01', b.g + n, b.since + 100 * n * b.every from base b, generate_series(1, {orders} / 100 - 1) n;

select setval('orders_id_seq', (select max(id) from orders)), setval('order_lines_id_seq', (select max(id) from order_lines)),
       setval('payments_id_seq', (select max(id) from payments)), setval('kitchen_slips_id_seq', (select max(id) from kitchen_slips)),
       setval('attempt_words_id_seq', greatest((select max(id) from attempt_words), 1)),
       setval('stray_words_id_seq', greatest((select max(id) from stray_words), 1)),
       setval('discounts_id_seq', greatest((select max(id) from discounts), 1)), setval('refunds_id_seq', greatest((select max(id) from refunds), 1));
with newest as (select distinct on (chain) register, chain, seq, hash_current, signature from audit_logs where chain in ('T', 'J', 'G') order by chain, seq desc)
    insert into fiscal_heads (register, chain, last_seq, last_hash, last_signature) select * from newest
on conflict (register, chain) do update set last_seq = excluded.last_seq, last_hash = excluded.last_hash, last_signature = excluded.last_signature;
update fiscal_heads set last_seq = (select max(id) from audit_logs) where chain = '*';
do $$
declare
    t record;
begin
    for t in select distinct of from guarded loop
        execute format('alter table %s enable trigger all', t.of);
    end loop;
    for t in select of, tgname from guarded loop
        execute format('alter table %s enable always trigger %I', t.of, t.tgname);
    end loop;
end
$$;
drop table base, guarded;
drop function pg_temp.record_of;
set session_replication_role = origin;
analyze;
