"""A server that is away is 503, whatever words the driver finds for it."""

import asyncpg
import pytest

from rihla.web.outages import is_outage

CUT_AT_THE_WRONG_MOMENT = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError(), asyncpg.InterfaceError("connection is closed"), CUT_AT_THE_WRONG_MOMENT],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_connection_is_an_outage(error: BaseException) -> None:
    assert is_outage(error)


def test_our_own_mistakes_are_not() -> None:
    assert not is_outage(KeyError("x"))
    assert not is_outage(asyncpg.UniqueViolationError("x"))
