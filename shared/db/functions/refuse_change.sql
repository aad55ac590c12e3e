-- Refuses to change or delete a row that is written once: what was sold, who sold it, and what happened.
-- The apps' role has no right to do so either (shared/db/grants.py); this holds for the owner's role too, which a
-- person uses who works on the database by hand.

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once and never changed', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

DROP TRIGGER IF EXISTS refuse_change ON order_lines;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

DROP TRIGGER IF EXISTS refuse_change ON order_sellers;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON order_sellers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

DROP TRIGGER IF EXISTS refuse_change ON journal;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

DROP TRIGGER IF EXISTS refuse_change ON security_journal;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON security_journal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
