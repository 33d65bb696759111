-- What corrects a payment, and what is taken off a price, belongs to the role that nobody signs in as, like the payments themselves. Their guards
-- came with them (0015, 0016); from now on they are looked after with the others.
do $$
declare
    v_table text;
begin
    foreach v_table in array array['refunds', 'refund_parts', 'method_transfers', 'discounts', 'discount_parts'] loop
        execute format('alter table %I owner to comptoir_owner', v_table);
    end loop;
end
$$;

-- The daily comparison of every refund and transfer with its record finds the record by its kind.
create index audit_logs_corrections on audit_logs (id) where transaction_type in ('ANNULATION', 'TRANSFERT');
