"""Reading and writing preferences."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.preferences.rules import Category, Channel, Preferences
from notification_service.preferences.tables import preference


def preferences_of(
    channels: Mapping[str, Sequence[str]] | None,
    quiet_from: time | None,
    quiet_to: time | None,
    time_zone: str | None,
    locale: str | None,
) -> Preferences:
    """The preferences of the columns' values (all None: the defaults)."""
    chosen = {Category(category): tuple(map(Channel, names)) for category, names in (channels or {}).items()}
    return Preferences(chosen, quiet_from, quiet_to, time_zone or "UTC", locale)


async def load_preferences(session: AsyncSession, user_id: UUID) -> Preferences:
    """What the user set, or the defaults."""
    row = (await session.execute(select(preference).where(preference.c.user_id == user_id))).one_or_none()
    if row is None:
        return Preferences()
    return preferences_of(row.channels, row.quiet_from, row.quiet_to, row.time_zone, row.locale)


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
