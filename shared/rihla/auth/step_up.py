"""Step-up: what moves money out asks people with two-factor sign-in to have proved the second factor a moment ago.

As NIST SP 800-63B, section 7.2 (reauthentication) asks: who found an open browser must not get at money or cards.
"""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from rihla.auth.dependencies import Person
from rihla.auth.principal import Principal
from rihla.kernel import DomainError

_NEXT = {"method": "POST", "href": "/v1/me/two-factor/step-up", "body": {"code": "<six digits or a recovery code>"}}


class StepUpRequired(DomainError):
    """Two-factor sign-in is on, and the second factor was not proved lately in this session."""


def require_step_up(principal: Principal, *, now: datetime, within: timedelta) -> None:
    """Nothing for those without two-factor sign-in, partners' keys included. Raises StepUpRequired."""
    proved_at = principal.second_factor_at
    if proved_at is None or now.timestamp() - proved_at < within.total_seconds():
        return
    raise StepUpRequired(
        "Prove your second factor again: send a code to POST /v1/me/two-factor/step-up, then repeat this request "
        "with the access token it answers.",
        next=_NEXT,
    )


async def _stepped_up(principal: Person, request: Request) -> Principal:
    state = request.app.state
    require_step_up(principal, now=state.container.clock.now(), within=state.settings.step_up_window)
    return principal


SteppedUp = Annotated[Principal, Depends(_stepped_up)]
"""A person or a partner's key, as `Person`; who has two-factor sign-in proved it within `STEP_UP_MINUTES`."""
