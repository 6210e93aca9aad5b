"""Short-lived signed addresses: of the S3-compatible store itself, or of our own route for the local folder.

S3: query-string authentication of AWS Signature Version 4; the length and the type of an upload are signed headers,
so that the store takes nothing else.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qs, quote, unquote, urlsplit

from chat_service.attachments.errors import AddressInvalid
from rihla.kernel import Clock
from rihla.storage.sigv4 import canonical_query

FILES_PATH = "/v1/chat/files"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send or load something, until when, and the headers that must go with it."""

    method: str
    url: str
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


class Addresses(Protocol):
    """Makes signed addresses."""

    def upload(self, key: str, media_type: str, size_bytes: int) -> Address:
        """Where exactly this many bytes of this type may be PUT."""
        ...

    def download(self, key: str, media_type: str) -> Address:
        """Where the object may be loaded."""
        ...


@dataclass(frozen=True, slots=True)
class LocalAddresses:
    """Addresses of `GET` and `PUT /v1/chat/files/...`, signed with a secret of this service."""

    public_url: str
    secret: bytes
    lifetime: timedelta
    clock: Clock

    def upload(self, key: str, media_type: str, size_bytes: int) -> Address:
        """A PUT to this service through the gateway."""
        headers = {"content-type": media_type}
        return self._address("PUT", key, media_type, size_bytes, headers)

    def download(self, key: str, media_type: str) -> Address:
        """A GET from this service through the gateway."""
        return self._address("GET", key, media_type, 0, {})

    def _address(self, method: str, key: str, media_type: str, size: int, headers: dict[str, str]) -> Address:
        expires_at = self.clock.now() + self.lifetime
        until = int(expires_at.timestamp())
        signature = self._sign(method, key, media_type, size, until)
        query = f"type={quote(media_type, safe='')}&size={size}&until={until}&signature={signature}"
        return Address(method, f"{self.public_url}{FILES_PATH}/{key}?{query}", expires_at, headers)

    def check(self, method: str, key: str, media_type: str, size: int, until: int, signature: str) -> None:
        """Raises AddressInvalid unless we made exactly this address and it is not over."""
        expected = self._sign(method, key, media_type, size, until)
        if not hmac.compare_digest(expected.encode(), signature.encode()) or until < self.clock.now().timestamp():
            raise AddressInvalid("This address is not valid any more; ask for a new one.")

    def _sign(self, method: str, key: str, media_type: str, size: int, until: int) -> str:
        text = "\n".join((method, key, media_type, str(size), str(until)))
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class S3Addresses:
    """Path-style addresses of an S3-compatible store."""

    endpoint: str
    bucket: str
    prefix: str
    region: str
    access_key: str
    secret_key: str
    lifetime: timedelta
    clock: Clock

    @classmethod
    def of_url(cls, url: str, *, access_key: str, secret_key: str, lifetime: timedelta, clock: Clock) -> "S3Addresses":
        """From the URL `rihla.storage` reads."""
        parts = urlsplit(url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return cls(
            endpoint=options["endpoint"].rstrip("/"),
            bucket=parts.netloc,
            prefix=unquote(parts.path).strip("/"),
            region=options.get("region", "us-east-1"),
            access_key=access_key,
            secret_key=secret_key,
            lifetime=lifetime,
            clock=clock,
        )

    def upload(self, key: str, media_type: str, size_bytes: int) -> Address:
        """A PUT straight to the store."""
        return self._address("PUT", key, {"content-length": str(size_bytes), "content-type": media_type}, {})

    def download(self, key: str, media_type: str) -> Address:
        """A GET straight from the store, answered as an attachment of the checked type."""
        shown = {"response-content-type": media_type, "response-content-disposition": "inline"}
        return self._address("GET", key, {}, shown)

    def _address(self, method: str, key: str, headers: dict[str, str], query: dict[str, str]) -> Address:
        now = self.clock.now()
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        path = "/" + "/".join(part for part in (self.bucket, self.prefix, key) if part)
        signed = {**headers, "host": urlsplit(self.endpoint).netloc}
        names = ";".join(sorted(signed))
        parameters = {
            **query,
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.access_key}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(int(self.lifetime.total_seconds())),
            "X-Amz-SignedHeaders": names,
        }
        encoded = quote(path, safe="/-_.~")
        lines = [method, encoded, canonical_query(parameters)]
        lines += [f"{name}:{signed[name]}" for name in sorted(signed)]
        canonical = "\n".join([*lines, "", names, "UNSIGNED-PAYLOAD"])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, digest))
        signature = hmac.new(self._key(stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
        url = f"{self.endpoint}{encoded}?{canonical_query({**parameters, 'X-Amz-Signature': signature})}"
        # The browser sets the length itself; naming it here would be refused by it.
        shown = {name: value for name, value in headers.items() if name != "content-length"}
        return Address(method, url, now + self.lifetime, shown)

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key
