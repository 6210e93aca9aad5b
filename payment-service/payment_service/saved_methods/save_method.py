"""Begin to save a card: a customer on first need, a setup at the provider, and the secret its form is filled in with.

Every row commits before the provider is asked, and every question carries an idempotency key: what a crash leaves
is asked again by the next repeat or by the worker (`drive_methods`).
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from payment_service.problems import PROBLEMS
from payment_service.providers.interface import ProviderNotAvailable, ProviderRefused, ProviderSilent
from payment_service.saved_methods import store
from payment_service.saved_methods.errors import SavedMethodLimit, SavedMethodNotFound
from payment_service.saved_methods.schemas import SavedMethodStarted
from payment_service.saved_methods.vault import Vault
from rihla.encryption import UnreadableData
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest, Replay

AT_MOST = 20
_LEASE = timedelta(seconds=30)
# The worker leaves a new one to the request that makes it, and to the person who enters the card, for this long.
FIRST_LOOK = timedelta(seconds=60)


async def save_method(
    vault: Vault, user_id: UUID, provider: str, *, test_mode: bool, idem: IdempotentRequest
) -> bytes | Replay:
    """The method as JSON (201) with its client secret, which is not part of the saved answer.

    Raises MethodNotAccepted, ProviderNotAvailable, SavedMethodLimit, UpstreamUnavailable.
    """
    vault.keeper_for(provider, test_mode=test_mode)
    async with vault.db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=vault.clock.now(), lease=_LEASE)
    if isinstance(began, Replay):
        return await _again(vault, user_id, began)
    try:
        row = await _open(vault, began.resource_id, user_id, provider)
        if row.reference is None:
            await _ask(vault, row)
        return await _answer(vault, row, idem)
    except DomainError as error:
        await idem.finish_with_error(vault.db, error, PROBLEMS)
        raise


async def begin_setup(vault: Vault, row: Row[Any]) -> str:
    """Make sure that the provider has a setup for this method; its reference.

    Raises ProviderSilent, ProviderRefused.
    """
    keeper = vault.providers.keeper(row.provider)
    setup = await keeper.start_setup(row.id, await _customer(vault, row.user_id, row.provider))
    sealed = vault.seal_secret(setup.client_secret, row.id) if setup.client_secret else None
    async with vault.db.transaction() as session:
        await store.change(session, row.id, only=("pending", "failed"), reference=setup.reference, secret_sealed=sealed)
    return setup.reference


async def _open(vault: Vault, method_id: UUID, user_id: UUID, provider: str) -> Row[Any]:
    now = vault.clock.now()
    async with vault.db.transaction() as session:
        customer = await store.open_customer(session, user_id, provider, key=new_id(), now=now)
        if customer.state != "open":
            raise ProviderNotAvailable("This account is closed.")
        row = await store.find(session, method_id, user_id)
        if row is None:
            # One that nobody has entered a card for makes room: it is in no list, so its owner could not remove it.
            full = await store.count(session, user_id) >= AT_MOST
            if full and not await store.drop_oldest_unfinished(session, user_id, now=now):
                raise SavedMethodLimit(f"At most {AT_MOST} payment methods can be saved. Remove one first.")
            values = {"id": method_id, "user_id": user_id, "provider": provider, "status": "pending"}
            await store.add(session, {**values, "created_at": now, "due_at": now + FIRST_LOOK})
            row = await store.find(session, method_id, user_id)
        assert row is not None
        return row


async def _ask(vault: Vault, row: Row[Any]) -> None:
    try:
        await begin_setup(vault, row)
    except (ProviderSilent, UnreadableData) as error:
        raise UpstreamUnavailable("The payment provider does not answer; try again.", upstream=row.provider) from error
    except ProviderRefused as error:
        async with vault.db.transaction() as session:
            await store.change(session, row.id, only=("pending",), status="removing", due_at=vault.clock.now())
        raise ProviderNotAvailable("The payment provider saves no card now. Choose another way to pay.") from error


async def _customer(vault: Vault, user_id: UUID, provider: str) -> str:
    """What the provider calls this person, asked for once."""
    async with vault.db.transaction() as session:
        row = await store.customer_of(session, user_id, provider)
    assert row is not None  # made with the first method, never deleted
    if row.sealed is not None:
        return vault.open_customer(row.sealed, user_id)
    customer = await vault.providers.keeper(provider).open_customer(row.key, user_id)
    async with vault.db.transaction() as session:
        await store.keep_customer(session, user_id, provider, vault.seal_customer(customer, user_id))
    return customer


async def _answer(vault: Vault, row: Row[Any], idem: IdempotentRequest) -> bytes:
    async with vault.db.transaction() as session:
        latest = await store.find(session, row.id, row.user_id)
        if latest is None or latest.status == "removing":
            raise SavedMethodNotFound("The payment method was removed meanwhile.")
        started = _started(vault, latest)
        kept = started.model_copy(update={"client_secret": None})
        await idem.finish(session, status=201, body=kept.model_dump_json().encode())
    return started.model_dump_json().encode()


async def _again(vault: Vault, user_id: UUID, replay: Replay) -> Replay:
    """The saved answer with the secret, as long as a card can be entered with it."""
    if replay.status != 201:
        return replay
    async with vault.db.transaction() as session:
        row = await store.find(session, UUID(json.loads(replay.body)["id"]), user_id)
    if row is None or row.status == "removing":
        return replay
    return replace(replay, body=_started(vault, row).model_dump_json().encode())


def _started(vault: Vault, row: Row[Any]) -> SavedMethodStarted:
    secret = vault.open_secret(row.secret_sealed, row.id) if row.secret_sealed is not None else None
    return SavedMethodStarted(id=row.id, provider=row.provider, status=row.status, client_secret=secret)
