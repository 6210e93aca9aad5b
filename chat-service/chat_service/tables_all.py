"""All tables of the service on one metadata: what migrations and schema checks read."""

import chat_service.assistant.tables
import chat_service.attachments.tables
import chat_service.callbacks.tables
import chat_service.canned.tables
import chat_service.conversations.tables
import chat_service.desk.tables
import chat_service.faq.tables
import chat_service.people.tables
import chat_service.tickets.tables
from chat_service.tables_base import metadata
from rihla.db.inbox import inbox_table
from rihla.db.outbox import outbox_table

inbox, inbox_sequence = inbox_table(metadata)
outbox = outbox_table(metadata)

__all__ = ["chat_service", "metadata"]
