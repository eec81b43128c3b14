"""A local server with Tiingo's protocol for daily prices and its refusals; requests are counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.fmp_market import Market
from tests.fmp_server import KEY, Answers, FmpServer, Reply, send
from tests.listening import listening

BAD_TOKEN = {"detail": "Invalid token."}
NOT_FOUND = {"detail": "Not found."}
HOURLY = {
    "detail": "Error: You have run over your hourly request allocation. Please upgrade at"
    " https://api.tiingo.com/pricing to have your limits increased."
}
MONTHLY = {
    "detail": "Error: You have run over your 500 symbol look up for this month. Please upgrade at"
    " https://api.tiingo.com/pricing to have your limits increased."
}


@contextmanager
def serve_tiingo(answers: Answers) -> Iterator[FmpServer]:
    """Start a server on a free port of this machine; the key is a header, never in the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if self.headers.get("Authorization") != f"Token {KEY}" or KEY in self.path:
                reply = Reply(BAD_TOKEN, 401)
            else:
                server.calls.append((asked.path, query))
                reply = server.answers(asked.path, query)
            send(self, reply, server.closing)

        def log_message(self, *_: object) -> None:
            """Suppress request logging."""

    server = FmpServer("", answers)
    with listening(Handler, server.closing) as server.url:
        yield server


class TiingoMarket(Market):
    """The simulated market in Tiingo's protocol: raw prices, and actions on their day."""

    def __call__(self, path: str, query: dict[str, str]) -> Reply:
        """Answer a question."""
        symbol = path.split("/")[3]
        if reply := self.replies.get(("", symbol)) or self.replies.get(("", "")):
            return reply
        if symbol in self.unknown:
            return Reply(NOT_FOUND, 404)
        first = date.fromisoformat(query["startDate"])
        return Reply([row for row in self.rows(symbol) if row["date"][:10] >= first.isoformat()])

    def rows(self, symbol: str) -> list[dict[str, object]]:
        """Return all rows of a symbol, oldest first."""
        splits, paid = (
            {ex: value for (of, ex), value in events.items() if of == symbol}
            for events in (self.splits, self.dividends)
        )
        found = []
        for day, (close, adjusted) in self.closes(symbol).items():
            later = 1.0
            for ex, ratio in splits.items():
                later *= ratio if day < ex <= self.through else 1.0
            raw = close * later
            found.append(
                {
                    "date": f"{day}T00:00:00.000Z",
                    "open": raw,
                    "high": raw * 1.01,
                    "low": raw * 0.99,
                    "close": raw,
                    "volume": 1000,
                    "adjOpen": adjusted,
                    "adjHigh": adjusted * 1.01,
                    "adjLow": adjusted * 0.99,
                    "adjClose": adjusted,
                    "adjVolume": int(1000 * later),
                    "divCash": paid.get(day, 0.0) * later if day <= self.through else 0.0,
                    "splitFactor": splits.get(day, 1.0) if day <= self.through else 1.0,
                }
            )
        return found
