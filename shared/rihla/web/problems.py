"""RFC 9457: every error leaves as `application/problem+json` with `code` and `request_id`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from rihla.auth.dependencies import Forbidden, Unauthenticated
from rihla.auth.step_up import StepUpRequired
from rihla.db.idempotency import KeyReused, RequestInProgress
from rihla.http.errors import UpstreamUnavailable
from rihla.kernel import DomainError
from rihla.telemetry import get_logger
from rihla.web.outages import is_outage
from rihla.web.paging import InvalidCursor

MEDIA_TYPE = "application/problem+json"
_LARGEST_LIST_OF_ERRORS = 50
_MEMBERS = frozenset({"type", "title", "status", "code", "detail", "request_id"})
log = get_logger("web")


@dataclass(frozen=True, slots=True)
class ProblemSpec:
    """How one domain error looks outside."""

    status: int
    code: str
    title: str
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ValidationFailed(DomainError):
    """A payload whose shape is right for the schema and wrong for a rule about shape.

    `errors` is a list of {pointer, code, message}; `pointer` is a JSON pointer such as `#/passengers/0/date_of_birth`.
    """

    def __init__(self, *errors: Mapping[str, str], detail: str = "The request is not valid.") -> None:
        super().__init__(detail, errors=[dict(error) for error in errors])


class IdempotencyKeyRequired(DomainError):
    """A POST that moves money or seats came without its key."""


_COMMON: dict[type[DomainError], ProblemSpec] = {
    Unauthenticated: ProblemSpec(
        401, "unauthenticated", "Sign in to do this", headers={"WWW-Authenticate": 'Bearer realm="rihla"'}
    ),
    Forbidden: ProblemSpec(403, "forbidden", "You may not do this"),
    StepUpRequired: ProblemSpec(403, "step-up-required", "Prove your second factor again"),
    InvalidCursor: ProblemSpec(422, "invalid-cursor", "The cursor is not valid"),
    ValidationFailed: ProblemSpec(422, "validation-failed", "The request is not valid"),
    IdempotencyKeyRequired: ProblemSpec(400, "idempotency-key-required", "An Idempotency-Key header is required"),
    KeyReused: ProblemSpec(422, "idempotency-key-reused", "The Idempotency-Key was used for another request"),
    RequestInProgress: ProblemSpec(409, "request-in-progress", "The same request is still running", retry_after=1),
    UpstreamUnavailable: ProblemSpec(503, "service-unavailable", "A part of Rihla is not answering", retry_after=2),
}

_BY_STATUS = {
    400: ("bad-request", "The request cannot be read"),
    404: ("not-found", "There is nothing here"),
    405: ("method-not-allowed", "This method is not available here"),
    406: ("not-acceptable", "No such representation"),
    413: ("payload-too-large", "The body is too large"),
    415: ("unsupported-media-type", "Send application/json"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "Something went wrong on our side"),
    503: ("service-unavailable", "A part of Rihla is not answering"),
}


class ProblemTable:
    """One service's table from domain error to problem. A subclass of a listed error uses its parent's row."""

    def __init__(self, rows: Mapping[type[DomainError], ProblemSpec]) -> None:
        self.rows = {**_COMMON, **rows}
        self.by_code = {spec.code: spec for spec in self.rows.values()}

    def spec(self, error: DomainError) -> ProblemSpec | None:
        """The row of `error`, or None when the table forgot it."""
        for kind in type(error).__mro__:
            if kind in self.rows:
                return self.rows[kind]
        return None


def problem_body(status: int, code: str, title: str, detail: str, request_id: str, **extra: Any) -> bytes:
    """The document as bytes."""
    document = {"type": f"urn:rihla:problem:{code}", "title": title, "status": status, "code": code}
    if detail:
        document["detail"] = detail
    return json.dumps({**extra, **document, "request_id": request_id}, default=str).encode()


def request_id_of(request: Request) -> str:
    """The id of this request, as its middleware set it."""
    return str(getattr(request.state, "request_id", ""))


def domain_problem(error: DomainError, table: ProblemTable, request_id: str) -> tuple[ProblemSpec, bytes]:
    """The row and the document of a domain error. KeyError when the table has no row for it."""
    spec = table.spec(error)
    if spec is None:
        raise KeyError(type(error).__name__)
    # A fact named like a member of the document itself would replace it: the document wins.
    extensions = {name: value for name, value in error.data.items() if name not in _MEMBERS}
    return spec, problem_body(spec.status, spec.code, spec.title, error.detail, request_id, **extensions)


def _respond(
    status: int, body: bytes, headers: Mapping[str, str] | None = None, retry_after: int | None = None
) -> Response:
    all_headers = dict(headers or {})
    if retry_after is not None:
        all_headers["Retry-After"] = str(retry_after)
    return Response(body, status, all_headers, MEDIA_TYPE)


def _plain(request: Request, status: int, detail: str = "", **kwargs: Any) -> Response:
    code, title = _BY_STATUS.get(status, (f"http-{status}", "The request failed"))
    return _respond(status, problem_body(status, code, title, detail, request_id_of(request)), **kwargs)


def install_problem_handlers(app: FastAPI, table: ProblemTable) -> None:
    """Make every error of `app` a problem document."""

    async def on_domain_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        try:
            spec, body = domain_problem(error, table, request_id_of(request))
        except KeyError:
            return await on_any_error(request, error)
        retry_after = error.data.get("retry_after", spec.retry_after)
        return _respond(spec.status, body, spec.headers, retry_after)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _validation_problem(request, error)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _plain(request, error.status_code, headers=error.headers)

    async def on_any_error(request: Request, error: Exception) -> Response:
        if is_outage(error):
            log.warning("outage", error=type(error).__name__)
            return _plain(request, 503, "Try again in a moment.", retry_after=2)
        log.error("unhandled_error", exc_info=error)
        return _plain(request, 500, "Try again; if it happens again, tell support the request id.")

    app.add_exception_handler(DomainError, on_domain_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.state.on_any_error = on_any_error


def _validation_problem(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()[:_LARGEST_LIST_OF_ERRORS]
    if any(item["type"] == "json_invalid" for item in found):
        body = problem_body(400, "malformed-json", "The body is not JSON", "", request_id_of(request))
        return _respond(400, body)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    about_whole_body = any(tuple(item["loc"]) == ("body",) for item in found)
    if about_whole_body and media_type and not media_type.endswith("json") and not media_type.startswith("multipart"):
        return _plain(request, 415)
    errors = [
        {"pointer": _pointer(item["loc"]), "code": str(item["type"]).replace("_", "-"), "message": str(item["msg"])}
        for item in found
    ]
    body = problem_body(
        422, "validation-failed", "The request is not valid", "See errors.", request_id_of(request), errors=errors
    )
    return _respond(422, body)


def _pointer(location: tuple[Any, ...]) -> str:
    parts = location[1:] if location and location[0] == "body" else location
    return "#/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def problem_responses(*codes: str, table: ProblemTable) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for these problem codes: one entry for each status, with an example for each code."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        spec = table.by_code[code]
        example = {
            "type": f"urn:rihla:problem:{code}",
            "title": spec.title,
            "status": spec.status,
            "code": code,
            "request_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
        }
        entry = responses.setdefault(
            spec.status,
            {
                "description": spec.title,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {"summary": spec.title, "value": example}
    return responses
