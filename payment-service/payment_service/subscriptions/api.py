"""Routes of subscriptions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments.api import Idempotent, created
from payment_service.payments.schemas import to_method
from payment_service.problems import PROBLEMS
from payment_service.subscriptions import manage
from payment_service.subscriptions.schemas import (
    CreateSubscription,
    PlanIn,
    PlanOut,
    SubscriptionBought,
    SubscriptionOut,
)
from payment_service.subscriptions.subscribe import Buyer, subscribe
from rihla.auth import CurrentPrincipal, Person, require_roles
from rihla.web import Page, container, problem_responses

C = Annotated[Container, Depends(container)]
router = APIRouter(prefix="/v1", tags=["subscriptions"])
admin = APIRouter(
    prefix="/v1/admin/subscription-plans",
    tags=["admin: subscriptions"],
    dependencies=[Depends(require_roles("admin"))],
)
_ONE = problem_responses("subscription-not-found", "subscription-state", "unauthenticated", table=PROBLEMS)


@router.get("/subscription-plans", operation_id="list_subscription_plans", summary="Monthly plans on sale")
async def list_plans(principal: CurrentPrincipal, c: C) -> Page[PlanOut]:
    return Page(items=await manage.list_plans(c.db, active_only=True))


@router.post(
    "/subscriptions",
    status_code=201,
    response_model=SubscriptionBought,
    operation_id="create_subscription",
    summary="Buy a plan; its first month is paid now, and its chosen seats are reserved",
    responses=problem_responses(
        "plan-not-found", "subscription-exists", "method-not-accepted", "provider-not-available", "validation-failed",
        "seat-plan-not-possible", "seat-plan-refused", "rides-not-in-plan", "subscription-state",
        "idempotency-key-required", "idempotency-key-reused", "request-in-progress", "unauthenticated", table=PROBLEMS,
    ),
)  # fmt: skip
async def create_subscription(body: CreateSubscription, person: Person, idem: Idempotent, c: C) -> Response:
    buyer = Buyer(person.user_id, person.test_mode)
    return created(await subscribe(c.till, c.seats, body, to_method(body.method), buyer, idem))


@router.get("/subscriptions", operation_id="list_subscriptions", summary="Your subscriptions, newest first")
async def list_subscriptions(person: Person, c: C) -> Page[SubscriptionOut]:
    return Page(items=await manage.list_subscriptions(c.db, person.user_id))


@router.delete(
    "/subscriptions/{subscription_id}",
    operation_id="cancel_subscription",
    summary="Cancel at the end of the paid month",
    responses=_ONE,
)
async def cancel(subscription_id: UUID, person: Person, c: C) -> SubscriptionOut:
    return await manage.change_subscription(c.db, c.clock, subscription_id, person.user_id, "cancel")


@router.post(
    "/subscriptions/{subscription_id}/pause",
    operation_id="pause_subscription",
    summary="Pause: no renewal until resumed",
    responses=_ONE,
)
async def pause(subscription_id: UUID, person: Person, c: C) -> SubscriptionOut:
    return await manage.change_subscription(c.db, c.clock, subscription_id, person.user_id, "pause")


@router.post(
    "/subscriptions/{subscription_id}/resume",
    operation_id="resume_subscription",
    summary="Resume a paused or cancelling subscription",
    responses=_ONE,
)
async def resume(subscription_id: UUID, person: Person, c: C) -> SubscriptionOut:
    return await manage.change_subscription(c.db, c.clock, subscription_id, person.user_id, "resume")


@admin.get("", operation_id="admin_list_subscription_plans", summary="All plans")
async def all_plans(c: C) -> Page[PlanOut]:
    return Page(items=await manage.list_plans(c.db, active_only=False))


@admin.post(
    "",
    status_code=201,
    operation_id="admin_create_subscription_plan",
    summary="Define a plan",
    responses=problem_responses("subscription-exists", "validation-failed", "forbidden", table=PROBLEMS),
)
async def create_plan(body: PlanIn, c: C) -> PlanOut:
    return await manage.define_plan(c.db, c.clock, body)


@admin.put(
    "/{plan_id}",
    operation_id="admin_replace_subscription_plan",
    summary="Define a plan anew for months to come",
    responses=problem_responses("plan-not-found", "validation-failed", "forbidden", table=PROBLEMS),
)
async def replace_plan(plan_id: UUID, body: PlanIn, c: C) -> PlanOut:
    return await manage.define_plan(c.db, c.clock, body, plan_id)
