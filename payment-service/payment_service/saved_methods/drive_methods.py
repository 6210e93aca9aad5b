"""Bring saved methods to their end by asking the provider: after its word, after a crash, and when nothing is heard.

A webhook only says that there is something to ask; what is stored is the provider's answer to our own question.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from payment_service.providers.interface import ProviderNotAvailable, ProviderRefused, ProviderSilent
from payment_service.providers.keeping import KeptCard, MethodKeeper
from payment_service.saved_methods import store
from payment_service.saved_methods.save_method import begin_setup
from payment_service.saved_methods.vault import Vault
from rihla.encryption import UnreadableData
from rihla.kernel import new_id
from rihla.telemetry import get_logger

# A card that nobody entered by then is not entered any more.
PATIENCE: Final = timedelta(hours=24)
_LEASE: Final = timedelta(seconds=30)
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_UNFINISHED: Final = ("pending", "failed")
_UNANSWERED = (ProviderSilent, ProviderRefused, ProviderNotAvailable, UnreadableData)
_log = get_logger(__name__)


async def drive_methods(vault: Vault, *, method_id: UUID | None = None, limit: int = 20) -> int:
    """One round over what is due (one method, or all and the customers to close); how many were looked at."""
    now = vault.clock.now()
    until = now + _LEASE
    async with vault.db.transaction() as session:
        due = await store.lease_due(session, now=now, lease_until=until, limit=limit, method_id=method_id)
        closing = []
        if method_id is None:
            closing = list(await store.lease_closing(session, now=now, lease_until=until, limit=limit))
    for row in due:
        try:
            await _drive(vault, row)
        except _UNANSWERED as error:
            _log.warning("saved_method_unanswered", method_id=str(row.id), error=type(error).__name__)
            await _later(vault, row)
    for row in closing:
        try:
            await _close(vault, row)
        except _UNANSWERED as error:
            _log.warning("method_customer_unanswered", provider=row.provider, error=type(error).__name__)
    return len(due) + len(closing)


async def _drive(vault: Vault, row: Row[Any]) -> None:
    keeper = vault.providers.keeper(row.provider)
    if row.status == "removing":
        await _let_go(vault, keeper, row)
        return
    if row.status not in _UNFINISHED:
        async with vault.db.transaction() as session:
            await store.change(session, row.id, only=("active",), due_at=None)
        return
    reference = row.reference or await begin_setup(vault, row)
    setup = await keeper.read_setup(reference)
    if setup is None or setup.status == "cancelled":
        async with vault.db.transaction() as session:
            await store.erase(session, row.id, only=_UNFINISHED)
    elif setup.status == "succeeded" and setup.token is not None:
        card = await keeper.adopt(setup.token, row.id)
        if card is not None:
            await _activate(vault, row, setup.token, card)
        else:  # its holder, or somebody in the provider's console, was faster
            async with vault.db.transaction() as session:
                await store.erase(session, row.id, only=_UNFINISHED)
    else:
        await _later(vault, row, status="failed" if setup.status == "failed" else row.status)


async def _activate(vault: Vault, row: Row[Any], token: str, card: KeptCard) -> None:
    """Ready to pay with; the first one is the default."""
    now = vault.clock.now()
    async with vault.db.transaction() as session:
        await store.open_customer(session, row.user_id, row.provider, key=new_id(), now=now)
        default = not await store.has_default(session, row.user_id)
        active: dict[str, Any] = {"status": "active", "is_default": default, "secret_sealed": None, "due_at": None}
        active |= {"brand": card.brand, "last4": card.last4, "exp_month": card.exp_month, "exp_year": card.exp_year}
        active["token_sealed"] = vault.seal_token(token, row.id)
        await store.change(session, row.id, only=_UNFINISHED, **active)


async def _let_go(vault: Vault, keeper: MethodKeeper, row: Row[Any]) -> None:
    """Forgotten by the provider first, erased here after."""
    token = vault.open_token(row.token_sealed, row.id) if row.token_sealed is not None else None
    if token is None and (reference := row.reference or await _reference(vault, row)):
        setup = await keeper.cancel_setup(reference)
        if setup is not None and setup.status in ("open", "failed"):
            raise ProviderSilent("the setup is still open")
        token = setup.token if setup is not None else None
    if token is not None:
        await keeper.detach(token)
    async with vault.db.transaction() as session:
        await store.erase(session, row.id, only=("removing",))


async def _reference(vault: Vault, row: Row[Any]) -> str | None:
    """The setup of a method whose making stopped on the way: asked for under the same key; None when there is none."""
    async with vault.db.transaction() as session:
        customer = await store.customer_of(session, row.user_id, row.provider)
    if customer is None or customer.sealed is None:
        return None
    try:
        return await begin_setup(vault, row)
    except ProviderRefused:
        return None


async def _later(vault: Vault, row: Row[Any], **values: Any) -> None:
    now = vault.clock.now()
    pause = min(_FIRST_PAUSE * 2 ** min(row.attempts, 10), _LONGEST_PAUSE)
    async with vault.db.transaction() as session:
        if row.status in _UNFINISHED and _given_up(row, now):
            await store.change(session, row.id, only=_UNFINISHED, status="removing", due_at=now, attempts=0)
            return
        await store.change(session, row.id, only=(row.status,), **{"due_at": now + pause, **values})


def _given_up(row: Row[Any], now: datetime) -> bool:
    return bool(now - row.created_at >= PATIENCE)


async def _close(vault: Vault, row: Row[Any]) -> None:
    """A deleted account's customer is erased at the provider, also one whose making stopped on the way."""
    keeper = vault.providers.keeper(row.provider)
    if row.sealed is None:
        customer = await keeper.open_customer(row.key, row.user_id)
    else:
        customer = vault.open_customer(row.sealed, row.user_id)
    await keeper.close_customer(customer)
    async with vault.db.transaction() as session:
        await store.close_customer(session, row.user_id, row.provider)
