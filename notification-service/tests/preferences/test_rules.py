from datetime import UTC, datetime, time

import pytest

from notification_service.preferences.rules import Category, Channel, Preferences

NIGHT = Preferences(quiet_from=time(22), quiet_to=time(7), time_zone="Asia/Dhaka")


@pytest.mark.parametrize(
    ("now", "sent"),
    [
        ("2026-12-01T15:59:00", "2026-12-01T15:59:00"),  # 21:59 in Dhaka
        ("2026-12-01T16:00:00", "2026-12-02T01:00:00"),  # 22:00
        ("2026-12-01T20:30:00", "2026-12-02T01:00:00"),  # 02:30
        ("2026-12-02T00:59:59", "2026-12-02T01:00:00"),  # 06:59:59
        ("2026-12-02T01:00:00", "2026-12-02T01:00:00"),  # 07:00
    ],
)
def test_a_push_waits_for_the_end_of_the_quiet_hours_of_the_persons_zone(now: str, sent: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(sent).replace(tzinfo=UTC)
    assert NIGHT.earliest(Channel.PUSH, at, urgent=False) == expected
    assert NIGHT.earliest(Channel.SMS, at, urgent=False) == expected


def test_urgent_travel_news_and_mail_do_not_wait() -> None:
    at = datetime(2026, 12, 1, 20, 30, tzinfo=UTC)
    assert NIGHT.earliest(Channel.PUSH, at, urgent=True) == at
    assert NIGHT.earliest(Channel.EMAIL, at, urgent=False) == at


def test_quiet_hours_within_a_day_and_a_change_of_the_clock() -> None:
    nap = Preferences(quiet_from=time(13), quiet_to=time(15), time_zone="Europe/Berlin")
    at = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
    assert nap.earliest(Channel.PUSH, at, urgent=False) == datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
    night = Preferences(quiet_from=time(22), quiet_to=time(7), time_zone="Europe/Berlin")
    before_spring = datetime(2027, 3, 27, 22, 0, tzinfo=UTC)  # 23:00 CET; 07:00 CEST is 05:00 UTC
    assert night.earliest(Channel.PUSH, before_spring, urgent=False) == datetime(2027, 3, 28, 5, 0, tzinfo=UTC)


def test_tickets_and_warnings_cannot_be_switched_off_and_all_else_can() -> None:
    silent = Preferences(channels=dict.fromkeys(Category, ()))
    assert silent.channels_for(Category.BOOKING) == (Channel.EMAIL,)
    assert silent.channels_for(Category.ACCOUNT) == (Channel.EMAIL,)
    assert silent.channels_for(Category.OFFER) == ()
    assert silent.channels_for(Category.TRAVEL) == ()
