import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from rihla.kernel import FixedClock, SystemClock
from rihla.storage import ObjectMissing, ObjectStore, StorageUnavailable, checked_key, open_storage
from rihla.storage.sigv4 import Credentials, signed_headers

# The account, keys and signatures of the examples in AWS's documentation ("Signature Calculations ... Transferring
# Payload in a Single Chunk").
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
EXAMPLE_TIME = datetime(2013, 5, 24, tzinfo=UTC)
EXAMPLE_HOST = "examplebucket.s3.amazonaws.com"


def test_a_get_is_signed_as_in_the_published_example() -> None:
    headers = signed_headers(
        EXAMPLE, "GET", EXAMPLE_HOST, "/test.txt", b"", now=EXAMPLE_TIME, headers={"Range": "bytes=0-9"}
    )
    assert headers["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_put_is_signed_as_in_the_published_example() -> None:
    headers = signed_headers(
        EXAMPLE,
        "PUT",
        EXAMPLE_HOST,
        "/test$file.text",
        b"Welcome to Amazon S3.",
        now=EXAMPLE_TIME,
        headers={"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
    )
    assert headers["authorization"].endswith(
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


def test_a_listing_is_signed_as_in_the_published_example() -> None:
    headers = signed_headers(
        EXAMPLE, "GET", EXAMPLE_HOST, "/", b"", now=EXAMPLE_TIME, query={"max-keys": "2", "prefix": "J"}
    )
    assert headers["authorization"].endswith(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_secrets_are_not_in_the_representation() -> None:
    assert "wJalr" not in repr(EXAMPLE)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/.hidden", "a b", "x" * 513, "a/"])
def test_a_key_that_could_leave_its_place_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        checked_key(key)


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest_asyncio.fixture(params=["folder", "s3"])
async def store(request: Any, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "folder":
        opened = open_storage(f"file://{tmp_path}/documents", clock=SystemClock())
    else:
        endpoint = request.getfixturevalue("s3_endpoint")
        headers = signed_headers(
            EXAMPLE, "PUT", httpx.URL(endpoint).netloc.decode(), "/papers", b"", now=SystemClock().now()
        )
        async with httpx.AsyncClient() as client:
            await client.put(f"{endpoint}/papers", headers=headers)
        url = f"s3://papers/in/here?endpoint={endpoint}&region=us-east-1"
        opened = open_storage(url, access_key=EXAMPLE.access_key, secret_key=EXAMPLE.secret_key, clock=SystemClock())
    yield opened
    await opened.close()


async def test_what_was_put_is_what_is_got(store: ObjectStore) -> None:
    await store.check()
    await store.put("bookings/1/tickets.pdf", b"first", media_type="application/pdf")
    await store.put("bookings/1/tickets.pdf", b"second", media_type="application/pdf")
    assert await store.get("bookings/1/tickets.pdf") == b"second"


async def test_a_missing_object_is_said_to_be_missing(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        await store.get("bookings/1/nothing.pdf")
    await store.delete("bookings/1/nothing.pdf")


async def test_a_deleted_object_is_gone(store: ObjectStore) -> None:
    await store.put("gone.txt", b"x", media_type="text/plain")
    await store.delete("gone.txt")
    with pytest.raises(ObjectMissing):
        await store.get("gone.txt")


async def test_a_reader_never_sees_half_an_object(tmp_path: Path) -> None:
    store = open_storage(f"file://{tmp_path}", clock=SystemClock())
    small, large = b"a" * 10, b"b" * 3_000_000
    await store.put("x", small, media_type="text/plain")

    async def write() -> None:
        for _ in range(10):
            await store.put("x", large, media_type="text/plain")
            await store.put("x", small, media_type="text/plain")

    writing = asyncio.create_task(write())
    while not writing.done():
        assert await store.get("x") in (small, large)
    await writing
    assert _names(tmp_path) == ["x"]


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    store = open_storage(
        "s3://papers?endpoint=http://127.0.0.1:9", access_key="a", secret_key="b", clock=FixedClock(EXAMPLE_TIME)
    )
    with pytest.raises(StorageUnavailable):
        await store.get("x")
    await store.close()


@pytest.mark.parametrize("url", ["ftp://x/y", "s3://papers", "documents"])
def test_a_url_we_cannot_use_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="storage"):
        open_storage(url, clock=SystemClock())
