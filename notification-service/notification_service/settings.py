"""What notification-service reads from its environment, beside what every process needs."""

from typing import ClassVar

from pydantic import Field, SecretStr

from notification_service.partner_webhooks.settings import WebhookSettings
from rihla.settings import local_secret


class Settings(WebhookSettings):
    """Secrets with a local default are refused outside `local`."""

    service: ClassVar[str] = "notification"

    smtp_url: SecretStr = Field(
        default=SecretStr("smtp://127.0.0.1:1025"),
        description="`smtp://`, `smtps://` or `smtp+starttls://`, with user and password where the server wants them",
    )
    smtp_connections: int = Field(default=8, ge=1, le=64)
    smtp_timeout_seconds: float = Field(default=10.0, gt=0)
    mail_from: str = "Rihla <no-reply@rihla.local>"
    document_storage_url: str = "file:///tmp/rihla-documents"
    document_storage_access_key: SecretStr = SecretStr("")
    document_storage_secret_key: SecretStr = SecretStr("")
    document_wait_seconds: float = Field(default=30.0, ge=0, description="How long a mail waits for its attachments")
    reminder_every_seconds: float = Field(default=15.0, gt=0)
    unsubscribe_secret: SecretStr = local_secret("local-unsubscribe-secret")
    provider_timeout_seconds: float = Field(default=10.0, gt=0, description="For SMS and push providers")
    twilio_account_sid: str = Field(default="", description="Empty: SMS go out as mail to `<number>@sms.local`")
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = Field(default="", description="A number in E.164, or the id of a messaging service (`MG...`)")
    twilio_url: str = "https://api.twilio.com"
    fcm_service_account: SecretStr = Field(
        default=SecretStr(""),
        description="The JSON key file of a service account. Empty: pushes go out as mail to `<token>@push.local`",
    )
    fcm_url: str = "https://fcm.googleapis.com"
    vapid_private_key: SecretStr = Field(
        default=SecretStr(""), description="32 bytes in base64url. Empty: as without FCM_SERVICE_ACCOUNT"
    )
    vapid_subject: str = "mailto:operations@rihla.example"
    web_push_hosts: str = Field(
        default="fcm.googleapis.com,updates.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com",
        description="The push services a browser's subscription may name",
    )
    live_poll_seconds: float = Field(default=30.0, gt=0, description="How often an open socket's count is read anyway")
    live_sockets_per_user: int = Field(default=5, ge=1)
    trip_days_kept: int = Field(default=90, ge=1, description="How long after its last flight a trip is remembered")
    notice_days_kept: int = Field(default=400, ge=1)
