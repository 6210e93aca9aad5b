"""Which bucket pays for a request, by route class and caller (numbers: settings)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.identity.caller import Caller
from gateway.routes import Limits
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Quota:
    """`quota` requests a minute under a public `name`; `policy` is the `RateLimit-Policy` value."""

    name: str
    quota: int
    policy: bytes

    @classmethod
    def of(cls, name: str, quota: int) -> Quota:
        """A quota and its header (IETF draft: one policy, window of 60 seconds)."""
        return cls(name, quota, b'"%s";q=%d;w=60' % (name.encode(), quota))


class Quotas:
    """Chooses (quota, key). People and partners pay from their own bucket, wherever they sit; only callers without
    a credential pay from their address's, so that an office behind one address is not locked out by a neighbour."""

    def __init__(self, settings: Settings) -> None:
        self.read_address = Quota.of("read", settings.limit_read_per_address)
        self._read_user = Quota.of("read-user", settings.limit_read_per_user)
        self._write_user = Quota.of("write-user", settings.limit_write_per_user)
        self._write_address = Quota.of("write", settings.limit_write_per_address)
        self._always_address = {
            Limits.SIGN_IN: Quota.of("sign-in", settings.limit_sign_in_per_address),
            Limits.SESSION: Quota.of("session", settings.limit_session_per_address),
            Limits.WEBHOOK: Quota.of("webhook", settings.limit_webhook_per_address),
        }
        self._partner_default = settings.limit_partner_default
        self._partners: dict[int, Quota] = {}

    def choose(self, limits: Limits, safe: bool, caller: Caller, address: str) -> tuple[Quota, str]:
        """The quota that pays and whose bucket of it."""
        by_address = self._always_address.get(limits)
        if by_address is not None:
            return by_address, address
        if caller.kind == "partner":
            return self._partner(caller.per_minute), caller.bucket
        reads = safe or limits is Limits.READ
        if caller.kind == "anonymous":
            return (self.read_address if reads else self._write_address), address
        return (self._read_user if reads else self._write_user), caller.bucket

    def _partner(self, per_minute: int | None) -> Quota:
        per_minute = per_minute or self._partner_default
        quota = self._partners.get(per_minute)
        if quota is None:
            quota = self._partners[per_minute] = Quota.of("partner", per_minute)
        return quota
