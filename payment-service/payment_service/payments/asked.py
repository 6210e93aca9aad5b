"""What may be asked of the till's writer; several of these share one transaction."""

from dataclasses import dataclass
from uuid import UUID

from payment_service.ledger import accounts
from payment_service.ledger.accounts import Account
from payment_service.payments.payable import Payable
from payment_service.providers.interface import ProviderEvent, TakeOutcome
from rihla.web.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True)
class WalletPayment:
    """Pay a charge from the wallet, whole, here and now."""

    payment_id: UUID
    part_id: UUID
    payable: Payable
    idem: IdempotentRequest
    test_mode: bool = False

    @property
    def wallet(self) -> Account:
        return accounts.wallet(self.payable.user_id, self.payable.amount.currency)


@dataclass(frozen=True, slots=True)
class CardStart:
    """Store an attempt by one card, before its provider is called."""

    payment_id: UUID
    part_id: UUID
    payable: Payable
    idem: IdempotentRequest
    provider: str
    test_mode: bool = False


@dataclass(frozen=True, slots=True)
class Taking:
    """A provider's word: the answer to our own call (with `idem`) or a webhook (with `event`).

    The part is named by its id or by the provider's reference; without an `outcome` the event is only kept.
    """

    provider: str
    part_id: UUID | None
    reference: str | None
    outcome: TakeOutcome | None
    idem: IdempotentRequest | None = None
    event: ProviderEvent | None = None


Asked = WalletPayment | CardStart | Taking


def keys_of(asked: Asked) -> frozenset[object]:
    """What two members of one group may not share."""
    if isinstance(asked, Taking):
        part = asked.part_id or (asked.provider, asked.reference)
        return frozenset({part} if asked.event is None else {part, (asked.provider, "event", asked.event.event_id)})
    return frozenset({(asked.idem.scope, asked.idem.key), asked.payable.charge_id})
