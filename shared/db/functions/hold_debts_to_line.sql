-- Refuses debts of an order line that are more, taken together, than the line cost.
-- The counter of the payment alone would let one line be paid back twice at the cost of another one.
-- Whoever writes a debt has locked its order, so two debts of one line, written at the same time, see each other.

CREATE OR REPLACE FUNCTION hold_debts_to_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.order_line_id IS NOT NULL AND (
        SELECT coalesce(sum(d.amount), 0) FROM debts d WHERE d.order_line_id = NEW.order_line_id AND d.id <> NEW.id
    ) + NEW.amount > (SELECT l.total FROM order_lines l WHERE l.id = NEW.order_line_id) THEN
        RAISE EXCEPTION 'debts of order line % are more than it cost (debts_within_line)', NEW.order_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'debts_within_line';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS hold_debts_to_line ON debts;
CREATE TRIGGER hold_debts_to_line AFTER INSERT OR UPDATE OF amount, order_line_id ON debts
    FOR EACH ROW EXECUTE FUNCTION hold_debts_to_line();
