-- Refuses to move what belongs to an order to another order: it may be released, and taken by another order later.
-- Two orders made from one cart at the same time would otherwise both be charged for the same ticket.
-- Listed in the order in which the apps lock these rows.

CREATE OR REPLACE FUNCTION stay_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % may not go from order % to order %', TG_TABLE_NAME, OLD.id, OLD.order_id, NEW.order_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stay_in_order';
END $$;

DROP TRIGGER IF EXISTS stay_in_order ON payments;
CREATE TRIGGER stay_in_order BEFORE UPDATE OF order_id ON payments
    FOR EACH ROW WHEN (OLD.order_id <> NEW.order_id)
    EXECUTE FUNCTION stay_in_order();

DROP TRIGGER IF EXISTS stay_in_order ON calendar_entries;
CREATE TRIGGER stay_in_order BEFORE UPDATE OF order_id ON calendar_entries
    FOR EACH ROW WHEN (OLD.order_id <> NEW.order_id)
    EXECUTE FUNCTION stay_in_order();

DROP TRIGGER IF EXISTS stay_in_order ON tickets;
CREATE TRIGGER stay_in_order BEFORE UPDATE OF order_id ON tickets
    FOR EACH ROW WHEN (OLD.order_id <> NEW.order_id)
    EXECUTE FUNCTION stay_in_order();

DROP TRIGGER IF EXISTS stay_in_order ON stock_allocations;
CREATE TRIGGER stay_in_order BEFORE UPDATE OF order_id ON stock_allocations
    FOR EACH ROW WHEN (OLD.order_id <> NEW.order_id)
    EXECUTE FUNCTION stay_in_order();
