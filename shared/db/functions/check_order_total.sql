-- Refuses an order whose total is not the sum of its lines: what is charged is exactly what was sold.
-- Deferred to the commit, because order and lines are written by several statements.

CREATE OR REPLACE FUNCTION check_order_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    this_order bigint;
    difference numeric;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        this_order := NEW.id;
    ELSE
        this_order := NEW.order_id;
    END IF;
    SELECT o.total - coalesce((SELECT sum(l.total) FROM order_lines l WHERE l.order_id = o.id), 0) INTO difference
    FROM orders o WHERE o.id = this_order;
    IF difference <> 0 THEN
        RAISE EXCEPTION 'the total of order % is not the sum of its lines', this_order
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_total_is_sum_of_lines';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS check_order_total ON orders;
CREATE CONSTRAINT TRIGGER check_order_total AFTER INSERT OR UPDATE OF total ON orders
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_order_total();

DROP TRIGGER IF EXISTS check_order_total ON order_lines;
CREATE CONSTRAINT TRIGGER check_order_total AFTER INSERT ON order_lines
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_order_total();
