-- Keeps `refunded` of a payment: the sum of its refunds, except those that failed.
-- A refund counts from the moment it is written down, before the provider is asked, and while its answer is not known:
-- the CHECK refunded_within_amount on payments then refuses to pay back more than came in, even if an answer is lost.

CREATE OR REPLACE FUNCTION count_refunded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counting constant text[] := ARRAY['requested', 'sent', 'unknown', 'succeeded', 'external'];
    delta numeric := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = ANY (counting) THEN
        delta := delta - OLD.amount;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = ANY (counting) THEN
        delta := delta + NEW.amount;
    END IF;
    IF delta <> 0 THEN
        UPDATE payments SET refunded = refunded + delta WHERE id = coalesce(NEW.payment_id, OLD.payment_id);
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS count_refunded ON refunds;
CREATE TRIGGER count_refunded AFTER INSERT OR UPDATE OF state, amount OR DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION count_refunded();
