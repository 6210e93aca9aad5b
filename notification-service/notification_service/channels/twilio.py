"""SMS by Twilio's Messages resource (API 2010-04-01).

Twilio knows no idempotency key: an SMS whose answer got lost may come twice, as with every provider of this kind.
"""

from datetime import timedelta

import httpx

from notification_service.channels.asking import ask, json_of
from notification_service.channels.outgoing import Outgoing, Refused, TryLater
from rihla.kernel import Clock

_BUSY = timedelta(seconds=10)
_MOST_CHARACTERS = 1600


class TwilioSms:
    """`sender` is a number in E.164, or the id of a messaging service (`MG...`)."""

    def __init__(
        self, client: httpx.AsyncClient, *, url: str, account_sid: str, auth_token: str, sender: str, clock: Clock
    ) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._auth = httpx.BasicAuth(account_sid, auth_token)
        self._from = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}
        self._clock = clock

    async def send(self, message: Outgoing) -> str:
        """The message's sid. Raises Refused for a number that takes none, TryLater for everything of ours or theirs."""
        form = {"To": message.address, "Body": message.short[:_MOST_CHARACTERS], **self._from}
        answer = await ask(
            self._client, "twilio", self._url, self._clock, pause_when_busy=_BUSY, data=form, auth=self._auth
        )
        found = json_of(answer)
        if answer.status_code == 201 and found.get("sid"):
            return str(found["sid"])
        said = f"twilio said {answer.status_code}, code {found.get('code', '-')}"
        if answer.status_code == 400:
            # 21211, 21614, 21610 and their like: the number is none, takes no SMS, or said stop.
            raise Refused(said)
        # 401 and 403 are about our account: the message is good and waits until somebody has mended that.
        raise TryLater(said)
