-- Cancels the bookings in the cart of an anonymous session that is deleted: nobody can reach that cart any more.
-- They are not deleted with it, because the lines of an order that released them may still name them.

CREATE OR REPLACE FUNCTION empty_cart_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE calendar_entries SET state = 'cancelled' WHERE session_id = OLD.id AND state = 'pending';
    RETURN OLD;
END $$;

DROP TRIGGER IF EXISTS empty_cart_of_session ON sessions;
CREATE TRIGGER empty_cart_of_session BEFORE DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION empty_cart_of_session();
