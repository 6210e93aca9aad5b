"""Settings of payment-service; those every process has are in `rihla.settings`."""

from typing import ClassVar

from pydantic import Field, SecretStr

from payment_service.saved_methods.settings import SavedMethodSettings
from rihla.settings import local_secret


class Settings(SavedMethodSettings):
    """Read from the environment. Several secrets are separated by commas, the newest first."""

    service: ClassVar[str] = "payment"

    sandbox_url: str = Field(default="http://127.0.0.1:8090", description="the sandbox company; empty: not used")
    sandbox_api_key: SecretStr = local_secret("sk_sandbox_local")
    sandbox_webhook_secret: SecretStr = local_secret("whsec_sandbox_local")
    sandbox_for_everyone: bool | None = Field(
        default=None, description="whether people may pay by sandbox cards; default: everywhere but in production"
    )
    stripe_url: str = "https://api.stripe.com"
    stripe_api_key: SecretStr | None = Field(default=None, description="without it the provider is not offered")
    stripe_webhook_secret: SecretStr = SecretStr("")
    paymob_url: str = "https://accept.paymob.com"
    paymob_secret_key: SecretStr | None = Field(default=None, description="without it the provider is not offered")
    paymob_public_key: str = ""
    paymob_integration_ids: str = Field(default="", description="comma-separated integration ids of card payments")
    paymob_hmac_secret: SecretStr = SecretStr("")
    provider_timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    booking_timeout_seconds: float = Field(default=3.0, gt=0, le=30)

    coin_values_minor: dict[str, int] = Field(
        default={"USD": 1}, description="what one coin is worth, in minor units of each currency it can pay"
    )
    joining_coins: int = Field(default=1500, ge=0)
    joining_coins_days: int = Field(default=365, ge=1)
    top_up_minimum_minor: int = Field(default=100, ge=1)
    top_up_maximum_minor: int = Field(default=500_000, ge=1)
    wallet_maximum_minor: int = Field(default=2_000_000, ge=1)
    ledger_check_hours: float = Field(default=24.0, gt=0)
    subscription_grace_days: int = Field(default=7, ge=0)

    @property
    def sandbox_open(self) -> bool:
        """Whether people without a test key may use the sandbox."""
        if self.sandbox_for_everyone is not None:
            return self.sandbox_for_everyone
        return self.rihla_env != "production"


def several(secret: SecretStr) -> list[str]:
    """The secrets in a comma-separated setting."""
    return [value.strip() for value in secret.get_secret_value().split(",") if value.strip()]
