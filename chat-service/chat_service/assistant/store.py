"""Every query on turns and actions of the assistant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.assistant.tables import assistant_action, assistant_turn


async def add_turn(session: AsyncSession, turn: dict[str, Any], actions: Sequence[dict[str, Any]]) -> None:
    """A question with its answer, and the buttons offered with it."""
    await session.execute(assistant_turn.insert().values(turn))
    if actions:
        await session.execute(assistant_action.insert(), list(actions))


async def load_action(session: AsyncSession, action_id: UUID) -> RowMapping | None:
    """One button, locked."""
    query = select(assistant_action).where(assistant_action.c.id == action_id).with_for_update()
    return (await session.execute(query)).mappings().one_or_none()


async def finish_action(session: AsyncSession, action_id: UUID, result: dict[str, Any], now: datetime) -> None:
    """The button was confirmed and its deed is done."""
    statement = update(assistant_action).where(assistant_action.c.id == action_id)
    await session.execute(statement.values(done_at=now, result=result))


async def last_turns(session: AsyncSession, user_id: UUID, since: datetime, limit: int) -> list[RowMapping]:
    """What was asked lately, oldest first."""
    query = select(assistant_turn).where(assistant_turn.c.user_id == user_id, assistant_turn.c.created_at >= since)
    rows = (await session.execute(query.order_by(assistant_turn.c.id.desc()).limit(limit))).mappings().all()
    return list(reversed(rows))


async def forget_turns(session: AsyncSession, before: datetime) -> None:
    """Drop old turns with their buttons."""
    old = select(assistant_turn.c.id).where(assistant_turn.c.created_at < before)
    await session.execute(delete(assistant_action).where(assistant_action.c.turn_id.in_(old)))
    await session.execute(delete(assistant_turn).where(assistant_turn.c.created_at < before))
