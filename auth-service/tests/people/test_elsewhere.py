"""One's data in other services: every page, with the person's own token, and nothing without it."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request

from auth_service.people.elsewhere import PARTS, Elsewhere, NotRead, header_of

PARTS_BY_NAME = {part.name: part for part in PARTS}
MESSAGES = {"a": ["hello"], "b": ["good day", "and good bye"]}


def _elsewhere(asked: list[str]) -> Elsewhere:
    chat = FastAPI()

    def check(request: Request) -> None:
        asked.append(f"{request.method} {request.url.path}")
        if request.headers.get("authorization") != "Bearer for-chat":
            raise HTTPException(401)

    @chat.get("/v1/chat/conversations")
    async def conversations(request: Request, cursor: str = "") -> dict[str, Any]:
        check(request)
        return {"items": [{"id": "b" if cursor else "a"}], "next_cursor": None if cursor else "second"}

    @chat.get("/v1/chat/conversations/{name}/messages")
    async def messages(request: Request, name: str) -> dict[str, Any]:
        check(request)
        return {"items": [{"text": text} for text in MESSAGES[name]], "next_cursor": None}

    @chat.get("/v1/notifications/preferences")
    async def preferences(request: Request) -> dict[str, Any]:
        check(request)
        return {"quiet_hours": None, "channels": {}}

    urls = {"notification": "http://notification.test", "chat": "http://chat.test", "booking": ""}
    return Elsewhere(urls, transport=httpx.ASGITransport(chat))


async def test_every_page_and_what_lies_below_is_read_with_the_persons_own_token() -> None:
    asked: list[str] = []
    headers = {header_of("chat"): "Bearer for-chat", "authorization": "Bearer for-auth"}
    found = await _elsewhere(asked).read(PARTS_BY_NAME["conversations"], headers)
    assert [[one["text"] for one in item["messages"]] for item in found] == [["hello"], ["good day", "and good bye"]]
    assert {line.split()[0] for line in asked} == {"GET"}


async def test_what_is_one_document_and_no_list_comes_as_a_list_of_one() -> None:
    headers = {header_of("notification"): "Bearer for-chat"}
    found = await _elsewhere([]).read(PARTS_BY_NAME["notification_preferences"], headers)
    assert found == [{"quiet_hours": None, "channels": {}}]


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("conversations", {}),
        ("conversations", {header_of("booking"): "Bearer for-chat"}),
        ("conversations", {header_of("chat"): "Bearer of-somebody"}),
        ("notification_preferences", {header_of("notification"): "Bearer of-somebody"}),
        ("bookings", {header_of("booking"): "Bearer for-booking"}),
    ],
)
async def test_without_a_token_that_holds_or_an_address_nothing_is_read(name: str, headers: dict[str, str]) -> None:
    with pytest.raises(NotRead):
        await _elsewhere([]).read(PARTS_BY_NAME[name], headers)
