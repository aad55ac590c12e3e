-- Keeps `held` of an event and of its ticket types: how many tickets are reserved, confirmed or checked in.
-- The CHECK held_within_capacity on both tables then refuses one seat too many, whatever the code does.
-- Once for each statement, not for each row, so that an order of twenty tickets updates each counter once; and in the
-- order of ids, entries before types, so that two orders at the same time never wait for each other in a circle.

CREATE OR REPLACE FUNCTION count_held_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_states constant text[] := ARRAY['reserved', 'confirmed', 'checked_in'];
    gone jsonb := '[]';
    come jsonb := '[]';
    changed record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('e', entry_id, 't', ticket_type_id, 'n', n)), '[]') INTO gone
        FROM (SELECT entry_id, ticket_type_id, -count(*) AS n FROM old_rows
              WHERE state = ANY (held_states) GROUP BY 1, 2) AS o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('e', entry_id, 't', ticket_type_id, 'n', n)), '[]') INTO come
        FROM (SELECT entry_id, ticket_type_id, count(*) AS n FROM new_rows
              WHERE state = ANY (held_states) GROUP BY 1, 2) AS o;
    END IF;
    FOR changed IN
        SELECT r.e, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(e bigint, t bigint, n bigint)
        GROUP BY r.e HAVING sum(r.n) <> 0 ORDER BY r.e
    LOOP
        UPDATE calendar_entries SET held = held + changed.n WHERE id = changed.e;
    END LOOP;
    FOR changed IN
        SELECT r.t, sum(r.n)::bigint AS n FROM jsonb_to_recordset(gone || come) AS r(e bigint, t bigint, n bigint)
        WHERE r.t IS NOT NULL GROUP BY r.t HAVING sum(r.n) <> 0 ORDER BY r.t
    LOOP
        UPDATE ticket_types SET held = held + changed.n WHERE id = changed.t;
    END LOOP;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS count_held_on_insert ON tickets;
CREATE TRIGGER count_held_on_insert AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_tickets();

DROP TRIGGER IF EXISTS count_held_on_update ON tickets;
CREATE TRIGGER count_held_on_update AFTER UPDATE ON tickets
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_tickets();

DROP TRIGGER IF EXISTS count_held_on_delete ON tickets;
CREATE TRIGGER count_held_on_delete AFTER DELETE ON tickets
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_held_tickets();
