"""Inventory: seats of each flight and cabin, holds, and who owns which seat."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE cabin_inventory (
    flight_id uuid NOT NULL,
    cabin text NOT NULL,
    capacity integer NOT NULL,
    free_seats integer NOT NULL,
    held_seats integer NOT NULL DEFAULT 0,
    sold_seats integer NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_cabin_inventory PRIMARY KEY (flight_id, cabin),
    CONSTRAINT ck_cabin_inventory_free_within_capacity CHECK (free_seats BETWEEN 0 AND capacity),
    CONSTRAINT ck_cabin_inventory_none_negative CHECK (held_seats >= 0 AND sold_seats >= 0),
    CONSTRAINT ck_cabin_inventory_seats_conserved CHECK (free_seats + held_seats + sold_seats = capacity)
) WITH (fillfactor = 85);

CREATE TABLE hold (
    id uuid NOT NULL,
    status text NOT NULL,
    fingerprint bytea,
    offer_id text,
    expires_at timestamptz,
    currency text,
    total_minor bigint,
    priced text,
    notes text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_hold PRIMARY KEY (id),
    CONSTRAINT ck_hold_status CHECK (status IN ('held', 'confirmed', 'released', 'expired')),
    CONSTRAINT ck_hold_total_not_negative CHECK (total_minor >= 0),
    -- Only a tombstone (released before it arrived) has no content.
    CONSTRAINT ck_hold_content_unless_tombstone CHECK (
        status = 'released' OR (fingerprint, offer_id, expires_at, currency, total_minor, priced) IS NOT NULL)
) WITH (fillfactor = 90);
CREATE INDEX ix_hold_expires_at_held ON hold (expires_at) WHERE status = 'held';

-- held, sold: live. returned: gave its seat back unpaid and may be reinstated. released: gone for good.
CREATE TABLE hold_seat (
    hold_id uuid NOT NULL,
    passenger_id uuid NOT NULL,
    flight_id uuid NOT NULL,
    cabin text NOT NULL,
    designator text,
    state text NOT NULL,
    preference text,
    under_12 boolean NOT NULL,
    with_infant boolean NOT NULL,
    CONSTRAINT pk_hold_seat PRIMARY KEY (hold_id, passenger_id, flight_id),
    CONSTRAINT fk_hold_seat_hold_id FOREIGN KEY (hold_id) REFERENCES hold (id),
    CONSTRAINT ck_hold_seat_state CHECK (state IN ('held', 'sold', 'returned', 'released')),
    CONSTRAINT ck_hold_seat_preference CHECK (preference IN ('window', 'aisle', 'middle'))
);
-- One live owner of a seat. Live rows without a designator are in it too: it also answers "who sits on this flight".
CREATE UNIQUE INDEX uq_hold_seat_one_owner ON hold_seat (flight_id, designator) WHERE state IN ('held', 'sold');

CREATE TABLE hold_flash_use (
    hold_id uuid NOT NULL,
    sale_id uuid NOT NULL,
    uses integer NOT NULL,
    CONSTRAINT pk_hold_flash_use PRIMARY KEY (hold_id, sale_id),
    CONSTRAINT fk_hold_flash_use_hold_id FOREIGN KEY (hold_id) REFERENCES hold (id),
    CONSTRAINT ck_hold_flash_use_uses CHECK (uses >= 0)
);

-- Cabins whose counters differ from the seats in hold_seat. Always empty; operators and tests look here.
CREATE VIEW inventory_drift AS
SELECT c.flight_id, c.cabin, c.capacity, c.free_seats, c.held_seats, c.sold_seats,
       coalesce(s.held, 0) AS held_rows, coalesce(s.sold, 0) AS sold_rows
FROM cabin_inventory c
FULL JOIN (
    SELECT flight_id, cabin, count(*) FILTER (WHERE state = 'held') AS held, count(*) FILTER (WHERE state = 'sold')
        AS sold
    FROM hold_seat WHERE state IN ('held', 'sold') GROUP BY flight_id, cabin
) s USING (flight_id, cabin)
WHERE c.capacity IS NULL OR c.held_seats <> coalesce(s.held, 0) OR c.sold_seats <> coalesce(s.sold, 0);
"""

# The timetable of the search hears of each change through this (its table and function come with 0001).
_TRIGGERS = """
CREATE TRIGGER note_cabin_update AFTER UPDATE ON cabin_inventory
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_cabin_change();
CREATE TRIGGER note_cabin_delete AFTER DELETE ON cabin_inventory
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_cabin_change();
"""


def upgrade() -> None:
    for statement in f"{_TABLES}{_TRIGGERS}".split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP VIEW inventory_drift")
    op.execute("DROP TABLE hold_flash_use, hold_seat, hold, cabin_inventory")
