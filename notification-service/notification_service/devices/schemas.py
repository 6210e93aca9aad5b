"""Push tokens as the API says them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import RequestModel, Schema


class DeviceRegistration(RequestModel):
    """A token of Firebase Cloud Messaging, or a Web Push subscription as one string."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"platform": "android", "token": "fcm-token-of-the-device", "name": "Pixel 9"}}
    )

    platform: Literal["android", "ios", "web"]
    token: str = Field(min_length=8, max_length=2048, repr=False)
    name: str | None = Field(default=None, max_length=100)


class DeviceItem(Schema):
    """A registered device; its token is never shown again."""

    id: UUID
    platform: Literal["android", "ios", "web"]
    name: str | None
    registered_at: datetime


class WebPushKey(Schema):
    """The VAPID public key, as base64url."""

    public_key: str = Field(
        examples=["BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"]
    )
