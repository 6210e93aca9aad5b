"""On which charge each line of a changed flight stands: pure rules.

No charge may be asked to give back more than it took. So the new lines take the money that was paid for the old
flights first, charge by charge, and the change's own charge last; a line is split where one charge ends and the next
begins. What is left over of the old money is the refund.
"""

from dataclasses import replace
from uuid import UUID

from booking_service.bookings.hold import HeldLine
from rihla.kernel import apportion


def attribute_lines(
    lines: list[HeldLine], purses: list[tuple[UUID, int]]
) -> tuple[list[tuple[UUID, HeldLine]], dict[UUID, int]]:
    """(charge, line) pairs with the amounts of `lines`, and what is left of each purse (charge, minor units)."""
    left_in = [amount for _, amount in purses]
    pairs: list[tuple[UUID, HeldLine]] = []
    purse = 0
    for line in lines:
        left = line.amount_minor
        while left > 0 and purse < len(purses):
            part = min(left, left_in[purse])
            if part > 0:
                pairs.append((purses[purse][0], replace(line, amount_minor=part)))
            left -= part
            left_in[purse] -= part
            if left_in[purse] <= 0:
                purse += 1
    leftover: dict[UUID, int] = {}
    for (charge, _), amount in zip(purses, left_in, strict=True):
        if amount > 0:
            leftover[charge] = leftover.get(charge, 0) + amount
    return pairs, leftover


def scaled_to(lines: list[HeldLine], worth_minor: int) -> list[HeldLine]:
    """The lines in proportion, so that they sum to `worth_minor`: what a traveller moved by the airline has paid."""
    parts = apportion(worth_minor, [max(0, line.amount_minor) for line in lines])
    return [replace(line, amount_minor=part) for line, part in zip(lines, parts, strict=True)]
