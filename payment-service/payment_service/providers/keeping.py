"""What a provider that keeps cards can do for us. Every call may also raise ProviderRefused and ProviderSilent."""

from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

SetupStatus = Literal["open", "failed", "succeeded", "cancelled"]


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the entering of a card stands; `token` once it has succeeded."""

    reference: str
    status: SetupStatus
    client_secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeptCard:
    """What a person knows their card by."""

    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None


@dataclass(frozen=True, slots=True)
class KeptToken:
    """What a provider takes money with from a card it keeps."""

    token: str = field(repr=False)
    customer: str = field(repr=False)


class MethodKeeper(Protocol):
    """A provider that keeps cards for later."""

    async def open_customer(self, key: UUID, user_id: UUID) -> str:
        """The customer made once for `key`."""
        ...

    async def close_customer(self, customer: str) -> None:
        """Erase the customer; harmless when it is gone."""
        ...

    async def start_setup(self, key: UUID, customer: str) -> Setup:
        """Begin the entering of a card, once for `key`."""
        ...

    async def read_setup(self, reference: str) -> Setup | None:
        """Where it stands; None when the provider does not know it."""
        ...

    async def cancel_setup(self, reference: str) -> Setup | None:
        """Make sure that nobody enters a card any more, unless it has succeeded; as `read_setup` otherwise."""
        ...

    async def adopt(self, token: str, method_id: UUID) -> KeptCard | None:
        """Mark the token as ours, so that events about it name `method_id`, and read its card.

        None when the provider has let go of it meanwhile.
        """
        ...

    async def detach(self, token: str) -> None:
        """Forget the card; harmless when it is forgotten."""
        ...
