"""The push channel: addresses are `platform:token`, and each platform has its own provider."""

from collections.abc import Mapping
from dataclasses import replace

from notification_service.channels.outgoing import AddressGone, Outgoing, Sender


class PushByPlatform:
    """`android` and `ios` go to one provider, `web` to another."""

    def __init__(self, senders: Mapping[str, Sender]) -> None:
        self._senders = senders

    async def send(self, message: Outgoing) -> str:
        """Send to the token by its platform's provider."""
        platform, _, token = message.address.partition(":")
        if platform not in self._senders:
            raise AddressGone(f"no push to {platform[:10]}")
        return await self._senders[platform].send(replace(message, address=token))
