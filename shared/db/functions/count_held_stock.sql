-- Keeps `held` of a product's variant: how much of it is reserved or sold.
-- The CHECK held_within_stock on product_variants then refuses one piece too many, whatever the code does.
-- Once for each statement and in the order of ids, so that two orders at the same time never wait for each other in a circle.

CREATE OR REPLACE FUNCTION count_held_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_states constant text[] := ARRAY['reserved', 'sold'];
    gone jsonb := '[]';
    come jsonb := '[]';
    changed record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('v', variant_id, 'n', n)), '[]') INTO gone
        FROM (SELECT variant_id, -sum(quantity) AS n FROM old_rows WHERE state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('v', variant_id, 'n', n)), '[]') INTO come
        FROM (SELECT variant_id, sum(quantity) AS n FROM new_rows WHERE state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    FOR changed IN
        SELECT r.v, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(v bigint, n bigint)
        GROUP BY r.v HAVING sum(r.n) <> 0 ORDER BY r.v
    LOOP
        UPDATE product_variants SET held = held + changed.n WHERE id = changed.v;
    END LOOP;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS count_held_stock_on_insert ON stock_allocations;
CREATE TRIGGER count_held_stock_on_insert AFTER INSERT ON stock_allocations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_stock();

DROP TRIGGER IF EXISTS count_held_stock_on_update ON stock_allocations;
CREATE TRIGGER count_held_stock_on_update AFTER UPDATE ON stock_allocations
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_stock();

DROP TRIGGER IF EXISTS count_held_stock_on_delete ON stock_allocations;
CREATE TRIGGER count_held_stock_on_delete AFTER DELETE ON stock_allocations
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_stock();
