"""One row for each user who changed something; everybody else has the defaults of `rules.py`."""

from sqlalchemy import Column, DateTime, String, Table, Time, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from notification_service.tables_base import metadata

preference = Table(
    "preference",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    # Category -> list of channels, only where it differs from the default.
    Column("channels", JSONB, nullable=False),
    Column("quiet_from", Time),
    Column("quiet_to", Time),
    Column("time_zone", String(64), nullable=False, server_default="UTC"),
    Column("locale", String(35)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
