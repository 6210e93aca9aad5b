"""Bytes under keys, in a folder or in an S3-compatible store, chosen by one URL.

`file:///var/lib/rihla/documents` or `s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1`.
"""

from rihla.storage.opening import open_storage
from rihla.storage.store import ObjectMissing, ObjectStore, StorageUnavailable, checked_key

__all__ = ["ObjectMissing", "ObjectStore", "StorageUnavailable", "checked_key", "open_storage"]
