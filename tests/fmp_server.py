"""A local HTTP server with the protocol of FMP and its error responses; requests are counted."""

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.listening import listening

KEY = "Kq7-secret_key.0123456789"
"""What tests use as a key: nothing else reads like it."""


class Reply(NamedTuple):
    """An answer: the body as bytes, text or JSON, and what goes wrong on its way."""

    body: object = ()
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    fault: str = ""
    """reset, silence, drip headers, drip or cut."""

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


LIMIT = {
    "Error Message": (
        "Limit Reach . Please upgrade your plan or visit our documentation for more details at"
        " https://site/"
    )
}
BAD_KEY = {
    "Error Message": (
        "Invalid API KEY. Feel free to create a Free API Key or visit https://site/faqs for more"
        " information."
    )
}
NO_SYMBOL = (
    "Premium Query Parameter: 'Special Endpoint : This value set for 'symbol' is not available"
    " under your current subscription"
)
NO_ENDPOINT = (
    "Restricted Endpoint: This endpoint is not available under your current subscription please"
    " visit our subscription page"
)

Answers = Callable[[str, dict[str, str]], Reply]


class FmpServer:
    """A running server; ``answers`` returns the reply to a path and parameters; replaceable."""

    def __init__(self, url: str, answers: Answers) -> None:
        self.url, self.answers = url, answers
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()

    def count(self) -> Counter[str]:
        """How often each endpoint was asked."""
        return Counter(path.removeprefix("/stable/") for path, _ in self.calls)


@contextmanager
def serve(answers: Answers) -> Iterator[FmpServer]:
    """Start a server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if query.pop("apikey", "") != KEY:
                reply = Reply(BAD_KEY, 401)
            else:
                server.calls.append((asked.path, query))
                reply = server.answers(asked.path, query)
            send(self, reply, server.closing)

        def log_message(self, *_: object) -> None:
            """Suppress request logging."""

    server = FmpServer("", answers)
    with listening(Handler, server.closing) as server.url:
        yield server


def send(handler: BaseHTTPRequestHandler, reply: Reply, closing: threading.Event) -> None:
    """Answer, with the fault if there is one."""
    if reply.fault == "reset":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(handler.connection.detach())
        return
    if reply.fault == "silence":
        closing.wait(30)
        handler.close_connection = True
        return
    if reply.fault == "drip headers":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not closing.wait(0.05):
            handler.wfile.write(b"x")
        handler.close_connection = True
        return
    content = reply.content
    handler.send_response(reply.status)
    handler.send_header("Content-Type", reply.content_type)
    handler.send_header("Content-Length", str(len(content)))
    for name, value in reply.headers:
        handler.send_header(name, value)
    handler.end_headers()
    if reply.fault == "drip":
        for at in range(len(content)):
            handler.wfile.write(content[at : at + 1])
            if closing.wait(0.05):
                break
        handler.close_connection = True
    elif reply.fault == "cut":
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True
    else:
        handler.wfile.write(content)
