"""A person takes along everything that is kept about them, wherever it is kept, and nothing of anybody else's."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from rihla_local.traveller import Traveller, within

MakeTraveller = Callable[[], Traveller]


async def _export(traveller: Traveller) -> dict[str, Any]:
    found: dict[str, Any] = await traveller.expect("export", "GET", "/v1/me/export")
    return found


async def test_the_export_holds_what_every_service_keeps(traveller: Traveller, new_traveller: MakeTraveller) -> None:
    companion = {"given_name": "Karim", "surname": "Rahman"}
    await traveller.expect("companion", "POST", "/v1/me/companions", status=201, json=companion)
    passport = {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"}
    await traveller.expect("passport", "PATCH", "/v1/me", json={"passport": passport})
    ticket = {"client_id": "t-1", "category": "baggage", "subject": "A lost bag", "body": "It was not on the belt."}
    opened = await traveller.call("POST", "/v1/support/tickets", json=ticket)
    assert opened.status_code == 201, opened.text
    device = {"platform": "android", "token": f"fcm-token-{secrets.token_hex(8)}", "name": "Pixel 9"}
    await traveller.expect("device", "POST", "/v1/devices", status=201, json=device)
    booking = await traveller.book((await traveller.search("DAC", "JED"))[0])
    payment = await traveller.pay(booking)
    await traveller.wait_until(booking, "confirmed", timeout=120)

    async def told() -> dict[str, Any] | None:
        found = await _export(traveller)
        return found if found["notifications"] and not found["incomplete"] else None

    mine = await within(120, "a notice in the export", told, every=0.5)
    assert mine["incomplete"] == []
    assert mine["profile"]["passport"]["number"] == "BX0123456"
    assert [one["given_name"] for one in mine["companions"]] == ["Karim"]
    assert [one["id"] for one in mine["bookings"]] == [booking["id"]]
    assert [one["id"] for one in mine["payments"]] == [payment["id"]]
    assert [one["subject"] for one in mine["support_tickets"]] == ["A lost bag"]
    assert mine["sessions"]
    assert [one["name"] for one in mine["devices"]] == ["Pixel 9"]
    assert device["token"] not in json.dumps(mine)
    [wishes] = mine["notification_preferences"]
    assert wishes
    assert mine["saved_cards"] == []
    stranger = new_traveller()
    await stranger.sign_up()
    theirs = await _export(stranger)
    assert (theirs["bookings"], theirs["payments"], theirs["support_tickets"]) == ([], [], [])
    assert booking["id"] not in json.dumps(theirs)


async def test_a_client_cannot_bring_the_token_for_another_service(
    traveller: Traveller, new_traveller: MakeTraveller
) -> None:
    stranger = new_traveller()
    await stranger.sign_up()
    forged = {"X-Internal-Booking-Authorization": f"Bearer {traveller.tokens['access_token']}"}
    answer = await stranger.call("GET", "/v1/me/export", headers=forged)
    assert (answer.status_code, answer.json()["bookings"], answer.json()["incomplete"]) == (200, [], [])
