"""Push to Android and iOS by Firebase Cloud Messaging, HTTP v1, with a service account's own access tokens."""

import asyncio
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from notification_service.channels.asking import ask, json_of
from notification_service.channels.outgoing import AddressGone, Outgoing, Refused, TryLater
from notification_service.channels.signed_token import signed_token
from rihla.kernel import Clock

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_ASSERTION_LIFE = timedelta(hours=1)
_RENEW_BEFORE = timedelta(minutes=5)
# What the documentation asks for when a 429 names no pause.
_BUSY = timedelta(seconds=60)


class ServiceAccount:
    """Access tokens of a service account (RFC 7523), each used until shortly before it ends."""

    def __init__(self, client: httpx.AsyncClient, key_file: str, clock: Clock) -> None:
        """`key_file` is the JSON that Google hands out. ValueError when it is not one."""
        try:
            found = json.loads(key_file)
            key = load_pem_private_key(found["private_key"].encode(), None)
            self._email, self._token_uri, self.project = found["client_email"], found["token_uri"], found["project_id"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("FCM_SERVICE_ACCOUNT is not the JSON key file of a service account") from error
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("FCM_SERVICE_ACCOUNT holds no RSA key")
        self._key, self._key_id = key, found.get("private_key_id")
        self._client = client
        self._clock = clock
        self._token: tuple[datetime, str] | None = None
        self._one = asyncio.Lock()

    async def token(self) -> str:
        """A valid access token. Raises TryLater."""
        async with self._one:
            now = self._clock.now()
            if self._token is None or self._token[0] <= now:
                self._token = await self._new_token(now)
            return self._token[1]

    def forget_token(self, token: str) -> None:
        """It was not accepted: ask for a new one next time."""
        if self._token is not None and self._token[1] == token:
            self._token = None

    async def _new_token(self, now: datetime) -> tuple[datetime, str]:
        claims = {
            "iss": self._email,
            "scope": _SCOPE,
            "aud": self._token_uri,
            "iat": int(now.timestamp()),
            "exp": int((now + _ASSERTION_LIFE).timestamp()),
        }
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": signed_token(claims, self._key, key_id=self._key_id),
        }
        answer = await ask(self._client, "google-token", self._token_uri, self._clock, pause_when_busy=_BUSY, data=form)
        found = json_of(answer)
        if answer.status_code != 200 or "access_token" not in found:
            raise TryLater(f"google gave no access token: {answer.status_code} {found.get('error', '')}")
        life = timedelta(seconds=int(found.get("expires_in", 3600)))
        return now + max(life - _RENEW_BEFORE, timedelta(0)), str(found["access_token"])


class FcmPush:
    """`address` is a registration token."""

    def __init__(self, client: httpx.AsyncClient, *, url: str, account: ServiceAccount, clock: Clock) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/v1/projects/{account.project}/messages:send"
        self._account = account
        self._clock = clock

    async def send(self, message: Outgoing) -> str:
        """The message's name. Raises AddressGone for a token that ended, Refused, TryLater."""
        answer = await self._post(message)
        if answer.status_code == 200:
            return str(json_of(answer).get("name", ""))
        raise _translate(answer)

    async def _post(self, message: Outgoing) -> httpx.Response:
        """Once more with a fresh access token when the old one was not accepted."""
        for _ in range(2):
            token = await self._account.token()
            answer = await ask(
                self._client,
                "fcm",
                self._url,
                self._clock,
                pause_when_busy=_BUSY,
                json={"message": _message(message)},
                headers={"Authorization": f"Bearer {token}"},
            )
            if answer.status_code != 401:
                break
            self._account.forget_token(token)
        return answer


def _message(message: Outgoing) -> dict[str, Any]:
    """A tag for each fact, so that one sent twice by accident replaces itself on the telephone."""
    tag = hashlib.sha256(message.message_id.encode()).hexdigest()[:32]
    return {
        "token": message.address,
        "notification": {"title": message.subject, "body": message.short},
        "data": {"message_id": message.message_id},
        "android": {"priority": "high" if message.urgent else "normal", "notification": {"tag": tag}},
        "apns": {"headers": {"apns-collapse-id": tag, "apns-priority": "10" if message.urgent else "5"}},
    }


def _translate(answer: httpx.Response) -> Exception:
    """By the error codes of FCM; only what is about the token forgets the token."""
    error = json_of(answer).get("error")
    error = error if isinstance(error, dict) else {}
    details = [one for one in error.get("details") or () if isinstance(one, dict)]
    code = next((one["errorCode"] for one in details if one.get("errorCode")), error.get("status", ""))
    said = f"fcm said {answer.status_code} {code}"
    if code in ("UNREGISTERED", "SENDER_ID_MISMATCH") or (
        code == "INVALID_ARGUMENT" and _is_about_token(error, details)
    ):
        return AddressGone(said)
    if code == "INVALID_ARGUMENT":
        return Refused(said)
    # Our own account or Apple's certificate: the message waits until somebody has mended it.
    return TryLater(said)


def _is_about_token(error: dict[str, Any], details: list[dict[str, Any]]) -> bool:
    fields = [bad.get("field") for one in details for bad in one.get("fieldViolations") or ()]
    return "message.token" in fields or "registration token" in str(error.get("message", "")).lower()
