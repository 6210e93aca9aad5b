"""What somebody saved of a person they book for: a companion, or themselves."""

from uuid import UUID

from auth_service.bootstrap import Container
from auth_service.people.companions import read_companion
from auth_service.people.profile import own_profile
from auth_service.people.schemas import SavedTraveller


async def read_traveller(c: Container, user_id: UUID, traveller_id: UUID) -> SavedTraveller:
    """A companion of this account, or the account itself under its own id. Raises NotFound, also for somebody else's.

    The account itself comes without names: a profile keeps them in one piece, a ticket as in the passport.
    """
    if traveller_id != user_id:
        companion = await read_companion(c, user_id, traveller_id)
        return SavedTraveller.model_validate(companion, from_attributes=True)
    profile = await own_profile(c, user_id)
    return SavedTraveller(
        given_name=None,
        surname=None,
        date_of_birth=profile.date_of_birth,
        gender=profile.gender,
        passport=profile.passport,
    )
