"""What this service reads from its environment."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field, SecretStr

from rihla.settings import ServiceSettings, local_secret


class Settings(ServiceSettings):
    """Settings of flight-service's processes."""

    service: ClassVar[str] = "flight"

    search_database_url: str = ""
    """A read replica for the timetable that search answers from; empty: the database itself. Holds never use it."""
    offer_secrets: SecretStr = local_secret("local-offer-secret")
    """Keys of offer ids, comma-separated, newest first: the first signs, all verify. Keep an old one 20 minutes."""
    offer_minutes: int = Field(default=20, ge=1, le=60)
    """How long an offer locks its price."""
    generate_days_ahead: int = Field(default=330, ge=1, le=400)
    """How far ahead the daily worker creates flights from schedules."""
    seed_days_ahead: int = Field(default=60, ge=1, le=330)
    """How far ahead seeding creates flights at once; the worker goes on from there."""
    generate_every_minutes: int = Field(default=60, ge=1, le=1440)
    archive_after_days: int = Field(default=3, ge=1, le=90)
    """Flights that arrived this long ago move to history."""
    timetable_staleness_seconds: float = Field(default=5.0, gt=0, le=60)
    """With the database out of reach, search goes on with what it knows this long, then answers 503."""

    @property
    def offer_lifetime(self) -> timedelta:
        return timedelta(minutes=self.offer_minutes)

    @property
    def offer_keys(self) -> tuple[bytes, ...]:
        """Offer keys as bytes, newest first."""
        return tuple(part.strip().encode() for part in self.offer_secrets.get_secret_value().split(",") if part.strip())
