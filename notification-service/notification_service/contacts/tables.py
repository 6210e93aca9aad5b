"""One row for each user, from `user.registered.v1` and the preferences they set."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, String, Table, Uuid, func, text

from notification_service.tables_base import metadata

contact = Table(
    "contact",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("email", String(320)),
    Column("phone", String(20)),
    Column("full_name", String(200), nullable=False, server_default=""),
    Column("locale", String(35), nullable=False, server_default="en"),
    # The account's own counter, as of the newest event that said how the person is reached.
    Column("sequence", BigInteger, nullable=False, server_default=text("0")),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    # An erased person leaves this mark, so that a late event cannot bring the data back.
    Column("deleted_at", DateTime(timezone=True)),
)
Index("ix_contact_email", func.lower(contact.c.email))
Index("ix_contact_phone", contact.c.phone)
