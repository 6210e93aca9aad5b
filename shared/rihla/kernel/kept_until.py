"""What a process keeps for a while because making it again costs more than remembering it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class KeptUntil(Generic[Key, Value]):
    """Values by key, each until its own time on the clock of `now`, and no more than `most` of them.

    Whatever is added makes room for itself: what is over goes, and the oldest when there are too many. Values end in
    about the order in which they came, so only the oldest are looked at.
    """

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._now = now
        self._kept: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key) -> Value | None:
        """What was kept under `key`, if its time is not over."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > self._now() else None

    def keep(self, key: Key, value: Value, until: float) -> None:
        """Keep `value`, in the place of what was there."""
        self._kept.pop(key, None)
        now = self._now()
        while self._kept and (len(self._kept) >= self._most or next(iter(self._kept.values()))[0] <= now):
            self._kept.popitem(last=False)
        self._kept[key] = (until, value)
