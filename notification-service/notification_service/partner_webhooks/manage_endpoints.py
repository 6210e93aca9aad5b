"""What a partner does with endpoints: add, list, change, remove, give a new secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from notification_service.partner_webhooks import store
from notification_service.partner_webhooks.addresses import Addresses
from notification_service.partner_webhooks.errors import TooManyWebhookEndpoints, WebhookEndpointNotFound
from notification_service.partner_webhooks.rules import MOST_ENDPOINTS, Owner, UrlRefused, new_secret, read_url
from notification_service.partner_webhooks.secret_box import seal
from notification_service.partner_webhooks.tables import webhook_endpoint
from rihla.db import Database
from rihla.encryption import DataCipher
from rihla.kernel import Clock, new_id
from rihla.web import ValidationFailed

_SWITCHED_OFF = "the endpoint was disabled"
_NOT_FOUND = "There is no such endpoint of your organisation in this mode."


@dataclass(frozen=True, slots=True)
class EndpointDesk:
    """`local`: also http, and addresses of this machine and network. Secrets leave this desk once, when made."""

    db: Database
    clock: Clock
    cipher: DataCipher
    addresses: Addresses
    local: bool

    async def add(self, owner: Owner, url: str, event_types: Sequence[str], description: str) -> tuple[Any, str]:
        """The endpoint and its secret. Raises ValidationFailed, TooManyWebhookEndpoints."""
        await self._check(url)
        now, endpoint_id, secret = self.clock.now(), new_id(), new_secret()
        values = {
            "id": endpoint_id,
            "organisation_id": owner.organisation_id,
            "test_mode": owner.test_mode,
            "url": url,
            "description": description,
            "event_types": sorted(set(event_types)),
            "secret_sealed": seal(self.cipher, secret, endpoint_id),
            "created_by": owner.user_id,
            "created_at": now,
            "updated_at": now,
        }
        async with self.db.transaction() as session:
            await store.lock_endpoints_of(session, owner)
            if await store.count_endpoints(session, owner) >= MOST_ENDPOINTS:
                raise TooManyWebhookEndpoints(f"{MOST_ENDPOINTS} endpoints are in use; remove one first.")
            row = (await session.execute(insert(webhook_endpoint).values(values).returning(webhook_endpoint))).one()
        return row, secret

    async def page(self, owner: Owner, *, before: UUID | None, limit: int) -> Sequence[Any]:
        """The organisation's endpoints, the newest first."""
        async with self.db.transaction() as session:
            return await store.list_endpoints(session, owner, before=before, limit=limit)

    async def read(self, owner: Owner, endpoint_id: UUID) -> Any:
        """One of the organisation's own. Raises WebhookEndpointNotFound."""
        async with self.db.transaction() as session:
            row = await store.find_endpoint(session, owner, endpoint_id)
        if row is None:
            raise WebhookEndpointNotFound(_NOT_FOUND)
        return row

    async def change(self, owner: Owner, endpoint_id: UUID, changes: dict[str, Any]) -> Any:
        """Set what is given. Switching off ends what is pending. Raises WebhookEndpointNotFound, ValidationFailed."""
        if "url" in changes:
            await self.read(owner, endpoint_id)
            await self._check(changes["url"])
        now = self.clock.now()
        async with self.db.transaction() as session:
            row = await store.find_endpoint(session, owner, endpoint_id, lock=True)
            if row is None:
                raise WebhookEndpointNotFound(_NOT_FOUND)
            values = changes | _switch(changes.get("enabled"), row, now) | {"updated_at": now}
            if "event_types" in values:
                values["event_types"] = sorted(set(values["event_types"]))
            if values.get("enabled") is False:
                await store.end_pending(session, endpoint_id, now=now, reason=_SWITCHED_OFF)
            return await store.change_endpoint(session, endpoint_id, **values)

    async def remove(self, owner: Owner, endpoint_id: UUID) -> None:
        """With everything that was waiting for it. Raises WebhookEndpointNotFound."""
        async with self.db.transaction() as session:
            if not await store.remove_endpoint(session, owner, endpoint_id):
                raise WebhookEndpointNotFound(_NOT_FOUND)

    async def rotate(self, owner: Owner, endpoint_id: UUID, overlap: timedelta) -> tuple[Any, str]:
        """A new secret; messages carry signatures of both until the overlap ends. Raises WebhookEndpointNotFound."""
        now, secret = self.clock.now(), new_secret()
        async with self.db.transaction() as session:
            row = await store.find_endpoint(session, owner, endpoint_id, lock=True)
            if row is None:
                raise WebhookEndpointNotFound(_NOT_FOUND)
            changed = await store.change_endpoint(
                session,
                endpoint_id,
                secret_sealed=seal(self.cipher, secret, endpoint_id),
                previous_sealed=row.secret_sealed if overlap else None,
                previous_until=now + overlap if overlap else None,
                updated_at=now,
            )
        return changed, secret

    async def _check(self, url: str) -> None:
        try:
            host, port = read_url(url, local=self.local)
            await self.addresses.check(host, port)
        except UrlRefused as error:
            raise ValidationFailed({"pointer": "#/url", "code": error.code, "message": str(error)}) from error


def _switch(enabled: bool | None, row: Any, now: Any) -> dict[str, Any]:
    """What belongs to switching on or off; nothing when it stands so already."""
    if enabled is None or enabled == row.enabled:
        return {"enabled": row.enabled}
    if enabled:
        return {"enabled": True, "disabled_reason": None, "disabled_at": None, "failing_since": None}
    return {"enabled": False, "disabled_reason": "owner", "disabled_at": now}
