"""HTTP server that records webhook posts and returns scripted status codes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.listening import listening


class Webhook:
    """A running server: its secret URL, scripted statuses (the last repeats), received messages."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/hooks/T0PSECRET"
        self.statuses = [200]
        self.messages: list[str] = []


@contextmanager
def serve() -> Iterator[Webhook]:
    """Start a server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = hook.statuses.pop(0) if len(hook.statuses) > 1 else hook.statuses[0]
            if status == 200:
                hook.messages.append(body["text"])
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Suppress request logging."""

    with listening(Handler) as url:
        hook = Webhook(url)
        yield hook
