"""One call to a provider: every way it can end without an answer is silence."""

import asyncio

import httpx
import pytest

from payment_service.providers.calls import ProviderHttp, json_object
from payment_service.providers.interface import ProviderSilent


class Far(httpx.AsyncBaseTransport):
    """A provider that answers with `answer`, or with nothing at all."""

    def __init__(self, answer: httpx.Response | Exception | None) -> None:
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [None, httpx.ConnectError("refused"), httpx.Response(500), httpx.Response(429)],
    ids=["no answer until the deadline", "no connection", "an outage", "too many requests"],
)
async def test_a_provider_that_says_nothing_of_use_is_silent(answer: httpx.Response | Exception | None) -> None:
    http = ProviderHttp("x", "http://far.test", headers={}, timeout=0.02, transport=Far(answer))
    with pytest.raises(ProviderSilent):
        await http.send("POST", "/v1/payments", json={})
    await http.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id": '])
def test_an_answer_that_is_no_object_is_silence_too(body: bytes) -> None:
    with pytest.raises(ProviderSilent):
        json_object(httpx.Response(200, content=body))
