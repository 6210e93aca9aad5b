"""When did the whole journey work again? For each fault, the first that began after it and succeeded.

After a fault that hit nothing but chat-service the journey that counts is a conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rihla_chaos.chats import CHATS
from rihla_chaos.crowd import FULL
from rihla_chaos.faults import Fault
from rihla_chaos.history import History, Journey


def judge(faults: Sequence[Fault], journeys: Sequence[Journey]) -> list[str]:
    """Fill in each fault's recovery; a sentence for each that took longer than allowed.

    Counted from the end of the fault (a kill ends as it begins) to the confirmation of the first journey that began
    after the fault did.
    """
    slow: list[str] = []
    for fault in faults:
        after = [one.confirmed_at for one in _that_count(fault, journeys) if one.confirmed_at is not None]
        mails = [one.mailed_at for one in journeys if one.began >= fault.began and one.mailed_at is not None]
        fault.recovered_after = max(0.0, min(after) - fault.ended) if after else None
        fault.mail_after = max(0.0, min(mails) - fault.ended) if mails else None
        if fault.recovered_after is None:
            slow.append(f"after {fault.kind} {fault.target} at {fault.began:.0f} s no journey succeeded")
        elif fault.recovered_after > max(fault.allowed, *_still_allowed(fault, faults)):
            slow.append(
                f"after {fault.kind} {fault.target} at {fault.began:.0f} s the journey took "
                f"{fault.recovered_after:.1f} s to work again (allowed {fault.allowed:.0f} s)"
            )
    return slow


async def until_over(faults: Sequence[Fault], history: History, seconds: float) -> None:
    """Wait, at most so long, until a journey that began after each fault has succeeded when the fault had ended."""
    until = history.now + seconds
    waiting = list(faults)
    while waiting and history.now < until:
        await asyncio.sleep(0.2)
        waiting = [one for one in waiting if not _is_over(one, history.journeys)]


def _is_over(fault: Fault, journeys: Sequence[Journey]) -> bool:
    return any((one.confirmed_at or 0.0) > fault.ended for one in _that_count(fault, journeys))


def _that_count(fault: Fault, journeys: Sequence[Journey]) -> list[Journey]:
    kinds = CHATS if fault.hits_only_chat else FULL
    return [one for one in journeys if one.kind in kinds and one.began >= fault.began]


def _still_allowed(fault: Fault, faults: Sequence[Fault]) -> list[float]:
    """Seconds from the end of this fault for which an earlier one, not over when this began, may still be felt."""
    earlier = [one for one in faults if one.ended <= fault.began and one is not fault]
    under_way = [one for one in earlier if one.ended + (one.recovered_after or 0.0) > fault.began]
    return [0.0, *(one.ended + one.allowed - fault.ended for one in under_way)]
