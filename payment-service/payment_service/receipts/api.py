"""Routes of receipts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from payment_service.bootstrap import Container
from payment_service.problems import PROBLEMS
from payment_service.receipts.read_receipt import read_receipt
from payment_service.receipts.schemas import ReceiptOut
from rihla.auth import Person
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1/payments", tags=["payments"])
C = Annotated[Container, Depends(container)]


@router.get(
    "/{payment_id}/receipt",
    operation_id="get_payment_receipt",
    summary="The numbered receipt of a payment",
    responses=problem_responses("payment-not-found", "receipt-not-ready", "unauthenticated", table=PROBLEMS),
)
async def get_receipt(payment_id: UUID, person: Person, c: C) -> ReceiptOut:
    return await read_receipt(c.db, c.clock, payment_id, person.user_id)
