"""Every table of the service, for migrations."""

from flight_service.tables_base import metadata
from rihla.db.idempotency import idempotency_table
from rihla.db.inbox import inbox_table
from rihla.db.outbox import outbox_table

__all__ = ["metadata"]

outbox_table(metadata)
inbox_table(metadata)
idempotency_table(metadata)
