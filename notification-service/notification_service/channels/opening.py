"""From settings to the sender of each channel: a provider where one is set, the local inbox elsewhere."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
from httpx_aiohttp import AiohttpTransport

from notification_service.channels.fcm import FcmPush, ServiceAccount
from notification_service.channels.local import PushByMail, SmsByMail
from notification_service.channels.outgoing import Sender
from notification_service.channels.push import PushByPlatform
from notification_service.channels.smtp import MailSender, SmtpPool
from notification_service.channels.twilio import TwilioSms
from notification_service.channels.web_push import WebPush
from notification_service.preferences.rules import Channel
from notification_service.settings import Settings
from rihla.kernel import Clock


@dataclass(frozen=True, slots=True)
class Channels:
    """`web_push_key` is what a browser subscribes with; None without a VAPID key."""

    senders: dict[str, Sender]
    web_push_key: str | None


async def open_channels(
    settings: Settings, clock: Clock, stack: AsyncExitStack, transport: httpx.AsyncBaseTransport | None = None
) -> Channels:
    """Nothing is contacted yet. ValueError for a key that is none; `transport` replaces the network in tests."""
    pool = SmtpPool(
        settings.smtp_url.get_secret_value(),
        connections=settings.smtp_connections,
        timeout=settings.smtp_timeout_seconds,
    )
    stack.push_async_callback(pool.close)
    mail = MailSender(pool, sender=settings.mail_from, clock=clock)
    client = await stack.enter_async_context(
        httpx.AsyncClient(
            transport=transport or AiohttpTransport(limits=httpx.Limits(max_connections=50)),
            timeout=settings.provider_timeout_seconds,
        )
    )
    by_mail = PushByMail(mail)
    fcm = _fcm(settings, clock, client) or by_mail
    web = _web_push(settings, clock, client)
    push = PushByPlatform({"android": fcm, "ios": fcm, "web": web or by_mail})
    sms = _twilio(settings, clock, client) or SmsByMail(mail)
    return Channels({Channel.EMAIL: mail, Channel.SMS: sms, Channel.PUSH: push}, web.public_key if web else None)


def _twilio(settings: Settings, clock: Clock, client: httpx.AsyncClient) -> Sender | None:
    if not settings.twilio_account_sid:
        return None
    if not settings.twilio_from:
        raise ValueError("TWILIO_FROM is needed with TWILIO_ACCOUNT_SID")
    return TwilioSms(
        client,
        url=settings.twilio_url,
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        sender=settings.twilio_from,
        clock=clock,
    )


def _fcm(settings: Settings, clock: Clock, client: httpx.AsyncClient) -> Sender | None:
    key_file = settings.fcm_service_account.get_secret_value()
    if not key_file:
        return None
    return FcmPush(client, url=settings.fcm_url, account=ServiceAccount(client, key_file, clock), clock=clock)


def _web_push(settings: Settings, clock: Clock, client: httpx.AsyncClient) -> WebPush | None:
    key = settings.vapid_private_key.get_secret_value()
    if not key:
        return None
    hosts = [one.strip() for one in settings.web_push_hosts.split(",") if one.strip()]
    return WebPush(client, vapid_key=key, subject=settings.vapid_subject, hosts=hosts, clock=clock)
