"""What a partner sends by hand: a test event, and a delivery once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.delivering.errors import DeliveryBusy, DeliveryNotFound
from notification_service.partner_webhooks import store
from notification_service.partner_webhooks.errors import WebhookEndpointDisabled, WebhookEndpointNotFound
from notification_service.partner_webhooks.publish import Message, tell
from notification_service.partner_webhooks.rules import TEST_EVENT, Owner
from rihla.db import Database
from rihla.kernel import Clock, new_id


@dataclass(frozen=True, slots=True)
class DeliveryDesk:
    """The delivery log of an endpoint, and what its owner may do with it."""

    db: Database
    clock: Clock
    public_url: str

    async def page(self, owner: Owner, endpoint_id: UUID, **chosen: Any) -> Sequence[Any]:
        """The newest first; `chosen` as for `store.list_deliveries`. Raises WebhookEndpointNotFound."""
        async with self.db.transaction() as session:
            await _endpoint(session, owner, endpoint_id)
            return await store.list_deliveries(session, endpoint_id, **chosen)

    async def read(self, owner: Owner, endpoint_id: UUID, delivery_id: UUID) -> Any:
        """One delivery with its body. Raises WebhookEndpointNotFound, DeliveryNotFound."""
        async with self.db.transaction() as session:
            await _endpoint(session, owner, endpoint_id)
            return await _delivery(session, endpoint_id, delivery_id)

    async def send_test(self, owner: Owner, endpoint_id: UUID) -> Any:
        """Queue a test event for this endpoint. Raises WebhookEndpointNotFound, WebhookEndpointDisabled."""
        now = self.clock.now()
        message = Message(
            organisation_id=owner.organisation_id,
            test_mode=owner.test_mode,
            fact=f"test:{new_id()}",
            type=TEST_EVENT,
            occurred_at=now,
            data={"endpoint_id": str(endpoint_id), "url": f"{self.public_url}/v1/webhook-endpoints/{endpoint_id}"},
        )
        async with self.db.transaction() as session:
            await _enabled(session, owner, endpoint_id)
            (delivery_id,) = await tell(session, [(message, endpoint_id)], now)
            return await _delivery(session, endpoint_id, delivery_id)

    async def send_again(self, owner: Owner, endpoint_id: UUID, delivery_id: UUID) -> Any:
        """Queue a delivery once more, under its own `webhook-id`.

        Raises WebhookEndpointNotFound, DeliveryNotFound, WebhookEndpointDisabled, and DeliveryBusy while it is sent.
        """
        async with self.db.transaction() as session:
            await _enabled(session, owner, endpoint_id)
            if (await _delivery(session, endpoint_id, delivery_id, lock=True)).state == "sending":
                raise DeliveryBusy("It is being sent; wait for its outcome.")
            await store.queue_again(session, delivery_id, self.clock.now())
            return await _delivery(session, endpoint_id, delivery_id)


async def _endpoint(session: AsyncSession, owner: Owner, endpoint_id: UUID, *, lock: bool = False) -> Any:
    found = await store.find_endpoint(session, owner, endpoint_id, lock=lock)
    if found is None:
        raise WebhookEndpointNotFound("There is no such endpoint of your organisation in this mode.")
    return found


async def _enabled(session: AsyncSession, owner: Owner, endpoint_id: UUID) -> None:
    if not (await _endpoint(session, owner, endpoint_id, lock=True)).enabled:
        raise WebhookEndpointDisabled("Enable the endpoint first.")


async def _delivery(session: AsyncSession, endpoint_id: UUID, delivery_id: UUID, *, lock: bool = False) -> Any:
    found = await store.find_delivery(session, endpoint_id, delivery_id, lock=lock)
    if found is None:
        raise DeliveryNotFound("There is no such delivery to this endpoint.")
    return found
