"""Which airplane flies a flight: never two flights at once, and always one of the same type."""

from alembic import op

revision = "0003"
down_revision = "0002f"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE airplane_assignment (
    flight_id uuid NOT NULL,
    registration text NOT NULL,
    aircraft character varying(4) NOT NULL,
    busy tstzrange NOT NULL,
    CONSTRAINT pk_airplane_assignment PRIMARY KEY (flight_id),
    CONSTRAINT fk_airplane_assignment_flight_id_flight FOREIGN KEY (flight_id) REFERENCES flight (id) ON DELETE CASCADE,
    CONSTRAINT fk_airplane_assignment_aircraft_aircraft_type FOREIGN KEY (aircraft) REFERENCES aircraft_type (code),
    CONSTRAINT ex_airplane_assignment_one_flight_at_a_time EXCLUDE USING gist (registration WITH =, busy WITH &&),
    CONSTRAINT ex_airplane_assignment_one_type EXCLUDE USING gist (registration WITH =, aircraft WITH <>)
)
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(_TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE airplane_assignment")
