"""What auth-service reads from its environment, beside what every process needs."""

from typing import ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from rihla.encryption import read_keys
from rihla.settings import ServiceSettings, local_secret

_LOCAL_DATA_KEYS = '{"local-1": "cmlobGEtbG9jYWwtZGF0YS1rZXktMzItYnl0ZXMtISE="}'


class Settings(ServiceSettings):
    """Secrets with a local default are refused outside `local`."""

    service: ClassVar[str] = "auth"

    access_token_keys: SecretStr = Field(
        default=SecretStr(""),
        description="JWKS of ES256 private keys; the first signs, all are published. Empty: generated, in `local` only",
    )
    access_token_minutes: int = Field(default=10, ge=1, le=60)
    refresh_secret: SecretStr = local_secret("local-refresh-secret")
    refresh_days: int = Field(default=30, ge=1, le=365)
    refresh_grace_seconds: int = Field(default=10, ge=0, le=60)
    code_secret: SecretStr = local_secret("local-code-secret")
    code_minutes: int = Field(default=10, ge=1, le=10)
    code_tries: int = Field(default=5, ge=1, le=5)
    code_resend_seconds: int = Field(default=60, ge=0)
    codes_per_hour: int = Field(default=10, ge=1)
    sms_per_number_per_day: int = Field(default=10, ge=1)
    sms_per_address_per_day: int = Field(default=30, ge=1)
    api_key_secret: SecretStr = local_secret("local-api-key-secret")
    data_keys: SecretStr = local_secret(_LOCAL_DATA_KEYS)
    """JSON object of key id -> base64 of 32 bytes; the first encrypts, all decrypt."""
    password_threads: int = Field(default=2, ge=1, le=32)
    password_queue: int = Field(default=200, ge=1)
    """How many password computations may wait; beyond that sign-in answers 503 rather than piling up."""
    admin_email: str = ""
    admin_password: SecretStr = SecretStr("")
    support_email: str = ""
    support_password: SecretStr = SecretStr("")
    oidc_providers: SecretStr = Field(default=SecretStr("{}"), description="JSON object of name -> provider settings")
    oidc_return_urls: str = Field(default="", description="Comma-separated prefixes a sign-in may return to")

    @model_validator(mode="after")
    def _keys_make_sense(self) -> Self:
        if self.rihla_env != "local" and not self.access_token_keys.get_secret_value():
            raise ValueError("ACCESS_TOKEN_KEYS must be set outside local")
        self.encryption_keys()
        return self

    def encryption_keys(self) -> dict[str, bytes]:
        """Key id -> 32 bytes, the encrypting one first. ValueError when a key has another length."""
        try:
            return read_keys(self.data_keys.get_secret_value())
        except ValueError as error:
            raise ValueError(f"DATA_KEYS {error}") from error
