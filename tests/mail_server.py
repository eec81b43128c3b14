"""A local mail server with the subset of SMTP that the client uses; messages are recorded."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socketserver import StreamRequestHandler
from typing import cast
from urllib.parse import urlsplit

from tests.listening import listening

_ANSWERS = {"AUTH": "235 welcome", "DATA": "354 go on", "QUIT": "221 bye", "STAR": "220 go ahead"}


class MailServer:
    """A running server: its port, and what came."""

    def __init__(self, url: str) -> None:
        self.port = urlsplit(url).port
        self.commands: list[str] = []
        self.recipients: list[str] = []
        self.messages: list[EmailMessage] = []


@contextmanager
def serve(certificate: Path | None = None, *, asked: bool = False) -> Iterator[MailServer]:
    """Start a server on a free port of this machine.

    With a certificate (and its key, in one file) it speaks TLS from the start, or once it is
    ``asked`` to by STARTTLS.
    """
    answers = _ANSWERS | {"EHLO": "250-here\r\n" + "250-STARTTLS\r\n" * asked + "250 AUTH PLAIN"}

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            if certificate is not None and not asked:
                _encrypt(self, certificate)
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                server.commands.append(line)
                verb = line[:4].upper()
                if verb == "RCPT":
                    server.recipients.append(line.partition("<")[2].partition(">")[0])
                self._say(answers.get(verb, "250 fine"))
                if certificate is not None and verb == "STAR":
                    _encrypt(self, certificate)
                if verb == "DATA":
                    body = b"".join(iter(self.rfile.readline, b".\r\n"))
                    server.messages.append(
                        cast("EmailMessage", message_from_bytes(body, policy=policy.default))
                    )
                    self._say("250 kept")

        def finish(self) -> None:
            super().finish()
            self.connection.close()  # the server closes the one beneath

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with listening(Handler) as url:
        server = MailServer(url)
        yield server


def _encrypt(handler: StreamRequestHandler, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handler.request = context.wrap_socket(handler.request, server_side=True)
    handler.setup()
