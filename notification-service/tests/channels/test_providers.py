import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from notification_service.channels.asking import retry_after
from notification_service.channels.outgoing import AddressGone, Outgoing, Refused, TryLater
from notification_service.channels.signed_token import unb64
from notification_service.channels.web_push import Subscription, encrypt, public_point, read_subscription

MESSAGE = Outgoing("<1@rihla.test>", "+8801712345678", "Gate B7", "Flight RQ101: gate B7 ✈", "x", urgent=True)


def fcm_error(status: int, code: str, message: str = "", **detail: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}, detail]
    return status, {"error": {"code": status, "status": code, "message": message, "details": details}}, {}


async def test_an_sms_goes_to_the_number_with_the_account_it_is_paid_by(channels: Any, providers: Any) -> None:
    assert (await channels.senders["sms"].send(MESSAGE)).startswith("SM")
    assert providers.texts == [{"To": "+8801712345678", "Body": MESSAGE.short, "From": "+15550001111"}]


async def test_a_number_that_takes_no_sms_is_refused_and_a_busy_provider_asked_later(
    channels: Any, providers: Any
) -> None:
    sms = channels.senders["sms"]
    with pytest.raises(Refused, match="21211"):
        await sms.send(replace(MESSAGE, address="no number"))
    providers.answers = [(429, {"code": 20429}, {"retry-after": "17"}), (500, {}, {}), (401, {"code": 20003}, {})]
    with pytest.raises(TryLater) as busy:
        await sms.send(MESSAGE)
    assert busy.value.after == timedelta(seconds=17)
    for _ in range(2):
        with pytest.raises(TryLater):
            await sms.send(MESSAGE)
    assert providers.texts == []


async def test_a_push_carries_title_text_and_a_tag_that_replaces_a_second_one(channels: Any, providers: Any) -> None:
    push = channels.senders["push"]
    for platform in ("android", "ios"):
        name = await push.send(replace(MESSAGE, address=f"{platform}:token-1"))
        assert name.startswith("projects/rihla-test/messages/")
    first, second = providers.pushes
    assert first["token"] == "token-1"
    assert first["notification"] == {"title": "Gate B7", "body": MESSAGE.short}
    assert first["android"]["priority"] == "high"
    assert first["android"]["notification"]["tag"] == second["android"]["notification"]["tag"]


async def test_an_access_token_serves_many_pushes_until_it_ends_or_is_refused(
    channels: Any, providers: Any, clock: Any
) -> None:
    push, message = channels.senders["push"], replace(MESSAGE, address="android:token-1")
    before = providers.tokens_given
    await push.send(message)
    await push.send(message)
    assert providers.tokens_given == before + 1
    clock.advance(timedelta(minutes=56))
    await push.send(message)
    assert providers.tokens_given == before + 2
    providers.ended_tokens = {f"access-{before + 2}"}
    await push.send(message)
    assert (providers.tokens_given, len(providers.pushes)) == (before + 3, 4)


