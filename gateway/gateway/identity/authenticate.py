"""From a request's headers to its caller."""

from __future__ import annotations

from gateway import problems
from gateway.identity.access_token import NotAccepted
from gateway.identity.access_tokens import AccessTokens, KeysUnavailable
from gateway.identity.api_keys import ApiKeys
from gateway.identity.auth_client import AuthUnavailable
from gateway.identity.caller import Caller, anonymous
from gateway.identity.revocations import Revocations
from gateway.problems import Refused
from gateway.routes import Route, Who

_STAFF = frozenset({"support", "admin"})


class Authenticator:
    """Raises `Refused`; what exactly was wrong with a credential is never told."""

    def __init__(self, tokens: AccessTokens, api_keys: ApiKeys, revocations: Revocations) -> None:
        self._tokens = tokens
        self._api_keys = api_keys
        self._revocations = revocations
        self.anonymous = anonymous()

    async def caller(self, authorization: str | None, api_key: str | None, who: Who) -> Caller:
        """The caller; `anonymous` when no credential came. Whether that is enough is `permit`'s question."""
        if (authorization is None and api_key is None) or who is Who.PROVIDER:
            return self.anonymous
        try:
            return await self._known(authorization, api_key)
        except Refused as refused:
            if who is Who.VISITOR and refused.problem.status == 401:
                return self.anonymous
            raise

    async def bearer(self, token: str) -> Caller:
        """The caller of a bare access token. Raises `Refused`."""
        try:
            return await self._tokens.caller(token)
        except NotAccepted:
            raise Refused(
                problems.INVALID_TOKEN, "The access token is not valid or has expired; sign in again."
            ) from None
        except KeysUnavailable:
            raise Refused(
                problems.UPSTREAM_UNAVAILABLE, "Sign-ins cannot be checked at the moment; try again."
            ) from None

    async def _known(self, authorization: str | None, api_key: str | None) -> Caller:
        if authorization is not None and api_key is not None:
            raise Refused(problems.AMBIGUOUS_CREDENTIALS, "Send either Authorization or X-API-Key, not both.")
        if api_key is not None:
            return await self._partner(api_key)
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(problems.INVALID_TOKEN, "Send an access token: Authorization: Bearer <token>.")
        return await self.bearer(token.strip())

    async def _partner(self, api_key: str) -> Caller:
        try:
            caller = await self._api_keys.caller(api_key)
        except AuthUnavailable:
            raise Refused(problems.UPSTREAM_UNAVAILABLE, "Keys cannot be checked at the moment; try again.") from None
        if caller is None or self._revocations.is_revoked(caller):
            raise Refused(problems.INVALID_API_KEY, "The API key is unknown, expired or revoked.")
        return caller


def permit(caller: Caller, route: Route, method: str) -> None:
    """Raise `Refused` (401 or 403) unless a row of the route table lets this caller in."""
    who = route.who
    if who is Who.SIGNED_IN or who is Who.STAFF:
        if caller.kind == "anonymous":
            raise Refused(problems.UNAUTHENTICATED, "Send an access token or an API key.")
        if who is Who.STAFF and caller.principal.roles.isdisjoint(_STAFF):
            raise Refused(problems.FORBIDDEN, "This needs the role support or admin.")
        if caller.kind == "partner" and not _in_scope(caller, route, method):
            raise Refused(problems.FORBIDDEN, "This API key's scopes do not allow it.")


def _in_scope(caller: Caller, route: Route, method: str) -> bool:
    """Writing allows reading; a row without a scope is for people only."""
    if not route.scope:
        return False
    enough = {f"{route.scope}:write"} | ({f"{route.scope}:read"} if method in ("GET", "HEAD") else set())
    return not enough.isdisjoint(caller.principal.scopes)
