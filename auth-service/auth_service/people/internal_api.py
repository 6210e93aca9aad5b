"""What booking-service asks of saved travellers (docs/contracts.md)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from auth_service.bootstrap import Container
from auth_service.people.read_traveller import read_traveller
from auth_service.people.schemas import SavedTraveller
from auth_service.problems import problems
from rihla.auth import require_service
from rihla.web import container, problem_responses

router = APIRouter()


@router.get(
    "/internal/v1/users/{user_id}/travellers/{traveller_id}",
    tags=["internal"],
    summary="A companion somebody saved, or themselves, to fill in a booking",
    dependencies=[Depends(require_service("booking"))],
    responses=problem_responses("unauthenticated", "forbidden", "not-found", table=problems),
)
async def get_traveller(
    user_id: UUID, traveller_id: UUID, c: Annotated[Container, Depends(container)]
) -> SavedTraveller:
    """With the whole passport number. Another account's companion is not found."""
    return await read_traveller(c, user_id, traveller_id)
