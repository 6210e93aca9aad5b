"""The writer groups what is waiting, adds no wait when nothing is, and answers everybody for himself."""

import asyncio

import pytest

from rihla.db.group_writer import GroupWriter
from rihla.testing import eventually


class Recorder:
    """Answers each number with its double, odd ones with an error; remembers the groups. `gate` holds it up."""

    def __init__(self):
        self.groups = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, asked):
        self.groups.append(list(asked))
        await self.gate.wait()
        if 13 in asked:
            raise ValueError(13)
        return [KeyError(n) if n % 2 else n * 2 for n in asked]


def writer(recorder, keys=lambda n: frozenset((n,)), **more):
    return GroupWriter("test", recorder.write, keys=keys, full=BlockingIOError, **more)


async def test_one_alone_starts_at_once_and_those_who_come_meanwhile_form_the_next_group():
    recorder = Recorder()
    desk = writer(recorder)
    recorder.gate.clear()
    first = asyncio.create_task(desk.submit(2))
    await eventually(lambda: recorder.groups)
    others = [asyncio.create_task(desk.submit(n)) for n in (4, 5, 6)]
    await asyncio.sleep(0)
    assert recorder.groups == [[2]]
    recorder.gate.set()
    assert await first == 4
    assert await asyncio.gather(*others, return_exceptions=True) == [8, others[1].exception(), 12]
    assert isinstance(others[1].exception(), KeyError)
    assert recorder.groups == [[2], [4, 5, 6]]


async def test_groups_have_a_largest_size_and_never_hold_one_key_twice():
    recorder = Recorder()
    desk = writer(recorder, largest_group=3)
    answers = await asyncio.gather(*(desk.submit(n) for n in (2, 2, 4, 6, 8, 8)))
    assert answers == [4, 4, 8, 12, 16, 16]
    assert all(len(group) == len(set(group)) <= 3 for group in recorder.groups)


async def test_a_failed_group_fails_its_members_and_not_the_next():
    recorder = Recorder()
    desk = writer(recorder, largest_group=2)
    answers = await asyncio.gather(*(desk.submit(n) for n in (13, 2, 4)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError, int]


async def test_a_caller_who_goes_away_does_not_stop_the_others():
    recorder = Recorder()
    desk = writer(recorder)
    recorder.gate.clear()
    leaving, staying = asyncio.create_task(desk.submit(2)), asyncio.create_task(desk.submit(4))
    await eventually(lambda: recorder.groups)
    leaving.cancel()
    recorder.gate.set()
    assert await staying == 8
    await desk.close()


async def test_too_many_waiting_are_refused():
    recorder = Recorder()
    desk = writer(recorder, longest_queue=2)
    recorder.gate.clear()
    waiting = [asyncio.create_task(desk.submit(n)) for n in (2, 4)]
    await asyncio.sleep(0)
    await eventually(lambda: recorder.groups)
    waiting += [asyncio.create_task(desk.submit(n)) for n in (6, 8)]
    await asyncio.sleep(0)
    with pytest.raises(BlockingIOError):
        await desk.submit(10)
    recorder.gate.set()
    assert await asyncio.gather(*waiting) == [4, 8, 12, 16]


async def test_members_that_share_any_key_never_meet_and_keep_their_order():
    recorder = Recorder()
    desk = writer(recorder, keys=lambda n: frozenset((n // 10, n % 10)))
    assert await asyncio.gather(*(desk.submit(n) for n in (12, 14, 34, 56))) == [24, 28, 68, 112]
    assert recorder.groups == [[12, 56], [14], [34]]


async def test_with_patience_a_late_group_does_not_hold_up_the_next_and_closing_waits_for_it():
    recorder = Recorder()
    desk = writer(recorder, patience=0.01)
    recorder.gate.clear()
    first = asyncio.create_task(desk.submit(2))
    await eventually(lambda: recorder.groups)
    second = asyncio.create_task(desk.submit(4))
    await eventually(lambda: recorder.groups == [[2], [4]])
    assert not first.done()
    closing = asyncio.create_task(desk.close())
    recorder.gate.set()
    await closing
    assert (await first, await second) == (4, 8)
