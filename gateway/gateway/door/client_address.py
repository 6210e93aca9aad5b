"""Whose address counts. Pure."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Networks = tuple[IPv4Network | IPv6Network, ...]


def client_address(peer: str, forwarded_for: str | None, trusted: Networks) -> str:
    """The peer's address, unless the peer is a proxy we trust: then the last address in X-Forwarded-For that we do not.

    The list is read from its end, because a client can write anything at its beginning.
    """
    if not trusted or forwarded_for is None or not _within(peer, trusted):
        return peer
    for hop in reversed(forwarded_for.split(",")):
        address = hop.strip()
        try:
            ip_address(address)
        except ValueError:
            return peer
        if not _within(address, trusted):
            return address
        peer = address
    return peer


@lru_cache(maxsize=65_536)
def bucket_of(address: str) -> str:
    """The address whose rate-limit bucket is used: an IPv6 customer owns a whole /64, so that is one bucket."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False).network_address) + "/64"


@lru_cache(maxsize=65_536)
def _within(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks if network.version == parsed.version)
