"""Finding a conversation a person may see: the traveller's own, and all of them for the desk."""

from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.conversations import store
from chat_service.conversations.errors import AccountSuspended, ConversationNotFound
from chat_service.conversations.rules import Side, side_of
from chat_service.people.store import blocked_among
from rihla.auth import Principal

STAFF_ROLES = ("support", "admin")


def is_staff(principal: Principal) -> bool:
    """Whether the caller works at the desk."""
    return principal.has_role(*STAFF_ROLES)


async def visible(
    session: AsyncSession, conversation_id: UUID, principal: Principal, *, lock: bool = False
) -> tuple[RowMapping, Side]:
    """The conversation and the caller's side of it. Raises ConversationNotFound for everybody else."""
    place = await store.load_conversation(session, conversation_id, lock=lock)
    if place is not None:
        side = side_of(principal.user_id, place["user_id"], is_staff=is_staff(principal))
        if side is not None:
            return place, side
    raise ConversationNotFound("There is no such conversation among yours.")


async def refuse_blocked(session: AsyncSession, user_id: UUID) -> None:
    """Raises AccountSuspended while the account may not take part."""
    if await blocked_among(session, [user_id]):
        raise AccountSuspended("This account is suspended; write to support by mail.")
