-- Keeps `owed` of a payment: the sum of its debts, and of what went back outside of the shop without a debt of ours.
-- The CHECK owed_within_amount on payments then refuses to owe more than came in. A debt that is settled still counts:
-- its money has gone back, and can't be owed a second time.

CREATE OR REPLACE FUNCTION count_owed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    delta numeric := 0;
BEGIN
    IF TG_TABLE_NAME = 'debts' THEN
        delta := CASE WHEN TG_OP = 'DELETE' THEN 0 ELSE NEW.amount END
               - CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.amount END;
    ELSE
        IF TG_OP <> 'INSERT' AND OLD.debt_id IS NULL AND OLD.state = 'external' THEN
            delta := delta - OLD.amount;
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.debt_id IS NULL AND NEW.state = 'external' THEN
            delta := delta + NEW.amount;
        END IF;
    END IF;
    IF delta <> 0 THEN
        UPDATE payments SET owed = owed + delta WHERE id = coalesce(NEW.payment_id, OLD.payment_id);
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS count_owed ON debts;
CREATE TRIGGER count_owed AFTER INSERT OR UPDATE OF amount OR DELETE ON debts
    FOR EACH ROW EXECUTE FUNCTION count_owed();

DROP TRIGGER IF EXISTS count_owed ON refunds;
CREATE TRIGGER count_owed AFTER INSERT OR UPDATE OF state, amount, debt_id OR DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION count_owed();
