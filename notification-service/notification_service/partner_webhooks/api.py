"""Webhook endpoints and their deliveries, for partners' keys."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from notification_service.partner_webhooks.rules import EVENT_TYPES, Owner
from notification_service.partner_webhooks.schemas import (
    DeliveryState,
    NewWebhookEndpoint,
    SecretRotation,
    WebhookDeliveryDetail,
    WebhookDeliveryItem,
    WebhookEndpointChange,
    WebhookEndpointItem,
    WebhookEndpointRequest,
    WebhookEventTypeItem,
)
from notification_service.problems import problems
from notification_service.reading.api import id_of_cursor
from rihla.auth import Person
from rihla.auth.dependencies import Forbidden
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks"])
C = Annotated[Any, Depends(container)]
_KEY = ("unauthenticated", "forbidden", "validation-failed")
_ONE = (*_KEY, "webhook-endpoint-not-found")


async def owner_of_key(principal: Person, request: Request) -> Owner:
    """Whose key asks. Raises Forbidden for a person, and for a key without the scope."""
    if principal.kind != "partner" or principal.organisation_id is None:
        raise Forbidden("This needs a partner's API key.")
    enough = {"webhooks:write"} | ({"webhooks:read"} if request.method in ("GET", "HEAD") else set())
    if enough.isdisjoint(principal.scopes):
        raise Forbidden("This API key's scopes do not allow it.")
    return Owner(principal.organisation_id, principal.test_mode, principal.user_id)


Partner = Annotated[Owner, Depends(owner_of_key)]


@router.get(
    "/event-types",
    responses=problem_responses("unauthenticated", "forbidden", table=problems),
    summary="List what an endpoint can hear of",
)
async def list_webhook_event_types(partner: Partner) -> Page[WebhookEventTypeItem]:
    """`webhook.test` comes only when you ask for it."""
    items = [WebhookEventTypeItem.model_validate({"type": k, "description": v}) for k, v in EVENT_TYPES.items()]
    return Page[WebhookEventTypeItem](items=items)


@router.post(
    "",
    status_code=201,
    responses=problem_responses(*_KEY, "too-many-webhook-endpoints", table=problems),
    summary="Add a webhook endpoint",
)
async def create_webhook_endpoint(body: WebhookEndpointRequest, c: C, partner: Partner) -> NewWebhookEndpoint:
    """Its signing secret is shown this once. The host must be on the public network and take https on port 443."""
    row, secret = await c.webhook_endpoints.add(partner, body.url, body.event_types, body.description)
    return NewWebhookEndpoint.of(row, secret=secret)


@router.get(
    "",
    responses=problem_responses(*_KEY, "invalid-cursor", table=problems),
    summary="List your webhook endpoints",
)
async def list_webhook_endpoints(c: C, partner: Partner, page: PageParams) -> Page[WebhookEndpointItem]:
    """Your organisation's, of the mode of your key, the newest first."""
    before = id_of_cursor(page.cursor)
    rows = await c.webhook_endpoints.page(partner, before=before, limit=page.limit + 1)
    items = [WebhookEndpointItem.of(row) for row in rows[: page.limit]]
    return Page[WebhookEndpointItem](items=items, next_cursor=_cursor(rows, page.limit))


@router.get(
    "/{endpoint_id}",
    responses=problem_responses(*_ONE, table=problems),
    summary="Read a webhook endpoint",
)
async def get_webhook_endpoint(endpoint_id: UUID, c: C, partner: Partner) -> WebhookEndpointItem:
    """Without its secret."""
    return WebhookEndpointItem.of(await c.webhook_endpoints.read(partner, endpoint_id))


