"""Inventory: the functions that move seats. Each is one round trip and one transaction.

Lock order everywhere: existing holds (by id), then cabins (by flight and cabin), then new holds (by id), then
    seats. Errors:
`RH001` means that what the caller read is no longer so: read again and decide again.
"""

from alembic import op

revision = "0002f"
down_revision = "0002"
branch_labels = None
depends_on = None

# Seats of expired holds: lock them without waiting (a hold being confirmed at this moment is not stale), give back
# what they had. Returns how many seats each cabin gets back; the caller moves the cabins, in sorted order with its
# own.
_EXPIRE_ROWS = """
CREATE FUNCTION expire_hold_rows(p_now timestamptz, p_stale uuid[], OUT expired integer, OUT freed jsonb) LANGUAGE
    plpgsql AS $$
DECLARE ids uuid[];
BEGIN
    SELECT array_agg(l.id) INTO ids FROM (
        SELECT id FROM hold WHERE id = ANY (p_stale) AND status = 'held' AND expires_at <= p_now
        ORDER BY id FOR UPDATE SKIP LOCKED) l;
    expired := coalesce(cardinality(ids), 0);
    UPDATE hold SET status = 'expired' WHERE id = ANY (ids);
    WITH gone AS (
        UPDATE hold_seat SET state = 'returned' WHERE hold_id = ANY (ids) AND state = 'held' RETURNING flight_id, cabin)
    SELECT jsonb_agg(jsonb_build_object('flight_id', flight_id, 'cabin', cabin, 'gives', gives)) INTO freed
    FROM (SELECT flight_id, cabin, count(*)::integer AS gives FROM gone GROUP BY 1, 2) g;
    PERFORM return_flash_uses(ids);
END $$
"""

_RETURN_FLASH = """
CREATE FUNCTION return_flash_uses(p_holds uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE k record;
BEGIN
    FOR k IN WITH gone AS (
            UPDATE hold_flash_use u SET uses = 0 FROM hold_flash_use before
            WHERE u.hold_id = ANY (p_holds) AND u.uses > 0 AND (before.hold_id, before.sale_id) = (u.hold_id, u.sale_id)
            RETURNING u.sale_id, before.uses)
        SELECT sale_id, sum(uses) AS uses FROM gone GROUP BY sale_id ORDER BY sale_id
    LOOP
        UPDATE flash_sale SET stock_left = stock_left + k.uses WHERE id = k.sale_id;
    END LOOP;
END $$
"""

# The optimistic versioned update. `patient` retries a moved version inside, from a fresh read, cabin by cabin in
# sorted order; otherwise one statement moves all cabins and any moved version sends the caller back to read again.
_MOVE_CABINS = """
CREATE FUNCTION take_cabins(p_flights uuid[], p_cabins text[], p_takes integer[], p_versions bigint[], p_freed
    jsonb, p_patient boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    k record;
    wanted bigint;
    free integer;
    tries integer;
BEGIN
    IF p_freed IS NULL AND NOT p_patient THEN
        WITH wish AS (
            SELECT * FROM unnest(p_flights, p_cabins, p_takes, p_versions) w (flight_id, cabin, takes, version)
        ), locked AS (
            SELECT c.flight_id, c.cabin FROM cabin_inventory c JOIN wish w USING (flight_id, cabin)
            WHERE c.version = w.version AND c.free_seats >= w.takes
            ORDER BY c.flight_id, c.cabin FOR NO KEY UPDATE OF c)
        UPDATE cabin_inventory c
        SET free_seats = c.free_seats - w.takes, held_seats = c.held_seats + w.takes, version = c.version + 1
        FROM wish w JOIN locked USING (flight_id, cabin)
        WHERE c.flight_id = w.flight_id AND c.cabin = w.cabin AND c.version = w.version AND c.free_seats >= w.takes;
        GET DIAGNOSTICS tries = ROW_COUNT;
        IF tries <> cardinality(p_flights) THEN
            RAISE EXCEPTION 'a cabin moved' USING ERRCODE = 'RH001';
        END IF;
        RETURN;
    END IF;
    FOR k IN
        SELECT flight_id, cabin, sum(takes)::integer AS takes, sum(gives)::integer AS gives, max(version) AS
            version FROM (
            SELECT w.flight_id, w.cabin, w.takes, 0 AS gives, w.version
            FROM unnest(p_flights, p_cabins, p_takes, p_versions) w (flight_id, cabin, takes, version)
            UNION ALL
            SELECT f.flight_id, f.cabin, 0, f.gives, NULL
            FROM jsonb_to_recordset(p_freed) f (flight_id uuid, cabin text, gives integer)
        ) m GROUP BY flight_id, cabin ORDER BY flight_id, cabin
    LOOP
        wanted := k.version;
        tries := 0;
        LOOP
            UPDATE cabin_inventory c
            SET free_seats = c.free_seats - k.takes + k.gives, held_seats = c.held_seats + k.takes - k.gives,
                version = c.version + 1
            WHERE c.flight_id = k.flight_id AND c.cabin = k.cabin
              AND (c.version = wanted OR k.takes = 0) AND c.free_seats + k.gives >= k.takes;
            EXIT WHEN FOUND;
            free := NULL;
            SELECT c.version, c.free_seats INTO wanted, free FROM cabin_inventory c
            WHERE c.flight_id = k.flight_id AND c.cabin = k.cabin;
            -- What is given back to a cabin that is gone (its flight is history) needs no counter.
            EXIT WHEN NOT FOUND AND k.takes = 0;
            tries := tries + 1;
            IF tries > 5 OR free IS NULL OR free + k.gives < k.takes THEN
                RAISE EXCEPTION 'a cabin moved' USING ERRCODE = 'RH001';
            END IF;
        END LOOP;
    END LOOP;
END $$
"""

