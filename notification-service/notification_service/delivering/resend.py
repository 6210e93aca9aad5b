"""Send a delivery once more because a person of operations says so, or the one it was for."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.delivering import store
from notification_service.delivering.errors import DeliveryBusy, DeliveryNotFound, ResentTooSoon
from notification_service.reading.errors import NoticeNotFound
from notification_service.telling.facts import message_id
from rihla.db import Database

_SETTLED = ("sent", "dead")
OWN_RESENDS_APART: Final = timedelta(minutes=1)
MOST_OWN_RESENDS: Final = 5
"""How often people may ask for their own mail again: their ticket, their receipt."""


async def resend_delivery(db: Database, delivery_id: UUID, *, domain: str, now: datetime) -> RowMapping:
    """Queue it again under a new Message-ID, so that a mailbox shows it. Raises DeliveryNotFound, DeliveryBusy."""
    async with db.transaction() as session:
        row = await store.find_delivery(session, delivery_id, lock=True)
        if row is None:
            raise DeliveryNotFound("There is no such delivery.")
        await _queue_again(session, row, domain=domain, now=now)
        queued = await store.find_delivery(session, delivery_id)
    assert queued is not None
    return queued


async def resend_own_mail(db: Database, user_id: UUID, notice_id: UUID, *, domain: str, now: datetime) -> None:
    """Mail a notice to its owner again, with what was attached. Raises NoticeNotFound, DeliveryBusy, ResentTooSoon."""
    async with db.transaction() as session:
        row = await store.find_mail_of(session, user_id, notice_id)
        if row is None:
            raise NoticeNotFound("There is no such notification of yours that was mailed.")
        if row["resends"] >= MOST_OWN_RESENDS:
            raise ResentTooSoon("It was sent often enough; ask support if it does not arrive.")
        if row["sent_at"] is not None and now - row["sent_at"] < OWN_RESENDS_APART:
            raise ResentTooSoon("It was sent less than a minute ago.")
        await _queue_again(session, row, domain=domain, now=now)


async def _queue_again(session: AsyncSession, row: RowMapping, *, domain: str, now: datetime) -> None:
    if row["state"] not in _SETTLED:
        raise DeliveryBusy("It has not been sent yet; wait for its outcome.")
    name = message_id(
        row["fact"], row["user_id"], row["channel"], row["address"], domain=domain, resend=row["resends"] + 1
    )
    await store.queue_again(session, row["id"], message_id=name, now=now)
