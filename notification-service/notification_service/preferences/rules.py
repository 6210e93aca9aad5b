"""Which channels a notice takes and when: categories, defaults, quiet hours. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Channel(StrEnum):
    """Ways out of the house. In-app notices are always kept and are no channel here."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class Category(StrEnum):
    """What a notice is about, as people choose."""

    BOOKING = "booking"
    TRAVEL = "travel"
    REMINDER = "reminder"
    OFFER = "offer"
    ACCOUNT = "account"
    SUPPORT = "support"


DEFAULTS: Mapping[Category, tuple[Channel, ...]] = {
    Category.BOOKING: (Channel.EMAIL, Channel.PUSH),
    Category.TRAVEL: (Channel.EMAIL, Channel.SMS, Channel.PUSH),
    Category.REMINDER: (Channel.EMAIL, Channel.PUSH),
    Category.OFFER: (Channel.EMAIL, Channel.PUSH),
    Category.ACCOUNT: (Channel.EMAIL,),
    Category.SUPPORT: (Channel.EMAIL, Channel.PUSH),
}
# Nobody can switch off the mail that carries a ticket or warns of a stranger in the account.
ALWAYS: Mapping[Category, tuple[Channel, ...]] = {
    Category.BOOKING: (Channel.EMAIL,),
    Category.ACCOUNT: (Channel.EMAIL,),
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """`channels` holds only the categories the person changed; quiet hours are local times, `quiet_to` excluded."""

    channels: Mapping[Category, Sequence[Channel]] = field(default_factory=dict)
    quiet_from: time | None = None
    quiet_to: time | None = None
    time_zone: str = "UTC"
    locale: str | None = None

    def channels_for(self, category: Category) -> tuple[Channel, ...]:
        """The channels of a category, those that cannot be switched off included."""
        wanted = {*self.channels.get(category, DEFAULTS[category]), *ALWAYS.get(category, ())}
        return tuple(channel for channel in Channel if channel in wanted)

    def earliest(self, channel: Channel, now: datetime, *, urgent: bool) -> datetime:
        """When a message may go out: now, or for a ringing channel (SMS, push) the end of the quiet hours."""
        if urgent or channel is Channel.EMAIL or self.quiet_from is None or self.quiet_to is None:
            return now
        local = now.astimezone(ZoneInfo(self.time_zone))
        if not _within(local.time(), self.quiet_from, self.quiet_to):
            return now
        end = local.replace(hour=self.quiet_to.hour, minute=self.quiet_to.minute, second=0, microsecond=0)
        if local.time() >= self.quiet_to:
            end += timedelta(days=1)
        return end.astimezone(now.tzinfo)


def _within(at: time, start: time, end: time) -> bool:
    """Whether `at` lies in [start, end), which may span midnight; start = end means no quiet time at all."""
    if start <= end:
        return start <= at < end
    return at >= start or at < end
