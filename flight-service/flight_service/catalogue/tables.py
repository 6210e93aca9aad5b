"""Reference data: places, airlines, aircraft, and the audit trail of what admins changed."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from flight_service.tables_base import metadata

country = Table(
    "country",
    metadata,
    Column("code", String(2), primary_key=True, comment="ISO 3166-1 alpha-2"),
    Column("name", Text, nullable=False),
)

city_group = Table(
    "city_group",
    metadata,
    Column("code", String(3), primary_key=True, comment="IATA metropolitan area, e.g. LON"),
    Column("name", Text, nullable=False),
    Column("country", String(2), ForeignKey("country.code"), nullable=False),
)

airport = Table(
    "airport",
    metadata,
    Column("iata", String(3), primary_key=True),
    Column("icao", String(4)),
    Column("name", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("subdivision", Text, nullable=False, server_default=""),
    Column("country", String(2), ForeignKey("country.code"), nullable=False, index=True),
    Column("city_code", String(3), ForeignKey("city_group.code"), index=True),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("time_zone", Text, nullable=False, comment="IANA name"),
    Column(
        "min_connection_domestic",
        SmallInteger,
        comment="minutes; NULL means the default of 60",
    ),
    Column(
        "min_connection_international",
        SmallInteger,
        comment="minutes; NULL means the default of 90",
    ),
    Column(
        "weight",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="traffic rank in place search",
    ),
    Column(
        "search_text",
        Text,
        nullable=False,
        comment="lower case, without accents; catalogue/place_names.py",
    ),
    CheckConstraint("iata ~ '^[A-Z]{3}$'", name="iata_format"),
    CheckConstraint(
        "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
        name="coordinates",
    ),
    CheckConstraint(
        "coalesce(min_connection_domestic, 60) BETWEEN 15 AND 600 "
        "AND coalesce(min_connection_international, 90) BETWEEN 15 AND 600",
        name="min_connection",
    ),
)
Index(
    "ix_airport_search_text_trgm",
    airport.c.search_text,
    postgresql_using="gin",
    postgresql_ops={"search_text": "gin_trgm_ops"},
)
Index("ix_airport_latitude", airport.c.latitude)

airline = Table(
    "airline",
    metadata,
    Column("iata", String(2), primary_key=True),
    Column("name", Text, nullable=False),
    Column(
        "accounting_code",
        String(3),
        nullable=False,
        unique=True,
        comment="first digits of its e-ticket numbers",
    ),
    Column("country", String(2), ForeignKey("country.code"), nullable=False),
    Column("alliance", Text),
    Column("logo_url", Text),
    Column(
        "test_only",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="seen by test keys only",
    ),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    CheckConstraint("iata ~ '^[A-Z0-9]{2}$'", name="iata_format"),
    CheckConstraint("accounting_code ~ '^[0-9]{3}$'", name="accounting_code_format"),
)

aircraft_type = Table(
    "aircraft_type",
    metadata,
    Column("code", String(4), primary_key=True),
    Column("name", Text, nullable=False),
    Column("manufacturer", Text, nullable=False),
    Column("layout", JSONB, nullable=False, comment="catalogue/layout.py reads it"),
    Column("cruise_kmh", Integer, nullable=False, server_default=text("830")),
    Column("turnaround_minutes", SmallInteger, nullable=False, server_default=text("45")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    CheckConstraint("code ~ '^[A-Z0-9]{3,4}$'", name="code_format"),
)

admin_audit = Table(
    "admin_audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("actor", Uuid, nullable=False),
    Column("action", String(20), nullable=False),
    Column("resource", String(30), nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
)
Index(
    "ix_admin_audit_resource_resource_id_at",
    admin_audit.c.resource,
    admin_audit.c.resource_id,
    admin_audit.c.at,
)
