"""The SMTP side: a mail is answered 250 only after it has been committed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from rihla_inbox.parsing import parse
from rihla_inbox.store import Store

LARGEST_BYTES = 33_554_432


class Receiver:
    """aiosmtpd's handler."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store one mail for all its recipients; the sender keeps it (451) when that fails."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        try:
            await self._store.add(parse(raw, envelope.mail_from or ""), envelope.rcpt_tos, len(raw))
        except sqlite3.Error:
            return "451 could not be stored, try again"
        return "250 stored"


@asynccontextmanager
async def listening(store: Store, host: str, port: int) -> AsyncIterator[int]:
    """Receive mail for as long as the block lasts; yields the port (useful with port 0)."""
    loop = asyncio.get_running_loop()
    receiver = Receiver(store)

    def protocol() -> Any:
        return SMTP(
            receiver, hostname="inbox.rihla.example", enable_SMTPUTF8=True, data_size_limit=LARGEST_BYTES, loop=loop
        )

    server = await loop.create_server(protocol, host, port, backlog=512)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
