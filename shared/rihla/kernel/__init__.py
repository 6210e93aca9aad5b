"""Plain values without I/O: time, ids, money, the base of all domain errors. Rules import this and nothing else."""

from rihla.kernel.clock import Clock, FixedClock, SystemClock
from rihla.kernel.errors import DomainError
from rihla.kernel.ids import new_id
from rihla.kernel.money import Money, apportion, currency_digits

__all__ = [
    "Clock",
    "DomainError",
    "FixedClock",
    "Money",
    "SystemClock",
    "apportion",
    "currency_digits",
    "new_id",
]
