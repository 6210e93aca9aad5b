"""Small imitations of the providers' documented APIs, as real ASGI applications, and the channels that call them."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from notification_service.channels.opening import Channels, open_channels
from notification_service.channels.signed_token import b64, unb64


@dataclass
class Providers:
    """Twilio, Google and a push service behind one transport. `answers` are given first, then everything is taken."""

    answers: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    texts: list[dict[str, str]] = field(default_factory=list)
    pushes: list[dict[str, Any]] = field(default_factory=list)
    web: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tokens_given: int = 0
    ended_tokens: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.google_key = rsa.generate_private_key(65537, 2048)
        self.vapid = ec.generate_private_key(ec.SECP256R1())
        self.browser = ec.generate_private_key(ec.SECP256R1())
        self.browser_secret = bytes(range(16))
        self.app = FastAPI()
        self.app.post("/2010-04-01/Accounts/{account}/Messages.json")(self._twilio)
        self.app.post("/token")(self._token)
        self.app.post("/v1/projects/{project}/messages:send")(self._fcm)
        self.app.post("/wpush/{token}")(self._web_push)

    def _next(self) -> Response | None:
        if not self.answers:
            return None
        status, body, headers = self.answers.pop(0)
        return JSONResponse(body, status, headers)

    async def _twilio(self, account: str, request: Request) -> Response:
        expected = b"Basic " + base64.b64encode(b"AC1:twilio-secret")
        if (account, request.headers["authorization"].encode()) != ("AC1", expected):
            return JSONResponse({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        form = {name: str(value) for name, value in (await request.form()).items()}
        if answer := self._next():
            return answer
        if not form["To"].startswith("+"):
            return JSONResponse({"code": 21211, "message": "Invalid 'To'", "status": 400}, 400)
        self.texts.append(form)
        return JSONResponse({"sid": f"SM{len(self.texts):032d}", "status": "queued"}, 201)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        head, claims, signature = str(form["assertion"]).split(".")
        self.google_key.public_key().verify(unb64(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        assert json.loads(unb64(head)) == {"typ": "JWT", "alg": "RS256", "kid": "key-1"}
        said = json.loads(unb64(claims))
        assert (said["iss"], said["aud"]) == ("push@rihla.test", "https://oauth.google.test/token")
        self.tokens_given += 1
        return JSONResponse({"access_token": f"access-{self.tokens_given}", "expires_in": 3600})

    async def _fcm(self, project: str, request: Request) -> Response:
        assert project == "rihla-test"
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token in self.ended_tokens:
            return JSONResponse({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
        if answer := self._next():
            return answer
        self.pushes.append((await request.json())["message"])
        return JSONResponse({"name": f"projects/rihla-test/messages/{len(self.pushes)}"})

    async def _web_push(self, token: str, request: Request) -> Response:
        self.check_vapid(request.headers["authorization"])
        if answer := self._next():
            return answer
        self.web.append((dict(request.headers), await request.body()))
        return Response(status_code=201, headers={"location": f"https://push.rihla.test/m/{token}"})

    def check_vapid(self, header: str) -> None:
        token, key = header.removeprefix("vapid t=").split(", k=")
        assert unb64(key) == self.vapid.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        head, claims, signature = token.split(".")
        raw = unb64(signature)
        halves = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        der = encode_dss_signature(*halves)
        self.vapid.public_key().verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
        assert json.loads(unb64(claims))["aud"] == "https://push.rihla.test"

    @property
    def subscription(self) -> str:
        point = self.browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": b64(point), "auth": b64(self.browser_secret)}
        return json.dumps({"endpoint": "https://push.rihla.test/wpush/abc", "expirationTime": None, "keys": keys})

    @property
    def settings(self) -> dict[str, str]:
        pem = self.google_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {
            "private_key": pem,
            "private_key_id": "key-1",
            "client_email": "push@rihla.test",
            "token_uri": "https://oauth.google.test/token",
            "project_id": "rihla-test",
        }
        return {
            "twilio_account_sid": "AC1",
            "twilio_auth_token": "twilio-secret",
            "twilio_from": "+15550001111",
            "fcm_service_account": json.dumps(account),
            "vapid_private_key": b64(self.vapid.private_numbers().private_value.to_bytes(32, "big")),
            "web_push_hosts": "push.rihla.test",
        }


@pytest.fixture(scope="module")
def made() -> Providers:
    return Providers()


@pytest.fixture
def providers(made: Providers) -> Providers:
    for kept in (made.answers, made.texts, made.pushes, made.web):
        kept.clear()
    made.ended_tokens.clear()
    return made


@pytest_asyncio.fixture
async def channels(providers: Providers, keyring: Any, clock: Any) -> AsyncIterator[Channels]:
    from notification_service.settings import Settings

    settings = Settings(**providers.settings, **keyring.settings("notification"))
    async with AsyncExitStack() as stack:
        yield await open_channels(settings, clock, stack, httpx.ASGITransport(providers.app))
