"""How events travel: one alone as CloudEvents structured JSON, several of one type as a CloudEvents JSON batch.

A message costs RabbitMQ and both ends some 0.3 ms however much is in it, so under load events share one (CloudEvents
1.0, JSON format, section 4). Nothing but the way is shared: each member is handled, delayed and put aside by itself.
"""

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, TypeAdapter

from rihla.contracts.events import Envelope

ONE = "application/cloudevents+json"
SEVERAL = "application/cloudevents-batch+json"
_ENVELOPES = TypeAdapter(Annotated[list[Envelope], Field(min_length=1)])


def packed(envelopes: Sequence[str]) -> tuple[bytes, str]:
    """Body and content type of a message with these envelopes, given as JSON."""
    if len(envelopes) == 1:
        return envelopes[0].encode(), ONE
    return f"[{','.join(envelopes)}]".encode(), SEVERAL


def unpacked(body: bytes, content_type: str | None) -> list[Envelope]:
    """The envelopes in a message. ValidationError when one of them is none."""
    if content_type == SEVERAL:
        return _ENVELOPES.validate_json(body)
    return [Envelope.model_validate_json(body)]


def members(body: bytes, content_type: str | None) -> list[bytes]:
    """Each member as a body of its own, as it came; what cannot be taken apart stays whole."""
    if content_type != SEVERAL:
        return [body]
    try:
        found = json.loads(body)
    except ValueError:
        return [body]
    return [json.dumps(one).encode() for one in found] if found and isinstance(found, list) else [body]
