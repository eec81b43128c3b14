"""Addresses of pages that are served on this machine."""

from datetime import date

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
