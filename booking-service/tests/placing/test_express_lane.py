"""The lane of POST /v1/bookings: it reads nothing that the documented model reads otherwise, and answers alike."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from booking_service.placing.order import Order
from booking_service.placing.schemas import BookingRequest
from booking_service.placing.wire_request import NotSure, read_order

_PERSON = {"given_name": "Amina", "surname": "Rahman", "date_of_birth": "1988-04-01"}
_GOOD: dict[str, Any] = {
    "offer_id": "of_1",
    "contact": {"email": "a@example.com", "phone": "+8801712345678", "locale": "bn"},
    "promo_code": "welcome",
    "metadata": {},
    "passengers": [
        {
            **_PERSON,
            "type": "adult",
            "title": "ms",
            "gender": "female",
            "passport": {
                "number": "BX0123456",
                "issuing_country": "BD",
                "nationality": "BD",
                "expires_on": "2031-05-01",
            },
            "contact": {"email": "b.c+d@mail.example.org", "phone": None},
            "seats": [{"flight_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11", "designator": "12A"}],
            "seat_preference": "window",
            "ssr": ["MOML", "MOML"],
            "extra_bags": 1,
            "extras": [{"code": "bag-20", "flight_id": None, "quantity": 2}],
        },
        _PERSON,
    ],
}


def _without_ids(order: Order) -> str:
    import msgspec

    document = msgspec.to_builtins(order)
    for traveller in document["travellers"]:
        traveller.pop("id")
    return json.dumps(document, sort_keys=True)


def _agree(body: bytes) -> bool:
    """Whether the lane read it; it must then be what the model reads."""
    try:
        lane = read_order(body)
    except NotSure:
        return False
    assert _without_ids(BookingRequest.model_validate(json.loads(body)).order({})) == _without_ids(lane)
    return True


def test_the_usual_body_is_read_by_the_lane() -> None:
    assert _agree(json.dumps(_GOOD).encode())


_STRANGE: list[Any] = [
     None, "", " ", "a", " a", "a\u2009", "\x1c", "\u200c", "é", "ß", "A" * 41, "a" * 5000, 0, 1, -1, 1.0, 2.5,
    1e400, 10**30, True, [], {}, [None], "2030-02-29", "2028-02-29", "0001-01-01", "2031-05-01T00:00:00", "12a",
    "99Z", "0A", "٣A", "bd", "BDX", "mo ml", "moml", "WCHR", "+0123456789", "+880 1712-345678", "+٨٨٠١٧١٢٣٤٥٦٧٨",
    "a@b", "A@Example.com", "a@x.test", "a@x--y.com", "a@xn--a.com", "a..b@x.com", "a@-x.com", "a@x.c",
    "a@localhost", "a@1.2.3.4", "a@x.example", "a@" + "x" * 64 + ".com", "x" * 65 + "@x.com",
    "0197f6d24b7e7c3a9a513f1f2b8f6c11", "{0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11}", "en-GB", "e1", "senior", "UMNR",
    "window ", "mrs",
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in _places(child, (*path, key)))]


def _changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    if not path:
        return to
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(copy[path[0]], path[1:], to)
    return copy


def test_whatever_stands_in_any_place_the_lane_never_reads_it_otherwise_than_the_model() -> None:
    read = sum(
        _agree(json.dumps(_changed(_GOOD, place, strange)).encode())
        for place in _places(_GOOD)[1:]
        for strange in _STRANGE
    )
    assert read > 100, "else this proves little"


@given(place=st.sampled_from(_places(_GOOD)[1:]), text=st.text(max_size=30))
def test_no_text_is_read_otherwise(place: tuple[Any, ...], text: str) -> None:
    _agree(json.dumps(_changed(_GOOD, place, text)).encode())


@given(
    local=st.text(alphabet="ab9.-+_", min_size=1, max_size=12),
    domain=st.text(alphabet="ab9.-", min_size=1, max_size=16),
)
def test_no_address_is_accepted_that_the_model_refuses(local: str, domain: str) -> None:
    _agree(json.dumps(_changed(_GOOD, ("contact", "email"), f"{local}@{domain}")).encode())


@pytest.mark.parametrize("member", ["offer_id", "contact", "passengers"])
def test_a_missing_member_is_left_to_the_model(member: str) -> None:
    body = {name: value for name, value in _GOOD.items() if name != member}
    with pytest.raises(NotSure):
        read_order(json.dumps(body).encode())
    with pytest.raises(ValidationError):
        BookingRequest.model_validate(body)


async def test_a_repeat_on_the_documented_route_gets_the_answer_saved_by_the_lane(house: Any) -> None:
    body = json.dumps(house.body()).encode()
    headers = {**house.headers(key="k"), "content-type": "application/json"}
    first = await house.client.post("/v1/bookings", content=body, headers=headers)
    slow = {**headers, "content-type": "application/json; charset=utf-8"}
    second = await house.client.post("/v1/bookings", content=body, headers=slow)
    assert (first.status_code, second.status_code, second.headers["idempotency-replayed"]) == (201, 201, "true")
    assert first.content == second.content


async def test_a_body_the_lane_leaves_is_answered_by_the_documented_route(house: Any) -> None:
    wrong = {**house.body(), "unknown": 1}
    refused = await house.post("/v1/bookings", wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert refused.json()["errors"][0]["pointer"] == "#/unknown"
    spaced = house.body()
    spaced["contact"]["phone"] = "+880 1712 345678"
    placed = await house.post("/v1/bookings", spaced)
    assert (placed.status_code, placed.json()["contact"]["phone"]) == (201, "+8801712345678")


async def test_nobody_places_through_the_lane_without_a_token_or_a_key(house: Any) -> None:
    answer = await house.client.post("/v1/bookings", json=house.body(), headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    answer = await house.client.post("/v1/bookings", json=house.body(), headers=house.headers())
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")
    longest = house.headers(key="k" * 256)
    assert (await house.client.post("/v1/bookings", json=house.body(), headers=longest)).status_code == 422
