"""FastAPI dependencies that ask who is calling. What may be touched is checked in the deed, not here."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from rihla.auth.principal import Principal
from rihla.auth.tokens import InvalidToken, TokenVerifier
from rihla.kernel import DomainError


class Unauthenticated(DomainError):
    """No credentials, or none that hold."""


class Forbidden(DomainError):
    """The caller is known and may not do this."""


_READING = frozenset({"GET", "HEAD"})
_bearer = HTTPBearer(auto_error=False, scheme_name="bearerAuth", description="Access token of a person")


async def current_principal(request: Request, _: Annotated[Any, Depends(_bearer)] = None) -> Principal:
    """The caller of this request, anonymous ones included.

    Raises Unauthenticated without a valid internal token, and Forbidden where one made for reading would change
    something.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send an access token: Authorization: Bearer <token>.")
    verifier: TokenVerifier = request.app.state.verifier
    try:
        principal = verifier.verify(token)
    except InvalidToken as error:
        raise Unauthenticated("The access token is not valid or has expired; sign in again.") from error
    if principal.read_only and request.method not in _READING:
        raise Forbidden("This token was made for reading.")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


async def signed_in(principal: CurrentPrincipal) -> Principal:
    """A person or a partner's key. Raises Unauthenticated for anybody else."""
    if principal.kind not in ("person", "partner"):
        raise Unauthenticated("Sign in first: this needs an access token.")
    return principal


Person = Annotated[Principal, Depends(signed_in)]


def require_roles(*roles: str) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency that lets in people who have one of `roles`; Forbidden for others who are signed in."""

    async def check(principal: Person) -> Principal:
        if not principal.has_role(*roles):
            raise Forbidden(f"This needs the role {' or '.join(roles)}.")
        return principal

    return check


def require_service(*services: str) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency of internal routes: the calling service must be one of `services`."""

    async def check(principal: CurrentPrincipal) -> Principal:
        if principal.service not in services:
            raise Forbidden("This route is for other services.")
        return principal

    return check
