"""Every query on conversations and messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.attachments.tables import attachment
from chat_service.conversations.rules import Draft, Side, Status
from chat_service.conversations.tables import conversation, message
from rihla.kernel import new_id

_MESSAGE = (
    select(
        *message.c,
        conversation.c.user_id.label("traveller_id"),
        attachment.c.media_type,
        attachment.c.size_bytes,
        attachment.c.width,
        attachment.c.height,
        attachment.c.duration_seconds,
    )
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .outerjoin(attachment, attachment.c.id == message.c.attachment_id)
)
FeedPosition = tuple[int, int]
"""(transaction id, position): everything up to it has been read."""


async def ensure_conversation(session: AsyncSession, user_id: UUID, language: str, now: datetime) -> RowMapping:
    """The traveller's one conversation; made when it is not there yet."""
    values = {"id": new_id(), "user_id": user_id, "language": language, "status": Status.IDLE, "created_at": now}
    await session.execute(insert(conversation).values(values).on_conflict_do_nothing(index_elements=["user_id"]))
    found = await session.execute(select(conversation).where(conversation.c.user_id == user_id))
    return found.mappings().one()


async def conversation_of(session: AsyncSession, user_id: UUID) -> RowMapping | None:
    """The traveller's conversation, if there is one."""
    found = await session.execute(select(conversation).where(conversation.c.user_id == user_id))
    return found.mappings().one_or_none()


async def load_conversation(session: AsyncSession, conversation_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One conversation; with `lock` nobody else numbers a message in it until the transaction ends."""
    query = select(conversation).where(conversation.c.id == conversation_id)
    found = await session.execute(query.with_for_update() if lock else query)
    return found.mappings().one_or_none()


async def change_conversation(session: AsyncSession, conversation_id: UUID, **values: Any) -> RowMapping:
    """Change columns of one conversation; the row afterwards."""
    statement = update(conversation).where(conversation.c.id == conversation_id).values(**values)
    return (await session.execute(statement.returning(*conversation.c))).mappings().one()


async def message_by_client_id(
    session: AsyncSession, conversation_id: UUID, sender_id: UUID, client_id: str
) -> RowMapping | None:
    """What this sender said under this id."""
    query = _MESSAGE.where(
        message.c.conversation_id == conversation_id,
        message.c.sender_id == sender_id,
        message.c.client_id == client_id,
    )
    return (await session.execute(query)).mappings().one_or_none()


async def add_message(
    session: AsyncSession,
    place: RowMapping,
    draft: Draft,
    *,
    sender_kind: str,
    sender_id: UUID | None,
    now: datetime,
) -> int:
    """Store a message as the next of a locked conversation; its sequence number."""
    seq = int(place["last_seq"]) + 1
    await session.execute(
        message.insert().values(
            conversation_id=place["id"],
            seq=seq,
            id=new_id(),
            sender_kind=sender_kind,
            sender_id=sender_id,
            client_id=draft.client_id or None,
            type=draft.type,
            text=draft.text,
            attachment_id=draft.attachment_id,
            created_at=now,
        )
    )
    return seq


async def read_message(session: AsyncSession, conversation_id: UUID, seq: int) -> RowMapping:
    """One message that is known to be there."""
    query = _MESSAGE.where(message.c.conversation_id == conversation_id, message.c.seq == seq)
    return (await session.execute(query)).mappings().one()


async def read_after(session: AsyncSession, conversation_id: UUID, after: int, limit: int) -> Sequence[RowMapping]:
    """Messages after `after`, oldest first."""
    query = _MESSAGE.where(message.c.conversation_id == conversation_id, message.c.seq > after)
    return (await session.execute(query.order_by(message.c.seq).limit(limit))).mappings().all()


async def read_before(
    session: AsyncSession, conversation_id: UUID, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Messages before `before` (the newest without it), newest first."""
    query = _MESSAGE.where(message.c.conversation_id == conversation_id)
    if before is not None:
        query = query.where(message.c.seq < before)
    return (await session.execute(query.order_by(message.c.seq.desc()).limit(limit))).mappings().all()


async def count_unread(session: AsyncSession, conversation_id: UUID, side: Side, seen: int) -> int:
    """Messages of others after `seen`."""
    own = ("traveller",) if side is Side.TRAVELLER else ("staff", "assistant", "system")
    query = select(func.count()).where(
        message.c.conversation_id == conversation_id, message.c.seq > seen, message.c.sender_kind.not_in(own)
    )
    return int((await session.execute(query)).scalar_one())


async def list_conversations(
    session: AsyncSession,
    *,
    status: Status | None,
    assignee_id: UUID | None,
    language: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Conversations in which something was said, the newest message first."""
    query = select(conversation).where(conversation.c.last_message_at.is_not(None))
    if status is not None:
        query = query.where(conversation.c.status == status)
    if assignee_id is not None:
        query = query.where(conversation.c.assignee_id == assignee_id)
    if language is not None:
        query = query.where(conversation.c.language == language)
    if before is not None:
        at, last_id = before
        query = query.where(
            or_(
                conversation.c.last_message_at < at,
                and_(conversation.c.last_message_at == at, conversation.c.id < last_id),
            )
        )
    query = query.order_by(conversation.c.last_message_at.desc(), conversation.c.id.desc()).limit(limit)
    return (await session.execute(query)).mappings().all()


async def feed_end(session: AsyncSession) -> FeedPosition:
    """A position that everything committed later comes after."""
    oldest = await session.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    return int(oldest.scalar_one()) - 1, 2**62


async def read_feed(session: AsyncSession, after: FeedPosition, limit: int, *, settled: bool) -> Sequence[RowMapping]:
    """Messages of all conversations after a position.

    `settled`: only those that no message still to be committed can come before, so that the last one is a position to
    go on from. Without it everything visible is read, and some of it will be read again.
    """
    query = _MESSAGE.where(tuple_(message.c.transaction_id, message.c.position) > tuple_(*after))
    if settled:
        query = query.where(message.c.transaction_id < text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    query = query.order_by(message.c.transaction_id, message.c.position).limit(limit)
    return (await session.execute(query)).mappings().all()


async def read_feed_of(session: AsyncSession, conversation_id: UUID, after: FeedPosition) -> Sequence[RowMapping]:
    """Messages of one conversation after a position of the feed, oldest first."""
    query = _MESSAGE.where(
        message.c.conversation_id == conversation_id,
        tuple_(message.c.transaction_id, message.c.position) > tuple_(*after),
    )
    return (await session.execute(query.order_by(message.c.seq).limit(500))).mappings().all()
