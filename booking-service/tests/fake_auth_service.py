"""auth-service as a small ASGI application that obeys docs/contracts.md: companions saved in profiles."""

from typing import Any

from fake_wire import Json, Wire, problem
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class AuthFake:
    """Knows `travellers`: (user id, traveller id) -> what was saved."""

    def __init__(self) -> None:
        self.travellers: dict[tuple[str, str], Json] = {}
        path = "/internal/v1/users/{user_id}/travellers/{traveller_id}"
        self.wire = Wire(Starlette(routes=[Route(path, self.traveller)]))

    def save(self, user_id: Any, traveller_id: Any, **known: Any) -> Json:
        nothing = dict.fromkeys(("given_name", "surname", "date_of_birth", "gender", "passport"))
        self.travellers[str(user_id), str(traveller_id)] = {**nothing, **known}
        return {"companion_id": str(traveller_id)}

    async def traveller(self, request: Request) -> JSONResponse:
        known = self.travellers.get((request.path_params["user_id"], request.path_params["traveller_id"]))
        return problem(404, "not-found") if known is None else JSONResponse(known)
