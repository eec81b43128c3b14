"""A local server of Anthropic's Messages and Batches APIs with errors; requests are recorded."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from tests.fmp_server import KEY, Reply, send
from tests.listening import listening

Body = dict[str, Any]
Answers = Callable[[Body], Reply]
"""The reply to the body of a call."""

PLAN: Body = {
    "headline": "C01",
    "paragraphs": [[{"claim": "C02", "connective": ""}]],
    "findings": [],
    "recommendations": [],
}
"""A plan as a model writes it, with numbers of claims."""
HOUR = timedelta(hours=1)


def message(content: object = PLAN, stop_reason: str = "end_turn", **usage: int) -> Reply:
    """A message as the API gives it: a plan as JSON, a text, or blocks of content."""
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-5-5-20261001",
            "content": content if isinstance(content, list) else [{"type": "text", "text": text}],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": 6000, "output_tokens": 2000, **usage},
        }
    )


def error(status: int, kind: str, *headers: tuple[str, str]) -> Reply:
    """An error as the API gives it, which quotes what it was sent."""
    return Reply(
        {"type": "error", "error": {"type": kind, "message": f"quoted from the request: {KEY}"}},
        status,
        headers=headers,
    )


def in_turn(*given: Reply) -> Answers:
    """Give these answers in turn, the last one for ever."""
    left = list(given)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class MessagesServer:
    """A running server; ``answers`` returns the reply to a call, also in batches; replaceable."""

    def __init__(self, answers: Answers) -> None:
        self.url, self.answers = "", answers
        self.calls: list[Body] = []
        """Bodies of single calls."""
        self.batches: dict[str, list[Body]] = {}
        """Requests of each batch by its id."""
        self.ended = False
        """Whether batches have ended."""
        self.fault: Reply | None = None
        """What the creation of a batch is answered with, after it was created."""
        self.log = ""
        """All that was sent: lines of requests, headers but for the key, bodies."""
        self.closing = threading.Event()
        self._numbers = count(1)

    def answer(self, method: str, path: str, body: Body) -> Reply:
        """The reply to a request."""
        path, _, query = path.partition("?")
        if path == "/v1/messages":
            self.calls.append(body)
            return self.answers(body)
        batch, _, results = path.removeprefix("/v1/messages/batches").strip("/").partition("/")
        if method == "POST":
            batch = f"msgbatch_{next(self._numbers)}"
            self.batches[batch] = body["requests"]
            return self.fault or Reply(self._described(batch))
        if not batch:
            return self._page(dict(parse_qsl(query)))
        return self._results(batch) if results else Reply(self._described(batch))

    def _page(self, asked: dict[str, str]) -> Reply:
        """A page of the batches, newest first."""
        newest_first = list(reversed(self.batches))
        first = newest_first.index(asked["after_id"]) + 1 if "after_id" in asked else 0
        names = newest_first[first : first + int(asked.get("limit", 20))]
        return Reply(
            {
                "data": [self._described(name) for name in names],
                "has_more": first + len(names) < len(newest_first),
                "last_id": names[-1] if names else None,
            }
        )

    def _described(self, batch: str) -> Body:
        now = datetime.now(UTC)
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        return {
            "id": batch,
            "type": "message_batch",
            "processing_status": "ended" if self.ended else "in_progress",
            "request_counts": counts | {"processing": len(self.batches[batch])},
            "created_at": now.isoformat(),
            "expires_at": (now + 24 * HOUR).isoformat(),
            "results_url": (
                f"{self.url}/v1/messages/batches/{batch}/results" if self.ended else None
            ),
        }

    def _results(self, batch: str) -> Reply:
        lines = []
        for asked in reversed(self.batches[batch]):  # the order is not promised
            reply = self.answers(asked["params"])
            known = {"succeeded": "message", "errored": "error"}
            kind = "succeeded" if reply.status == 200 else "errored"
            lines.append(
                json.dumps(
                    {
                        "custom_id": asked["custom_id"],
                        "result": {"type": kind, known[kind]: reply.body},
                    }
                )
            )
        return Reply("\n".join(lines), content_type="application/x-jsonl")


@contextmanager
def serve(answers: Answers) -> Iterator[MessagesServer]:
    """Start a server on a free port of this machine."""
    server = MessagesServer(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            known = self.headers.get("Authorization", "")
            del self.headers["Authorization"]
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            server.log += f"{self.requestline}\n{self.headers}\n{sent}\n"
            reply = error(401, "authentication_error")
            if KEY in known:
                reply = server.answer(self.command, self.path, json.loads(sent or "{}"))
            send(self, reply, server.closing)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Suppress request logging."""

    with listening(Handler, server.closing) as server.url:
        yield server
