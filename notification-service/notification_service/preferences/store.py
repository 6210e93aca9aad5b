"""Reading and writing preferences."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.preferences.rules import Category, Channel, Preferences
from notification_service.preferences.tables import preference


def preferences_of_row(row: Any) -> Preferences:
    """The preferences of a row that has the columns of the table (all null: the defaults)."""
    channels = {
        Category(category): tuple(Channel(one) for one in chosen) for category, chosen in (row.channels or {}).items()
    }
    return Preferences(
        channels=channels, quiet_from=row.quiet_from, quiet_to=row.quiet_to, time_zone=row.time_zone or "UTC"
    )


async def load_preferences(session: AsyncSession, user_id: UUID) -> Preferences:
    """What the user set, or the defaults."""
    row = (await session.execute(select(preference).where(preference.c.user_id == user_id))).one_or_none()
    if row is None:
        return Preferences()
    found = preferences_of_row(row)
    return Preferences(found.channels, found.quiet_from, found.quiet_to, found.time_zone, row.locale)


async def save_preferences(session: AsyncSession, user_id: UUID, wishes: Preferences, now: datetime) -> None:
    """Replace what the user set."""
    values = {
        "user_id": user_id,
        "channels": {category: list(chosen) for category, chosen in wishes.channels.items()},
        "quiet_from": wishes.quiet_from,
        "quiet_to": wishes.quiet_to,
        "time_zone": wishes.time_zone,
        "locale": wishes.locale,
        "updated_at": now,
    }
    statement = insert(preference).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
