"""Objects in an S3-compatible store: path-style requests signed with Signature Version 4 over httpx."""

import asyncio
from urllib.parse import quote, urlsplit

import httpx

from rihla.kernel import Clock
from rihla.storage.sigv4 import Credentials, signed_headers
from rihla.storage.store import ObjectMissing, StorageUnavailable, checked_key

_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.1


class S3Store:
    """PUT, GET and DELETE are idempotent, so what fails to connect or answers 5xx is tried three times."""

    def __init__(
        self, *, endpoint: str, bucket: str, prefix: str, credentials: Credentials, clock: Clock, timeout: float = 5.0
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._host = urlsplit(endpoint).netloc
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._credentials = credentials
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=False)

    async def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """Store `data` with its media type."""
        self._accept(await self._send("PUT", self._path(key), data, {"content-type": media_type}))

    async def get(self, key: str) -> bytes:
        """The stored bytes."""
        answer = await self._send("GET", self._path(key))
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise ObjectMissing(key)
        self._accept(answer)
        return answer.content

    async def delete(self, key: str) -> None:
        """Delete the object; S3 answers alike whether or not it was there."""
        answer = await self._send("DELETE", self._path(key))
        if answer.status_code != httpx.codes.NOT_FOUND:
            self._accept(answer)

    async def check(self) -> None:
        """The bucket is there and our credentials hold."""
        self._accept(await self._send("HEAD", f"/{self._bucket}"))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _path(self, key: str) -> str:
        return "/" + "/".join(part for part in (self._bucket, self._prefix, checked_key(key)) if part)

    async def _send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        for attempt in range(_TRIES):
            signed = signed_headers(
                self._credentials, method, self._host, path, body, now=self._clock.now(), headers=headers
            )
            try:
                url = self._endpoint + quote(path, safe="/-_.~")
                answer = await self._client.request(method, url, content=body, headers=signed)
            except httpx.TransportError as error:
                failure: Exception = error
            else:
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer
                failure = StorageUnavailable(f"the store answered {answer.status_code}")
            if attempt + 1 < _TRIES:
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * 3**attempt)
        raise StorageUnavailable(f"the store does not answer: {type(failure).__name__}") from failure

    @staticmethod
    def _accept(answer: httpx.Response) -> None:
        if not answer.is_success:
            raise StorageUnavailable(f"the store refused with {answer.status_code}")
