"""What a rendered notice is, before a channel wraps it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """A caption and its value, both already in the reader's language."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """A group of rows under a heading: a flight, a passenger, the money."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`short` is for SMS, push and the app; `html` and `text` say the same."""

    subject: str
    short: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail; with `content_id` it is shown inside the HTML instead."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    content_id: str | None = None
