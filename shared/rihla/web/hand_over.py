"""How an express lane in front of the router hands a request over to the documented route behind it."""

from typing import Final

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

_PASSED: Final = "rihla.lane_passed"


def was_handed_over(scope: Scope) -> bool:
    """Whether a lane had this request already: no lane takes it twice."""
    return _PASSED in scope


async def hand_over(request: Request, send: Send) -> None:
    """Let the routes behind the lanes answer `request`, whether or not its body was read."""
    again = _again(await request.body(), request.receive)
    await request.app.router({**request.scope, _PASSED: True}, again, send)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more; then whatever the client does."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay
