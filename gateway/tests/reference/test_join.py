"""One document out of many."""

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.door.path_table import PathTable
from gateway.reference.documents import public_methods
from gateway.reference.join import join
from gateway.routes import ROUTES
from gateway.telemetry.route_metrics import RouteMetrics


def document(paths: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def operation(name: str, schema: str | None = None, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}} if schema else {}
    return {"operationId": name, "responses": {"200": {"description": "ok", "content": content}}, **more}


def joined(**documents: dict[str, Any]) -> dict[str, Any]:
    table = PathTable(ROUTES, {name: public_methods(each) for name, each in documents.items()}, RouteMetrics().of)
    return join(documents, table.rows_of.get, "https://api.example", "1.0.0")


PAGE_A = {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}
PAGE_B = {"type": "object", "properties": {"other": {"type": "string"}}}
THING = {"type": "object", "properties": {"id": {"type": "string"}}}
OTHER_THING = {"type": "object", "properties": {"id": {"type": "integer"}}}


def test_only_public_paths_and_what_they_need_are_in_it() -> None:
    flight = document(
        {
            "/v1/flights": {"get": operation("list", "Page")},
            "/internal/v1/holds/{id}": {"put": operation("hold", "Secret")},
            "/health/live": {"get": operation("live")},
            "/v1/not-claimed": {"get": operation("stray")},
        },
        Page=PAGE_A,
        Thing=THING,
        Secret=OTHER_THING,
    )
    result = joined(flight=flight)
    assert list(result["paths"]) == ["/v1/flights"]
    assert set(result["components"]["schemas"]) == {"Page", "Thing", "Problem"}
    OpenAPIV31SpecValidator(result).validate()


def test_names_that_clash_are_told_apart_and_references_follow() -> None:
    result = joined(
        flight=document({"/v1/flights": {"get": operation("list", "Page")}}, Page=PAGE_A, Thing=THING),
        booking=document({"/v1/bookings": {"get": operation("list", "Page")}}, Page=PAGE_B, Thing=THING),
    )
    schemas = result["components"]["schemas"]
    assert schemas["Page"] == PAGE_A
    assert schemas["BookingPage"] == PAGE_B
    content = result["paths"]["/v1/bookings"]["get"]["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["$ref"] == "#/components/schemas/BookingPage"
    assert result["paths"]["/v1/bookings"]["get"]["operationId"] == "booking_list"
    OpenAPIV31SpecValidator(result).validate()


def test_security_and_shared_problems_follow_from_the_route_table() -> None:
    signed = {"security": [{"HTTPBearer": []}]}
    result = joined(
        booking=document({"/v1/bookings": {"get": operation("a")}, "/v1/admin/bookings": {"get": operation("b")}}),
        flight=document({"/v1/flights": {"get": operation("c", **signed)}, "/v1/airports": {"get": operation("d")}}),
        payment=document({"/v1/webhooks/stripe": {"post": operation("e", **signed)}}),
    )
    security = {path: next(iter(item.values()))["security"] for path, item in result["paths"].items()}
    assert security == {
        "/v1/bookings": [{"bearerAuth": []}, {"apiKey": []}],
        "/v1/admin/bookings": [{"bearerAuth": []}],
        "/v1/flights": [{}, {"bearerAuth": []}, {"apiKey": []}],
        "/v1/airports": [],
        "/v1/webhooks/stripe": [],
    }
    staff = result["paths"]["/v1/admin/bookings"]["get"]["responses"]
    assert {"401", "403", "429", "503"} <= set(staff)
    assert staff["429"] == {"$ref": "#/components/responses/TooManyRequests"}
    assert set(result["components"]["securitySchemes"]) == {"bearerAuth", "apiKey"}
    OpenAPIV31SpecValidator(result).validate()


def test_a_services_own_problem_responses_are_kept() -> None:
    own = {
        "description": "No seats",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    item = operation("a")
    item["responses"]["503"] = own
    result = joined(booking=document({"/v1/bookings": {"get": item}}, Problem={"type": "object"}))
    assert result["paths"]["/v1/bookings"]["get"]["responses"]["503"] == own


def test_joining_changes_no_document() -> None:
    original = document({"/v1/bookings": {"get": operation("a", "Page")}}, Page=PAGE_B)
    before = repr(original)
    joined(
        flight=document({"/v1/flights": {"get": operation("a", "Page")}}, Page=PAGE_A, Thing=THING), booking=original
    )
    assert repr(original) == before


async def test_the_public_document_is_valid_and_every_operation_has_its_own_id(stack: Any) -> None:
    document_ = (await stack.client.get("/openapi.json")).json()
    OpenAPIV31SpecValidator(document_).validate()
    ids = [op["operationId"] for item in document_["paths"].values() for op in item.values() if isinstance(op, dict)]
    assert len(ids) == len(set(ids)) > 10
    assert not [path for path in document_["paths"] if path.startswith(("/internal", "/health"))]
    assert {tag["name"] for tag in document_["tags"]} == {"auth", "flight", "booking", "payment", "chat"}


async def test_a_service_that_starts_late_joins_later(start: Any) -> None:
    from rihla.testing import eventually

    stack = await start()
    server = stack.servers["payment"][0]
    assert "/v1/payments" in (await stack.client.get("/openapi.json")).json()["paths"]
    await server.stop()
    late = await start(without=("payment",), payment_url=server.url, documents_seconds=0.2)
    assert "/v1/payments" not in (await late.client.get("/openapi.json")).json()["paths"]
    assert (await late.client.get("/health/ready")).json()["checks"]["documents"] == "degraded"
    await server.start()

    async def joined_in() -> bool:
        return "/v1/payments" in (await late.client.get("/openapi.json")).json()["paths"]

    assert await eventually(joined_in)


@pytest.mark.parametrize("path", ["/docs", "/docs/reference.js", "/docs/reference.css", "/partners"])
async def test_the_pages_need_nothing_from_other_sites(stack: Any, path: str) -> None:
    answer = await stack.client.get(path)
    assert answer.status_code == 200
    text = answer.text.replace("http://gateway.test", "")
    # What a person may click, and what an example shows, is not loaded.
    text = re.sub(r"<pre[^>]*>.*?</pre>|<a href=[^>]*>", "", text, flags=re.DOTALL)
    assert "http://" not in text
    assert "https://" not in text
    if path in ("/docs", "/partners"):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
