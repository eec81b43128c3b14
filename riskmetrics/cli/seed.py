"""`riskmetrics seed`: fetch initial data from a data source."""

import typer

from riskmetrics.cli.database import connect_at_head, read_transaction
from riskmetrics.cli.output import CellFormat, echo_progress, print_frame
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.errors import ConfigurationError

app = typer.Typer(
    help="Fetch data now that a run fetches when due; needs a source.",
    no_args_is_help=True,
)


@app.command()
def benchmark(as_json: AsJson = False) -> None:
    """Fetch sector weights of the S&P 500 for the latest session.

    Stored weights of that session are replaced. Takes about 500 calls of FMP, or one on a small
    plan and from Yahoo.

    Example: riskmetrics seed benchmark
    """
    from riskmetrics import settings
    from riskmetrics.cli import launch
    from riskmetrics.db import input_queries

    configured = settings.load()
    if not configured.source_names:
        raise ConfigurationError(
            "FMP_API_KEY is not set, and RISKMETRICS_SOURCE names no source: set one, or import"
            " sector weights with `riskmetrics import benchmark FILE`"
        )
    from riskmetrics.definitions import SEED_BENCHMARK

    echo_progress(f"Running {SEED_BENCHMARK} …")
    with connect_at_head():
        outcome = launch.run(
            configured, (), job=SEED_BENCHMARK, config={"market_data": {"force_benchmark": True}}
        )
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
    with read_transaction() as connection:
        weights = input_queries.read_latest_benchmark(connection, settings.DEFAULT_BENCHMARK)
    formats: dict[str, CellFormat] = {"weight": "{:.2%}".format, "market_cap": "{:,.0f}".format}
    print_frame(weights, as_json=as_json, formats=formats)
