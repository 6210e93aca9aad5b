"""Devices that take push messages."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from notification_service.devices import store
from notification_service.devices.errors import DeviceNotFound, WebPushUnavailable
from notification_service.devices.schemas import DeviceItem, DeviceRegistration, WebPushKey
from notification_service.problems import problems
from rihla.auth import Person
from rihla.web import Page, container, problem_responses

router = APIRouter(prefix="/v1/devices", tags=["notifications"])
C = Annotated[Any, Depends(container)]


@router.post(
    "",
    status_code=201,
    responses=problem_responses("unauthenticated", "validation-failed", table=problems),
    summary="Register a device for push messages",
)
async def register_device(registration: DeviceRegistration, c: C, who: Person) -> DeviceItem:
    """The same token again is the same device. It is forgotten when the session that registers it ends."""
    async with c.db.transaction() as session:
        row = await store.register_device(
            session,
            who.user_id,
            session_id=who.session_id,
            platform=registration.platform,
            token=registration.token,
            name=registration.name,
            now=c.clock.now(),
        )
    return DeviceItem.model_validate(dict(row))


@router.get(
    "/web-push-key",
    responses=problem_responses("unauthenticated", "web-push-unavailable", table=problems),
    summary="Read the key browsers subscribe with",
)
async def get_web_push_key(c: C, who: Person) -> WebPushKey:
    """`applicationServerKey` of `PushManager.subscribe`; register the subscription's JSON as the device's token."""
    if c.web_push_key is None:
        raise WebPushUnavailable("This installation sends no Web Push.")
    return WebPushKey(public_key=c.web_push_key)


@router.get("", responses=problem_responses("unauthenticated", table=problems), summary="List your devices")
async def list_devices(c: C, who: Person) -> Page[DeviceItem]:
    """All of them on one page."""
    async with c.db.transaction() as session:
        rows = await store.list_devices(session, who.user_id)
    return Page[DeviceItem](items=[DeviceItem.model_validate(dict(row)) for row in rows])


@router.delete(
    "/{device_id}",
    status_code=204,
    responses=problem_responses("unauthenticated", "device-not-found", "validation-failed", table=problems),
    summary="Remove a device",
)
async def remove_device(device_id: UUID, c: C, who: Person) -> None:
    """It gets no more push messages."""
    async with c.db.transaction() as session:
        if not await store.remove_device(session, who.user_id, device_id):
            raise DeviceNotFound("There is no such device among yours.")
