"""Settings of partners' webhooks; the service's `Settings` inherits them."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from rihla.encryption import read_keys
from rihla.settings import ServiceSettings, local_secret

_LOCAL_KEYS = '{"local-1": "cmlobGEtbG9jYWwtd2ViaG9vay1rZXktMzJieXRlcyE="}'


class WebhookSettings(ServiceSettings):
    """How partners' endpoints are called, and what seals their signing secrets."""

    webhook_keys: SecretStr = local_secret(_LOCAL_KEYS)
    """JSON object of key id -> base64 of 32 bytes; the first seals, all open."""
    webhook_timeout_seconds: float = Field(
        default=10.0, gt=0, le=30, description="For one call of a partner's endpoint"
    )
    webhook_parallel: int = Field(default=64, ge=1, le=1000, description="Calls of one worker at once")
    webhook_parallel_per_endpoint: int = Field(
        default=4, ge=1, le=100, description="Of all workers; one while it fails"
    )
    webhook_local_targets: bool = Field(
        default=False, description="Also post to http and to addresses of this machine and network; refused elsewhere"
    )

    @model_validator(mode="after")
    def _webhook_settings_make_sense(self) -> Self:
        self.webhook_encryption_keys()
        if self.webhook_local_targets and self.rihla_env != "local":
            raise ValueError("WEBHOOK_LOCAL_TARGETS is for the local environment")
        return self

    def webhook_encryption_keys(self) -> dict[str, bytes]:
        """Key id -> 32 bytes, the sealing one first. ValueError when a key has another length."""
        try:
            return read_keys(self.webhook_keys.get_secret_value())
        except ValueError as error:
            raise ValueError(f"WEBHOOK_KEYS {error}") from error
