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
from rihla.auth.step_up import SteppedUp, StepUpRequired, require_step_up
from rihla.auth.tokens import InvalidToken, TokenSigner, TokenVerifier

__all__ = [
    "CurrentPrincipal",
    "Forbidden",
    "InvalidToken",
    "Person",
    "Principal",
    "StepUpRequired",
    "SteppedUp",
    "TokenSigner",
    "TokenVerifier",
    "Unauthenticated",
    "require_roles",
    "require_service",
    "require_step_up",
]
