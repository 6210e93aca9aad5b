"""An application in process with its lifespan run, and waiting without sleeping blindly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

T = TypeVar("T")


@asynccontextmanager
async def running(app: FastAPI, *, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app` over ASGI, while its lifespan is open. `token` becomes its Authorization header."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
            yield client


async def eventually(
    condition: Callable[[], Awaitable[T] | T],
    *,
    timeout: float = 60.0,
    every: float = 0.02,
    what: str = "the condition",
) -> T:
    """Ask until the answer is truthy and return it; AssertionError with the last answer after `timeout` seconds.

    The limit is against hanging and no measure: a busy machine is allowed to be slow.
    """
    answer: Any = None
    deadline = asyncio.get_running_loop().time() + timeout
    while asyncio.get_running_loop().time() < deadline:
        answer = condition()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer  # type: ignore[no-any-return]
        await asyncio.sleep(every)
    raise AssertionError(f"{what} did not come true within {timeout} s; last answer: {answer!r}")
