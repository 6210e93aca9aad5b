"""Accounts that may not take part: suspended ones, and a mark for those that were deleted."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Table, Uuid

from chat_service.tables_base import metadata

account = Table(
    "account",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
)
