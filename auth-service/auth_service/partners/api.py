"""A partner's own keys; organisations for administrators; the exchange for the gateway."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from auth_service.bootstrap import Container
from auth_service.partners import api_keys, organisations
from auth_service.partners.schemas import (
    ApiKeyRequest,
    ApiKeyView,
    ExchangedKey,
    ExchangeRequest,
    KeyLimitRequest,
    NewApiKey,
    OrganisationRequest,
    OrganisationView,
)
from auth_service.problems import problems
from auth_service.sessions.visitor import FromVisitor, Owner, may
from rihla.auth import Principal, require_service
from rihla.web import Page, PageParams, container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter()
C = Annotated[Container, Depends(container)]
Partner = Annotated[Principal, may("api_keys.own")]
Admin = Annotated[Principal, may("organisations.write")]
Optional = Annotated[IdempotentRequest, Depends(idempotent_request(required=False))]
_SIGNED_IN = ("unauthenticated", "forbidden")


@router.get(
    "/v1/me/api-keys",
    tags=["api keys"],
    summary="One's own API keys",
    responses=problem_responses(*_SIGNED_IN, "invalid-cursor", table=problems),
)
async def list_api_keys(c: C, partner: Partner, page: PageParams) -> Page[ApiKeyView]:
    """The newest first, without the keys themselves. Needs the role partner."""
    return await api_keys.list_api_keys(c, partner.user_id, page.limit, page.cursor)


@router.post(
    "/v1/me/api-keys",
    status_code=201,
    tags=["api keys"],
    summary="Make an API key",
    responses=problem_responses(*_SIGNED_IN, "too-many-keys", "validation-failed", table=problems),
)
async def create_api_key(body: ApiKeyRequest, c: C, partner: Partner, visitor: FromVisitor) -> NewApiKey:
    """The key is shown once and stored only as a keyed hash. Needs the role partner."""
    return await api_keys.make_api_key(c, partner.user_id, body, visitor)


@router.delete(
    "/v1/me/api-keys/{key_id}",
    status_code=204,
    tags=["api keys"],
    summary="Revoke an API key",
    responses=problem_responses(*_SIGNED_IN, "not-found", table=problems),
)
async def revoke_api_key(key_id: UUID, c: C, owner: Owner) -> None:
    """It stops working within seconds."""
    await api_keys.revoke_api_key(c, owner.user_id, key_id)


@router.post(
    "/v1/admin/organisations",
    status_code=201,
    tags=["administration"],
    summary="Add a partner organisation",
    response_model=OrganisationView,
    responses=problem_responses(
        *_SIGNED_IN, "validation-failed", "idempotency-key-reused", "request-in-progress", table=problems
    ),
)
async def create_organisation(
    body: OrganisationRequest, c: C, admin: Admin, visitor: FromVisitor, idem: Optional
) -> OrganisationView | Response:
    """Its people are added one by one."""
    made = await organisations.add_organisation(c, admin, body.name, visitor, idem)
    return replay_response(made) if isinstance(made, Replay) else made


@router.put(
    "/v1/admin/organisations/{organisation_id}/members/{user_id}",
    status_code=204,
    tags=["administration"],
    summary="Let a person act for an organisation",
    responses=problem_responses(*_SIGNED_IN, "not-found", table=problems),
)
async def put_organisation_member(
    organisation_id: UUID, user_id: UUID, c: C, admin: Admin, visitor: FromVisitor
) -> None:
    """Gives the role partner as well."""
    await organisations.put_member(c, admin, organisation_id, user_id, visitor)


@router.put(
    "/v1/admin/organisations/api-keys/{key_id}/limit",
    status_code=204,
    tags=["administration"],
    summary="Set what an API key may ask for",
    responses=problem_responses(*_SIGNED_IN, "not-found", "validation-failed", table=problems),
)
async def set_api_key_limit(key_id: UUID, body: KeyLimitRequest, c: C, admin: Admin, visitor: FromVisitor) -> None:
    """Requests a minute and bookings kept unpaid, by the partner's contract; known to gateways within seconds."""
    await organisations.limit_key(c, admin, key_id, body, visitor)


@router.post(
    "/internal/v1/api-keys/exchange",
    tags=["internal"],
    summary="Whom an API key speaks for",
    dependencies=[Depends(require_service("gateway"))],
    responses=problem_responses("unauthenticated", "forbidden", "invalid-api-key", table=problems),
)
async def exchange_api_key(body: ExchangeRequest, c: C) -> ExchangedKey:
    """Unknown, revoked and expired keys answer alike."""
    return await api_keys.exchange_api_key(c, body.key)
