"""A person lists their saved methods, chooses the default, and removes one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from payment_service.payments.read_payments import cursor_id
from payment_service.saved_methods import store
from payment_service.saved_methods.drive_methods import drive_methods
from payment_service.saved_methods.errors import SavedMethodNotFound
from payment_service.saved_methods.schemas import SavedMethodOut
from payment_service.saved_methods.vault import Vault
from rihla.web import Page, encode_cursor

_NONE = "There is no such saved payment method."


async def list_methods(
    vault: Vault, user_id: UUID, *, limit: int, cursor: Mapping[str, Any] | None
) -> Page[SavedMethodOut]:
    """Those that can be paid with, newest first. Raises InvalidCursor."""
    before = cursor_id(cursor)
    async with vault.db.transaction() as session:
        found = await store.active_of(session, user_id, before=before, limit=limit + 1)
    items = [SavedMethodOut.model_validate(row) for row in found[:limit]]
    following = encode_cursor({"before": str(items[-1].id)}) if len(found) > limit else None
    return Page(items=items, next_cursor=following)


async def make_default(vault: Vault, user_id: UUID, method_id: UUID) -> SavedMethodOut:
    """This one from now on. Raises SavedMethodNotFound."""
    async with vault.db.transaction() as session:
        row = await store.find(session, method_id, user_id)
        if row is None or row.status != "active":
            raise SavedMethodNotFound(_NONE)
        # The customer's row is the lock of all the person's methods there.
        await store.open_customer(session, user_id, row.provider, key=method_id, now=vault.clock.now())
        await store.no_default(session, user_id)
        if not await store.change(session, method_id, only=("active",), is_default=True):
            raise SavedMethodNotFound(_NONE)
        return SavedMethodOut.model_validate(await store.find(session, method_id, user_id))


async def remove_method(vault: Vault, user_id: UUID, method_id: UUID) -> None:
    """Gone for the person at once; the provider is told now, or by the worker. Raises SavedMethodNotFound."""
    values = {"status": "removing", "is_default": False, "due_at": vault.clock.now(), "attempts": 0}
    async with vault.db.transaction() as session:
        known = ("pending", "failed", "active")
        if not await store.change(session, method_id, only=known, user_id=user_id, **values):
            raise SavedMethodNotFound(_NONE)
    await drive_methods(vault, method_id=method_id)
