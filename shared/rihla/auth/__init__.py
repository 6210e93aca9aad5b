"""Who is calling: principals, internal tokens, and the dependencies that ask for them."""

from rihla.auth.dependencies import (
    CurrentPrincipal,
    Forbidden,
    Person,
    Unauthenticated,
    require_roles,
    require_service,
)
from rihla.auth.principal import Principal
from rihla.auth.tokens import InvalidToken, TokenSigner, TokenVerifier

__all__ = [
    "CurrentPrincipal",
    "Forbidden",
    "InvalidToken",
    "Person",
    "Principal",
    "TokenSigner",
    "TokenVerifier",
    "Unauthenticated",
    "require_roles",
    "require_service",
]