@pytest.mark.parametrize(
    ("answer", "raised", "pause"),
    [
        (fcm_error(404, "UNREGISTERED"), AddressGone, None),
        (fcm_error(403, "SENDER_ID_MISMATCH"), AddressGone, None),
        (fcm_error(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.token"}]), AddressGone, None),
        (fcm_error(400, "INVALID_ARGUMENT", "The registration token is not valid"), AddressGone, None),
        (fcm_error(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.data[0]"}]), Refused, None),
        (fcm_error(429, "QUOTA_EXCEEDED"), TryLater, timedelta(seconds=60)),
        ((503, {}, {"retry-after": "Tue, 01 Dec 2026 08:01:30 GMT"}), TryLater, timedelta(seconds=90)),
        (fcm_error(500, "INTERNAL"), TryLater, None),
        (fcm_error(403, "PERMISSION_DENIED"), TryLater, None),
    ],
)
async def test_what_fcm_says_is_about_the_token_the_message_or_the_moment(
    channels: Any, providers: Any, answer: Any, raised: type[Exception], pause: timedelta | None
) -> None:
    providers.answers = [answer]
    with pytest.raises(raised) as error:
        await channels.senders["push"].send(replace(MESSAGE, address="android:token-1"))
    assert type(error.value) is raised
    assert getattr(error.value, "after", None) == pause


async def test_a_browser_can_read_the_push_and_nobody_else(channels: Any, providers: Any) -> None:
    where = await channels.senders["push"].send(replace(MESSAGE, address=f"web:{providers.subscription}"))
    assert where == "https://push.rihla.test/m/abc"
    ((headers, body),) = providers.web
    assert (headers["content-encoding"], headers["urgency"], headers["ttl"]) == ("aes128gcm", "high", "172800")
    assert len(headers["topic"]) == 32
    opened = decrypt(body, providers.browser, providers.browser_secret)
    assert json.loads(opened) == {"title": "Gate B7", "body": MESSAGE.short, "id": "<1@rihla.test>"}


@pytest.mark.parametrize(
    ("status", "raised"), [(410, AddressGone), (404, AddressGone), (413, Refused), (403, TryLater), (429, TryLater)]
)
async def test_a_subscription_that_ended_is_gone_and_everything_else_is_not(
    channels: Any, providers: Any, status: int, raised: type[Exception]
) -> None:
    providers.answers = [(status, {}, {"retry-after": "5"})]
    with pytest.raises(raised) as error:
        await channels.senders["push"].send(replace(MESSAGE, address=f"web:{providers.subscription}"))
    assert type(error.value) is raised


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.rihla.test/x",
        "https://10.0.0.1/x",
        "https://push.rihla.test.evil.org/x",
        "https://push.rihla.test:8443/x",
        "https://a@push.rihla.test/x",
        "file:///etc/passwd",
    ],
)
def test_a_subscription_leads_nowhere_but_to_a_push_service(providers: Any, endpoint: str) -> None:
    given = {**json.loads(providers.subscription), "endpoint": endpoint}
    with pytest.raises(ValueError, match="push service"):
        read_subscription(json.dumps(given), ["push.rihla.test"])


def test_the_encryption_is_the_one_of_rfc_8291() -> None:
    """The example of its section 5."""
    own = ec.derive_private_key(
        int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    to = Subscription(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    body = encrypt(b"When I grow up, I want to be a watermelon", to, own=own, salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"))
    assert body == unb64(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_pause_is_read_as_seconds_or_as_a_date_and_never_lasts_for_ever(clock: Any) -> None:
    now = clock.now()
    assert retry_after({"retry-after": "30"}, now) == timedelta(seconds=30)
    assert retry_after({"retry-after": "Tue, 01 Dec 2026 08:00:10 GMT"}, now) == timedelta(seconds=10)
    assert retry_after({"retry-after": "Tue, 01 Dec 2020 08:00:10 GMT"}, now) == timedelta(0)
    assert retry_after({"retry-after": "9" * 12}, now) == timedelta(hours=6)
    assert retry_after({"retry-after": "soon"}, now) is None
    assert retry_after({}, now) is None


async def test_a_provider_that_does_not_answer_is_asked_later(providers: Any, keyring: Any, clock: Any) -> None:
    from contextlib import AsyncExitStack

    from notification_service.channels.opening import open_channels
    from notification_service.settings import Settings

    def fails(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too slow", request=request)

    settings = Settings(**providers.settings, **keyring.settings("notification"))
    async with AsyncExitStack() as stack:
        channels = await open_channels(settings, clock, stack, httpx.MockTransport(fails))
        with pytest.raises(TryLater, match="ConnectTimeout"):
            await channels.senders["sms"].send(MESSAGE)


async def test_a_token_that_ended_is_forgotten_and_a_busy_provider_gets_its_pause(
    settings: Any, providers: Any, trip: Any, clock: Any
) -> None:
    from notification_service.bootstrap import open_container
    from notification_service.consuming import consumer_of
    from rihla.contracts.events import Envelope
    from rihla.kernel import new_id

    with_providers = settings.model_copy(update=as_settings(providers))
    async with open_container(with_providers, clock, httpx.ASGITransport(providers.app)) as c:
        pool = await c.db.asyncpg_pool()
        add = "INSERT INTO device (id, user_id, platform, token, registered_at) VALUES ($1, $2, $3, $4, now())"
        await pool.execute(add, new_id(), trip.user_id, "android", "ended-token")
        await pool.execute(add, new_id(), trip.user_id, "web", providers.subscription)
        envelope = Envelope.of(trip.confirmed(), subject=str(trip.booking_id), sequence=2, time=clock.now())
        await consumer_of(c).handle(envelope)
        providers.answers = [fcm_error(404, "UNREGISTERED"), (429, {}, {"retry-after": "600"})]
        await c.delivery_sender.send_due()
        rows = {row["platform"] for row in await pool.fetch("SELECT platform FROM device")}
        pushes = await pool.fetch("SELECT state, due_at FROM delivery WHERE channel = 'push'")
        states = {row["state"]: row["due_at"] - clock.now() for row in pushes}
        assert len(rows) == 1
        assert states["queued"] == timedelta(seconds=600)
        assert states["dead"] <= timedelta(0)
        clock.advance(timedelta(minutes=11))
        await c.delivery_sender.send_due()
        assert len(providers.web) + len(providers.pushes) == 1


def as_settings(providers: Any) -> dict[str, Any]:
    """The providers' settings as the model holds them."""
    from pydantic import SecretStr

    secret = ("twilio_auth_token", "fcm_service_account", "vapid_private_key")
    return {name: SecretStr(value) if name in secret else value for name, value in providers.settings.items()}


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """What a browser does."""
    salt, length = body[:16], body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    info = b"WebPush: info\0" + public_point(key) + sender
    material = HKDF(SHA256(), 32, secret, info).derive(shared)
    content_key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
    opened = AESGCM(content_key).decrypt(nonce, sealed, None)
    assert opened.endswith(b"\x02")
    return opened[:-1]
