"""A person who asked to be forgotten."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from booking_service.forgetting.erased import ERASED_EMAIL
from rihla.contracts.events import PaymentFailedV1, UserDeletedV1
from rihla.kernel import new_id

_CONTACT = "SELECT contact_email, contact_phone FROM booking WHERE id = :id"
_PERSON = "SELECT given_name, surname, passport_masked, passport_sealed FROM passenger WHERE booking_id = :id"


async def _forget(house: Any) -> None:
    event = UserDeletedV1(user_id=house.user_id, deleted_at=house.clock.now())
    await house.hear(event, subject=str(house.user_id))
    while await house.worker.forgetter.forget_due():
        pass


async def test_what_was_never_paid_is_erased_with_its_names(house: Any) -> None:
    booking = await house.place()
    house.clock.advance(timedelta(minutes=16))
    await house.worker.expiry.expire_due()
    await _forget(house)
    [contact] = await house.rows(_CONTACT, id=booking["id"])
    [person] = await house.rows(_PERSON, id=booking["id"])
    assert tuple(contact.values()) == (ERASED_EMAIL, None)
    assert tuple(person.values()) == ("Erased", "Erased", None, None)


async def test_a_journey_ahead_stays_whole_until_it_is_over_and_then_keeps_only_the_ticket(house: Any) -> None:
    booking = await house.confirmed(house.body(house.one_way(days=2)))
    await _forget(house)
    [contact] = await house.rows(_CONTACT, id=booking["id"])
    assert contact["contact_email"] == "amina@example.com"
    house.clock.advance(timedelta(days=3))
    assert await house.worker.completion.complete_due() == 1
    assert await house.worker.forgetter.forget_due() == 1
    [contact] = await house.rows(_CONTACT, id=booking["id"])
    [person] = await house.rows(_PERSON, id=booking["id"])
    assert contact["contact_email"] == ERASED_EMAIL
    assert tuple(person.values()) == ("Amina", "Rahman", None, None)
    assert await house.worker.forgetter.forget_due() == 0
    assert await house.rows("SELECT 1 FROM forgotten_person WHERE finished_at IS NOT NULL")


def _files(house: Any) -> list[Path]:
    folder = Path(house.settings.document_storage_url.removeprefix("file://"))
    return [one for one in folder.rglob("*") if one.is_file()]


async def test_papers_of_an_erased_booking_leave_the_store_and_are_not_made_again(house: Any) -> None:
    booking = await house.confirmed(house.body(house.one_way(days=2)))
    await house.worker.documents.work_off()
    await _forget(house)
    assert {one.suffix for one in _files(house)} == {".pdf"}
    house.clock.advance(timedelta(days=3))
    await house.worker.completion.complete_due()
    await _forget(house)
    assert _files(house) == []
    assert await house.rows("SELECT 1 FROM document") == []
    assert await house.rows("SELECT 1 FROM forgotten_person WHERE finished_at IS NOT NULL")
    async with house.worker.c.db.transaction() as session:
        await request_documents(session, UUID(booking["id"]), [DocumentKind.RECEIPT], now=house.clock.now())
    assert await house.worker.documents.work_off() == 1
    assert _files(house) == []


async def test_a_paper_being_made_while_its_booking_is_erased_is_removed_too(house: Any) -> None:
    await house.confirmed(house.body(house.one_way(days=2)))
    await house.rows("UPDATE document_job SET state = 'working' RETURNING 1")
    house.clock.advance(timedelta(days=3))
    await house.worker.completion.complete_due()
    await _forget(house)
    assert await house.rows("SELECT 1 FROM forgotten_person WHERE finished_at IS NULL")
    await house.rows("UPDATE document_job SET state = 'done' RETURNING 1")
    await _forget(house)
    assert await house.rows("SELECT 1 FROM forgotten_person WHERE finished_at IS NOT NULL")


async def test_nobody_else_is_touched(house: Any) -> None:
    other = await house.place(user_id=new_id())
    house.clock.advance(timedelta(minutes=16))
    await house.worker.expiry.expire_due()
    await _forget(house)
    [contact] = await house.rows(_CONTACT, id=other["id"])
    assert contact["contact_email"] == "amina@example.com"


async def test_support_sees_a_payment_that_failed(house: Any) -> None:
    booking = await house.place()
    failed = PaymentFailedV1(
        payment_id=new_id(),
        booking_id=booking["id"],
        user_id=house.user_id,
        amount_minor=100,
        currency="USD",
        method="card",
        failure_code="card_declined",
        failure_message="declined",
        failed_at=house.clock.now(),
    )
    assert await house.hear(failed) == "handled"
    assert await house.hear(failed.model_copy(update={"booking_id": new_id()})) == "handled"
    found = await house.rows("SELECT detail FROM timeline WHERE kind = 'payment_failed'")
    assert [row["detail"]["failure_code"] for row in found] == ["card_declined"]
