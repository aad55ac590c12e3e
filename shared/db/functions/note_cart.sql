-- Notes on a user, or on an anonymous session, that there may be something in the cart: pages of those who never had
-- anything in it need not ask the cart for the number on the badge. A sweep takes the note back where the cart is empty.
-- Whoever puts something into the cart has locked the cart's owner, so this waits for nobody.

CREATE OR REPLACE FUNCTION note_cart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner jsonb := to_jsonb(NEW);
BEGIN
    IF owner ->> 'user_id' IS NOT NULL THEN
        UPDATE users SET has_cart = true WHERE id = (owner ->> 'user_id')::bigint AND NOT has_cart;
    ELSIF owner ->> 'session_id' IS NOT NULL THEN
        UPDATE sessions SET has_cart = true WHERE id = (owner ->> 'session_id')::uuid AND NOT has_cart;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS note_cart ON calendar_entries;
CREATE TRIGGER note_cart AFTER INSERT OR UPDATE OF state, user_id ON calendar_entries
    FOR EACH ROW WHEN (NEW.state = 'pending')
    EXECUTE FUNCTION note_cart();

DROP TRIGGER IF EXISTS note_cart ON tickets;
CREATE TRIGGER note_cart AFTER INSERT OR UPDATE OF state, user_id ON tickets
    FOR EACH ROW WHEN (NEW.state = 'pending')
    EXECUTE FUNCTION note_cart();

DROP TRIGGER IF EXISTS note_cart ON cart_items;
CREATE TRIGGER note_cart AFTER INSERT OR UPDATE OF user_id ON cart_items
    FOR EACH ROW EXECUTE FUNCTION note_cart();
