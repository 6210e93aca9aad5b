"""The tables of catalogue, schedules, fares and the timetable's feed, with the shared plumbing's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

revision: str = "0001"
down_revision: str | None = None


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


# One feed row for each changed flight, in the transaction of the change: the timetable in memory cannot miss a change,
# whoever made it and by whatever path.
# asyncpg prepares what it runs, and a prepared statement is one command.
_FEED = (
    """
CREATE FUNCTION note_flight_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timetable_change (kind, flight_id, flight_no) SELECT 'f', id, no FROM changed;
    RETURN NULL;
END $$
""",
    """
CREATE FUNCTION note_cabin_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timetable_change (kind, flight_id) SELECT DISTINCT 'f', flight_id FROM changed;
    RETURN NULL;
END $$
""",
    """
CREATE FUNCTION note_reference_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timetable_change (kind) VALUES ('r');
    RETURN NULL;
END $$
""",
    """
CREATE TRIGGER note_insert AFTER INSERT ON flight REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_flight_change()
""",
    """
CREATE TRIGGER note_update AFTER UPDATE ON flight REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_flight_change()
""",
    """
CREATE TRIGGER note_delete AFTER DELETE ON flight REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_flight_change()
""",
)
_REFERENCE_TABLES = (
    "airport",
    "city_group",
    "airline",
    "aircraft_type",
    "fare_rule_set",
    "currency_rates",
    "flash_sale",
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    _create_tables()
    for statement in _FEED:
        op.execute(statement)
    for table in _REFERENCE_TABLES:
        op.execute(
            f"CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION note_reference_change()"
        )


def _create_tables() -> None:
    op.create_table(
        "admin_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("actor", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("resource", sa.String(length=30), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_audit")),
    )
    op.create_index(
        "ix_admin_audit_resource_resource_id_at",
        "admin_audit",
        ["resource", "resource_id", "at"],
        unique=False,
    )
    op.create_table(
        "aircraft_type",
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column(
            "layout",
            postgresql.JSONB(),
            nullable=False,
            comment="catalogue/layout.py reads it",
        ),
        sa.Column("cruise_kmh", sa.Integer(), server_default=sa.text("830"), nullable=False),
        sa.Column(
            "turnaround_minutes",
            sa.SmallInteger(),
            server_default=sa.text("45"),
            nullable=False,
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Z0-9]{3,4}$'", name=op.f("ck_aircraft_type_code_format")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_aircraft_type")),
    )
    op.create_table(
        "country",
        sa.Column("code", sa.String(length=2), nullable=False, comment="ISO 3166-1 alpha-2"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_country")),
    )
    op.create_table(
        "currency_rates",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "rates",
            postgresql.JSONB(),
            nullable=False,
            comment="code -> units of it for one USD, as a decimal string",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_currency_rates")),
    )
    op.create_table(
        "fare_rule_set",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "document",
            postgresql.JSONB(),
            nullable=False,
            comment="fares/rule_set.py reads it",
        ),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_fare_rule_set")),
    )
    op.create_table(
        "flight_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("flight_number", sa.String(length=6), nullable=False),
        sa.Column("origin", sa.String(length=3), nullable=False),
        sa.Column("destination", sa.String(length=3), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column(
            "document",
            postgresql.JSONB(),
            nullable=False,
            comment="the flight's row and its cabins when it was archived",
        ),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flight_history")),
    )
    op.create_index(
        "ix_flight_history_flight_number_local_date",
        "flight_history",
        ["flight_number", "local_date"],
        unique=False,
    )
    op.create_table(
        "flight_status_entry",
        sa.Column("flight_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="the event's type"),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("flight_id", "sequence", name=op.f("pk_flight_status_entry")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("media_type", sa.String(length=60), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(
        op.f("ix_idempotency_key_created_at"),
        "idempotency_key",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("consumer", "event_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_received_at"), "inbox", ["received_at"], unique=False)
    op.create_table(
        "inbox_sequence",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("aggregate", sa.String(length=120), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "aggregate", name=op.f("pk_inbox_sequence")),
    )
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("envelope", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    op.create_index(
        "ix_outbox_aggregate_id_position",
        "outbox",
        ["aggregate_id", "position"],
        unique=False,
    )
    op.create_table(
        "price_history",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("flight_id", sa.Uuid(), nullable=False),
        sa.Column("cabin", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "base_minor",
            sa.Integer(),
            nullable=False,
            comment="USD cents, before brand and demand",
        ),
        sa.Column(
            "adult_minor",
            sa.Integer(),
            nullable=False,
            comment="USD cents: the lowest adult fare on offer at that time",
        ),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.CheckConstraint("reason IN ('opened','fare','day')", name=op.f("ck_price_history_reason")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_price_history")),
    )
    op.create_index(
        "ix_price_history_flight_id_cabin_at",
        "price_history",
        ["flight_id", "cabin", "at"],
        unique=False,
    )
    op.create_table(
        "timetable_change",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "transaction_id",
            Xid8(),
            server_default=sa.text("pg_current_xact_id()"),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.String(length=1),
            nullable=False,
            comment="f: a flight; r: reference data (rules, rates, airlines, places)",
        ),
        sa.Column("flight_id", sa.Uuid(), nullable=True),
        sa.Column(
            "flight_no",
            sa.Integer(),
            nullable=True,
            comment="set by changes of the flight itself, so that a deletion is understood",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_timetable_change")),
    )
    op.create_index(
        "ix_timetable_change_transaction_id",
        "timetable_change",
        ["transaction_id"],
        unique=False,
    )
    op.create_table(
        "airline",
        sa.Column("iata", sa.String(length=2), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "accounting_code",
            sa.String(length=3),
            nullable=False,
            comment="first digits of its e-ticket numbers",
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("alliance", sa.Text(), nullable=True),
        sa.Column("logo_url", sa.Text(), nullable=True),
        sa.Column(
            "test_only",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="seen by test keys only",
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "accounting_code ~ '^[0-9]{3}$'",
            name=op.f("ck_airline_accounting_code_format"),
        ),
        sa.CheckConstraint("iata ~ '^[A-Z0-9]{2}$'", name=op.f("ck_airline_iata_format")),
        sa.ForeignKeyConstraint(["country"], ["country.code"], name=op.f("fk_airline_country")),
        sa.PrimaryKeyConstraint("iata", name=op.f("pk_airline")),
        sa.UniqueConstraint("accounting_code", name=op.f("uq_airline_accounting_code")),
    )
    op.create_table(
        "city_group",
        sa.Column(
            "code",
            sa.String(length=3),
            nullable=False,
            comment="IATA metropolitan area, e.g. LON",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(["country"], ["country.code"], name=op.f("fk_city_group_country")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_city_group")),
    )
    op.create_table(
        "airport",
        sa.Column("iata", sa.String(length=3), nullable=False),
        sa.Column("icao", sa.String(length=4), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("subdivision", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("city_code", sa.String(length=3), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False, comment="IANA name"),
        sa.Column(
            "min_connection_domestic",
            sa.SmallInteger(),
            nullable=True,
            comment="minutes; NULL means the default of 60",
        ),
        sa.Column(
            "min_connection_international",
            sa.SmallInteger(),
            nullable=True,
            comment="minutes; NULL means the default of 90",
        ),
        sa.Column(
            "weight",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="traffic rank in place search",
        ),
        sa.Column(
            "search_text",
            sa.Text(),
            nullable=False,
            comment="lower case, without accents; catalogue/place_names.py",
        ),
        sa.CheckConstraint("iata ~ '^[A-Z]{3}$'", name=op.f("ck_airport_iata_format")),
        sa.CheckConstraint(
            "coalesce(min_connection_domestic, 60) BETWEEN 15 AND 600 "
            "AND coalesce(min_connection_international, 90) BETWEEN 15 AND 600",
            name=op.f("ck_airport_min_connection"),
        ),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            name=op.f("ck_airport_coordinates"),
        ),
        sa.ForeignKeyConstraint(["city_code"], ["city_group.code"], name=op.f("fk_airport_city_code")),
        sa.ForeignKeyConstraint(["country"], ["country.code"], name=op.f("fk_airport_country")),
        sa.PrimaryKeyConstraint("iata", name=op.f("pk_airport")),
    )
    op.create_index(op.f("ix_airport_city_code"), "airport", ["city_code"], unique=False)
    op.create_index(op.f("ix_airport_country"), "airport", ["country"], unique=False)
    op.create_index("ix_airport_latitude", "airport", ["latitude"], unique=False)
    op.create_index(
        "ix_airport_search_text_trgm",
        "airport",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("airline", sa.String(length=2), nullable=False),
        sa.Column("flight_number", sa.String(length=6), nullable=False),
        sa.Column("origin", sa.String(length=3), nullable=False),
        sa.Column("destination", sa.String(length=3), nullable=False),
        sa.Column(
            "days_of_week",
            sa.SmallInteger(),
            nullable=False,
            comment="bit 0 is Monday, bit 6 Sunday",
        ),
        sa.Column("departure_time", sa.Time(), nullable=False, comment="local at the origin"),
        sa.Column(
            "duration_minutes",
            sa.SmallInteger(),
            nullable=False,
            comment="gate to gate",
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("aircraft", sa.String(length=4), nullable=False),
        sa.Column("terminal", sa.String(length=10), nullable=True),
        sa.Column(
            "base_fares",
            sa.ARRAY(sa.Integer()),
            nullable=False,
            comment="USD cents by cabin, order of layout.CABINS; 0: none",
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "cardinality(base_fares) = 4 AND 0 <= ALL (base_fares)",
            name=op.f("ck_schedule_base_fares"),
        ),
        sa.CheckConstraint("days_of_week BETWEEN 1 AND 127", name=op.f("ck_schedule_days_of_week")),
        sa.CheckConstraint("duration_minutes BETWEEN 15 AND 1440", name=op.f("ck_schedule_duration")),
        sa.CheckConstraint("origin <> destination", name=op.f("ck_schedule_route")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_schedule_validity")),
        sa.ForeignKeyConstraint(["aircraft"], ["aircraft_type.code"], name=op.f("fk_schedule_aircraft")),
        sa.ForeignKeyConstraint(["airline"], ["airline.iata"], name=op.f("fk_schedule_airline")),
        sa.ForeignKeyConstraint(["destination"], ["airport.iata"], name=op.f("fk_schedule_destination")),
        sa.ForeignKeyConstraint(["origin"], ["airport.iata"], name=op.f("fk_schedule_origin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_index(
        "ix_schedule_airline_flight_number",
        "schedule",
        ["airline", "flight_number"],
        unique=False,
    )
    op.create_table(
        "flight",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "no",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="dense number; offer ids carry it",
        ),
        sa.Column(
            "schedule_id",
            sa.Uuid(),
            nullable=True,
            comment="NULL for a flight of its own",
        ),
        sa.Column("flight_number", sa.String(length=6), nullable=False),
        sa.Column("airline", sa.String(length=2), nullable=False),
        sa.Column("origin", sa.String(length=3), nullable=False),
        sa.Column("destination", sa.String(length=3), nullable=False),
        sa.Column(
            "local_date",
            sa.Date(),
            nullable=False,
            comment="day of the scheduled departure at the origin",
        ),
        sa.Column("departure_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrival_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "departure_offset",
            sa.SmallInteger(),
            nullable=False,
            comment="origin's UTC offset at departure, minutes",
        ),
        sa.Column(
            "arrival_offset",
            sa.SmallInteger(),
            nullable=False,
            comment="destination's UTC offset at arrival, minutes",
        ),
        sa.Column("aircraft", sa.String(length=4), nullable=False),
        sa.Column("status", sa.String(length=10), server_default="scheduled", nullable=False),
        sa.Column("terminal", sa.String(length=10), nullable=True),
        sa.Column("gate", sa.String(length=10), nullable=True),
        sa.Column(
            "delay_minutes",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "base_fares",
            sa.ARRAY(sa.Integer()),
            nullable=False,
            comment="USD cents by cabin, order of layout.CABINS; 0: none",
        ),
        sa.Column(
            "offer_version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="fare, schedule or status",
        ),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="counter of its events",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('scheduled','delayed','boarding','departed','arrived','cancelled')",
            name=op.f("ck_flight_status"),
        ),
        sa.CheckConstraint("arrival_at > departure_at", name=op.f("ck_flight_times")),
        sa.CheckConstraint(
            "cardinality(base_fares) = 4 AND 0 <= ALL (base_fares)",
            name=op.f("ck_flight_base_fares"),
        ),
        sa.CheckConstraint("delay_minutes BETWEEN 0 AND 4320", name=op.f("ck_flight_delay")),
        sa.CheckConstraint("origin <> destination", name=op.f("ck_flight_route")),
        sa.ForeignKeyConstraint(["aircraft"], ["aircraft_type.code"], name=op.f("fk_flight_aircraft")),
        sa.ForeignKeyConstraint(["airline"], ["airline.iata"], name=op.f("fk_flight_airline")),
        sa.ForeignKeyConstraint(["destination"], ["airport.iata"], name=op.f("fk_flight_destination")),
        sa.ForeignKeyConstraint(["origin"], ["airport.iata"], name=op.f("fk_flight_origin")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_flight_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flight")),
        sa.UniqueConstraint("no", name=op.f("uq_flight_no")),
    )
    op.create_index("ix_flight_departure_at_no", "flight", ["departure_at", "no"], unique=False)
    op.create_index(
        "ix_flight_flight_number_local_date",
        "flight",
        ["flight_number", "local_date"],
        unique=False,
    )
    op.create_index("ix_flight_origin_local_date", "flight", ["origin", "local_date"], unique=False)
    op.create_index(
        "uq_flight_own_number",
        "flight",
        ["flight_number", "origin", "local_date"],
        unique=True,
        postgresql_where=sa.text("schedule_id IS NULL"),
    )
    op.create_index(
        "uq_flight_schedule_id_local_date",
        "flight",
        ["schedule_id", "local_date"],
        unique=True,
    )
    op.create_table(
        "flash_sale",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "no",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="offer ids carry it",
        ),
        sa.Column("flight_id", sa.Uuid(), nullable=False),
        sa.Column("cabin", sa.String(length=20), nullable=False),
        sa.Column("percent_off", sa.SmallInteger(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("stock_left", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("percent_off BETWEEN 1 AND 90", name=op.f("ck_flash_sale_percent_off")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_flash_sale_window")),
        sa.CheckConstraint("stock_left BETWEEN 0 AND stock", name=op.f("ck_flash_sale_stock_left")),
        sa.ForeignKeyConstraint(
            ["flight_id"],
            ["flight.id"],
            name=op.f("fk_flash_sale_flight_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flash_sale")),
        sa.UniqueConstraint("no", name=op.f("uq_flash_sale_no")),
    )
    op.create_index(op.f("ix_flash_sale_flight_id"), "flash_sale", ["flight_id"], unique=False)
