"""payment-service as a small ASGI application that obeys docs/contracts.md: promo uses, rides, refunds by id."""

from fake_wire import Json, Wire, problem
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rihla.kernel import new_id


class PaymentFake:
    """Promo codes with limited uses, and refunds by id."""

    def __init__(self) -> None:
        self.codes: dict[str, Json] = {}
        self.uses: dict[str, Json] = {}
        self.plans: dict[str, int] = {}
        self.ride_uses: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.refuse_refunds = False
        self.refuse_settling = False
        self.app = Starlette(
            routes=[
                Route("/internal/v1/promo-uses/{booking_id}", self.reserve, methods=["PUT"]),
                Route("/internal/v1/promo-checks", self.check, methods=["POST"]),
                Route("/internal/v1/promo-uses/{booking_id}/{verb}", self.settle, methods=["POST"]),
                Route("/internal/v1/subscription-uses/{booking_id}", self.reserve_rides, methods=["PUT"]),
                Route("/internal/v1/subscription-uses/{booking_id}/{verb}", self.settle_rides, methods=["POST"]),
                Route("/internal/v1/refunds/{refund_id}", self.refund, methods=["PUT"]),
            ]
        )
        self.wire = Wire(self.app)

    def add_code(self, code: str, discount_minor: int, uses: int = 100) -> None:
        self.codes[code] = {"discount_minor": discount_minor, "uses": uses}

    async def reserve(self, request: Request) -> JSONResponse:
        booking_id, body = request.path_params["booking_id"], await request.json()
        assert {
            "code",
            "user_id",
            "currency",
            "lines_minor",
            "total_minor",
            "route",
            "airlines",
            "cabin",
        } <= body.keys()
        use = self.uses.get(booking_id)
        if use and use["status"] == "released":
            return problem(409, "promo-code-not-applicable")
        if use is None:
            code = self.codes.get(body["code"])
            if code is None:
                return problem(409, "promo-code-not-applicable")
            if code["uses"] <= 0:
                return problem(409, "promo-code-used-up")
            code["uses"] -= 1
            discount = min(code["discount_minor"], body["total_minor"])
            use = {"code": body["code"], "discount_minor": discount, "currency": body["currency"], "status": "reserved"}
            self.uses[booking_id] = use
        return JSONResponse({"booking_id": booking_id, **use})

    async def check(self, request: Request) -> JSONResponse:
        body = await request.json()
        code = self.codes.get(body["code"])
        if code is None:
            return problem(409, "promo-code-not-applicable")
        discount = min(code["discount_minor"], body["total_minor"])
        return JSONResponse({"code": body["code"], "discount_minor": discount, "currency": body["currency"]})

    async def settle(self, request: Request) -> JSONResponse:
        if self.refuse_settling:
            return problem(409, "promo-use-settled")
        booking_id, verb = request.path_params["booking_id"], request.path_params["verb"]
        use = self.uses.setdefault(booking_id, {"code": None, "discount_minor": 0, "currency": "USD", "status": "none"})
        if verb == "release" and use["status"] == "reserved":
            self.codes[use["code"]]["uses"] += 1
        use["status"] = {"release": "released", "consume": "consumed"}[verb]
        return JSONResponse({"booking_id": booking_id, **use})

    async def reserve_rides(self, request: Request) -> JSONResponse:
        booking_id, body = request.path_params["booking_id"], await request.json()
        assert len(body["lines_minor"]) == len(body["segments"])
        assert body.keys() == {
            "subscription_id",
            "user_id",
            "segments",
            "passenger_count",
            "currency",
            "lines_minor",
            "expires_at",
        }
        left = self.plans.get(body["subscription_id"])
        if left is None:
            return problem(409, "subscription-not-active")
        if booking_id not in self.ride_uses:
            rides = len(body["segments"])
            if left < rides:
                return problem(409, "subscription-rides-used-up")
            self.plans[body["subscription_id"]] -= rides
            self.ride_uses[booking_id] = {
                "subscription_id": body["subscription_id"],
                "rides": rides,
                "back": 0,
                "discount_minor": sum(body["lines_minor"]),
                "currency": body["currency"],
                "status": "reserved",
            }
        return JSONResponse({"booking_id": booking_id, "period_id": str(new_id()), **self.ride_uses[booking_id]})

    async def settle_rides(self, request: Request) -> JSONResponse:
        booking_id, verb, body = request.path_params["booking_id"], request.path_params["verb"], await request.json()
        unknown = {"subscription_id": None, "rides": 0, "back": 0, "status": "given_back"}
        use = self.ride_uses.setdefault(booking_id, unknown)
        if verb == "consume":
            use["status"] = "consumed"
        else:
            back = use["rides"] if body["segments"] is None else max(use["back"], body["segments"])
            if use["subscription_id"]:
                self.plans[use["subscription_id"]] += back - use["back"]
            use["back"] = back
            use["status"] = "given_back" if back == use["rides"] else use["status"]
        return JSONResponse({"booking_id": booking_id, **use})

    async def refund(self, request: Request) -> JSONResponse:
        refund_id, body = request.path_params["refund_id"], await request.json()
        named = {"booking_id", "charge_id", "payment_id", "user_id", "amount_minor", "currency", "reason"}
        assert set(body) == named
        if self.refuse_refunds:
            return problem(409, "refund-exceeds-captured")
        known = self.refunds.setdefault(refund_id, body)
        assert known == body
        money = {"amount_minor": body["amount_minor"], "currency": body["currency"]}
        destinations = [{"kind": "card", **money}]
        return JSONResponse({"id": refund_id, "status": "pending", **money, "destinations": destinations})
