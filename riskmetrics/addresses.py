"""Addresses of pages that are served on this machine."""

import socket
from datetime import date

from riskmetrics.errors import UsageError

LOOPBACK = "127.0.0.1"

REPORT_PORT = 8642
"""Port of `riskmetrics report --serve`, by default."""


def served_report_url(session: date) -> str:
    """Return the address at which `riskmetrics report --serve` shows a session.

    Examples
    --------
    >>> served_report_url(date(2022, 12, 28))
    'http://127.0.0.1:8642/?date=2022-12-28'
    """
    return f"http://{LOOPBACK}:{REPORT_PORT}/?date={session}"


def require_free_port(port: int, host: str = LOOPBACK) -> None:
    """Raise UsageError if nothing can listen on a port, such as one that another program uses."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise UsageError(
            f"cannot listen on {host}:{port}: {reason}. Choose another --port"
        ) from None
