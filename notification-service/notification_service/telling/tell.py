"""Turn a fact into one notice for each recipient and its deliveries, in the caller's transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.preferences.rules import Category, Channel
from notification_service.telling import store
from notification_service.telling.facts import Fact, Recipient, message_id
from notification_service.telling.store import NewDelivery, NewNotice, Reach
from notification_service.wording.kinds import KINDS, Kind
from rihla.kernel import new_id


def _nobody(_: Iterable[UUID]) -> None:
    """Nobody watches."""


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
        kind = KINDS[fact.kind]
        everybody = {one.user_id: one for one in recipients}
        reached = await store.reach_of(session, list(everybody), fact, waits_for=kind.waits_for)
        notices: list[NewNotice] = []
        deliveries: list[NewDelivery] = []
        for user_id, recipient in everybody.items():
            reach = reached[user_id]
            if not _may_hear(reach, kind):
                continue
            locale = reach.wishes.locale or recipient.locale or reach.locale or "en"
            notices.append(NewNotice(new_id(), user_id, locale))
            deliveries += self._deliveries(fact, kind, recipient, reach, notices[-1].id, now)
        if not notices:
            return []
        told = await store.add_notices(session, fact, notices, deliveries, now)
        self._announce_after_commit(session, [user_id for _, user_id in told])
        return [notice_id for notice_id, _ in told]

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
