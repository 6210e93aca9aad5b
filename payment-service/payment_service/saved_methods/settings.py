"""Settings of saved methods; the service's `Settings` inherits them."""

from typing import Self

from pydantic import SecretStr, model_validator

from rihla.encryption import read_keys
from rihla.settings import ServiceSettings, local_secret

_LOCAL_KEYS = '{"local-1": "cmlobGEtbG9jYWwtbWV0aG9kcy1rZXktMzItYnl0ZSE="}'


class SavedMethodSettings(ServiceSettings):
    """What encrypts the providers' tokens of saved methods and of the customers they belong to."""

    method_keys: SecretStr = local_secret(_LOCAL_KEYS)
    """JSON object of key id -> base64 of 32 bytes; the first encrypts, all decrypt."""

    @model_validator(mode="after")
    def _method_keys_make_sense(self) -> Self:
        self.encryption_keys()
        return self

    def encryption_keys(self) -> dict[str, bytes]:
        """Key id -> 32 bytes, the encrypting one first. ValueError when a key has another length."""
        try:
            return read_keys(self.method_keys.get_secret_value())
        except ValueError as error:
            raise ValueError(f"METHOD_KEYS {error}") from error
