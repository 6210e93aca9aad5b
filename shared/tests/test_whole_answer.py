"""An answer leaves in one piece."""

import pytest

from rihla.web.whole_answer import HeadWithBody

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Wire:
    """Remembers what was written, and when it was closed."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.written.append(b"(closed)")


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        ([HEAD, b"all"], [HEAD + b"all"]),
        ([HEAD, b""], [HEAD]),
        ([HEAD, b"one", b"two"], [HEAD + b"one", b"two"]),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, b"all"], [b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"all"]),
    ],
)
def test_a_head_waits_for_the_first_piece_of_its_body_and_nothing_else_waits(
    pieces: list[bytes], written: list[bytes]
) -> None:
    wire = Wire()
    transport = HeadWithBody(wire)  # type: ignore[arg-type]
    for piece in pieces:
        transport.write(piece)
    assert wire.written == written


def test_a_head_whose_body_never_came_is_sent_before_the_end() -> None:
    wire = Wire()
    transport = HeadWithBody(wire)  # type: ignore[arg-type]
    transport.write(HEAD)
    transport.close()
    assert wire.written == [HEAD, b"(closed)"]