@router.patch(
    "/{endpoint_id}",
    responses=problem_responses(*_ONE, table=problems),
    summary="Change a webhook endpoint",
)
async def change_webhook_endpoint(
    endpoint_id: UUID, body: WebhookEndpointChange, c: C, partner: Partner
) -> WebhookEndpointItem:
    """Address, event types, description, and whether it is enabled."""
    changes = body.model_dump(exclude_unset=True)
    return WebhookEndpointItem.of(await c.webhook_endpoints.change(partner, endpoint_id, changes))


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    responses=problem_responses(*_ONE, table=problems),
    summary="Remove a webhook endpoint",
)
async def remove_webhook_endpoint(endpoint_id: UUID, c: C, partner: Partner) -> None:
    """What was waiting for it goes with it, and so does its log."""
    await c.webhook_endpoints.remove(partner, endpoint_id)


@router.post(
    "/{endpoint_id}/rotate-secret",
    responses=problem_responses(*_ONE, table=problems),
    summary="Give a webhook endpoint a new secret",
)
async def rotate_webhook_secret(endpoint_id: UUID, body: SecretRotation, c: C, partner: Partner) -> NewWebhookEndpoint:
    """Until the overlap ends `webhook-signature` carries two signatures, of the new secret and of the old one."""
    row, secret = await c.webhook_endpoints.rotate(partner, endpoint_id, timedelta(hours=body.overlap_hours))
    return NewWebhookEndpoint.of(row, secret=secret)


@router.post(
    "/{endpoint_id}/test",
    status_code=202,
    responses=problem_responses(*_ONE, "webhook-endpoint-disabled", table=problems),
    summary="Send a test event",
)
async def send_test_webhook(endpoint_id: UUID, c: C, partner: Partner) -> WebhookDeliveryDetail:
    """Of type `webhook.test`, whatever the endpoint's event types are; its outcome is in the deliveries."""
    return WebhookDeliveryDetail.of(await c.webhook_deliveries.send_test(partner, endpoint_id))


@dataclass(frozen=True, slots=True)
class _Chosen:
    state: Annotated[DeliveryState | None, Query(description="Deliveries in this state")] = None
    type: Annotated[str | None, Query(max_length=40, description="Of this event type")] = None


@router.get(
    "/{endpoint_id}/deliveries",
    responses=problem_responses(*_ONE, "invalid-cursor", table=problems),
    summary="List what was sent to a webhook endpoint",
)
async def list_webhook_deliveries(
    endpoint_id: UUID, c: C, partner: Partner, page: PageParams, chosen: Annotated[_Chosen, Depends()]
) -> Page[WebhookDeliveryItem]:
    """The newest first; kept for 30 days."""
    rows = await c.webhook_deliveries.page(
        partner,
        endpoint_id,
        state=chosen.state,
        event_type=chosen.type,
        before=id_of_cursor(page.cursor),
        limit=page.limit + 1,
    )
    items = [WebhookDeliveryItem.of(row) for row in rows[: page.limit]]
    return Page[WebhookDeliveryItem](items=items, next_cursor=_cursor(rows, page.limit))


@router.get(
    "/{endpoint_id}/deliveries/{delivery_id}",
    responses=problem_responses(*_ONE, "delivery-not-found", table=problems),
    summary="Read a webhook delivery",
)
async def get_webhook_delivery(endpoint_id: UUID, delivery_id: UUID, c: C, partner: Partner) -> WebhookDeliveryDetail:
    """With the body as it is posted."""
    return WebhookDeliveryDetail.of(await c.webhook_deliveries.read(partner, endpoint_id, delivery_id))


@router.post(
    "/{endpoint_id}/deliveries/{delivery_id}/resend",
    status_code=202,
    responses=problem_responses(
        *_ONE, "delivery-not-found", "delivery-busy", "webhook-endpoint-disabled", table=problems
    ),
    summary="Send a webhook delivery again",
)
async def resend_webhook_delivery(
    endpoint_id: UUID, delivery_id: UUID, c: C, partner: Partner
) -> WebhookDeliveryDetail:
    """At once, under the same `webhook-id`; then tried for three days as a new one is."""
    return WebhookDeliveryDetail.of(await c.webhook_deliveries.send_again(partner, endpoint_id, delivery_id))


def _cursor(rows: Any, limit: int) -> str | None:
    return encode_cursor({"id": str(rows[limit - 1].id)}) if len(rows) > limit else None
