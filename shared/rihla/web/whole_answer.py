"""uvicorn's HTTP/1.1 protocol, but that the head of an answer leaves with its body.

uvicorn writes the two one after the other, and its loop sends each at once: two system calls here, and two packets that
wake whoever waits for the answer twice. Use it by `uvicorn --http rihla.web.whole_answer:WholeAnswerProtocol`.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HeadWithBody:
    """A transport for one answer: its head waits for the first piece of its body, so that both are one system call and
    one packet. uvicorn writes the body of every answer but those to HEAD, be it empty."""

    __slots__ = ("_head", "_sent", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._sent = False

    def write(self, data: bytes) -> None:
        """Keep the head, send everything else."""
        if self._sent or data == _CONTINUE:
            self._transport.write(data)
        elif self._head:
            self._sent = True
            self._transport.write(self._head + data)
        else:
            self._head = data

    def close(self) -> None:
        """Close after what was written."""
        if self._head and not self._sent:
            self._sent = True
            self._transport.write(self._head)
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is going away."""
        return self._transport.is_closing()


class WholeAnswerProtocol(HttpToolsProtocol):
    """What every API process speaks."""

    def on_headers_complete(self) -> None:
        before = self.cycle
        super().on_headers_complete()
        # an answer to HEAD has no body to wait for
        if self.cycle is not None and self.cycle is not before and self.scope["method"] != "HEAD":
            self.cycle.transport = HeadWithBody(self.cycle.transport)  # type: ignore[assignment]