_CHECK_FLIGHTS = """
CREATE FUNCTION check_flights(p_now timestamptz, p_flights uuid[], p_offer_versions integer[]) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM unnest(p_flights, p_offer_versions) e (id, offer_version) JOIN flight f USING (id)
        WHERE f.offer_version = coalesce(e.offer_version, f.offer_version)
          AND f.status IN ('scheduled', 'delayed') AND f.departure_at > p_now) <> cardinality(p_flights) THEN
        RAISE EXCEPTION 'a flight changed' USING ERRCODE = 'RH001';
    END IF;
END $$
"""

_TAKE_HOLDS = """
CREATE FUNCTION take_holds(
    p_now timestamptz, p_patient boolean, p_stale uuid[],
    p_flights uuid[], p_offer_versions integer[],
    c_flights uuid[], c_cabins text[], c_takes integer[], c_versions bigint[],
    h_ids uuid[], h_fingerprints bytea[], h_offers text[], h_expires timestamptz[], h_currencies text[], h_totals
        bigint[], h_priced text[],
    s_holds uuid[], s_passengers uuid[], s_flights uuid[], s_cabins text[], s_designators text[], s_preferences text[],
    s_under_12 boolean[], s_with_infant boolean[],
    u_holds uuid[], u_sales uuid[], u_uses integer[], p_rules integer
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stale record;
    k record;
    n integer;
BEGIN
    IF cardinality(p_stale) > 0 THEN
        SELECT * INTO stale FROM expire_hold_rows(p_now, p_stale);
        IF stale.expired <> cardinality(p_stale) THEN
            RAISE EXCEPTION 'an expired hold is no longer there to take' USING ERRCODE = 'RH001';
        END IF;
        PERFORM take_cabins(c_flights, c_cabins, c_takes, c_versions, stale.freed, p_patient);
    ELSE
        PERFORM take_cabins(c_flights, c_cabins, c_takes, c_versions, NULL, p_patient);
    END IF;
    PERFORM check_flights(p_now, p_flights, p_offer_versions);
    IF p_rules <> 0 AND p_rules <> (SELECT max(version) FROM fare_rule_set) THEN
        RAISE EXCEPTION 'the fare rules changed' USING ERRCODE = 'RH001';
    END IF;
    INSERT INTO hold (id, status, fingerprint, offer_id, expires_at, currency, total_minor, priced, created_at)
    SELECT h.id, 'held', h.fingerprint, h.offer_id, h.expires_at, h.currency, h.total_minor, h.priced, p_now
    FROM unnest(h_ids, h_fingerprints, h_offers, h_expires, h_currencies, h_totals, h_priced)
        h (id, fingerprint, offer_id, expires_at, currency, total_minor, priced)
    ON CONFLICT (id) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n <> cardinality(h_ids) THEN
        RAISE EXCEPTION 'a hold id is taken' USING ERRCODE = 'RH001';
    END IF;
    INSERT INTO hold_seat (hold_id, passenger_id, flight_id, cabin, designator, state, preference, under_12,
        with_infant)
    SELECT s.hold_id, s.passenger_id, s.flight_id, s.cabin, s.designator, 'held', s.preference, s.under_12,
        s.with_infant
    FROM unnest(s_holds, s_passengers, s_flights, s_cabins, s_designators, s_preferences, s_under_12, s_with_infant)
        s (hold_id, passenger_id, flight_id, cabin, designator, preference, under_12, with_infant)
    ON CONFLICT (flight_id, designator) WHERE state IN ('held', 'sold') DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n <> cardinality(s_holds) THEN
        RAISE EXCEPTION 'a seat is taken' USING ERRCODE = 'RH001';
    END IF;
    IF cardinality(u_holds) > 0 THEN
        FOR k IN SELECT sale_id, sum(uses)::integer AS uses FROM unnest(u_sales, u_uses) u (sale_id, uses) GROUP BY
            1 ORDER BY 1 LOOP
            UPDATE flash_sale SET stock_left = stock_left - k.uses WHERE id = k.sale_id AND stock_left >= k.uses;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'a flash price is sold out' USING ERRCODE = 'RH001';
            END IF;
        END LOOP;
        INSERT INTO hold_flash_use (hold_id, sale_id, uses) SELECT * FROM unnest(u_holds, u_sales, u_uses);
    END IF;
END $$
"""

