"""Seals and opens what providers know cards and customers by, and hands it out for a payment."""

from dataclasses import dataclass
from uuid import UUID

from payment_service.payments.errors import MethodNotAccepted
from payment_service.providers.interface import ProviderNotAvailable
from payment_service.providers.keeping import KeptToken, MethodKeeper
from payment_service.providers.registry import Providers
from payment_service.saved_methods import store
from payment_service.saved_methods.errors import SavedMethodNotFound
from rihla.db import Database
from rihla.encryption import DataCipher
from rihla.kernel import Clock

CUSTOMER, TOKEN, SECRET = "method-customer", "method-token", "method-secret"


@dataclass(frozen=True, slots=True)
class Vault:
    """What keeping cards needs."""

    db: Database
    clock: Clock
    providers: Providers
    cipher: DataCipher

    def keeper_for(self, provider: str, *, test_mode: bool) -> MethodKeeper:
        """Where a person may save a card. Raises MethodNotAccepted, ProviderNotAvailable."""
        if provider != store.KEEPING:
            raise MethodNotAccepted(f"{provider.capitalize()} keeps no cards. Save one with {store.KEEPING}.")
        if test_mode:
            raise ProviderNotAvailable("A test key saves no cards.")
        return self.providers.keeper(provider)

    async def check(self, method_id: UUID, user_id: UUID, provider: str) -> None:
        """Raise SavedMethodNotFound unless it is this person's, at this provider, and ready to pay with."""
        async with self.db.transaction() as session:
            row = await store.find(session, method_id, user_id)
        if row is None or row.status != "active" or row.provider != provider:
            raise SavedMethodNotFound("There is no such saved payment method.")

    async def take_out(self, method_id: UUID, user_id: UUID) -> KeptToken | None:
        """What a payment by this method is taken with; None when it was removed meanwhile. Raises UnreadableData."""
        async with self.db.transaction() as session:
            row = await store.find(session, method_id, user_id)
            customer = await store.customer_of(session, user_id, row.provider) if row is not None else None
        if row is None or row.status != "active" or customer is None or customer.sealed is None:
            return None
        return KeptToken(self.open_token(row.token_sealed, method_id), self.open_customer(customer.sealed, user_id))

    def seal_customer(self, customer: str, user_id: UUID) -> bytes:
        return self.cipher.encrypt(customer, what=CUSTOMER, owner=user_id)

    def open_customer(self, sealed: bytes, user_id: UUID) -> str:
        """Raises UnreadableData, as the others do."""
        return self.cipher.decrypt(sealed, what=CUSTOMER, owner=user_id)

    def seal_token(self, token: str, method_id: UUID) -> bytes:
        return self.cipher.encrypt(token, what=TOKEN, owner=method_id)

    def open_token(self, sealed: bytes, method_id: UUID) -> str:
        return self.cipher.decrypt(sealed, what=TOKEN, owner=method_id)

    def seal_secret(self, secret: str, method_id: UUID) -> bytes:
        return self.cipher.encrypt(secret, what=SECRET, owner=method_id)

    def open_secret(self, sealed: bytes, method_id: UUID) -> str:
        return self.cipher.decrypt(sealed, what=SECRET, owner=method_id)
