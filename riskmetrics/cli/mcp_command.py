"""`riskmetrics mcp`: serve stored results to an assistant by the Model Context Protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.addresses import LOOPBACK, require_free_port
from riskmetrics.cli.database import connect_at_head, require_database
from riskmetrics.cli.output import echo_err
from riskmetrics.db.roles import Role
from riskmetrics.errors import ConfigurationError
from riskmetrics.text import describe_extra

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.mcp_server.answers import Connect

_MISSING_EXTRA = f"the SDK of the Model Context Protocol is not installed: {describe_extra('mcp')}"


def mcp(
    http: Annotated[
        bool,
        typer.Option(
            "--http", help="Serve HTTP on 127.0.0.1 instead of standard input and output."
        ),
    ] = False,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port for --http.")] = 8321,
) -> None:
    """Serve results to an assistant (Model Context Protocol).

    Its tools are read-only. A client starts this command and talks to it over standard input and
    output. With --http it runs until Ctrl-C. RISKMETRICS_AI_ANONYMIZATION limits the names in
    answers. Needs the extra mcp.

    Example: riskmetrics mcp --http --port 8321
    """
    from importlib.metadata import version

    from riskmetrics import settings

    try:
        from riskmetrics.mcp_server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        raise ConfigurationError(_MISSING_EXTRA) from error
    from riskmetrics.mcp_server.answers import Answers

    if http:
        require_free_port(port)
    configured = settings.load()
    require_database()
    with connect_at_head(Role.READER) as engine:
        answers = Answers(
            _read_only(engine),
            configured.ai_anonymization,
            configured.market_index,
            configured.rate_index,
        )
        if http:
            echo_err(f"serving http://{LOOPBACK}:{port}/mcp until Ctrl-C")
        server.run(answers, version("riskmetrics"), port if http else None)


def _read_only(engine: "sa.Engine") -> "Connect":
    """Return a function that opens a read-only transaction, whatever the role may do."""

    @contextmanager
    def connect() -> "Iterator[sa.Connection]":
        import sqlalchemy as sa

        with engine.connect() as connection, connection.begin():
            connection.execute(sa.text("SET LOCAL TRANSACTION READ ONLY"))
            yield connection

    return connect
