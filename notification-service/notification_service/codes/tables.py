"""Which requests for codes were served: neither code nor address is kept."""

from sqlalchemy import Column, DateTime, Table, Uuid

from notification_service.tables_base import metadata

code_request = Table(
    "code_request",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, index=True),
    # Null while a worker is talking to the mail server.
    Column("sent_at", DateTime(timezone=True)),
)
