"""This service's client of notification-service's internal calls."""

from datetime import datetime
from uuid import UUID

from rihla.http import ServiceClient, UpstreamUnavailable


class NotificationClient:
    """Hands one message over. The caller knows that it was accepted, or gets UpstreamUnavailable."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def send_code(
        self,
        *,
        request_id: UUID,
        channel: str,
        address: str,
        code: str | None,
        purpose: str,
        locale: str,
        expires_at: datetime,
        client_ip: str | None,
    ) -> None:
        """`POST /internal/v1/codes`; the same `request_id` again is the same message."""
        body = {
            "request_id": str(request_id),
            "channel": channel,
            "address": address,
            "code": code,
            "purpose": purpose,
            "locale": locale,
            "expires_at": expires_at.isoformat().replace("+00:00", "Z"),
            "client_ip": client_ip,
        }
        response = await self._client.request("POST", "/internal/v1/codes", json=body, idempotent=True)
        if response.status_code >= 300:
            raise UpstreamUnavailable("The message was not accepted.", upstream="notification")

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()
