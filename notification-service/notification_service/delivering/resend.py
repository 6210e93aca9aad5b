"""Send a delivery once more because a person of operations says so."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping

from notification_service.delivering import store
from notification_service.delivering.errors import DeliveryBusy, DeliveryNotFound
from notification_service.telling.facts import message_id
from rihla.db import Database

_SETTLED = ("sent", "dead")


async def resend_delivery(db: Database, delivery_id: UUID, *, domain: str, now: datetime) -> RowMapping:
    """Queue it again under a new Message-ID, so that a mailbox shows it. Raises DeliveryNotFound, DeliveryBusy."""
    async with db.transaction() as session:
        row = await store.find_delivery(session, delivery_id, lock=True)
        if row is None:
            raise DeliveryNotFound("There is no such delivery.")
        if row["state"] not in _SETTLED:
            raise DeliveryBusy("It has not been sent yet; wait for its outcome.")
        name = message_id(
            row["fact"], row["user_id"], row["channel"], row["address"], domain=domain, resend=row["resends"] + 1
        )
        await store.queue_again(session, delivery_id, message_id=name, now=now)
        queued = await store.find_delivery(session, delivery_id)
    assert queued is not None
    return queued
