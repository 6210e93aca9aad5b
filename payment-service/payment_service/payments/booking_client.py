"""What payment-service asks booking-service: the charge that is due."""

from datetime import datetime
from uuid import UUID

from payment_service.payments.due_batches import ChargeDue, Question, due_batches
from payment_service.payments.errors import BookingNotFound, ChargeNotDue
from rihla.http import ServiceClient, UpstreamUnavailable, problem_code


class BookingClient:
    """A small client of booking-service's internal API."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._batches = due_batches(client, self._alone)

    async def charge_due(self, booking_id: UUID, charge_id: UUID | None, user_id: UUID) -> ChargeDue:
        """The charge of this person's booking. Raises BookingNotFound, ChargeNotDue, UpstreamUnavailable."""
        return await self._batches.ask(Question(booking_id, user_id, charge_id))

    async def _alone(self, question: Question) -> ChargeDue:
        booking_id, user_id, charge_id = question.booking_id, question.user_id, question.charge_id
        params = {"booking_id": str(booking_id), "user_id": str(user_id)}
        if charge_id is not None:
            params["charge_id"] = str(charge_id)
        response = await self._client.request("GET", "/internal/v1/charges/due", params=params, idempotent=True)
        if response.status_code == 404:
            raise BookingNotFound("There is no such booking.")
        if response.status_code == 409:
            raise ChargeNotDue(_detail(response.json()) or "There is nothing to pay for this booking.")
        if response.status_code != 200:
            raise UpstreamUnavailable("The charge could not be read.", upstream="booking", code=problem_code(response))
        found = response.json()
        if found["status"] != "due":
            raise ChargeNotDue("This charge is not due.")
        until = found.get("payable_until")
        return ChargeDue(
            booking_id=UUID(found["booking_id"]),
            charge_id=UUID(found["charge_id"]),
            user_id=UUID(found["user_id"]),
            reference=found["reference"],
            amount_minor=int(found["amount_minor"]),
            currency=found["currency"],
            payable_until=datetime.fromisoformat(until) if until else None,
        )

    async def close(self) -> None:
        """Finish what is being asked, and close connections."""
        await self._batches.close()
        await self._client.close()


def _detail(document: object) -> str:
    return str(document.get("detail", "")) if isinstance(document, dict) else ""
