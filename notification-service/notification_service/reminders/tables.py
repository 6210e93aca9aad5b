"""Reminders that were given: the guard that lets any number of workers run the scheduler."""

from sqlalchemy import Column, DateTime, ForeignKey, String, Table, Uuid

from notification_service.tables_base import metadata

reminder_given = Table(
    "reminder_given",
    metadata,
    Column("booking_id", Uuid, ForeignKey("trip.booking_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    # The booking's own id where a reminder is about no flight.
    Column("flight_id", Uuid, primary_key=True),
    Column("given_at", DateTime(timezone=True), nullable=False),
)
