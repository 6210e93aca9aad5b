"""How this service's domain errors look outside."""

from notification_service.codes.errors import AddressRefused, CodeNotAccepted
from notification_service.delivering.errors import DeliveryBusy, DeliveryNotFound, ResentTooSoon
from notification_service.devices.errors import DeviceNotFound, WebPushUnavailable
from notification_service.partner_webhooks.errors import (
    TooManyWebhookEndpoints,
    WebhookEndpointDisabled,
    WebhookEndpointNotFound,
)
from notification_service.reading.errors import NoticeNotFound, UnknownTemplate, UnsubscribeLinkInvalid
from rihla.web import ProblemSpec, ProblemTable

problems = ProblemTable(
    {
        CodeNotAccepted: ProblemSpec(503, "message-not-accepted", "The message was not accepted", retry_after=2),
        AddressRefused: ProblemSpec(409, "address-refused", "The address does not take messages"),
        DeliveryNotFound: ProblemSpec(404, "delivery-not-found", "There is no such delivery"),
        DeliveryBusy: ProblemSpec(409, "delivery-busy", "The delivery is on its way already"),
        ResentTooSoon: ProblemSpec(429, "resent-too-soon", "It was sent a moment ago", retry_after=60),
        DeviceNotFound: ProblemSpec(404, "device-not-found", "There is no such device"),
        WebPushUnavailable: ProblemSpec(404, "web-push-unavailable", "Web Push is not set up"),
        NoticeNotFound: ProblemSpec(404, "notification-not-found", "There is no such notification"),
        UnknownTemplate: ProblemSpec(404, "template-not-found", "There is no such template"),
        WebhookEndpointNotFound: ProblemSpec(404, "webhook-endpoint-not-found", "There is no such webhook endpoint"),
        WebhookEndpointDisabled: ProblemSpec(409, "webhook-endpoint-disabled", "The webhook endpoint is disabled"),
        TooManyWebhookEndpoints: ProblemSpec(409, "too-many-webhook-endpoints", "There are too many webhook endpoints"),
        UnsubscribeLinkInvalid: ProblemSpec(404, "unsubscribe-link-invalid", "This link is not valid"),
    }
)
