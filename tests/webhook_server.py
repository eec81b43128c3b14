"""A local webhook that keeps what is posted to it, and answers as it is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.listening import listening


class Webhook:
    """A running server with its secret address and received texts; the last status repeats."""

    def __init__(self, url: str) -> None:
        self.address = f"{url}/hooks/T0PSECRET"
        self.answers = [200]
        self.texts: list[str] = []


@contextmanager
def serve() -> Iterator[Webhook]:
    """Start a server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
            if status == 200:
                hook.texts.append(body["text"])
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with listening(Handler) as url:
        hook = Webhook(url)
        yield hook