_CONFIRM_HOLDS = """
CREATE FUNCTION confirm_holds(
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

_PLACE_SEATS = """
CREATE FUNCTION place_seats(s_holds uuid[], s_passengers uuid[], s_flights uuid[], s_designators text[]) RETURNS
    void LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    UPDATE hold_seat s SET designator = v.designator
    FROM unnest(s_holds, s_passengers, s_flights, s_designators) v (hold_id, passenger_id, flight_id, designator)
    WHERE (s.hold_id, s.passenger_id, s.flight_id) = (v.hold_id, v.passenger_id, v.flight_id) AND s.state IN
        ('held', 'sold');
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n <> cardinality(s_holds) THEN
        RAISE EXCEPTION 'a seat has no owner' USING ERRCODE = 'RH001';
    END IF;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a seat is taken' USING ERRCODE = 'RH001';
END $$
"""

# Seat changes lock their cabins first, as everyone does who writes seats of a flight; `p_clear` first takes the movers
# off their seats, so that two travellers of one hold can change places.
_MOVE_SEATS = """
CREATE FUNCTION move_seats(
    p_now timestamptz, p_hold uuid, p_stale uuid[], s_passengers uuid[], s_flights uuid[], s_designators text[],
        p_notes text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE stale record;
BEGIN
    PERFORM 1 FROM hold WHERE id = p_hold AND status IN ('held', 'confirmed') FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the hold is not live' USING ERRCODE = 'RH001';
    END IF;
    SELECT * INTO stale FROM expire_hold_rows(p_now, p_stale);
    IF stale.expired <> cardinality(p_stale) THEN
        RAISE EXCEPTION 'an expired hold is no longer there to take' USING ERRCODE = 'RH001';
    END IF;
    PERFORM take_cabins('{}', '{}', '{}', '{}', coalesce(stale.freed, '[]') || coalesce((
        SELECT jsonb_agg(DISTINCT jsonb_build_object('flight_id', flight_id, 'cabin', cabin, 'gives', 0))
        FROM hold_seat WHERE hold_id = p_hold AND flight_id = ANY (s_flights)), '[]'), true);
    UPDATE hold_seat SET designator = NULL
    WHERE hold_id = p_hold AND (passenger_id, flight_id) IN (SELECT * FROM unnest(s_passengers, s_flights));
    PERFORM place_seats(array_fill(p_hold, ARRAY[cardinality(s_flights)]), s_passengers, s_flights, s_designators);
    UPDATE hold SET notes = p_notes WHERE id = p_hold AND notes <> p_notes;
END $$
"""

# Gives back the named (passenger, flight) seats, or all when p_passengers is null. Returns the status afterwards; an
# id that nobody has used yet becomes a tombstone, so that the hold cannot arrive later.
_RELEASE_HOLD = """
CREATE FUNCTION release_hold(p_now timestamptz, p_hold uuid, p_passengers uuid[], p_flights uuid[]) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    k record;
    was text;
BEGIN
    INSERT INTO hold (id, status, created_at) VALUES (p_hold, 'released', p_now) ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        RETURN 'released';
    END IF;
    SELECT status INTO STRICT was FROM hold WHERE id = p_hold FOR UPDATE;
    FOR k IN
        SELECT flight_id, cabin, count(*) FILTER (WHERE state = 'held')::integer AS held, count(*) FILTER (WHERE
            state = 'sold')::integer AS sold
        FROM hold_seat
        WHERE hold_id = p_hold AND state IN ('held', 'sold')
          AND (p_passengers IS NULL OR (passenger_id, flight_id) IN (SELECT * FROM unnest(p_passengers, p_flights)))
        GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
        UPDATE cabin_inventory c
        SET free_seats = c.free_seats + k.held + k.sold, held_seats = c.held_seats - k.held, sold_seats =
            c.sold_seats - k.sold,
            version = c.version + 1
        WHERE c.flight_id = k.flight_id AND c.cabin = k.cabin;
    END LOOP;
    -- A hold given up whole and unpaid may still be reinstated for a late payment; anything else is gone for good.
    UPDATE hold_seat SET state = CASE WHEN p_passengers IS NULL AND state IN ('held', 'returned') THEN 'returned'
        ELSE 'released' END
    WHERE hold_id = p_hold AND state <> 'released'
      AND (p_passengers IS NULL OR (passenger_id, flight_id) IN (SELECT * FROM unnest(p_passengers, p_flights)));
    IF p_passengers IS NULL OR NOT EXISTS (SELECT 1 FROM hold_seat WHERE hold_id = p_hold AND state <> 'released') THEN
        IF was = 'held' THEN
            PERFORM return_flash_uses(ARRAY[p_hold]);
        END IF;
        UPDATE hold SET status = 'released' WHERE id = p_hold;
        RETURN 'released';
    END IF;
    RETURN was;
END $$
"""

_REINSTATE_HOLD = """
CREATE FUNCTION reinstate_hold(
    p_now timestamptz, p_hold uuid, p_expires timestamptz, p_stale uuid[], p_lost_passengers uuid[], p_lost_flights
        uuid[], p_notes text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stale record;
    flights uuid[];
    cabins text[];
    takes integer[];
    versions bigint[];
BEGIN
    PERFORM 1 FROM hold WHERE id = p_hold AND status IN ('expired', 'released') FOR UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM hold_seat WHERE hold_id = p_hold AND state = 'returned') THEN
        RAISE EXCEPTION 'the hold has nothing to reinstate' USING ERRCODE = 'RH001';
    END IF;
    SELECT * INTO stale FROM expire_hold_rows(p_now, p_stale);
    IF stale.expired <> cardinality(p_stale) THEN
        RAISE EXCEPTION 'an expired hold is no longer there to take' USING ERRCODE = 'RH001';
    END IF;
    SELECT array_agg(w.flight_id), array_agg(w.cabin), array_agg(w.takes), array_agg(c.version) INTO flights,
        cabins, takes, versions
    FROM (SELECT flight_id, cabin, count(*)::integer AS takes FROM hold_seat
          WHERE hold_id = p_hold AND state = 'returned' GROUP BY 1, 2) w
    JOIN cabin_inventory c USING (flight_id, cabin);
    PERFORM take_cabins(flights, cabins, takes, versions, stale.freed, true);
    PERFORM check_flights(p_now, ARRAY(SELECT DISTINCT unnest(flights)), NULL);
    UPDATE hold_seat SET designator = NULL
    WHERE hold_id = p_hold AND (passenger_id, flight_id) IN (SELECT * FROM unnest(p_lost_passengers, p_lost_flights));
    UPDATE hold_seat SET state = 'held' WHERE hold_id = p_hold AND state = 'returned';
    UPDATE hold SET status = 'held', expires_at = p_expires, notes = p_notes WHERE id = p_hold;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a seat is taken' USING ERRCODE = 'RH001';
END $$
"""

# What the sweeper calls: the oldest expired holds nobody else is working on.
_EXPIRE_HOLDS = """
CREATE FUNCTION expire_holds(p_now timestamptz, p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    done record;
BEGIN
    SELECT array_agg(l.id) INTO ids FROM (
        SELECT id FROM hold WHERE status = 'held' AND expires_at <= p_now
        ORDER BY expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED) l;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    SELECT * INTO done FROM expire_hold_rows(p_now, ids);
    PERFORM take_cabins('{}', '{}', '{}', '{}', coalesce(done.freed, '[]'), true);
    RETURN done.expired;
END $$
"""

_FUNCTIONS = (
    _RETURN_FLASH,
    _EXPIRE_ROWS,
    _MOVE_CABINS,
    _CHECK_FLIGHTS,
    _PLACE_SEATS,
    _TAKE_HOLDS,
    _CONFIRM_HOLDS,
    _MOVE_SEATS,
    _RELEASE_HOLD,
    _REINSTATE_HOLD,
    _EXPIRE_HOLDS,
)


def upgrade() -> None:
    for function in _FUNCTIONS:
        op.execute(function)


def downgrade() -> None:
    for function in reversed(_FUNCTIONS):
        op.execute(f"DROP FUNCTION {function.split('(')[0].split()[-1]}")
