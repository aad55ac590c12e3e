-- Copies to an entry whether its calendar is let as a whole room, so that the exclusion constraint on entries
-- (ex_calendar_entries_one_at_a_time) can see it: a constraint reads one table only.
-- Whoever writes an entry need not know how its room is let; from then on the foreign key follows the calendar.

CREATE OR REPLACE FUNCTION fill_whole_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.whole_room INTO NEW.whole_room FROM calendars c WHERE c.id = NEW.calendar_id;
    RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS fill_whole_room ON calendar_entries;
CREATE TRIGGER fill_whole_room BEFORE INSERT OR UPDATE OF calendar_id ON calendar_entries
    FOR EACH ROW EXECUTE FUNCTION fill_whole_room();
