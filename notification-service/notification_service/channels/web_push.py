"""Push to browsers: RFC 8030 with the encryption of RFC 8291 and the identification of RFC 8292 (VAPID).

Written on `cryptography`: the libraries there are bring a second HTTP client each for these forty lines.
"""

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notification_service.channels.asking import ask
from notification_service.channels.outgoing import AddressGone, Outgoing, Refused, TryLater
from notification_service.channels.signed_token import b64, signed_token, unb64
from rihla.kernel import Clock

_CURVE = ec.SECP256R1()
_RECORD = 4096
_MOST_PLAIN = 3993  # what fits into one record beside its header, padding delimiter and tag
_BUSY = timedelta(seconds=30)
_KEPT = timedelta(days=2)
_TOKEN_LIFE = timedelta(hours=12)
_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser's `PushSubscription.toJSON()` says."""

    endpoint: str = field(repr=False)
    public_key: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def origin(self) -> str:
        """Whom the VAPID token is for."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"


def read_subscription(text: str, hosts: Sequence[str]) -> Subscription:
    """Parse it. ValueError for anything else, and for an endpoint that is no push service's: the address comes from
    outside, and this service must not be sent to places of somebody's choice. `*.example.com` allows subdomains.
    """
    try:
        found = json.loads(text)
        keys = found["keys"]
        subscription = Subscription(str(found["endpoint"]), unb64(keys["p256dh"]), unb64(keys["auth"]))
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, subscription.public_key)
        parts = urlsplit(subscription.endpoint)
        host, port = parts.hostname or "", parts.port
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("not a Web Push subscription") from error
    allowed = any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in hosts)
    if (
        parts.scheme != "https"
        or not allowed
        or port not in (None, 443)
        or parts.username
        or len(subscription.secret) != 16
    ):
        raise ValueError("not a subscription of a push service we know")
    return subscription


def encrypt(plain: bytes, to: Subscription, *, own: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """One aes128gcm record (RFC 8188) for the subscription. `own` and `salt` are new for every message."""
    own_public = public_point(own)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.public_key))
    material = _hkdf(shared, to.secret, b"WebPush: info\0" + to.public_key + own_public, 32)
    key = _hkdf(material, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(material, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(own_public)]) + own_public
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A VAPID key: 32 bytes in base64url, as every generator of such keys prints it. ValueError for another."""
    raw = unb64(text)
    if len(raw) != 32:
        raise ValueError("VAPID_PRIVATE_KEY is 32 bytes in base64url")
    return ec.derive_private_key(int.from_bytes(raw, "big"), _CURVE)


def _hkdf(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)


class WebPush:
    """`address` is a subscription as one JSON string."""

    def __init__(
        self, client: httpx.AsyncClient, *, vapid_key: str, subject: str, hosts: Sequence[str], clock: Clock
    ) -> None:
        self._client = client
        self._key = private_key(vapid_key)
        self.public_key = b64(public_point(self._key))
        self._subject = subject
        self._hosts = hosts
        self._clock = clock
        self._tokens: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    async def send(self, message: Outgoing) -> str:
        """The push resource's address, where the service names one. Raises AddressGone, Refused, TryLater."""
        try:
            to = read_subscription(message.address, self._hosts)
        except ValueError as error:
            raise AddressGone(str(error)) from error
        plain = json.dumps({"title": message.subject, "body": message.short, "id": message.message_id}).encode()
        if len(plain) > _MOST_PLAIN:
            raise Refused("the message is too long for a push")
        body = encrypt(plain, to, own=ec.generate_private_key(_CURVE), salt=os.urandom(16))
        answer = await ask(
            self._client,
            "web-push",
            to.endpoint,
            self._clock,
            pause_when_busy=_BUSY,
            content=body,
            headers=self._headers(message, to),
        )
        if answer.status_code in (200, 201, 202):
            return str(answer.headers.get("location", ""))
        raise _translate(answer.status_code)

    def _headers(self, message: Outgoing, to: Subscription) -> dict[str, str]:
        # A topic replaces the message a browser has not fetched yet: one sent twice by accident is shown once.
        topic = b64(hashlib.sha256(message.message_id.encode()).digest()[:24])
        return {
            "Authorization": f"vapid t={self._token(to.origin)}, k={self.public_key}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(_KEPT.total_seconds())),
            "Urgency": "high" if message.urgent else "normal",
            "Topic": topic,
        }

    def _token(self, origin: str) -> str:
        """One token for each push service, renewed at half its life."""
        now = self._clock.now()
        found = self._tokens.get(origin)
        if found is None or found[0] <= now:
            claims = {"aud": origin, "exp": int((now + _TOKEN_LIFE).timestamp()), "sub": self._subject}
            found = self._tokens[origin] = (now + _TOKEN_LIFE / 2, signed_token(claims, self._key))
            if len(self._tokens) > _TOKENS:
                self._tokens.popitem(last=False)
        return found[1]


def _translate(status: int) -> Exception:
    said = f"the push service said {status}"
    if status in (404, 410):
        return AddressGone(said)
    # 401 and 403 are about our key: the subscription may be good.
    return TryLater(said) if status in (401, 403) else Refused(said)
