"""Turn a fact into one notice for each recipient and its deliveries, in the caller's transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.driver import Driver, driver_of
from notification_service.preferences.rules import Category, Channel
from notification_service.telling import store
from notification_service.telling.facts import Fact, Recipient, message_id
from notification_service.telling.store import NewDelivery, NewNotice, Question, Reach
from notification_service.wording.kinds import KINDS, Kind
from rihla.kernel import new_id


def _nobody(_: Iterable[UUID]) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A notice for one recipient, and how it goes out."""

    notice: NewNotice
    deliveries: tuple[NewDelivery, ...]


@dataclass(frozen=True, slots=True)
class Teller:
    """What telling needs to know of the house. `announce` hears after the commit whose notices are new."""

    mail_domain: str
    document_wait: timedelta
    announce: Callable[[Iterable[UUID]], None] = _nobody

    async def tell(
        self, session: AsyncSession, fact: Fact, recipients: Iterable[Recipient], *, now: datetime
    ) -> list[UUID]:
        """Tell each recipient once; the ids of the notices that are new."""
        everybody = {one.user_id: one for one in recipients}
        connection = await driver_of(session)
        reached = await self.reach(connection, [(fact, one) for one in everybody.values()])
        plans = [self.plan(fact, *both, now) for both in zip(everybody.values(), reached, strict=True)]
        told = await self.store(connection, [plan for plan in plans if plan is not None], now)
        self._announce_after_commit(session, [user_id for _, user_id in told])
        return [notice_id for notice_id, _ in told]

    async def reach(self, connection: Driver, told: Sequence[tuple[Fact, Recipient]]) -> list[Reach]:
        """How each recipient can be reached with each fact, in order."""
        questions = [Question(one.user_id, fact, KINDS[fact.kind].waits_for) for fact, one in told]
        return await store.reach_of(connection, questions)

    def plan(self, fact: Fact, recipient: Recipient, reach: Reach, now: datetime) -> Plan | None:
        """The notice and its deliveries; None for somebody who may not hear of it. Pure."""
        kind = KINDS[fact.kind]
        if not _may_hear(reach, kind):
            return None
        locale = reach.wishes.locale or recipient.locale or reach.locale or "en"
        notice = NewNotice(new_id(), fact, recipient.user_id, locale)
        return Plan(notice, tuple(self._deliveries(fact, kind, recipient, reach, notice.id, now)))

    async def store(self, connection: Driver, plans: Sequence[Plan], now: datetime) -> list[tuple[UUID, UUID]]:
        """Store what is new; (notice id, user id) of each notice that is."""
        if not plans:
            return []
        deliveries = [one for plan in plans for one in plan.deliveries]
        return await store.add_notices(connection, [plan.notice for plan in plans], deliveries, now)

    def _deliveries(
        self, fact: Fact, kind: Kind, recipient: Recipient, reach: Reach, notice_id: UUID, now: datetime
    ) -> Iterator[NewDelivery]:
        for channel, address in _ways(kind, recipient, reach):
            attaches = channel is Channel.EMAIL and kind.waits_for is not None
            waits = attaches and not reach.documents_ready
            earliest = reach.wishes.earliest(channel, now, urgent=kind.urgent)
            yield NewDelivery(
                id=new_id(),
                notice_id=notice_id,
                channel=channel,
                address=address,
                message_id=message_id(fact.name, recipient.user_id, channel, address, domain=self.mail_domain),
                state="waiting" if waits else "queued",
                waits_for=kind.waits_for if attaches else None,
                waits_after=fact.sequence if attaches else None,
                due_at=self._patience(fact, now) if waits else earliest,
            )

    def _patience(self, fact: Fact, now: datetime) -> datetime:
        """When a mail leaves without its documents: never before those who make them promised to have them."""
        usual = now + self.document_wait
        promised = fact.values.get("documents_by")
        return usual if promised is None else max(usual, datetime.fromisoformat(promised))

    def _announce_after_commit(self, session: AsyncSession, user_ids: Sequence[UUID]) -> None:
        if user_ids:
            event.listen(session.sync_session, "after_commit", lambda _: self.announce(user_ids), once=True)


def _may_hear(reach: Reach, kind: Kind) -> bool:
    """Nobody who was erased; no offers while an account is suspended."""
    return not reach.deleted and not (reach.suspended and kind.category is Category.OFFER)


def _ways(kind: Kind, recipient: Recipient, reach: Reach) -> Iterator[tuple[Channel, str]]:
    """Channels the person takes for this kind, with every address of each."""
    addresses: dict[Channel, Sequence[str | None]] = {
        Channel.EMAIL: [recipient.email or reach.email] if kind.mail else [],
        Channel.SMS: [recipient.phone or reach.phone],
        Channel.PUSH: reach.devices,
    }
    for channel in reach.wishes.channels_for(kind.category):
        for address in addresses[channel]:
            if address:
                yield channel, address
