"""Sell the cabins of a group of holds with one statement, change each seat once, and note only what searches must see.

A plan made while `hold_seat` was empty must not read all of it later. `state = (SELECT 'held')`: with a plain constant
PostgreSQL may read the whole of a partial index on that state. Seats are given one by one: joined with the keys that
are asked for, their primary key was read from end to end (measured: 0.15 ms a seat, now 0.08).
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Cabins are locked in sorted order, under the lock of their holds: no hold's rows change in between.
_CONFIRM_HOLDS = """
CREATE OR REPLACE FUNCTION confirm_holds(
    h_ids uuid[], h_notes text[], s_holds uuid[], s_passengers uuid[], s_flights uuid[], s_designators text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    SELECT count(*) INTO n FROM (
        SELECT id FROM hold WHERE id = ANY (h_ids) AND status = (SELECT 'held') ORDER BY id FOR UPDATE) l;
    IF n <> cardinality(h_ids) THEN
        RAISE EXCEPTION 'a hold is no longer held' USING ERRCODE = 'RH001';
    END IF;
    WITH held AS (
        SELECT flight_id, cabin, count(*)::integer AS seats FROM hold_seat
        WHERE hold_id = ANY (h_ids) AND state = (SELECT 'held') GROUP BY 1, 2
    ), locked AS (
        SELECT c.flight_id, c.cabin, h.seats FROM held h JOIN cabin_inventory c USING (flight_id, cabin)
        ORDER BY c.flight_id, c.cabin FOR NO KEY UPDATE OF c)
    UPDATE cabin_inventory c
    SET held_seats = c.held_seats - l.seats, sold_seats = c.sold_seats + l.seats, version = c.version + 1
    FROM locked l WHERE c.flight_id = l.flight_id AND c.cabin = l.cabin;
    PERFORM sell_seats(s_holds, s_passengers, s_flights, s_designators);
    UPDATE hold_seat SET state = 'sold' WHERE hold_id = ANY (h_ids) AND state = (SELECT 'held');
    UPDATE hold h SET status = 'confirmed', notes = ARRAY(SELECT jsonb_array_elements_text(v.notes::jsonb))
    FROM unnest(h_ids, h_notes) v (id, notes) WHERE h.id = v.id;
END $$
"""

# Held seats that get their designator as they are sold: a row changes once.
_SELL_SEATS = """
CREATE FUNCTION sell_seats(s_holds uuid[], s_passengers uuid[], s_flights uuid[], s_designators text[]) RETURNS
    void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. cardinality(s_holds) LOOP
        UPDATE hold_seat SET state = 'sold', designator = s_designators[i]
        WHERE (hold_id, passenger_id, flight_id) = (s_holds[i], s_passengers[i], s_flights[i])
          AND state = (SELECT 'held');
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a seat has no owner' USING ERRCODE = 'RH001';
        END IF;
    END LOOP;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a seat is taken' USING ERRCODE = 'RH001';
END $$
"""

# What is sold was held before: no seat more or less is free, and the timetable has nothing to read again.
_NOTE_SEATS_CHANGE = """
CREATE FUNCTION note_seats_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timetable_change (kind, flight_id)
    SELECT DISTINCT 'f', flight_id FROM (
        SELECT flight_id, cabin, capacity, free_seats FROM changed
        EXCEPT SELECT flight_id, cabin, capacity, free_seats FROM before) seen;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER note_cabin_update AFTER UPDATE ON cabin_inventory
    REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_seats_change()
"""

_CONFIRMED_BEFORE = """
CREATE OR REPLACE FUNCTION confirm_holds(
    h_ids uuid[], h_notes text[], s_holds uuid[], s_passengers uuid[], s_flights uuid[], s_designators text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    k record;
    n integer;
BEGIN
    SELECT count(*) INTO n FROM (
        SELECT id FROM hold WHERE id = ANY (h_ids) AND status = 'held' ORDER BY id FOR UPDATE) l;
    IF n <> cardinality(h_ids) THEN
        RAISE EXCEPTION 'a hold is no longer held' USING ERRCODE = 'RH001';
    END IF;
    FOR k IN
        SELECT flight_id, cabin, count(*)::integer AS seats FROM hold_seat
        WHERE hold_id = ANY (h_ids) AND state = 'held' GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
        UPDATE cabin_inventory c SET held_seats = c.held_seats - k.seats, sold_seats = c.sold_seats + k.seats,
            version = c.version + 1
        WHERE c.flight_id = k.flight_id AND c.cabin = k.cabin;
    END LOOP;
    UPDATE hold_seat SET state = 'sold' WHERE hold_id = ANY (h_ids) AND state = 'held';
    PERFORM place_seats(s_holds, s_passengers, s_flights, s_designators);
    UPDATE hold h SET status = 'confirmed', notes = ARRAY(SELECT jsonb_array_elements_text(v.notes::jsonb))
    FROM unnest(h_ids, h_notes) v (id, notes) WHERE h.id = v.id;
END $$
"""
_TRIGGER_BEFORE = """
CREATE TRIGGER note_cabin_update AFTER UPDATE ON cabin_inventory
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_cabin_change()
"""


def upgrade() -> None:
    for statement in (_SELL_SEATS, _CONFIRM_HOLDS, _NOTE_SEATS_CHANGE):
        op.execute(statement)
    op.execute("DROP TRIGGER note_cabin_update ON cabin_inventory")
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER note_cabin_update ON cabin_inventory")
    for statement in (_TRIGGER_BEFORE, _CONFIRMED_BEFORE):
        op.execute(statement)
    op.execute("DROP FUNCTION note_seats_change")
    op.execute("DROP FUNCTION sell_seats")
