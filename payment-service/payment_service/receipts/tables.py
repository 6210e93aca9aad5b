"""Receipt numbers: one series a year without gaps, as invoices need, given at first use."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Integer, Table, UniqueConstraint, Uuid

from payment_service.database import metadata

receipt = Table(
    "receipt",
    metadata,
    Column("payment_id", Uuid, ForeignKey("payment.id"), primary_key=True),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("year", "number"),
    CheckConstraint("number > 0", name="number_positive"),
)

receipt_series = Table(
    "receipt_series",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last_number", Integer, nullable=False),
)
