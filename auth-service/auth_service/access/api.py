"""The public keys of access tokens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from auth_service.access.schemas import JsonWebKeySet
from auth_service.bootstrap import Container
from rihla.web import container

router = APIRouter(tags=["sign-in"])


@router.get("/.well-known/jwks.json", operation_id="get_jwks", summary="Public keys of access tokens")
async def get_jwks(c: Annotated[Container, Depends(container)], response: Response) -> JsonWebKeySet:
    """Every key that may have signed a token which is still good."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return c.jwks
