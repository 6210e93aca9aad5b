"""Turn a fact into one notice for each recipient and its deliveries, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.preferences.rules import Channel, Preferences
from notification_service.preferences.store import preferences_of_row
from notification_service.telling.facts import Fact, Recipient, message_id
from notification_service.telling.tables import delivery, notice
from notification_service.trips.documents import are_ready
from notification_service.wording.kinds import KINDS, Kind
from rihla.kernel import new_id

_REACH = text(
    "SELECT c.email, c.phone, c.locale, c.deleted_at IS NOT NULL AS deleted, c.suspended, "
    "p.channels, p.quiet_from, p.quiet_to, coalesce(p.time_zone, 'UTC') AS time_zone, p.locale AS chosen_locale, "
    "(SELECT coalesce(array_agg(d.token), '{}') FROM device d WHERE d.user_id = :user_id) AS tokens "
    "FROM (SELECT 1) one LEFT JOIN contact c ON c.user_id = :user_id LEFT JOIN preference p ON p.user_id = :user_id"
)


@dataclass(frozen=True, slots=True)
class Teller:
    """What telling needs to know of the house."""

    mail_domain: str
    document_wait: timedelta

    async def tell(
        self, session: AsyncSession, fact: Fact, recipients: Iterable[Recipient], *, now: datetime
    ) -> list[UUID]:
        """Tell each recipient once; the ids of the notices that are new."""
        told = []
        for recipient in recipients:
            notice_id = await self._tell_one(session, fact, recipient, now)
            if notice_id is not None:
                told.append(notice_id)
        return told

    async def _tell_one(self, session: AsyncSession, fact: Fact, recipient: Recipient, now: datetime) -> UUID | None:
        kind = KINDS[fact.kind]
        reach = (await session.execute(_REACH, {"user_id": recipient.user_id})).one()
        if reach.deleted:
            return None
        locale = reach.chosen_locale or recipient.locale or reach.locale or "en"
        notice_id = await _add_notice(session, fact, recipient.user_id, locale, now)
        if notice_id is None:
            return None
        wishes = preferences_of_row(reach)
        addresses = {
            Channel.EMAIL: [recipient.email or reach.email] if kind.mail else [],
            Channel.SMS: [recipient.phone or reach.phone],
            Channel.PUSH: list(reach.tokens),
        }
        ready = await self._documents_ready(session, kind, fact)
        rows = [
            self._delivery(fact, recipient, notice_id, channel, address, wishes, ready=ready, now=now)
            for channel in wishes.channels_for(kind.category)
            for address in addresses[channel]
            if address
        ]
        if rows:
            await session.execute(insert(delivery).on_conflict_do_nothing(), rows)
        return notice_id

    def _delivery(
        self,
        fact: Fact,
        recipient: Recipient,
        notice_id: UUID,
        channel: Channel,
        address: str,
        wishes: Preferences,
        *,
        ready: bool,
        now: datetime,
    ) -> dict[str, Any]:
        kind = KINDS[fact.kind]
        attaches = channel is Channel.EMAIL and kind.waits_for is not None
        waits = attaches and not ready
        return {
            "id": new_id(),
            "notice_id": notice_id,
            "channel": channel,
            "address": address,
            "message_id": message_id(fact.name, recipient.user_id, channel, address, domain=self.mail_domain),
            "state": "waiting" if waits else "queued",
            "waits_for": kind.waits_for if attaches else None,
            "waits_after": fact.sequence if attaches else None,
            "booking_id": fact.booking_id,
            "due_at": now + self.document_wait if waits else wishes.earliest(channel, now, urgent=kind.urgent),
            "created_at": now,
        }

    async def _documents_ready(self, session: AsyncSession, kind: Kind, fact: Fact) -> bool:
        if kind.waits_for is None or fact.booking_id is None:
            return True
        return await are_ready(session, fact.booking_id, kind.waits_for, after=fact.sequence)


async def _add_notice(session: AsyncSession, fact: Fact, user_id: UUID, locale: str, now: datetime) -> UUID | None:
    values = {
        "id": new_id(),
        "fact": fact.name,
        "user_id": user_id,
        "kind": fact.kind,
        "locale": locale,
        "booking_id": fact.booking_id,
        "facts": dict(fact.values),
        "created_at": now,
    }
    statement = insert(notice).values(values).on_conflict_do_nothing().returning(notice.c.id)
    added: UUID | None = (await session.execute(statement)).scalar_one_or_none()
    return added
