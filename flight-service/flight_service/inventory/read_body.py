"""The body of a request for many holds, read without the framework's models."""

from typing import TypeVar

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError

Asked = TypeVar("Asked")


async def read_body(request: Request, decoder: "msgspec.json.Decoder[Asked]") -> Asked:
    """What was asked. RequestValidationError (422) for a body that is no JSON, or not this."""
    try:
        return decoder.decode(await request.body())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RequestValidationError([{"type": "invalid", "loc": ("body",), "msg": str(error)}]) from error
