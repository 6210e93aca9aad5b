"""Attachments as the API says them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chat_service.attachments.addresses import Address
from chat_service.attachments.rules import LARGEST_OF_ALL, Kind
from rihla.web import RequestModel, Schema


class NewAttachment(RequestModel):
    """What you are about to upload."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"kind": "image", "media_type": "image/png", "size_bytes": 48213}}
    )

    kind: Kind
    media_type: str = Field(max_length=60)
    size_bytes: int = Field(ge=1, le=LARGEST_OF_ALL)
    file_name: str | None = Field(default=None, max_length=120)
    duration_seconds: float | None = Field(default=None, gt=0, le=600, description="Of a voice note, as recorded")


class SignedAddress(Schema):
    """Valid until `expires_at`; send exactly these headers with it, and no credentials."""

    method: Literal["GET", "PUT"]
    url: str
    headers: dict[str, str]
    expires_at: datetime

    @classmethod
    def of(cls, address: Address) -> "SignedAddress":
        """From the plain value."""
        return cls.model_validate(address)


class Attachment(Schema):
    """`pending` until it was uploaded and completed; then `ready` or `refused`."""

    id: UUID
    kind: Kind
    media_type: str
    size_bytes: int
    file_name: str | None
    state: Literal["pending", "ready", "refused"]
    width: int | None
    height: int | None
    duration_seconds: float | None
    created_at: datetime
    upload: SignedAddress | None = None
    download: SignedAddress | None = None
    thumbnail: SignedAddress | None = None
