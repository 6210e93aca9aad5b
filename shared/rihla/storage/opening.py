"""From one URL to a store."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from rihla.kernel import Clock
from rihla.storage.folder import FolderStore
from rihla.storage.s3 import S3Store
from rihla.storage.sigv4 import Credentials
from rihla.storage.store import ObjectStore


def open_storage(url: str, *, access_key: str = "", secret_key: str = "", clock: Clock) -> ObjectStore:
    """Open the store `url` names; nothing is contacted yet.

    `file:///folder` or `s3://bucket/prefix?endpoint=https://host&region=eu-central-1`. Raises ValueError for another
    scheme, a missing endpoint, or S3 without credentials.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme != "s3":
        raise ValueError("a storage URL begins with file:// or s3://")
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if not options.get("endpoint") or not access_key or not secret_key:
        raise ValueError("S3 storage needs an endpoint in the URL, an access key and a secret key")
    return S3Store(
        endpoint=options["endpoint"],
        bucket=parts.netloc,
        prefix=unquote(parts.path),
        credentials=Credentials(access_key, secret_key, options.get("region", "us-east-1")),
        clock=clock,
    )
