"""The CloudEvents 1.0 envelope (structured JSON) every event travels in, and the registry of event classes."""

from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rihla.kernel import new_id
from rihla.tracing import current_traceparent

_CATALOGUE: dict[str, type["EventData"]] = {}


class EventData(BaseModel):
    """The data of one kind of event. Within a version only optional fields are added; unknown ones are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_type: ClassVar[str]
    producer: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "event_type" in cls.__dict__:
            _CATALOGUE[cls.event_type] = cls


def catalogue() -> dict[str, type[EventData]]:
    """Every event class by its type (`booking.confirmed.v1`)."""
    return dict(_CATALOGUE)


class Envelope(BaseModel):
    """CloudEvents 1.0 attributes; `sequence` (extension) is the aggregate's own counter, `subject` its id."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: int
    traceparent: str | None = None
    data: dict[str, Any]

    @classmethod
    def of(
        cls, event: EventData, *, subject: str, sequence: int, time: datetime, traceparent: str | None = None
    ) -> Self:
        """Wrap `event`; the id is fixed here, once, and the trace of whoever made it goes on with it."""
        return cls(
            id=new_id(),
            source=f"/rihla/{event.producer}",
            type=event.event_type,
            subject=subject,
            time=time,
            sequence=sequence,
            traceparent=traceparent or current_traceparent(),
            data=event.model_dump(mode="json"),
        )

    def parse(self) -> EventData:
        """The typed data. KeyError for an unknown type, ValidationError for data that does not fit."""
        return _CATALOGUE[self.type].model_validate(self.data)
