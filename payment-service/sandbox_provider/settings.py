"""Settings of the sandbox company's process."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment; lists are comma-separated."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: str = ""
    sandbox_public_url: str = Field(
        default="http://127.0.0.1:8090", description="where people reach confirmation pages"
    )
    sandbox_api_key: SecretStr = SecretStr("sk_sandbox_local")
    webhook_url: str = Field(default="", description="where events are posted; several separated by commas")
    webhook_secret: SecretStr = Field(
        default=SecretStr("whsec_sandbox_local"), description="the newest first; every event is signed with all of them"
    )
    delayed_success_seconds: float = Field(default=5.0, ge=0)
    webhook_timeout_seconds: float = Field(default=5.0, gt=0)
    webhook_max_attempts: int = Field(default=30, ge=1)
    poll_seconds: float = Field(default=0.25, gt=0)
    db_pool_size: int = Field(default=5, ge=1, le=50)
    log_level: str = "INFO"

    @property
    def webhook_urls(self) -> list[str]:
        return [url.strip() for url in self.webhook_url.split(",") if url.strip()]

    @property
    def webhook_secrets(self) -> list[str]:
        return [secret.strip() for secret in self.webhook_secret.get_secret_value().split(",") if secret.strip()]
