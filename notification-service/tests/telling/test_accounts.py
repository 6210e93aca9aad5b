from typing import Any

from notification_service.trips.recipients import owner_of
from rihla.contracts.events import PaymentFailedV1, UserDeletedV1, UserRegisteredV1, UserSecurityNoticeV1, UserUpdatedV1
from rihla.kernel import new_id


def registered(user_id: Any, clock: Any, **changes: Any) -> UserRegisteredV1:
    facts = {"email": "amina@example.com", "full_name": "Amina Rahman", "locale": "ar", "registered_at": clock.now()}
    return UserRegisteredV1(user_id=user_id, **{**facts, **changes})


async def test_a_new_account_is_welcomed_in_its_language_from_right_to_left(stack: Any, box: Any, clock: Any) -> None:
    user_id = new_id()
    await stack.hear(registered(user_id, clock), subject=user_id)
    await stack.send()
    (mail,) = box.to("amina@example.com")
    assert 'dir="rtl"' in mail.get_body(("html",)).get_content()
    assert "Amina Rahman" in mail["Subject"]


async def test_a_payment_that_failed_reaches_the_account_when_the_booking_is_unknown(
    stack: Any, box: Any, clock: Any
) -> None:
    user_id = new_id()
    await stack.hear(registered(user_id, clock, locale="en"), subject=user_id)
    failed = PaymentFailedV1(
        payment_id=new_id(),
        booking_id=new_id(),
        user_id=user_id,
        amount_minor=61240,
        currency="KWD",
        method="card",
        failure_code="card_declined",
        failure_message="declined",
        failed_at=clock.now(),
    )
    await stack.hear(failed, subject=failed.payment_id)
    await stack.send()
    # The welcome leaves in the same batch, over another connection: either may arrive first.
    assert any("KWD 61.240" in mail["Subject"] for mail in box.to("amina@example.com"))


async def test_every_warning_of_the_catalogue_has_its_words(stack: Any, box: Any, clock: Any) -> None:
    user_id = new_id()
    kinds = UserSecurityNoticeV1.model_fields["kind"].annotation.__args__
    for kind in kinds:
        warning = UserSecurityNoticeV1(
            user_id=user_id, kind=kind, email="amina@example.com", occurred_at=clock.now(), client_ip="203.0.113.7"
        )
        await stack.hear(warning, subject=user_id)
    await stack.send()
    assert len(box.to("amina@example.com")) == len(kinds)


async def test_a_user_without_any_channel_has_the_notice_in_the_app(stack: Any, box: Any, clock: Any) -> None:
    user_id = new_id()
    await stack.hear(registered(user_id, clock, email=None), subject=user_id)
    assert await stack.send() == 0
    assert await stack.rows("SELECT kind FROM notice") == [("welcome",)]


async def test_an_erased_person_leaves_nothing_and_late_events_bring_nothing_back(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    user_id = trip.user_id
    await stack.hear(registered(user_id, clock), subject=user_id)
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(UserDeletedV1(user_id=user_id, deleted_at=clock.now()), subject=user_id, sequence=2)
    await stack.hear(registered(user_id, clock), subject=user_id, sequence=1)
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=3)
    await stack.send()
    assert box.mails == []
    for table in ("notice", "delivery", "contact", "preference", "device"):
        rows = await stack.rows(f"SELECT t::text FROM {table} t")
        assert not any("amina" in row[0].lower() for row in rows), table


def test_the_contact_of_a_booking_goes_before_the_one_of_the_account() -> None:
    facts = {"user_id": str(new_id()), "contact": {"email": "for@this.trip", "phone": None}, "locale": "ur"}
    recipient = owner_of(facts)
    assert (recipient.email, recipient.phone, recipient.locale) == ("for@this.trip", None, "ur")


async def test_a_changed_address_is_used_from_then_on_and_an_older_event_does_not_bring_the_old_one_back(
    stack: Any, clock: Any
) -> None:
    user_id = new_id()
    changed = UserUpdatedV1(
        user_id=user_id, email="new@example.com", full_name="Amina Khan", locale="bn", updated_at=clock.now()
    )
    await stack.hear(changed, subject=user_id, sequence=3)
    await stack.hear(changed.model_copy(update={"email": "between@example.com"}), subject=user_id, sequence=2)
    await stack.hear(registered(user_id, clock), subject=user_id, sequence=1)
    assert await stack.rows("SELECT email, full_name, locale FROM contact") == [("new@example.com", "Amina Khan", "bn")]
