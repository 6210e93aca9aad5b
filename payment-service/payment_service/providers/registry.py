"""The providers this process may use, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payment_service.providers.interface import Provider, ProviderNotAvailable
from payment_service.providers.keeping import MethodKeeper


@dataclass(frozen=True, slots=True)
class Providers:
    """Looks a provider up; test keys only ever reach the sandbox."""

    by_name: Mapping[str, Provider]
    keepers: Mapping[str, MethodKeeper] = field(default_factory=dict)

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

    def keeper(self, name: str) -> MethodKeeper:
        """What keeps cards at the provider called `name`. Raises ProviderNotAvailable."""
        found = self.keepers.get(name)
        if found is None:
            raise ProviderNotAvailable(f"Cards cannot be saved with {name} here.")
        return found

    async def close(self) -> None:
        """Close every provider's connections."""
        for provider in self.by_name.values():
            await provider.close()
