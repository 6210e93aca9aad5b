"""Travellers saved in a profile: what auth-service knows of somebody a passenger is picked from (docs/contracts.md)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec

from booking_service.placing.order import Visa
from rihla.http import ServiceClient, UpstreamUnavailable

_FOUND, _UNKNOWN = 200, 404


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPassport:
    number: str
    issuing_country: str
    nationality: str
    expires_on: date
    visas: tuple[Visa, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTraveller:
    """None where nothing was saved."""

    given_name: str | None = None
    surname: str | None = None
    date_of_birth: date | None = None
    gender: str | None = None
    passport: SavedPassport | None = None


class TravellerClient:
    """Asked only where a passenger names a companion: placing needs auth-service for nothing else."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def read(self, user_id: UUID, traveller_id: UUID) -> SavedTraveller | None:
        """The user's companion, or the user under their own id; None when they have no such one.

        Raises UpstreamUnavailable.
        """
        answer = await self._client.request("GET", f"/internal/v1/users/{user_id}/travellers/{traveller_id}")
        if answer.status_code == _UNKNOWN:
            return None
        if answer.status_code != _FOUND:
            raise UpstreamUnavailable("Nothing is lost; try again in a moment.", upstream="auth")
        return msgspec.json.decode(answer.content, type=SavedTraveller)

    async def close(self) -> None:
        await self._client.close()
