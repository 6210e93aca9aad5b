"""FAQ entries as the API says them."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import RequestModel, Schema

_LANGUAGE = r"^[a-z]{2,3}$"
_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class FaqEntry(Schema):
    """One question with its answer in one language; the same `slug` is the same question in others."""

    id: UUID
    slug: str = Field(examples=["checked-baggage"])
    language: str = Field(examples=["en"])
    category: str = Field(examples=["baggage"])
    question: str
    answer: str
    position: int
    featured: bool
    views: int
    helpful: int
    not_helpful: int
    updated_at: datetime


class FaqEntryForAdmins(FaqEntry):
    """With what only the desk sees."""

    published: bool
    created_at: datetime


class FaqCategory(Schema):
    """A category and how many entries it has."""

    category: str
    entries: int


class Vote(RequestModel):
    """Whether the answer helped."""

    model_config = ConfigDict(json_schema_extra={"example": {"helpful": True}})

    helpful: bool


class NewFaqEntry(RequestModel):
    """A new entry."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "slug": "checked-baggage",
                "language": "en",
                "category": "baggage",
                "question": "How much baggage may I check in?",
                "answer": "Your ticket says how much: look under Baggage in your booking.",
            }
        }
    )

    slug: str = Field(max_length=80, pattern=_SLUG)
    language: str = Field(default="en", pattern=_LANGUAGE)
    category: str = Field(max_length=40, pattern=_SLUG)
    question: str = Field(min_length=3, max_length=300)
    answer: str = Field(min_length=3, max_length=8000)
    position: int = Field(default=0, ge=0, le=10_000)
    featured: bool = False
    published: bool = True


class FaqEntryChange(RequestModel):
    """Only what you send changes."""

    model_config = ConfigDict(json_schema_extra={"example": {"featured": True, "position": 1}})

    category: str | None = Field(default=None, max_length=40, pattern=_SLUG)
    question: str | None = Field(default=None, min_length=3, max_length=300)
    answer: str | None = Field(default=None, min_length=3, max_length=8000)
    position: int | None = Field(default=None, ge=0, le=10_000)
    featured: bool | None = None
    published: bool | None = None
