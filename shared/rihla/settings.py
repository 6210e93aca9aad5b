"""Settings come from the environment; secrets that are known defaults are refused outside `local`."""

from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LOCAL_SECRET = "local_secret"


def local_secret(default: str) -> Any:
    """A secret with a default that works on a developer's machine and is refused everywhere else."""
    return Field(default=SecretStr(default), json_schema_extra={_LOCAL_SECRET: True})


class ServiceSettings(BaseSettings):
    """What every process needs. A service subclasses it, sets `service` and adds its own fields.

    Raises ValidationError, naming the variables, when something is missing or a default secret is used outside `local`.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    service: ClassVar[str]

    rihla_env: Literal["local", "staging", "production"] = "local"
    database_url: str = ""
    redis_url: str = "redis://127.0.0.1:6379/0"
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    namespace: str = Field(default="rihla", pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    service_key: SecretStr = Field(description="This caller's ES256 private key as JWK JSON")
    service_jwks: str = Field(description="Public keys of all callers, a JWKS; kid is <issuer>-<n>")
    idempotency_secret: SecretStr = local_secret("local-idempotency-secret")
    public_url: str = "http://127.0.0.1:8080"
    auth_url: str = ""
    flight_url: str = ""
    booking_url: str = ""
    payment_url: str = ""
    notification_url: str = ""
    chat_url: str = ""
    db_pool_size: int = Field(default=10, ge=1, le=200)
    step_up_minutes: int = Field(
        default=10, ge=1, le=60, description="How long a proved second factor allows refunds and saved cards"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def step_up_window(self) -> timedelta:
        """How long a proved second factor allows refunds and saved cards."""
        return timedelta(minutes=self.step_up_minutes)

    @model_validator(mode="after")
    def _refuse_default_secrets_outside_local(self) -> Self:
        if self.rihla_env == "local":
            return self
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra
            marked = isinstance(extra, dict) and extra.get(_LOCAL_SECRET)
            if marked and getattr(self, name) == field.default:
                raise ValueError(f"{name.upper()} still has its local default; set a secret of your own")
        return self
