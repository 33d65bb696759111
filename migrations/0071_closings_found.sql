-- The hourly comparison of every closing with the period that it closed finds the closings by their kind.
create index audit_logs_closings on audit_logs (id) where transaction_type in ('CLOSURE_Z', 'CLOSURE_M', 'CLOSURE_A');
