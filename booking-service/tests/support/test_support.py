"""The support view: who may, what it finds, what it does."""

from typing import Any

from booking_service.cancelling.schemas import Cancellation
from rihla.kernel import new_id


def _staff(house: Any, role: str = "support", **extra: Any) -> dict[str, str]:
    return house.headers(new_id(), roles=(role,), **extra)  # type: ignore[no-any-return]


async def test_travellers_do_not_see_the_support_view(house: Any) -> None:
    booking = await house.place()
    for path in ("", f"/{booking['id']}", f"/{booking['id']}/timeline"):
        answer = await house.get(f"/v1/admin/bookings{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_support_finds_a_booking_by_what_the_traveller_says(house: Any) -> None:
    booking = await house.confirmed()
    await house.place()
    searches: list[dict[str, str]] = [
        {"reference": booking["reference"]},
        {"email": "AMINA@example.com", "status": "confirmed"},
        {"e_ticket_number": booking["passengers"][0]["e_ticket_number"]},
        {"flight_id": booking["slices"][0]["segments"][0]["flight_id"]},
    ]
    for params in searches:
        answer = await house.client.get("/v1/admin/bookings", params=params, headers=_staff(house))
        assert [item["id"] for item in answer.json()["items"]] == [booking["id"]], params


async def test_the_timeline_tells_what_happened_without_personal_data(house: Any) -> None:
    booking = await house.confirmed()
    path = f"/v1/admin/bookings/{booking['id']}/timeline"
    answer = await house.client.get(path, headers=_staff(house, "admin"))
    assert [item["kind"] for item in answer.json()["items"]] == ["placed", "payment_received", "confirmed"]
    assert "amina" not in answer.text.lower()
    assert "rahman" not in answer.text.lower()


async def test_support_cancels_with_everything_returned(house: Any) -> None:
    booking = await house.confirmed()
    path = f"/v1/admin/bookings/{booking['id']}/cancellations"
    answer = await house.client.post(path, json={"full_refund": True}, headers=_staff(house, key="s1"))
    assert answer.status_code == 201, answer.text
    Cancellation.model_validate(answer.json())
    assert answer.json()["refund"] == booking["total"]
    again = await house.client.post(path, json={"full_refund": True}, headers=_staff(house, key="s2"))
    assert again.status_code == 409


async def test_support_has_documents_made_again_for_what_was_sold(house: Any) -> None:
    pending = await house.place()
    confirmed = await house.confirmed()
    at = "/v1/admin/bookings"
    refused = await house.client.post(f"{at}/{pending['id']}/documents", headers=_staff(house))
    assert (refused.status_code, refused.json()["code"]) == (409, "booking-state-conflict")
    again = await house.client.post(f"{at}/{confirmed['id']}/documents", headers=_staff(house))
    assert again.status_code == 202
    assert len(await house.rows("SELECT 1 FROM document_job")) == 2


async def test_support_with_a_second_factor_proves_it_again_before_money_goes_back(house: Any) -> None:
    booking = await house.confirmed()
    path, proved = f"/v1/admin/bookings/{booking['id']}/cancellations", int(house.clock.now().timestamp())
    stale = _staff(house, key="s1", second_factor_at=proved - 600)
    refused = await house.client.post(path, json={"full_refund": True}, headers=stale)
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    fresh = _staff(house, key="s1", second_factor_at=proved)
    assert (await house.client.post(path, json={"full_refund": True}, headers=fresh)).status_code == 201
