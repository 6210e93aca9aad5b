"""Settings of the documents capability; the service's `Settings` inherits them."""

from pydantic import Field, SecretStr

from rihla.settings import ServiceSettings, local_secret


class DocumentSettings(ServiceSettings):
    """Where documents are kept and what signs boarding passes."""

    document_storage_url: str = Field(
        default="file:///tmp/rihla-documents",
        description="`file:///folder` or `s3://bucket/prefix?endpoint=https://host&region=...`",
    )
    document_storage_access_key: SecretStr = SecretStr("")
    document_storage_secret_key: SecretStr = SecretStr("")
    document_threads: int = Field(default=1, ge=1, le=16, description="Typesetting threads of one worker")
    papers_stand_back_per_second: float = Field(
        default=10,
        ge=0,
        description="While more bookings a second than this are confirmed, their papers wait; 0: papers never wait",
    )
    papers_stand_back_minutes: float = Field(
        default=30, gt=0, le=720, description="... but no longer than this, however long the rush"
    )
    boarding_pass_keys: SecretStr = local_secret("cmlobGEtbG9jYWwtYm9hcmRpbmctcGFzcy1zZWVkLTE")
    """Ed25519 private keys, 32 bytes each in base64url, comma-separated; the first signs, all are published."""
