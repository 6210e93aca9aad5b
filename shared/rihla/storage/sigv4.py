"""AWS Signature Version 4 in the `Authorization` header, for requests whose body is at hand.

Source: AWS documentation, "Create a signed AWS API request"; the published example is a test.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Credentials:
    """`access_key` names the account, `secret_key` signs; neither leaves this process in clear."""

    access_key: str
    secret_key: str
    region: str
    service: str = "s3"

    def __repr__(self) -> str:
        return f"Credentials(region={self.region!r})"


def signed_headers(
    credentials: Credentials,
    method: str,
    host: str,
    path: str,
    body: bytes,
    *,
    now: datetime,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """All headers to send: the given ones, `host`, `x-amz-date`, `x-amz-content-sha256` and `authorization`.

    `path` is the absolute path, not yet encoded; `now` is UTC.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    sent = {name.lower(): value.strip() for name, value in (headers or {}).items()}
    sent |= {"host": host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
    names = ";".join(sorted(sent))
    canonical = "\n".join(
        (
            method,
            quote(path, safe="/-_.~"),
            canonical_query(query or {}),
            *(f"{name}:{sent[name]}" for name in sorted(sent)),
            "",
            names,
            digest,
        )
    )
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_signing_key(credentials, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


def canonical_query(query: Mapping[str, str]) -> str:
    """Parameters sorted and encoded as the signature wants them, which is also how they are sent."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _signing_key(credentials: Credentials, day: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, credentials.region, credentials.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
