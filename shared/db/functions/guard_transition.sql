-- What has a state goes from one to another only where the table allowed_transitions says so; the apps may not write that table.
-- Guards against a state that the code must never reach, whichever path led there: a refunded ticket that is confirmed
-- again, a payment that leaves "paid", an order that is paid and then expires.
-- The table holds the moves of shared/contracts/states.py; a test compares the two.
-- The argument names the thing, as the table does. Listed in the order in which the apps lock these rows.

CREATE OR REPLACE FUNCTION guard_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM allowed_transitions t
                   WHERE t.thing = TG_ARGV[0] AND t.old_state = OLD.state AND t.new_state = NEW.state) THEN
        RAISE EXCEPTION '% % may not go from % to %', TG_ARGV[0], OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allowed_transitions';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS guard_transition ON orders;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON orders
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('order');

DROP TRIGGER IF EXISTS guard_transition ON payments;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON payments
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('payment');

DROP TRIGGER IF EXISTS guard_transition ON debts;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON debts
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('debt');

DROP TRIGGER IF EXISTS guard_transition ON refunds;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON refunds
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('refund');

DROP TRIGGER IF EXISTS guard_transition ON calendar_entries;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON calendar_entries
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('entry');

DROP TRIGGER IF EXISTS guard_transition ON tickets;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON tickets
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('ticket');

DROP TRIGGER IF EXISTS guard_transition ON stock_allocations;
CREATE TRIGGER guard_transition BEFORE UPDATE OF state ON stock_allocations
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_transition('stock');
