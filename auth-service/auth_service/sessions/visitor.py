"""Who is at the other end, as the gateway tells it: network address and device; and the person signed in."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from auth_service.administration.permissions import Permission, roles_with
from auth_service.sessions.rules import device_name
from rihla.auth import Forbidden, Person, Principal
from rihla.auth.dependencies import current_principal

_LONGEST_ADDRESS = 45


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody, signed in or not."""

    client_ip: str | None
    device: str


async def _visitor(request: Request) -> Visitor:
    # Called as a function, not as a dependency, so that OpenAPI shows public operations without credentials.
    if (await current_principal(request)).issuer != "gateway":
        raise Forbidden("This route is for people, through the gateway.")
    headers = request.headers
    address = headers.get("x-client-ip") or (request.client.host if request.client else None)
    agent = headers.get("x-client-agent") or headers.get("user-agent")
    return Visitor(address[:_LONGEST_ADDRESS] if address else None, device_name(agent))


async def _owner(principal: Person) -> Principal:
    if principal.kind != "person":
        raise Forbidden("API keys cannot touch an account; sign in as a person.")
    return principal


FromVisitor = Annotated[Visitor, Depends(_visitor)]
Owner = Annotated[Principal, Depends(_owner)]


def may(permission: Permission) -> Any:
    """A dependency that lets in people whose role holds `permission` (the table is in `permissions.py`)."""
    allowed = roles_with(permission)

    async def check(principal: Owner) -> Principal:
        if not principal.has_role(*allowed):
            raise Forbidden(f"This needs the role {' or '.join(allowed)}.")
        return principal

    return Depends(check)
