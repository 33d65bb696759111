-- A request for a card payment is looked up by its id before anything is sent, also when nothing came of an earlier try: the constraint that a request
-- charges once covers only tries of which something may have come, and without this index every card payment read all attempts there ever were.
create index payment_attempts_by_request on payment_attempts (uuid) where uuid is not null;
-- Whether a terminal is busy is asked of all tills of the house, and of terminals that are not on the line too; few attempts are ever live.
create index payment_attempts_live on payment_attempts (terminal) where state in ('created', 'sending', 'sent') or listening_until is not null;
