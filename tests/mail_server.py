"""A local mail server that speaks as much SMTP as a client of ours does, and keeps what it is given."""

import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from tests.local_server import running

_ANSWERS = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 welcome", "DATA": "354 go on", "QUIT": "221 bye"}


class MailServer:
    """A running server: its port, and what came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.commands: list[str] = []
        self.recipients: list[str] = []
        self.messages: list[EmailMessage] = []


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[MailServer]:
    """Start a server on a free port of this machine; with a certificate (and its key, in one file) it speaks TLS from the start."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                server.commands.append(line)
                verb = line[:4].upper()
                if verb == "RCPT":
                    server.recipients.append(line.partition("<")[2].partition(">")[0])
                self._say(_ANSWERS.get(verb, "250 fine"))
                if verb == "DATA":
                    body = b"".join(iter(self.rfile.readline, b".\r\n"))
                    server.messages.append(cast("EmailMessage", message_from_bytes(body, policy=policy.default)))
                    self._say("250 kept")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Quiet(socketserver.ThreadingTCPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some tests want."""

    listening = Quiet(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    server = MailServer(listening.server_address[1])
    with running(listening):
        yield server
