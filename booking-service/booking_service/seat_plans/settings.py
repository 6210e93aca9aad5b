"""The keys of what is sealed at rest; the service's `Settings` inherits them."""

from typing import Self

from pydantic import SecretStr, model_validator

from rihla.encryption import read_keys
from rihla.settings import ServiceSettings, local_secret

_LOCAL_KEYS = '{"local-1": "cmlobGEtbG9jYWwtdHJhdmVsbGVyLWtleS0zMi1ieXQ="}'


class SeatPlanSettings(ServiceSettings):
    """What seals passport numbers, and the traveller kept for a subscription's later periods."""

    traveller_keys: SecretStr = local_secret(_LOCAL_KEYS)
    """JSON object of key id -> base64 of 32 bytes; the first encrypts, all decrypt."""

    @model_validator(mode="after")
    def _traveller_keys_make_sense(self) -> Self:
        self.encryption_keys()
        return self

    def encryption_keys(self) -> dict[str, bytes]:
        """Key id -> 32 bytes, the encrypting one first. ValueError when a key has another length."""
        try:
            return read_keys(self.traveller_keys.get_secret_value())
        except ValueError as error:
            raise ValueError(f"TRAVELLER_KEYS {error}") from error
