"""What a person reads of their notices."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from notification_service.preferences.rules import Category
from rihla.web import Schema


class NotificationItem(Schema):
    """One notice, worded in the reader's language now."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
                "kind": "booking_confirmed",
                "category": "booking",
                "title": "Your booking K7QX2M is confirmed",
                "text": "Booking K7QX2M is confirmed.",
                "booking_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c10",
                "urgent": False,
                "created_at": "2026-12-01T08:00:00Z",
                "read_at": None,
            }
        }
    )

    id: UUID
    kind: str
    category: Category
    title: str
    text: str
    booking_id: UUID | None
    urgent: bool = Field(description="Travel news that ring in quiet hours too")
    created_at: datetime
    read_at: datetime | None


class UnreadCount(Schema):
    """How many notices wait to be read."""

    unread: int = Field(examples=[3])


class MarkedRead(Schema):
    """How many notices this call marked as read."""

    marked: int = Field(examples=[3])
