import asyncio
import contextlib

from rihla.ending import end


async def deaf_once() -> None:
    """Swallows the first cancellation, as `asyncio.wait_for` may."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


async def failing() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise ValueError("while ending")


async def test_a_task_that_misses_a_cancellation_is_asked_again() -> None:
    tasks = [asyncio.create_task(deaf_once()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    await end(tasks)
    assert [task.done() for task in tasks] == [True, True]
    assert tasks[0].cancelled()


async def test_control_asked_once_it_goes_on() -> None:
    task = asyncio.create_task(deaf_once())
    await asyncio.sleep(0)
    task.cancel()
    _, running = await asyncio.wait([task], timeout=0.1)
    assert running == {task}
    await end([task])


async def test_nothing_to_end_is_no_error() -> None:
    await end([])
