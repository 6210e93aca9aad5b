"""Put money into a wallet by card: a payment like any other, whose target is the wallet."""

from dataclasses import dataclass
from uuid import UUID

from payment_service.ledger import accounts, store
from payment_service.payments.methods import Method
from payment_service.payments.pay import Till
from payment_service.payments.payable import LEASE, Payable
from payment_service.problems import PROBLEMS
from payment_service.providers.interface import ProviderNotAvailable
from payment_service.settings import Settings
from payment_service.wallet.errors import TopUpLimit
from rihla.kernel import DomainError, Money, new_id
from rihla.web.idempotency import IdempotentRequest, Replay


@dataclass(frozen=True, slots=True)
class TopUp:
    user_id: UUID
    amount: Money
    method: Method
    test_mode: bool


async def top_up(till: Till, settings: Settings, command: TopUp, idem: IdempotentRequest) -> bytes | Replay:
    """The payment as JSON, or the saved answer. Raises TopUpLimit, ProviderNotAvailable."""
    async with till.db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=till.clock.now(), lease=LEASE)
    if isinstance(began, Replay):
        return began
    try:
        known = await till.known(began.resource_id) if began.resumed else None
        if known is not None:
            return await till.resume(known, command.method, idem)
        if command.test_mode:
            raise ProviderNotAvailable("A test key cannot fill a wallet.")
        await till.check_method(command.method, command.user_id, test_mode=False)
        await _check_limits(till, settings, command)
        payable = Payable("top_up", command.user_id, command.amount)
        return await till.pay(began.resource_id, payable, command.method, idem, False)
    except DomainError as error:
        await idem.finish_with_error(till.db, error, PROBLEMS)
        raise


async def _check_limits(till: Till, settings: Settings, command: TopUp) -> None:
    amount, currency = command.amount.amount_minor, command.amount.currency
    lowest, highest = settings.top_up_minimum_minor, settings.top_up_maximum_minor
    if not lowest <= amount <= highest:
        raise TopUpLimit(f"A top-up is between {Money(lowest, currency)} and {Money(highest, currency)}.")
    async with till.db.transaction() as session:
        held = await store.balance(session, accounts.wallet(command.user_id, currency).id)
    if held + amount > settings.wallet_maximum_minor:
        raise TopUpLimit(f"A wallet holds at most {Money(settings.wallet_maximum_minor, currency)}.")
