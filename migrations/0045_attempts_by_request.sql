-- A request for a card payment is looked up by its id before anything is sent, also when nothing came of an earlier try: the constraint that a request
-- charges once covers only tries of which something may have come, and without this index every card payment read all attempts there ever were.
create index payment_attempts_by_request on payment_attempts (uuid) where uuid is not null;
