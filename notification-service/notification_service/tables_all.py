"""All tables of the service on one metadata: what migrations and schema checks read."""

from notification_service.tables_base import metadata
from rihla.db.inbox import inbox_table

inbox, inbox_sequence = inbox_table(metadata)

__all__ = ["metadata"]
