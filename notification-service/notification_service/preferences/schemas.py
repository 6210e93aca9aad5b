"""What a person wishes to hear, as the API says it."""

from datetime import time
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from notification_service.preferences.rules import Category, Channel, Preferences
from rihla.web import RequestModel, Schema


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not an IANA time zone such as Asia/Dhaka")
    return name


_EXAMPLE: JsonDict = {
    "channels": {
        "booking": ["email", "push"],
        "travel": ["email", "sms", "push"],
        "reminder": ["push"],
        "offer": [],
        "account": ["email"],
        "support": ["email", "push"],
    },
    "quiet_hours": {"from": "22:00", "to": "07:00"},
    "time_zone": "Asia/Dhaka",
    "locale": "bn",
}


class QuietHours(Schema):
    """Local times; SMS and push that are not urgent wait for `to`."""

    model_config = ConfigDict(populate_by_name=True)

    start: time = Field(alias="from", examples=["22:00"])
    end: time = Field(alias="to", examples=["07:00"])


class PreferencesShown(Schema):
    """The channels of every category, and when nothing should ring."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    channels: dict[Category, list[Channel]]
    quiet_hours: QuietHours | None
    time_zone: str
    locale: str | None

    @classmethod
    def of(cls, wishes: Preferences) -> Self:
        """From the stored wishes, defaults filled in."""
        quiet = None
        if wishes.quiet_from is not None and wishes.quiet_to is not None:
            quiet = QuietHours.model_validate({"from": wishes.quiet_from, "to": wishes.quiet_to})
        return cls(
            channels={category: list(wishes.channels_for(category)) for category in Category},
            quiet_hours=quiet,
            time_zone=wishes.time_zone,
            locale=wishes.locale,
        )


class PreferencesChange(RequestModel):
    """What is left out stays; `quiet_hours: null` ends them. Tickets and security mail cannot be switched off."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    channels: dict[Category, list[Channel]] | None = None
    quiet_hours: QuietHours | None = None
    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    locale: str | None = Field(default=None, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$")

    @model_validator(mode="after")
    def _quiet_hours_span_something(self) -> Self:
        if self.quiet_hours is not None and self.quiet_hours.start == self.quiet_hours.end:
            raise ValueError("quiet hours need a beginning and an end that differ")
        return self

    def applied_to(self, wishes: Preferences) -> Preferences:
        """The wishes with this change."""
        given = self.model_fields_set
        channels = {**wishes.channels, **{name: tuple(dict.fromkeys(to)) for name, to in (self.channels or {}).items()}}
        quiet = (wishes.quiet_from, wishes.quiet_to)
        if "quiet_hours" in given:
            quiet = (self.quiet_hours.start, self.quiet_hours.end) if self.quiet_hours else (None, None)
        return Preferences(
            channels=channels,
            quiet_from=quiet[0],
            quiet_to=quiet[1],
            time_zone=self.time_zone or wishes.time_zone,
            locale=self.locale if "locale" in given else wishes.locale,
        )
