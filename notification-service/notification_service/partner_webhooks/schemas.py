"""Partners' webhooks as the API says them."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from notification_service.partner_webhooks.rules import EVENT_TYPES
from rihla.web import RequestModel, Schema

EventType = Literal[
    "booking.created",
    "booking.confirmed",
    "booking.expired",
    "booking.cancelled",
    "booking.changed",
    "booking.disrupted",
    "booking.checked_in",
    "booking.completed",
    "booking.documents_ready",
    "refund.succeeded",
    "refund.failed",
    "flight.delayed",
    "flight.cancelled",
    "flight.retimed",
    "flight.gate_changed",
]
DeliveryState = Literal["queued", "sending", "delivered", "dead"]
Url = Annotated[str, Field(min_length=1, max_length=2048, examples=["https://shop.example.com/rihla/webhooks"])]
Description = Annotated[str, Field(max_length=200, examples=["Booking site"])]
EventTypes = Annotated[
    list[EventType],
    Field(min_length=1, max_length=len(EVENT_TYPES), examples=[["booking.confirmed", "booking.cancelled"]]),
]
_MESSAGE: JsonDict = {
    "id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c21",
    "type": "booking.confirmed",
    "timestamp": "2026-12-01T08:00:00Z",
    "mode": "test",
    "data": {
        "booking_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c10",
        "reference": "K7QX2M",
        "status": "confirmed",
        "sequence": 3,
        "url": "https://api.rihla.example/v1/bookings/0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c10",
    },
}
_ENDPOINT: JsonDict = {
    "id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c20",
    "url": "https://shop.example.com/rihla/webhooks",
    "description": "Booking site",
    "event_types": ["booking.cancelled", "booking.confirmed"],
    "mode": "test",
    "enabled": True,
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "previous_secret_until": None,
    "created_at": "2026-12-01T08:00:00Z",
    "updated_at": "2026-12-01T08:00:00Z",
}
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
_DELIVERY: JsonDict = {
    "id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c22",
    "message_id": _MESSAGE["id"],
    "type": "booking.confirmed",
    "state": "queued",
    "attempts": 1,
    "response_status": 500,
    "response_excerpt": "Internal Server Error",
    "last_error": "the endpoint answered 500",
    "next_attempt_at": "2026-12-01T08:00:05Z",
    "created_at": "2026-12-01T08:00:00Z",
    "settled_at": None,
}


class WebhookEndpointRequest(RequestModel):
    """Where to post, and what about. The endpoint belongs to the mode of the key that makes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "url": "https://shop.example.com/rihla/webhooks",
                "event_types": ["booking.confirmed", "booking.cancelled"],
                "description": "Booking site",
            }
        }
    )

    url: Url
    event_types: EventTypes
    description: Description = ""


class WebhookEndpointChange(RequestModel):
    """What is left out stays as it is. `enabled` false ends what is pending."""

    model_config = ConfigDict(json_schema_extra={"example": {"event_types": ["booking.confirmed"], "enabled": True}})

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Description | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _nothing_is_null(self) -> Self:
        nulls = [name for name in self.model_fields_set if getattr(self, name) is None]
        if nulls or not self.model_fields_set:
            raise ValueError("name at least one thing to change, and none as null")
        return self


class WebhookEndpointItem(Schema):
    """An endpoint; its secret is never shown again.

    `disabled_reason`: `owner` switched it off, it was `gone` (410), or it was `failing` for three days.
    """

    model_config = ConfigDict(json_schema_extra={"example": _ENDPOINT})

    id: UUID
    url: str
    description: str
    event_types: list[str]
    mode: Literal["test", "live"]
    enabled: bool
    disabled_reason: Literal["owner", "gone", "failing"] | None
    disabled_at: datetime | None
    failing_since: datetime | None = Field(description="The first failure since the last success")
    previous_secret_until: datetime | None = Field(description="Until then messages carry two signatures")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Any, **more: Any) -> Self:
        """From a stored row."""
        shown = {name: value for name, value in row._mapping.items() if name in cls.model_fields}
        mode = "test" if row.test_mode else "live"
        return cls.model_validate({**shown, "mode": mode, "previous_secret_until": row.previous_until, **more})


class NewWebhookEndpoint(WebhookEndpointItem):
    """The only answers that carry the signing secret."""

    model_config = ConfigDict(json_schema_extra={"example": {**_ENDPOINT, "secret": _SECRET}})

    secret: str = Field(description="Shown once: `whsec_` and base64 of 32 bytes", repr=False)


class SecretRotation(RequestModel):
    """How long the old secret signs beside the new one."""

    model_config = ConfigDict(json_schema_extra={"example": {"overlap_hours": 24}})

    overlap_hours: int = Field(default=24, ge=0, le=168, description="0: the old one ends at once")


class WebhookDeliveryItem(Schema):
    """One message to one endpoint. `dead`: nothing more is tried unless you send it again."""

    model_config = ConfigDict(json_schema_extra={"example": _DELIVERY})

    id: UUID
    message_id: UUID = Field(description="`webhook-id`, the same at every attempt")
    type: str
    state: DeliveryState
    attempts: int
    response_status: int | None = Field(description="Of the last attempt; null when there was no answer")
    response_excerpt: str | None = Field(description="The first 200 characters of an answer that was no success")
    last_error: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """From a stored row."""
        shown = {name: value for name, value in row._mapping.items() if name in cls.model_fields}
        due = row.due_at if row.state == "queued" else None
        return cls.model_validate({**shown, "message_id": row.event_id, "next_attempt_at": due})


class WebhookDeliveryDetail(WebhookDeliveryItem):
    """With the body as it is posted."""

    model_config = ConfigDict(json_schema_extra={"example": {**_DELIVERY, "payload": _MESSAGE}})

    payload: dict[str, Any]

    @classmethod
    def of(cls, row: Any) -> Self:
        """From a stored row."""
        item = WebhookDeliveryItem.of(row)
        return cls.model_validate({**item.model_dump(), "payload": json.loads(row.payload)})


class WebhookEventTypeItem(Schema):
    """Something an endpoint can hear of."""

    type: EventType
    description: str = Field(examples=["The booking is paid and its seats are sold"])
