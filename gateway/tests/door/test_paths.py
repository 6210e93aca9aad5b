"""Only clear paths, only known ones, and nothing under /internal."""

from typing import Any

import pytest

from gateway.door.path_table import PathTable
from gateway.door.paths import UnclearPath, clean_path
from gateway.routes import ROUTES, Route, Who
from gateway.telemetry.route_metrics import RouteMetrics

TRICKS = [
    "/internal/v1/holds/1",
    "/INTERNAL/v1/holds/1",
    "/v1/../internal/v1/holds/1",
    "/v1/flights/../../internal/v1/holds/1",
    "//internal/v1/holds/1",
    "/v1//internal/v1/holds/1",
    "/v1/flights/..;/internal/v1/holds/1",
    "/v1/flights;/../internal",
    "/%69nternal/v1/holds/1",
    "/v1/%2e%2e/internal/v1/holds/1",
    "/v1/flights/%2e%2e%2f%2e%2e%2finternal",
    "/%2finternal/v1/holds/1",
    "/v1/flights%2f..%2f..%2finternal",
    "/v1/flights/%252e%252e/internal",
    "/v1/flights\\..\\internal",
    "/v1/flights/%5c..%5cinternal",
    "/v1/flights/%00/internal",
    "/v1/./flights",
    "/v1/flights/.",
    "/.git/config",
    "/./internal/v1/revocations",
    "/v1/flights/%",
    "/internal%2fv1/holds/1",
    "/V1/flights",
]


async def test_path_tricks_end_in_400_or_404(stack: Any, raw_get: Any) -> None:
    answers = {path: await raw_get(stack.url, path) for path in TRICKS}
    assert {path: status for path, (status, _) in answers.items() if status not in (400, 404)} == {}
    assert [path for path, (_, body) in answers.items() if b'"code"' not in body] == []
    assert not any(service.seen for service in stack.services.values())


async def test_an_absolute_address_in_the_request_line_changes_nothing(stack: Any, raw_get: Any) -> None:
    status, _ = await raw_get(stack.url, "http://flight:8000/internal/v1/holds/1")
    assert status == 404


async def test_a_path_nobody_has_is_404_and_a_method_nobody_has_405_before_any_credential(stack: Any) -> None:
    forged = {"Authorization": "Bearer nonsense"}
    missing = await stack.client.get("/v1/bookings/1/unheard-of", headers=forged)
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    for headers in ({}, forged):
        answer = await stack.client.delete("/v1/bookings", headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
        assert answer.json()["code"] == "method-not-allowed"


async def test_an_encoded_letter_is_the_letter_and_other_characters_stay_encoded(stack: Any) -> None:
    seen = (await stack.client.get("/v1/%66lights/a%20b")).json()
    assert seen["path"] == "/v1/flights/a%20b"


@pytest.mark.parametrize(
    "path", [b"/v1/x", b"/", b"/v1/promo-codes/A%20B", b"/.well-known/jwks.json", b"/v1/a.b~c-d_e"]
)
def test_clear_paths_stay_as_they_are(path: bytes) -> None:
    assert clean_path(path) == path


@pytest.mark.parametrize(
    "path", [b"", b"v1", b"/a//b", b"/.well-known/../internal", b"/a/%2E", b"/a/%7f", b"/a b", b"/\xc3\xa9"]
)
def test_unclear_paths_are_refused(path: bytes) -> None:
    with pytest.raises(UnclearPath):
        clean_path(path)


def table(**documents: dict[str, set[str]]) -> PathTable:
    return PathTable(ROUTES, documents, RouteMetrics().of)


def test_a_fixed_segment_wins_over_a_parameter_and_both_are_reached() -> None:
    paths = table(
        booking={"/v1/bookings/lookup": {"POST"}, "/v1/bookings/{id}": {"GET"}, "/v1/bookings/{id}/x.{kind}": {"GET"}}
    )
    assert paths.find(b"/v1/bookings/lookup").template == "/v1/bookings/lookup"  # type: ignore[union-attr]
    assert paths.find(b"/v1/bookings/7").template == "/v1/bookings/{id}"  # type: ignore[union-attr]
    assert paths.find(b"/v1/bookings/lookup/x.pdf").template == "/v1/bookings/{id}/x.{kind}"  # type: ignore[union-attr]
    assert paths.find(b"/v1/bookings/7/x") is None
    assert paths.find(b"/v1/bookings/") is None


def test_the_longest_row_rules_a_path_and_a_prefix_ends_at_a_segment() -> None:
    paths = table(booking={"/v1/bookings/lookup": {"POST"}})
    assert paths.find(b"/v1/bookings/lookup").operations["POST"].route.who is Who.ANYONE  # type: ignore[union-attr]
    assert paths.row_for(b"/v1/bookingsx") is None


def test_a_service_whose_document_is_missing_is_routed_by_prefix() -> None:
    found = table().find(b"/v1/flights/7/seat-map")
    assert found is not None
    assert found.operations["GET"].route.upstream == "flight"


def test_a_service_cannot_claim_another_services_paths() -> None:
    paths = table(chat={"/v1/payments": {"POST"}, "/v1/new": {"GET"}})
    assert paths.unclaimed == ["chat /v1/payments", "chat /v1/new"]
    assert paths.find(b"/v1/new") is None


def test_no_row_leads_to_internal_paths_and_each_prefix_comes_once() -> None:
    prefixes = [route.prefix for route in ROUTES]
    assert len(prefixes) == len(set(prefixes))
    assert all(prefix.startswith(("/v1/", "/.well-known/")) and "internal" not in prefix for prefix in prefixes)
    assert all(route.body <= 20 * 1024 * 1024 and 0 < route.timeout <= 60 for route in ROUTES)
    assert all(isinstance(route, Route) for route in ROUTES)
