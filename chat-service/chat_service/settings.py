"""What chat-service reads from its environment, beside what every process needs."""

from typing import ClassVar

from pydantic import Field, SecretStr

from rihla.settings import ServiceSettings, local_secret

KIB = 1024
MIB = 1024 * KIB


class Settings(ServiceSettings):
    """Secrets with a local default are refused outside `local`. Times are seconds unless the name says otherwise."""

    service: ClassVar[str] = "chat"

    sockets_per_user: int = Field(default=5, ge=1, description="Open sockets of one person on one instance")
    sockets_per_instance: int = Field(default=10_000, ge=1)
    socket_queue: int = Field(default=256, ge=8, description="Frames that wait for a slow reader before it is dropped")
    socket_frame_bytes: int = Field(default=64 * KIB, ge=KIB)
    socket_burst: int = Field(default=20, ge=1, description="Frames a socket may send at once")
    socket_frames_per_second: float = Field(default=5.0, gt=0)
    socket_flood_patience: int = Field(default=40, ge=1, description="Refused frames before a socket is closed")
    heartbeat_seconds: float = Field(default=25.0, gt=0)
    idle_seconds: float = Field(default=80.0, gt=0, description="A client that said nothing for so long is closed")
    catch_up_seconds: float = Field(default=4.0, gt=0, description="How often an instance compares with the database")
    catch_up_alone_seconds: float = Field(default=0.5, gt=0, description="The same while Redis does not answer")
    redis_timeout: float = Field(default=0.5, gt=0)

    attachment_storage_url: str = "file:///tmp/rihla-attachments"
    attachment_storage_access_key: SecretStr = SecretStr("")
    attachment_storage_secret_key: SecretStr = SecretStr("")
    attachment_secret: SecretStr = local_secret("local-attachment-secret")
    attachment_address_seconds: int = Field(default=600, ge=30, le=3600)
    attachment_unused_hours: int = Field(default=24, ge=1, description="How long an upload nobody posted is kept")

    inbound_mail_secret: SecretStr = local_secret("local-inbound-mail-secret")
    reply_address_secret: SecretStr = local_secret("local-reply-address-secret")
    support_address: str = Field(default="support@rihla.local", pattern=r"^[^@\s+]+@[^@\s]+$")
    tell_absent_seconds: float = Field(
        default=120.0,
        ge=0,
        description="How long words of support wait unseen before their traveller is told elsewhere",
    )
    sweep_seconds: float = Field(default=15.0, gt=0)
    reopen_days: int = Field(default=30, ge=0)
    callbacks_per_slot: int = Field(default=4, ge=1)
    callback_hours_utc: str = Field(default="4-18", pattern=r"^\d{1,2}-\d{1,2}$", description="First and last hour")

    assistant_model_url: str = Field(default="", description="OpenAI-compatible base URL; empty: rules only")
    assistant_model_name: str = ""
    assistant_model_key: SecretStr = SecretStr("")
    assistant_model_timeout: float = Field(default=6.0, gt=0)
