"""The desk as the API says it."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import RequestModel, Schema

LANGUAGE_TAG = r"^[a-z]{2,3}$"


class Colleague(Schema):
    """Somebody at the desk."""

    user_id: UUID
    languages: list[str]
    available: bool
    last_used_at: datetime


class ColleagueChange(RequestModel):
    """Which languages you answer in, and whether new cases may come to you."""

    model_config = ConfigDict(json_schema_extra={"example": {"languages": ["bn", "en"], "available": True}})

    languages: list[str] | None = Field(default=None, min_length=1, max_length=10)
    available: bool | None = None
