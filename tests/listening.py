"""A local server for whatever protocol a handler speaks, and ports for those of other programs."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from random import SystemRandom
from socketserver import StreamRequestHandler


def free_port() -> int:
    """Return a free port on loopback.

    It is below those that systems give to connections: one of these would take it before the
    program does that shall listen on it.
    """
    while True:
        port = SystemRandom().randrange(10_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def listening(
    handler: type[StreamRequestHandler], closing: threading.Event | None = None
) -> Iterator[str]:
    """Listen on a free local port and yield the address; ``closing`` is set at the end."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that gives up is what some tests want."""

    with Quiet(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            if closing is not None:
                closing.set()
            running.shutdown()
            thread.join()
