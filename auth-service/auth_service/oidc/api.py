"""OpenID Connect: authorize, callback, tickets, linked providers."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Form, Path, Query, Response
from fastapi.responses import RedirectResponse

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.oidc import sign_in_with_provider as deeds
from auth_service.oidc.schemas import Links, LinkView, Providers, ProviderView, TicketRequest
from auth_service.oidc.trip import Departure, arrive, depart
from auth_service.problems import OidcFailed, problems
from auth_service.sessions.api import signed_in
from auth_service.sessions.schemas import MfaQuestion
from auth_service.sessions.visitor import FromVisitor, Owner, Visitor
from rihla.web import container, problem_responses

router = APIRouter()
C = Annotated[Container, Depends(container)]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["google"])]
_COOKIE = "rihla_oidc"
_FAILURES = (
    "oidc-failed",
    "address-in-use",
    "account-suspended",
    "not-found",
    "service-unavailable",
    "validation-failed",
)
_SIGNED_IN = ("unauthenticated", "forbidden")
Browser = Annotated[str | None, Cookie(alias=_COOKIE, include_in_schema=False)]


@router.get(
    "/v1/auth/oidc",
    tags=["providers"],
    summary="Providers people may sign in with",
    responses=problem_responses("unauthenticated", table=problems),
)
async def list_providers(c: C, visitor: FromVisitor) -> Providers:
    """By configuration."""
    base = c.settings.public_url.rstrip("/")
    names = sorted(c.providers)
    return Providers(
        items=[ProviderView(name=name, authorize_url=f"{base}/v1/auth/oidc/{name}/authorize") for name in names]
    )


@router.get(
    "/v1/auth/oidc/{provider}/authorize",
    tags=["providers"],
    summary="Go to a provider to sign in",
    status_code=302,
    response_class=RedirectResponse,
    responses=problem_responses("not-found", "service-unavailable", "validation-failed", table=problems),
)
async def authorize_with_provider(
    provider: Name,
    c: C,
    visitor: FromVisitor,
    return_to: Annotated[
        str | None, Query(max_length=500, description="A page under OIDC_RETURN_URLS that receives `ticket`")
    ] = None,
    code_challenge: Annotated[
        str | None, Query(max_length=64, description="S256 challenge of the client's own verifier, with return_to")
    ] = None,
) -> Response:
    """Redirects with state, nonce and PKCE. Without `return_to` the callback itself answers with the token pair."""
    departure = await depart(c, provider, return_to=return_to, client_challenge=code_challenge)
    response = RedirectResponse(departure.url, 302, {"Cache-Control": "no-store"})
    _tie_to_browser(response, departure, secure=c.settings.public_url.startswith("https:"))
    return response


@router.get(
    "/v1/auth/oidc/{provider}/callback",
    tags=["providers"],
    summary="Come back from a provider",
    response_model=TokenPair | MfaQuestion,
    responses=problem_responses(*_FAILURES, table=problems),
)
async def provider_callback(
    provider: Name,
    c: C,
    visitor: FromVisitor,
    response: Response,
    browser: Browser = None,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> TokenPair | MfaQuestion | Response:
    """A token pair, `mfa_required`, or a redirect to `return_to` with a ticket for POST /v1/auth/oidc/token."""
    return await _back(c, provider, visitor, response, state=state, code=code, error=error, browser=browser)


@router.post(
    "/v1/auth/oidc/{provider}/callback",
    tags=["providers"],
    summary="Come back from a provider that posts a form",
    response_model=TokenPair | MfaQuestion,
    responses=problem_responses(*_FAILURES, table=problems),
)
async def provider_form_callback(
    provider: Name,
    c: C,
    visitor: FromVisitor,
    response: Response,
    browser: Browser = None,
    state: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=4000)] = "",
    error: Annotated[str, Form(max_length=200)] = "",
    user: Annotated[str | None, Form(max_length=2000)] = None,
) -> TokenPair | MfaQuestion | Response:
    """As the callback by GET; Apple answers this way."""
    return await _back(c, provider, visitor, response, state=state, code=code, error=error, browser=browser, user=user)


@router.post(
    "/v1/auth/oidc/token",
    tags=["providers"],
    summary="Sign in with a ticket",
    responses=problem_responses(*_FAILURES, table=problems),
)
async def sign_in_with_ticket(body: TicketRequest, c: C, visitor: FromVisitor) -> TokenPair | MfaQuestion:
    """For the client that began with `return_to`; once, within two minutes."""
    provider, identity = await deeds.redeem_ticket(c, body.ticket, body.code_verifier)
    return signed_in(await deeds.sign_in_with_provider(c, provider, identity, visitor))


@router.get(
    "/v1/me/links",
    tags=["providers"],
    summary="Providers linked to one's account",
    responses=problem_responses(*_SIGNED_IN, table=problems),
)
async def list_links(c: C, owner: Owner) -> Links:
    """The oldest first."""
    async with c.db.transaction() as session:
        rows = await deeds.linked(session, owner.user_id)
    return Links(items=[LinkView.model_validate(row) for row in rows])


@router.post(
    "/v1/me/links",
    status_code=204,
    tags=["providers"],
    summary="Link a provider with a ticket",
    responses=problem_responses(*_SIGNED_IN, "oidc-failed", "linked-elsewhere", "validation-failed", table=problems),
)
async def create_link(body: TicketRequest, c: C, owner: Owner) -> None:
    """Begin as for signing in with `return_to`, then send the ticket here."""
    provider, identity = await deeds.redeem_ticket(c, body.ticket, body.code_verifier)
    await deeds.link_provider(c, owner.user_id, provider, identity)


@router.delete(
    "/v1/me/links/{provider}",
    status_code=204,
    tags=["providers"],
    summary="Unlink a provider",
    responses=problem_responses(*_SIGNED_IN, "not-found", "last-way-in", table=problems),
)
async def delete_link(provider: Name, c: C, owner: Owner) -> None:
    """Refused when nothing would be left to sign in with."""
    await deeds.unlink_provider(c, owner.user_id, provider)


async def _back(
    c: Container,
    provider: str,
    visitor: Visitor,
    response: Response,
    *,
    state: str,
    code: str,
    error: str,
    browser: str | None,
    user: str | None = None,
) -> TokenPair | MfaQuestion | Response:
    if error or not code or not state:
        raise OidcFailed("The sign-in was cancelled at the provider.")
    arrival = await arrive(c, provider, state=state, code=code, browser=browser, form_user=user)
    if arrival.ticket_url is not None:
        return RedirectResponse(
            arrival.ticket_url, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        )
    response.headers["Cache-Control"] = "no-store"
    response.delete_cookie(_COOKIE, path="/v1/auth/oidc")
    return signed_in(await deeds.sign_in_with_provider(c, arrival.provider, arrival.identity, visitor))


def _tie_to_browser(response: Response, departure: Departure, *, secure: bool) -> None:
    """The callback is taken only from the browser that went, so that nobody is signed in as somebody else.

    A provider that posts a form comes from another site, and then the cookie must be allowed to travel with it.
    """
    response.set_cookie(
        _COOKIE,
        departure.browser,
        max_age=600,
        path="/v1/auth/oidc",
        httponly=True,
        secure=secure,
        samesite="none" if departure.form_post and secure else "lax",
    )
