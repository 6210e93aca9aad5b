"""One OpenAPI 3.1 document from those of the services. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway import problems
from gateway.reference.examples import add_examples
from gateway.routes import Route, Who
from rihla.problem_schema import PROBLEM_SCHEMA

Document = dict[str, Any]
RowOf = Callable[[str], Route | None]
METHODS = ("get", "put", "post", "delete", "patch")
_COMPONENTS = (
    "schemas",
    "responses",
    "parameters",
    "examples",
    "requestBodies",
    "headers",
    "links",
    "callbacks",
    "pathItems",
)

TAG_TEXTS = {
    "auth": "Accounts, sign-in, sessions, profile, API keys",
    "flight": "Airports, flights, offers, prices, seats",
    "booking": "Bookings, check-in, documents, cancellation",
    "payment": "Payments, wallet, subscriptions, promo codes",
    "notification": "Notifications and their preferences",
    "chat": "Support conversations",
}
_INFO = """The whole public API of Rihla. People send `Authorization: Bearer <access token>`, partners `X-API-Key`.
Errors are RFC 9457 problem documents with a stable `code`. Every answer has `X-Request-Id`; limits are told by
`RateLimit` and `RateLimit-Policy`, and a 429 says by `Retry-After` when to come back."""


def join(documents: Mapping[str, Document], row_of: RowOf, server: str, version: str) -> Document:
    """The public paths of all `documents` (service -> its own document). `row_of` gives the route-table row of a
    path."""
    components: Document = {"securitySchemes": _security_schemes(), "schemas": {}, "responses": _shared_responses()}
    joined: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Rihla",
            "version": version,
            "description": _INFO,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": TAG_TEXTS[name]} for name in TAG_TEXTS if name in documents],
        "paths": {},
        "components": components,
    }
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    used_ids: set[str] = set()
    for service, original in documents.items():
        document = copy.deepcopy(original)
        _rename(document, _adopt_components(service, document, components))
        for path, item in document.get("paths", {}).items():
            row = row_of(path)
            if row is not None and row.upstream == service:
                joined["paths"][path] = _public_item(item, service, row, used_ids)
    _drop_unused(joined)
    add_examples(joined["paths"], joined["components"]["schemas"])
    return joined


def _adopt_components(service: str, document: Document, components: Document) -> dict[str, str]:
    """Move a service's components in; the mapping says which references must be renamed because the name was taken."""
    renamed: dict[str, str] = {}
    for kind in _COMPONENTS:
        for name, value in document.get("components", {}).get(kind, {}).items():
            target = components.setdefault(kind, {})
            if kind == "schemas" and name == "Problem":
                continue
            free = name
            if name in target and target[name] != value:
                free = f"{service.capitalize()}{name}"
                renamed[f"#/components/{kind}/{name}"] = f"#/components/{kind}/{free}"
                if "title" in value:
                    # Generators name their classes by the title: two of one name would lose one of them.
                    value = {**value, "title": free}
            target[free] = value
    return renamed


def _rename(node: Any, renamed: Mapping[str, str]) -> None:
    if not renamed:
        return
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            node["$ref"] = renamed.get(reference, reference)
        mapping = node.get("discriminator", {}).get("mapping") if isinstance(node.get("discriminator"), dict) else None
        if isinstance(mapping, dict):
            for key, value in mapping.items():
                mapping[key] = renamed.get(value, value)
        for value in node.values():
            _rename(value, renamed)
    elif isinstance(node, list):
        for value in node:
            _rename(value, renamed)


def _public_item(item: Document, service: str, row: Route, used_ids: set[str]) -> Document:
    public: Document = {key: value for key, value in item.items() if key in ("summary", "description", "parameters")}
    for method in METHODS:
        operation = item.get(method)
        if not isinstance(operation, dict):
            continue
        operation["tags"] = [service]
        operation["operationId"] = _unique(str(operation.get("operationId") or method), service, used_ids)
        operation.setdefault("summary", operation["operationId"].replace("_", " ").capitalize())
        operation["security"] = _security(row, operation)
        _add_responses(operation, row)
        public[method] = operation
    return public


def _unique(wanted: str, service: str, used: set[str]) -> str:
    wanted = re.sub(r"[^A-Za-z0-9_]", "_", wanted)
    candidates = [wanted, f"{service}_{wanted}", *(f"{service}_{wanted}_{n}" for n in range(2, 1000))]
    free = next(candidate for candidate in candidates if candidate not in used)
    used.add(free)
    return free


def _security(row: Route, operation: Document) -> list[dict[str, list[str]]]:
    if row.who is Who.PROVIDER:
        return []
    either: list[dict[str, list[str]]] = [{"bearerAuth": []}, {"apiKey": []}]
    if row.who is Who.STAFF:
        return [{"bearerAuth": []}]
    if row.who is Who.SIGNED_IN:
        return either if row.scope else [{"bearerAuth": []}]
    return [{}, *either] if operation.get("security") else []


def _add_responses(operation: Document, row: Route) -> None:
    responses = operation.setdefault("responses", {})
    shared = {"429": "TooManyRequests", "503": "Unavailable"}
    if row.who in (Who.SIGNED_IN, Who.STAFF):
        shared["401"] = "Unauthenticated"
    if row.who is Who.STAFF or (row.who is Who.SIGNED_IN and row.scope):
        shared["403"] = "Forbidden"
    if "requestBody" in operation:
        shared["413"] = "TooLarge"
    if "HTTPValidationError" in str(responses.get("422")):
        # FastAPI's own description; what services answer is a problem document.
        responses["422"] = {
            "description": "The request is not valid",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    for status, name in shared.items():
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})


def _drop_unused(joined: Document) -> None:
    """Forget components that only internal operations used, and those that only they referred to."""
    components = joined["components"]
    reachable: set[str] = set()
    waiting = [joined["paths"]]
    while waiting:
        for reference in _references(waiting.pop()):
            if reference in reachable:
                continue
            reachable.add(reference)
            _, _, kind, name = reference.split("/", 3)
            waiting.append(components.get(kind, {}).get(name, {}))
    for kind in _COMPONENTS:
        kept = {n: v for n, v in components.get(kind, {}).items() if f"#/components/{kind}/{n}" in reachable}
        components[kind] = kept
        if not kept:
            del components[kind]


def _references(node: Any) -> list[str]:
    found: list[str] = []
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str) and value.startswith("#/components/"):
                found.append(value)
            elif key == "mapping" and isinstance(value, dict):
                found.extend(v for v in value.values() if isinstance(v, str) and v.startswith("#/components/"))
            else:
                found.extend(_references(value))
    elif isinstance(node, list):
        for value in node:
            found.extend(_references(value))
    return found


def _security_schemes() -> Document:
    return {
        "bearerAuth": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Access token of a person, from /v1/auth/login; lives ten minutes.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "Partner key, `rk_test_...` or `rk_live_...`.",
        },
    }


def _shared_responses() -> Document:
    rows = {
        "Unauthenticated": problems.UNAUTHENTICATED,
        "Forbidden": problems.FORBIDDEN,
        "TooLarge": problems.BODY_TOO_LARGE,
        "TooManyRequests": problems.RATE_LIMITED,
        "Unavailable": problems.UPSTREAM_UNAVAILABLE,
    }
    return {name: _response(problem) for name, problem in rows.items()}


def _response(problem: problems.Problem) -> Document:
    example = {
        "type": f"urn:rihla:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "request_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
    }
    response: Document = {
        "description": problem.title,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }
    if problem.status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}
    return response
