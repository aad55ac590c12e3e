-- Writes the journal line of a ticket, a booking or a product's stock whose state changes, as soon as it belongs to an order.
-- These rows are changed by statements over many rows at once: a trigger can't forget one of them, and the line is
-- written in the transaction of the change. (Orders, payments, debts and refunds: `record`.)
-- Who and why come from the transaction (`act_as`); a change that nobody announced is the system's.
-- The argument names the thing.

CREATE OR REPLACE FUNCTION write_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal (thing, thing_id, order_id, event, actor, why, data, request_id)
    VALUES (
        TG_ARGV[0],
        NEW.id,
        CASE WHEN TG_OP = 'INSERT' THEN NEW.order_id ELSE coalesce(NEW.order_id, OLD.order_id) END,
        NEW.state,
        coalesce(nullif(current_setting('maypole.actor', true), ''), 'system'),
        coalesce(current_setting('maypole.why', true), ''),
        CASE WHEN TG_OP = 'INSERT' THEN jsonb_build_object('to', NEW.state)
             ELSE jsonb_build_object('from', OLD.state, 'to', NEW.state) END,
        nullif(current_setting('maypole.request_id', true), '')
    );
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS write_journal_of_new ON calendar_entries;
CREATE TRIGGER write_journal_of_new AFTER INSERT ON calendar_entries
    FOR EACH ROW WHEN (NEW.order_id IS NOT NULL)
    EXECUTE FUNCTION write_journal('entry');

DROP TRIGGER IF EXISTS write_journal_of_new ON tickets;
CREATE TRIGGER write_journal_of_new AFTER INSERT ON tickets
    FOR EACH ROW WHEN (NEW.order_id IS NOT NULL)
    EXECUTE FUNCTION write_journal('ticket');

DROP TRIGGER IF EXISTS write_journal_of_new ON stock_allocations;
CREATE TRIGGER write_journal_of_new AFTER INSERT ON stock_allocations
    FOR EACH ROW WHEN (NEW.order_id IS NOT NULL)
    EXECUTE FUNCTION write_journal('stock');

DROP TRIGGER IF EXISTS write_journal ON calendar_entries;
CREATE TRIGGER write_journal AFTER UPDATE OF state ON calendar_entries
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.order_id IS NOT NULL OR NEW.order_id IS NOT NULL))
    EXECUTE FUNCTION write_journal('entry');

DROP TRIGGER IF EXISTS write_journal ON tickets;
CREATE TRIGGER write_journal AFTER UPDATE OF state ON tickets
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.order_id IS NOT NULL OR NEW.order_id IS NOT NULL))
    EXECUTE FUNCTION write_journal('ticket');

DROP TRIGGER IF EXISTS write_journal ON stock_allocations;
CREATE TRIGGER write_journal AFTER UPDATE OF state ON stock_allocations
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.order_id IS NOT NULL OR NEW.order_id IS NOT NULL))
    EXECUTE FUNCTION write_journal('stock');
