"""The providers this process may use, by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from payment_service.providers.interface import Provider, ProviderNotAvailable


@dataclass(frozen=True, slots=True)
class Providers:
    """Looks a provider up; test keys only ever reach the sandbox."""

    by_name: Mapping[str, Provider]

    def get(self, name: str) -> Provider:
        """The provider called `name`. Raises ProviderNotAvailable."""
        provider = self.by_name.get(name)
        if provider is None:
            raise ProviderNotAvailable(f"Payments through {name} are not available. Choose another way to pay.")
        return provider

    def for_caller(self, name: str, *, test_mode: bool) -> Provider:
        """As `get`; a caller with a test key gets nothing but the sandbox."""
        if test_mode and name != "sandbox":
            raise ProviderNotAvailable("A test key pays through the sandbox only.")
        return self.get(name)

    async def close(self) -> None:
        """Close every provider's connections."""
        for provider in self.by_name.values():
            await provider.close()
