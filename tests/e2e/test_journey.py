"""A person books a flight end to end, on real servers, through the gateway."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from pypdf import PdfReader

from rihla_local.traveller import DECLINED, Refused, Traveller, adult, within

MakeTraveller = Callable[[], Traveller]


async def test_a_person_registers_books_pays_and_receives_a_ticket_by_mail(traveller: Traveller) -> None:
    offers = await traveller.search("DAC", "JED")
    booking = await traveller.book(offers[0])
    assert booking["status"] == "pending_payment"
    assert booking["total"] == offers[0]["price"]["total"]
    payment = await traveller.pay(booking)
    assert payment["status"] == "succeeded"
    confirmed = await traveller.wait_until(booking, "confirmed")
    mail = await traveller.ticket_mail(booking["reference"])
    number = confirmed["passengers"][0]["e_ticket_number"]
    pdf = next(one for one in mail["attachments"] if one["type"] == "application/pdf")
    content = (await traveller.http.get(pdf["url"])).content
    printed = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert booking["reference"] in printed
    assert number.replace("-", "") in printed.replace("-", "").replace(" ", "")
    assert len(number.replace("-", "")) == 13


async def test_a_declined_card_leaves_the_booking_waiting_and_another_pays_it(traveller: Traveller) -> None:
    booking = await traveller.book((await traveller.search("DXB", "LHR"))[0])
    declined = await traveller.pay(booking, card=DECLINED)
    assert (declined["status"], (await traveller.read(booking))["status"]) == ("failed", "pending_payment")
    assert (await traveller.pay(booking))["status"] == "succeeded"
    await traveller.wait_until(booking, "confirmed")


async def test_the_same_key_twice_is_one_booking_and_one_payment(traveller: Traveller) -> None:
    offer = (await traveller.search("DAC", "DXB"))[0]
    person = adult()
    first, second = [await traveller.book(offer, key="once", passengers=[person]) for _ in range(2)]
    assert first["id"] == second["id"]
    one, two = [await traveller.pay(first, key="pay-once") for _ in range(2)]
    assert one["id"] == two["id"]
    await traveller.wait_until(first, "confirmed")
    listed = await traveller.expect("list", "GET", "/v1/bookings")
    assert [item["id"] for item in listed["items"]] == [first["id"]]


async def test_nobody_reads_pays_or_cancels_what_belongs_to_another(
    traveller: Traveller, new_traveller: MakeTraveller
) -> None:
    booking = await traveller.book((await traveller.search("DAC", "JED"))[0])
    stranger = new_traveller()
    await stranger.sign_up()
    attempts = [
        await stranger.call("GET", f"/v1/bookings/{booking['id']}"),
        await stranger.call("GET", f"/v1/bookings/{booking['id']}/tickets.pdf"),
        await stranger.call(
            "POST",
            f"/v1/bookings/{booking['id']}/cancellation-quotes",
            json={"scope": "all"},
            headers={"idempotency-key": "q"},
        ),
        await stranger.call(
            "POST",
            "/v1/payments",
            json={"booking_id": booking["id"], "method": {"type": "wallet"}},
            headers={"idempotency-key": "p"},
        ),
    ]
    assert {answer.status_code for answer in attempts} == {404}


async def test_the_last_seat_of_a_flight_is_sold_once(traveller: Traveller, new_traveller: MakeTraveller) -> None:
    offer = (await traveller.search("DAC", "JED", days_ahead=40))[0]
    seat = await _a_free_seat(traveller, offer)
    rivals = [traveller, *[new_traveller() for _ in range(4)]]
    for rival in rivals[1:]:
        await rival.sign_up()

    async def try_it(rival: Traveller) -> str:
        try:
            await rival.book(offer, passengers=[adult(seats=[seat])])
        except Refused as refusal:
            return refusal.code
        return "sold"

    outcomes = await asyncio.gather(*(try_it(rival) for rival in rivals))
    assert sorted(outcomes) == ["seat-taken"] * 4 + ["sold"]


async def _a_free_seat(traveller: Traveller, offer: dict[str, Any]) -> dict[str, str]:
    segment = offer["slices"][0]["segments"][0]
    plan = await traveller.expect("seat map", "GET", f"/v1/flights/{segment['flight_id']}/seat-map")
    cabin = next(one for one in plan["cabins"] if one["cabin"] == segment["cabin"])
    free = [seat for row in cabin["rows"] for seat in row["seats"] if seat["state"] == "free"]
    return {"flight_id": segment["flight_id"], "designator": free[-1]["designator"]}


async def test_a_tampered_offer_is_refused(traveller: Traveller) -> None:
    offer = (await traveller.search("DAC", "JED"))[0]
    middle = len(offer["id"]) // 2
    other = "A" if offer["id"][middle] != "A" else "B"
    tampered = {**offer, "id": offer["id"][:middle] + other + offer["id"][middle + 1 :]}
    with pytest.raises(Refused) as refusal:
        await traveller.book(tampered)
    assert refusal.value.status in (404, 409, 422)
    assert refusal.value.code


async def test_signing_out_ends_the_session_at_the_door(traveller: Traveller) -> None:
    assert (await traveller.call("GET", "/v1/me")).status_code == 200
    answer = await traveller.call("POST", "/v1/auth/logout", json={"refresh_token": traveller.tokens["refresh_token"]})
    assert answer.status_code in (200, 204)

    async def refused() -> bool:
        return (await traveller.call("GET", "/v1/me")).status_code == 401

    await within(60, "the refusal of a token that was signed out", refused)


async def test_every_service_is_well_and_the_documents_are_joined(traveller: Traveller) -> None:
    health = await traveller.expect("health", "GET", "/health/services")
    assert health
    document = await traveller.expect("openapi", "GET", "/openapi.json")
    assert {"/v1/flight-offers", "/v1/bookings", "/v1/payments", "/v1/auth/register"} <= document["paths"].keys()
    assert not [path for path in document["paths"] if path.startswith("/internal")]
