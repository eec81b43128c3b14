"""A TCP proxy in front of the embedded server that can cut its connections."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """A proxy that relays bytes between a local port and a server's Unix socket."""

    def __init__(self, listener: socket.socket, target: str) -> None:
        self.port = listener.getsockname()[1]
        self._listener, self._target = listener, target
        self._open: list[socket.socket] = []
        self.served = 0

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self.served += 1
                self._open += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Reset every connection, like a router that is switched off."""
        for end in self._open:
            with suppress(OSError):
                if end.family == socket.AF_INET:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()


@contextmanager
def before(url: str) -> Iterator[Proxy]:
    """Start a proxy in front of the server of a Unix socket URL."""
    query = parse_qs(urlsplit(url).query)
    target = str(Path(query["host"][0]) / f".s.PGSQL.{query['port'][0]}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener, target)
        thread = threading.Thread(target=proxy.serve, daemon=True)
        thread.start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
        proxy.cut()
    thread.join()
