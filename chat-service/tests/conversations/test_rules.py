from uuid import uuid4

import pytest

from chat_service.conversations.rules import (
    Draft,
    MessageType,
    Side,
    Status,
    flaw_of,
    may_write,
    side_of,
    status_after_message,
)
from chat_service.desk.routing import Agent, choose_agent
from chat_service.live.bucket import Bucket
from chat_service.live.follow import position_text, read_position

ME, YOU = uuid4(), uuid4()


def test_only_the_traveller_and_the_desk_have_a_side() -> None:
    assert side_of(ME, ME, is_staff=False) is Side.TRAVELLER
    assert side_of(ME, ME, is_staff=True) is Side.TRAVELLER
    assert side_of(YOU, ME, is_staff=True) is Side.STAFF
    assert side_of(YOU, ME, is_staff=False) is None


@pytest.mark.parametrize(
    ("draft", "good"),
    [
        (Draft("a", MessageType.TEXT, "x" * 4000, None), True),
        (Draft("a", MessageType.TEXT, "x" * 4001, None), False),
        (Draft("a", MessageType.TEXT, " \n", None), False),
        (Draft("a", MessageType.TEXT, None, None), False),
        (Draft("a", MessageType.TEXT, "a\x00b", None), False),
        (Draft("a", MessageType.TEXT, "hi", ME), False),
        (Draft("a", MessageType.IMAGE, None, ME), True),
        (Draft("a", MessageType.IMAGE, "a caption", ME), True),
        (Draft("a", MessageType.VOICE, None, None), False),
        (Draft("a", MessageType.NOTICE, "hi", None), False),
        (Draft("", MessageType.TEXT, "hi", None), False),
        (Draft("a" * 65, MessageType.TEXT, "hi", None), False),
    ],
)
def test_a_draft_is_sendable_or_has_a_flaw(draft: Draft, good: bool) -> None:
    assert (flaw_of(draft) is None) is good


def test_the_desk_writes_where_nobody_or_oneself_has_it() -> None:
    assert may_write(Side.TRAVELLER, ME, YOU)
    assert may_write(Side.STAFF, ME, None)
    assert may_write(Side.STAFF, ME, ME)
    assert not may_write(Side.STAFF, ME, YOU)


def test_a_word_of_the_traveller_makes_an_idle_conversation_wait() -> None:
    assert status_after_message(Side.TRAVELLER, Status.IDLE) is Status.WAITING
    assert status_after_message(Side.TRAVELLER, Status.ASSIGNED) is Status.ASSIGNED
    assert status_after_message(Side.STAFF, Status.WAITING) is Status.ASSIGNED


def test_whoever_speaks_the_language_and_has_least_to_do_gets_the_case() -> None:
    first, second, third = sorted(uuid4() for _ in range(3))
    agents = [Agent(third, ("bn", "en"), 1), Agent(second, ("bn-BD",), 1), Agent(first, ("en",), 0)]
    assert choose_agent("bn", agents) == second
    assert choose_agent("en-GB", agents) == first
    assert choose_agent("ur", agents) is None
    assert choose_agent("en", []) is None


def test_a_bucket_gives_a_burst_and_then_so_many_a_second() -> None:
    bucket = Bucket(3, 2.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_seconds == pytest.approx(0.5)
    assert not bucket.take(0.25)
    assert bucket.take(0.75)
    assert not bucket.take(0.5)
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]


def test_positions_of_the_feed_are_read_as_written_and_nothing_else_is() -> None:
    assert read_position(position_text((731, 42))) == (731, 42)
    for text in ("", "1", "1.", ".1", "a.b", "-1.2", "1.2.3", "١.٢", f"{2**63}.1"):
        assert read_position(text) is None, text
