"""In a rush of confirmations papers stand back, and nobody's paper is lost, late beyond its bound or refused."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from booking_service.documents.make_documents import DocumentMaker
from booking_service.documents.rush import Rush
from booking_service.settings import Settings


@pytest.fixture
def settings_of_a_rush(house: Any) -> Settings:
    """Two confirmations in two seconds are already more than papers can be made beside."""
    changed = {"papers_stand_back_per_second": 0.5, "papers_stand_back_minutes": 30}
    return house.settings.model_copy(update=changed)


@pytest_asyncio.fixture
async def rushed(house: Any, settings_of_a_rush: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The house with a rush under way: two bookings confirmed, whose papers were due at once, and one whose wait."""
    c = house.worker.c
    # The confirming part and the making part look at the same table, each through a reading of its own.
    for name in ("_most", "_patience"):
        monkeypatch.setattr(c.rush, name, getattr(Rush(c.db, settings_of_a_rush, clock=house.clock), name))
    for _ in range(2):
        await house.confirmed()
    house.clock.advance(timedelta(seconds=1))
    house.patient = await house.confirmed()
    yield house


def maker(house: Any, settings: Settings) -> DocumentMaker:
    """One more worker process, which has not looked at the table yet."""
    c = house.worker.c
    return DocumentMaker(c.db, c.documents, Rush(c.db, settings, clock=house.clock), clock=house.clock)


async def _jobs_done(house: Any) -> int:
    return len(await house.rows("SELECT 1 FROM document_job WHERE state = 'done'"))


async def test_papers_of_a_rush_are_made_when_it_is_over(rushed: Any, settings_of_a_rush: Settings) -> None:
    assert await rushed.worker.documents.work_off() == 2
    assert await maker(rushed, settings_of_a_rush).work_off() == 0
    assert (await rushed.read(rushed.patient["id"]))["status"] == "confirmed"
    rushed.clock.advance(timedelta(seconds=6))
    assert await maker(rushed, settings_of_a_rush).work_off() == 1
    answer = await rushed.get(f"/v1/bookings/{rushed.patient['id']}/tickets.pdf")
    assert answer.status_code == 200
    assert len(await rushed.events("booking.documents_ready.v1")) == 3


async def test_a_rush_that_does_not_end_holds_papers_back_no_longer_than_the_bound(
    rushed: Any, settings_of_a_rush: Settings
) -> None:
    await rushed.worker.documents.work_off()
    rushed.clock.advance(timedelta(minutes=30) - timedelta(seconds=1))
    for _ in range(2):
        await rushed.confirmed()
    assert await maker(rushed, settings_of_a_rush).work_off() == 2
    rushed.clock.advance(timedelta(seconds=1))
    assert await maker(rushed, settings_of_a_rush).work_off() == 1
    assert await _jobs_done(rushed) == 5


async def test_a_paper_somebody_asks_for_in_a_rush_is_made_at_once(rushed: Any, settings_of_a_rush: Settings) -> None:
    await rushed.worker.documents.work_off()
    busy = maker(rushed, settings_of_a_rush)
    assert await busy.work_off() == 0
    path = f"/v1/bookings/{rushed.patient['id']}/tickets.pdf"
    assert (await rushed.get(path)).status_code == 202
    assert await busy.work_off() == 1
    assert (await rushed.get(path)).status_code == 200


async def test_the_event_of_a_booking_whose_papers_wait_says_until_when(rushed: Any) -> None:
    """Three times the bound: papers may stand back so long, and their line may take twice as long again."""
    *at_once, patient = await rushed.events("booking.confirmed.v1")
    assert [one["data"]["documents_by"] for one in at_once] == [None, None]
    promised = datetime.fromisoformat(patient["data"]["documents_by"])
    assert promised == rushed.clock.now() + timedelta(minutes=90)


async def test_the_long_way_of_a_payment_knows_the_rush_too(rushed: Any) -> None:
    booking = await rushed.place()
    rushed.flight.wire.down = True
    await rushed.hear(rushed.payment_of(booking))
    await rushed.worker.errands.run_due()
    rushed.flight.wire.down = False
    await rushed.rows("UPDATE errand SET due_at = :now", now=rushed.clock.now())
    await rushed.worker.errands.run_due()
    assert (await rushed.read(booking["id"]))["status"] == "confirmed"
    *_, told = await rushed.events("booking.confirmed.v1")
    assert told["data"]["documents_by"] is not None


async def test_a_rate_of_nought_never_holds_papers_back(rushed: Any, settings_of_a_rush: Settings) -> None:
    never = settings_of_a_rush.model_copy(update={"papers_stand_back_per_second": 0.0})
    assert await maker(rushed, never).work_off() == 3
