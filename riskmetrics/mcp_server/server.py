"""The tools of the server, and its two transports: stdio, and HTTP on this machine only."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from riskmetrics.addresses import LOOPBACK
from riskmetrics.errors import RiskmetricsError
from riskmetrics.mcp_server.answers import Answer, Answers

_INSTRUCTIONS = """\
Stored risk figures of portfolios, one set per exchange session. All tools only read.

Begin with list_portfolios. answer_question answers one question about figures by true sentences,
read_claims has those of a summary: prefer both to your own reading of the figures. read_figures has
the figures of one table and of single positions, list_figures their definitions.

Every answer states the session (as_of). A figure that is null is undefined: state its reason, which
is under "undefined", and never put an estimate in its place. Repeat the caveats that apply. Losses
of value at risk, drawdowns and stress scenarios are positive. Give no advice to buy or sell.
"""
_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
P = ParamSpec("P")


def build_server(answers: Answers, version: str) -> MCPServer[Any]:
    """Return the server, whose tools are methods of ``answers`` with their names and docstrings."""
    server: MCPServer[Any] = MCPServer(
        "riskmetrics", instructions=_INSTRUCTIONS, version=version, log_level="WARNING"
    )
    tools: list[Callable[..., Answer]] = [
        *(answers.list_portfolios, answers.list_figures, answers.read_figures),
        *(answers.read_changes, answers.read_claims, answers.answer_question),
        *(answers.explain_figure, answers.read_track_record),
    ]
    for tool in tools:
        server.add_tool(_with_own_errors(tool), annotations=_READ_ONLY)
    return server


def run(answers: Answers, version: str, port: int | None) -> None:
    """Serve until the client leaves or the process is interrupted.

    Parameters
    ----------
    port : int or None
        Port of the HTTP transport; None: stdio.
    """
    server = build_server(answers, version)
    if port is None:
        server.run("stdio")
    else:
        server.run("streamable-http", host=LOOPBACK, port=port, stateless_http=True)


def _with_own_errors(tool: Callable[P, Answer]) -> Callable[P, Answer]:
    """Return a tool whose expected errors reach the client; others are logged, not sent."""

    @wraps(tool)
    def answer(*arguments: P.args, **options: P.kwargs) -> Answer:
        try:
            return tool(*arguments, **options)
        except RiskmetricsError as error:
            raise ToolError(str(error)) from error

    return answer
