"""A partner's own notes on a booking: given at placing, kept and given back as they are, to the partner alone."""

from typing import Any

import pytest

from rihla.kernel import new_id

_NOTES = {"order": "A-77/2026", "desk": "Dhaka — দোকান"}


def _key(house: Any, organisation: str, partner: Any) -> dict[str, str]:
    headers: dict[str, str] = house.headers(
        partner, key=str(new_id()), kind="partner", test_mode=True, org=organisation
    )
    return headers


async def test_notes_come_back_in_the_answer_the_booking_and_the_list_and_to_nobody_else(house: Any) -> None:
    partner, organisation = new_id(), str(new_id())
    body = house.body(house.one_way(airline="ZZ"), metadata=_NOTES)
    placed = await house.client.post("/v1/bookings", json=body, headers=_key(house, organisation, partner))
    assert (placed.status_code, placed.json()["metadata"]) == (201, _NOTES)
    headers = _key(house, organisation, partner)
    path = f"/v1/bookings/{placed.json()['id']}"
    assert (await house.client.get(path, headers=headers)).json()["metadata"] == _NOTES
    (listed,) = (await house.client.get("/v1/bookings", headers=headers)).json()["items"]
    assert listed["metadata"] == _NOTES
    other = _key(house, str(new_id()), new_id())
    assert (await house.client.get(path, headers=other)).status_code == 404
    assert (await house.client.get("/v1/bookings", headers=other)).json()["items"] == []
    staff = house.headers(new_id(), roles=("support",))
    seen = await house.client.get(f"/v1/admin/bookings/{placed.json()['id']}", headers=staff)
    assert seen.json()["metadata"] == _NOTES


async def test_who_only_knows_reference_and_surname_sees_no_notes(house: Any) -> None:
    booking = await house.place(house.body(metadata=_NOTES))
    guess = {"reference": booking["reference"], "surname": "Rahman"}
    assert (await house.post("/v1/bookings/lookup", guess, user_id=new_id())).json()["metadata"] == {}
    assert (await house.post("/v1/bookings/lookup", guess)).json()["metadata"] == _NOTES


@pytest.mark.parametrize(
    ("notes", "pointer"),
    [
        ({"k": "v" * 501}, "#/metadata/k"),
        ({"k" * 41: "v"}, f"#/metadata/{'k' * 41}"),
        ({f"k{n}": "v" for n in range(51)}, "#/metadata"),
        ({"k": {"deep": 1}}, "#/metadata/k"),
    ],
)
async def test_notes_that_are_too_many_or_too_long_are_pointed_at(
    house: Any, notes: dict[str, Any], pointer: str
) -> None:
    answer = await house.post("/v1/bookings", house.body(metadata=notes))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert await house.rows("SELECT 1 FROM booking") == []
