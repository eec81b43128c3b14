"""Serve the report on the loopback address; each request renders it again."""

from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qs, urlsplit

from riskmetrics.addresses import LOOPBACK, require_free_port
from riskmetrics.cli.output import echo_err
from riskmetrics.cli.report_rendering import Request, render
from riskmetrics.errors import RiskmetricsError

_REFRESH_SECONDS = 900
"""Seconds until an open page loads itself again: it shows a new run without a click."""


class ReportServer(ThreadingHTTPServer):
    """A server of the pages of one request; the query chooses date, portfolio and against."""

    daemon_threads = True

    def __init__(self, request: Request, port: int) -> None:
        """Listen on the loopback address; port 0 is a free one."""
        self.request = replace(request, links_to_portfolios=True)
        self.rendering = Lock()
        """One page at a time: a page takes a connection and a core."""
        super().__init__((LOOPBACK, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer

    def do_GET(self) -> None:
        """Answer with the page, or with the reason why there is none."""
        parts = urlsplit(self.path)
        if not self._is_local():
            self._send(403, "text/plain", "Open the page by the address that was printed.")
        elif parts.path != "/":
            self._send(404, "text/plain", "There is one page: /")
        else:
            self._send_page(parse_qs(parts.query))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
        """Write no line per request."""

    def _is_local(self) -> bool:
        """Return whether the page was requested by the name of this machine.

        A web page elsewhere may have a name that resolves to the loopback address.
        """
        host = self.headers.get("Host", "").rpartition(":")[0]
        return host in (LOOPBACK, "localhost")

    def _send_page(self, query: dict[str, list[str]]) -> None:
        chosen = {name: values[-1] for name, values in query.items()}
        try:
            day, against = (
                date.fromisoformat(chosen[name]) if name in chosen else None
                for name in ("date", "against")
            )
        except ValueError:
            self._send(400, "text/plain", "A date is written as 2022-12-28.")
            return
        request = replace(
            self.server.request,
            day=day or self.server.request.day,
            against=against or self.server.request.against,
            portfolio=chosen.get("portfolio", self.server.request.portfolio),
        )
        try:
            with self.server.rendering:
                page = render(request)
        except RiskmetricsError as error:
            self._send(404, "text/plain", str(error))
        else:
            self._send(200, "text/html", page)

    def _send(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if kind == "text/html":
            self.send_header("Refresh", str(_REFRESH_SECONDS))
        self.end_headers()
        self.wfile.write(content)


def serve_report(request: Request, port: int) -> None:
    """Serve the report until Ctrl-C.

    Raises
    ------
    UsageError
        If the port is taken.
    """
    require_free_port(port)
    server = ReportServer(request, port)
    echo_err(f"The report is at http://{LOOPBACK}:{port}/ until Ctrl-C")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            echo_err("")
