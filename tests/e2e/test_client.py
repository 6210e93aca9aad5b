"""The joined OpenAPI document as a partner's programmer meets it: a strict linter, and a generated Python client."""

import asyncio
import importlib
import json
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from rihla_local.traveller import CARD, GOOD, Traveller, within

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
BINARY = ("application/pdf", "image/png", "application/octet-stream")
CONFIG = {
    "content_type_overrides": dict.fromkeys(BINARY, "application/octet-stream") | {"text/calendar": "text/plain"},
    "post_hooks": [],
}


@pytest_asyncio.fixture
async def document(traveller: Traveller) -> Json:
    found: Json = (await traveller.call("GET", "/openapi.json")).json()
    return found


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """(method and path, operation) of everything."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def response(document: Json, given: Json) -> Json:
    """A response with its reference followed."""
    name = given.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["responses"][name] if name else given
    return found


async def test_the_document_is_valid_openapi(document: Json) -> None:
    OpenAPIV31SpecValidator(document).validate()


async def test_every_operation_is_named_tagged_and_says_who_may_call_it(document: Json) -> None:
    ids, tags = set(), {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation["operationId"].isidentifier(), name
        assert operation["operationId"] not in ids, name
        ids.add(operation["operationId"])
        assert set(operation["tags"]) & tags, name
        assert isinstance(operation.get("security"), list), f"{name} says neither who may call it nor that anyone may"


async def test_every_operation_describes_a_refusal_as_a_problem(document: Json) -> None:
    for name, operation in operations(document):
        refusals = [(status, one) for status, one in operation["responses"].items() if status.startswith("4")]
        assert refusals, name
        for status, one in refusals:
            content = response(document, one).get("content", {})
            assert "application/problem+json" in content, f"{name} {status}"


async def test_every_request_body_has_an_example_that_fits_its_schema(document: Json) -> None:
    for name, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if media_type not in ("application/json", "application/x-www-form-urlencoded"):
                continue
            examples = _examples(document, content)
            assert examples, f"{name} has no example"
            schema = {**content["schema"], "components": document["components"]}
            for example in examples:
                errors = [error.message for error in Draft202012Validator(schema).iter_errors(example)]
                assert not errors, f"{name}: {errors}"


def _examples(document: Json, content: Json) -> list[Any]:
    schema = content["schema"]
    schema = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    named = [one["value"] for one in content.get("examples", {}).values()]
    return named + [one["example"] for one in (content, schema) if "example" in one] + schema.get("examples", [])


async def _generated(document: Json, folder: Path) -> str:
    """The name of the package that openapi-python-client makes of the document."""
    name = f"rihla_client_{secrets.token_hex(4)}"
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    tool = Path(sys.executable).with_name("openapi-python-client")
    process = await asyncio.create_subprocess_exec(
        str(tool),
        "generate",
        *("--path", str(folder / "openapi.json")),
        *("--config", str(folder / "config.json")),
        *("--output-path", str(folder / name), "--meta", "none", "--fail-on-warning"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-4000:]
    return name


async def test_a_generated_python_client_searches_books_and_pays(
    document: Json, traveller: Traveller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await _generated(document, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def part(path: str) -> Any:
        return importlib.import_module(f"{name}.{path}")

    models = part("models")
    url = document["servers"][0]["url"]
    client = part("client").AuthenticatedClient(
        base_url=url, token=traveller.tokens["access_token"], raise_on_unexpected_status=True
    )
    date = (datetime.now(UTC) + timedelta(days=21)).date()
    found = await part("api.flight.search_flight_offers").asyncio(
        client=client, origin="DAC", destination="JED", departure_date=date
    )
    offer = found.items[0]
    wanted = {
        "offer_id": offer.id,
        "contact": {"email": traveller.email},
        "passengers": [
            {"type": "adult", "given_name": "Amina", "surname": "Rahman", "date_of_birth": "1988-04-01"},
        ],
    }
    booking = await part("api.booking.place_a_booking").asyncio(
        client=client, body=models.BookingRequest.from_dict(wanted), idempotency_key=secrets.token_hex(8)
    )
    assert isinstance(booking, models.Booking)
    assert booking.total.to_dict() == offer.price.total.to_dict()
    method = {"type": "card", "provider": "sandbox", "card": {**CARD, "number": GOOD}}
    request = part("api.payment.create_payment")
    body = models.CreatePayment.from_dict({"booking_id": str(booking.id), "method": method})
    payment = await request.asyncio(client=client, body=body, idempotency_key=secrets.token_hex(8))
    assert str(payment.status) == "succeeded"
    read = part("api.booking.read_a_booking")

    async def confirmed() -> Any:
        found = await read.asyncio(booking.id, client=client)
        return found if str(found.status) == "confirmed" else None

    booking = await within(120, "confirmation", confirmed)
    assert booking.passengers[0].e_ticket_number
    missing = await read.asyncio("0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11", client=client)
    assert missing.to_dict()["code"] == "booking-not-found"
