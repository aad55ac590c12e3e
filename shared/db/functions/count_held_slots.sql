-- Keeps `held` of a slot: how many bookings of it are ordered, provisional or confirmed.
-- The CHECK held_within_places on slots then refuses one place too many, whatever the code does.
-- Once for each statement and in the order of ids, so that two orders at the same time never wait for each other in a circle.

CREATE OR REPLACE FUNCTION count_held_slots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_states constant text[] := ARRAY['ordered', 'provisional', 'confirmed'];
    gone jsonb := '[]';
    come jsonb := '[]';
    changed record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('s', slot_id, 'n', n)), '[]') INTO gone
        FROM (SELECT slot_id, -count(*) AS n FROM old_rows
              WHERE slot_id IS NOT NULL AND state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('s', slot_id, 'n', n)), '[]') INTO come
        FROM (SELECT slot_id, count(*) AS n FROM new_rows
              WHERE slot_id IS NOT NULL AND state = ANY (held_states) GROUP BY 1) AS o;
    END IF;
    FOR changed IN
        SELECT r.s, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(s bigint, n bigint)
        GROUP BY r.s HAVING sum(r.n) <> 0 ORDER BY r.s
    LOOP
        UPDATE slots SET held = held + changed.n WHERE id = changed.s;
    END LOOP;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS count_held_slots_on_insert ON calendar_entries;
CREATE TRIGGER count_held_slots_on_insert AFTER INSERT ON calendar_entries
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_slots();

DROP TRIGGER IF EXISTS count_held_slots_on_update ON calendar_entries;
CREATE TRIGGER count_held_slots_on_update AFTER UPDATE ON calendar_entries
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_slots();

DROP TRIGGER IF EXISTS count_held_slots_on_delete ON calendar_entries;
CREATE TRIGGER count_held_slots_on_delete AFTER DELETE ON calendar_entries
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_slots();
