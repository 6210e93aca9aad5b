"""Which addresses an endpoint's name may lead to, asked when it is named and again when it is called.

The check at the socket is the one that counts: it sees the very address that is connected to, however the name was
written and whatever it resolved to a moment before (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from notification_service.partner_webhooks.rules import UrlRefused, is_public

Found = tuple[int, int, int, str, tuple[Any, ...]]
Lookup = Callable[[str, int], Awaitable[Sequence[Found]]]


class AddressRefused(OSError):
    """The name leads to an address that is not of the public network."""


async def system_lookup(host: str, port: int) -> Sequence[Found]:
    """What the system's resolver says. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(int(family), int(kind), protocol, name, address) for family, kind, protocol, name, address in found]


class Addresses(AbstractResolver):
    """Resolver and gate of the client that calls endpoints. `local` lets everything through."""

    def __init__(self, lookup: Lookup, *, local: bool) -> None:
        self._lookup = lookup
        self._local = local

    async def check(self, host: str, port: int) -> None:
        """Raises UrlRefused for a name that leads nowhere, or to any address that is not public."""
        try:
            found = await self._lookup(host, port)
        except OSError as error:
            raise UrlRefused("host-unknown", "The host's name does not resolve.") from error
        if not found:
            raise UrlRefused("host-unknown", "The host's name does not resolve.")
        if not all(self._allowed(str(address[0])) for *_, address in found):
            raise UrlRefused("address-not-public", "The host is not on the public network.")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses that may be called. Raises AddressRefused when there are others only."""
        found = await self._lookup(host, port)
        allowed = [one for one in found if self._allowed(str(one[4][0]))]
        if found and not allowed:
            raise AddressRefused(f"{host} is not on the public network")
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=number,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for number, _, protocol, _, address in allowed
            if family in (socket.AF_UNSPEC, number)
        ]

    def open_socket(self, found: Any) -> socket.socket:
        """The socket that connects to this address and no other. Raises AddressRefused."""
        family, kind, protocol, _, address = found
        if not self._allowed(str(address[0])):
            raise AddressRefused("the address is not of the public network")
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held."""

    def _allowed(self, address: str) -> bool:
        return self._local or is_public(address)
