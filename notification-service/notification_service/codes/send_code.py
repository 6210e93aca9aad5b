"""Send a one-time code at once. The code lives in this call's memory only; stored is that the request was served."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.channels.outgoing import Outgoing, Refused, Sender, TryLater
from notification_service.codes.errors import AddressRefused, CodeNotAccepted
from notification_service.codes.schemas import CodeRequest
from notification_service.codes.tables import code_request
from notification_service.wording.render import render_code
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import Counter

CODES = Counter("rihla_codes_sent_total", "Messages with one-time codes", ["channel", "purpose", "outcome"])

# How long another call with the same request is taken to be still talking to the provider.
_LEASE = timedelta(seconds=20)
_TAKE = text(
    "INSERT INTO code_request AS c (request_id, received_at) VALUES (:id, :now) "
    "ON CONFLICT (request_id) DO UPDATE SET received_at = excluded.received_at "
    "WHERE c.sent_at IS NULL AND c.received_at < :stale RETURNING 1"
)


@dataclass(frozen=True, slots=True)
class CodeMailer:
    """`send` returns when the provider accepted the message. Raises CodeNotAccepted or AddressRefused."""

    db: Database
    clock: Clock
    senders: dict[str, Sender]
    mail_domain: str

    async def send(self, request: CodeRequest) -> datetime:
        """The instant the message was accepted; for a repeated request the first one's."""
        async with self.db.transaction() as session:
            already = await self._take(session, request.request_id)
        if already is not None:
            return already
        try:
            await self.senders[request.channel].send(self._message(request))
        except (TryLater, Refused) as error:
            await self._forget(request.request_id)
            refused = isinstance(error, Refused)
            CODES.labels(request.channel, request.purpose, "refused" if refused else "later").inc()
            if refused:
                raise AddressRefused("The provider will not take messages for this address.") from error
            raise CodeNotAccepted("The message was not accepted; try again.") from error
        CODES.labels(request.channel, request.purpose, "accepted").inc()
        return await self._served(request.request_id)

    async def _take(self, session: AsyncSession, request_id: UUID) -> datetime | None:
        """None when this call is to send; else when it was sent. CodeNotAccepted while another call is sending."""
        now = self.clock.now()
        taken = await session.execute(_TAKE, {"id": request_id, "now": now, "stale": now - _LEASE})
        if taken.first() is not None:
            return None
        sent_at: datetime | None = await session.scalar(
            select(code_request.c.sent_at).where(code_request.c.request_id == request_id)
        )
        if sent_at is None:
            raise CodeNotAccepted("The same message is being sent by an earlier call; ask again in a moment.")
        return sent_at

    def _message(self, request: CodeRequest) -> Outgoing:
        words = render_code(
            request.purpose,
            request.locale,
            code=request.code,
            expires_at=request.expires_at,
            client_ip=request.client_ip,
        )
        return Outgoing(
            message_id=f"<code-{request.request_id}@{self.mail_domain}>",
            address=request.address,
            subject=words.subject,
            short=words.short,
            text=words.text,
            html=words.html,
        )

    async def _served(self, request_id: UUID) -> datetime:
        now = self.clock.now()
        async with self.db.transaction() as session:
            await session.execute(
                code_request.update().where(code_request.c.request_id == request_id).values(sent_at=now)
            )
        return now

    async def _forget(self, request_id: UUID) -> None:
        async with self.db.transaction() as session:
            await session.execute(delete(code_request).where(code_request.c.request_id == request_id))
