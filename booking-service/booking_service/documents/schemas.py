"""What the routes of documents answer."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import Schema


class DocumentItem(Schema):
    """One paper of a booking. While it is being made, `id`, `size`, `sha256` and `made_at` are null."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
                "kind": "ticket",
                "status": "ready",
                "name": "K7QX2M-tickets.pdf",
                "media_type": "application/pdf",
                "size": 48213,
                "sha256": "9f2c...",
                "version": 1,
                "passenger_id": None,
                "flight_id": None,
                "made_at": "2026-12-01T08:00:02Z",
                "url": "/v1/bookings/0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c10/documents/0197f6d2-...",
            }
        }
    )

    id: UUID | None
    kind: Literal["ticket", "receipt", "refund_receipt", "boarding_pass", "calendar"]
    status: Literal["ready", "being_made"]
    name: str
    media_type: str
    size: int | None = None
    sha256: str | None = None
    version: int | None = None
    passenger_id: UUID | None = None
    flight_id: UUID | None = None
    made_at: datetime | None = None
    url: str | None = Field(description="Path below the public address; null while the document is being made")


class BeingMade(Schema):
    """The document is on its way; ask again after `Retry-After` seconds."""

    status: Literal["being_made"] = "being_made"


class PassKey(Schema):
    """A public Ed25519 key as a JSON Web Key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: str = Field(description="The first eight characters of a pass's security data", examples=["q3XbA0zF"])
    x: str


class PassKeys(Schema):
    """The keys a gate needs to verify boarding passes offline."""

    keys: list[PassKey]
