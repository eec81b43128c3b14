"""The tools of the server, and its two transports: stdio, and HTTP on this machine only."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Annotated, Any, Literal, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from riskmetrics.addresses import LOOPBACK
from riskmetrics.errors import RiskmetricsError
from riskmetrics.mcp_server.answers import Answer, Answers

_INSTRUCTIONS = """\
Stored risk figures of portfolios, one set per exchange session. All tools only read.

Begin with list_portfolios. read_claims has true sentences about a session: prefer them to your own
reading of the figures. read_figures has the figures of one table, list_figures their definitions.

Every answer states the session (as_of). A figure that is null is undefined: state its reason, which
is under "undefined", and never put an estimate in its place. Repeat the caveats that apply. Losses
of value at risk, drawdowns and stress scenarios are positive. Give no advice to buy or sell.
"""
_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
P = ParamSpec("P")

_Portfolio = Annotated[str, Field(description="Portfolio as list_portfolios shows it.")]
_Day = Annotated[
    date | None, Field(description="Session, YYYY-MM-DD. Default: the latest with results.")
]
_Symbol = Annotated[
    str | None, Field(description="Only this symbol or alias, as an answer shows it.")
]
_Sessions = Annotated[
    Literal[1, 5, 21], Field(description="Number of sessions over which the change is taken.")
]


def build_server(answers: Answers, version: str) -> MCPServer[Any]:
    """Return the server with its tools."""
    server: MCPServer[Any] = MCPServer(
        "riskmetrics", instructions=_INSTRUCTIONS, version=version, log_level="WARNING"
    )

    def list_portfolios() -> Answer:
        """List the portfolios, with equity on the latest session."""
        return answers.list_portfolios()

    def list_figures(
        table: Annotated[
            str | None, Field(description="Table to define. Default: list all tables.")
        ] = None,
    ) -> Answer:
        """List the tables of figures, or define those of one: formula, unit, window, reference."""
        return answers.list_figures(table)

    def read_figures(
        portfolio: _Portfolio,
        table: Annotated[
            str, Field(description="Table of list_figures, such as portfolio_snapshots.")
        ],
        day: _Day = None,
        symbol: _Symbol = None,
    ) -> Answer:
        """Read a portfolio's figures of one table on a session."""
        return answers.read_figures(portfolio, table, day, symbol)

    def read_changes(
        portfolio: _Portfolio,
        sessions: _Sessions = 1,
        day: _Day = None,
        table: Annotated[
            str | None,
            Field(description="Only this table. Default: all figures of the whole portfolio."),
        ] = None,
    ) -> Answer:
        """Compare a portfolio's figures with those of some sessions before."""
        return answers.read_changes(portfolio, sessions, day, table)

    def read_claims(portfolio: _Portfolio, day: _Day = None) -> Answer:
        """Read true sentences about a portfolio and session, the most important first."""
        return answers.read_claims(portfolio, day)

    def explain_figure(
        portfolio: _Portfolio,
        figure: Annotated[
            str, Field(description="Figure, such as hhi or position_market_betas.beta.")
        ],
        day: _Day = None,
        symbol: _Symbol = None,
    ) -> Answer:
        """Explain a stored figure: formula, inputs, window and an independent recalculation."""
        return answers.explain(portfolio, figure, day, symbol)

    def read_track_record(portfolio: _Portfolio, day: _Day = None) -> Answer:
        """Read how forecasts of volatility and value at risk did up to a session."""
        return answers.read_track_record(portfolio, day)

    tools: list[Callable[..., Answer]] = [
        *(list_portfolios, list_figures, read_figures, read_changes),
        *(read_claims, explain_figure, read_track_record),
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
