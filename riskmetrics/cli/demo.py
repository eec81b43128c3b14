"""`riskmetrics demo`: run the whole pipeline on the bundled sample."""

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import NAMESPACE_OID, uuid5

import typer

from riskmetrics.cli.database import import_in_background, write_transaction
from riskmetrics.cli.output import echo_err
from riskmetrics.cli.report_rendering import Request
from riskmetrics.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa


def demo(
    out: Annotated[Path, typer.Option("--out", help="Report file to write.")] = Path("report.html"),
) -> None:
    """Load the bundled sample, compute its risk and write a report.

    Computes the track record of a year of forecasts, runs the daily job for the last session of the
    sample, and prints the results. Requires a database that is empty or contains only the
    sample. No data vendor is called; Claude is called for insights if ANTHROPIC_API_KEY is set.

    Example: riskmetrics demo
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli.launch import prepare_instance
    from riskmetrics.cli.report import write_report
    from riskmetrics.cli.run import run_daily_risk
    from riskmetrics.cli.summary import print_summaries
    from riskmetrics.sources import sample

    configured = settings.load()
    prepare_instance(configured)
    started = time.monotonic()
    import_in_background("riskmetrics.dagster_events")
    echo_err("1/4  Database: " + _load_into_empty_database())
    echo_err("2/4  Forecasts of the past year, and how good they were")
    *year, last = trading_calendar.sessions_with_lookback([sample.LAST_SESSION], 252)
    run_daily_risk(year, _FORECAST_ASSETS, offline=True)
    echo_err(f"3/4  Risk of {last}, by the Dagster job daily_risk")
    run_daily_risk([last], offline=True)  # last: the track record is one of the facts of insights
    if configured.anthropic_api_key is not None:
        run_daily_risk([last], "ai_insights")  # this asset calls no data vendor
    echo_err("4/4  Report")
    write_report(Request(sample.LAST_SESSION), out, is_quiet=True)
    print_summaries(sample.LAST_SESSION, sample.PORTFOLIO_NAMES)
    typer.echo(
        _NEXT_STEPS.format(
            seconds=time.monotonic() - started,
            report=out.absolute().as_uri(),
            command=_command_name(),
        )
    )


def _load_into_empty_database() -> str:
    """Load the sample and describe it; raise UsageError if other portfolios exist."""
    from riskmetrics.db import input_queries
    from riskmetrics.db.engine import redact_url
    from riskmetrics.sources import sample

    with write_transaction() as connection:
        other_portfolios = set(input_queries.read_portfolios(connection)["name"]).difference(
            sample.PORTFOLIO_NAMES
        )
        if other_portfolios:
            raise UsageError(
                f"the database already has portfolios: {', '.join(sorted(other_portfolios))}. Run"
                " the demo with RISKMETRICS_HOME set to an empty directory"
            )
        loaded = load_sample(connection)
        return f"{redact_url(connection.engine.url)}\n     Sample: {loaded}"


def load_sample(connection: "sa.Connection") -> str:
    """Load the bundled sample, idempotently; return a description of its content."""
    from riskmetrics.db import holdings, input_writes, portfolios, stored_settings
    from riskmetrics.settings import DEFAULT_BENCHMARK
    from riskmetrics.sources import sample

    prices, sample_portfolios = sample.prices(), sample.portfolios()
    input_writes.store_prices(connection, prices.rows, "sample")
    input_writes.store_profiles(connection, sample.profiles().rows, "sample")
    input_writes.store_benchmark_weights(
        connection, sample.benchmark().rows, DEFAULT_BENCHMARK, "sample"
    )
    input_writes.store_setting(connection, stored_settings.MARKET_INDEX, sample.MARKET_INDEX)
    for portfolio in sample_portfolios:
        # notes choose their words by the id: with the same one, they are the same on every machine
        portfolio_id = uuid5(NAMESPACE_OID, f"riskmetrics sample {portfolio.name}")
        portfolios.create_portfolio_of_id(connection, portfolio.name, portfolio_id)
        holdings.apply_statement(
            connection,
            portfolio.name,
            portfolio.holdings.rows,
            as_of=portfolio.as_of,
            equity=portfolio.equity,
        )
    span = f"{sample.FIRST_SESSION} to {sample.LAST_SESSION}"
    return (
        f"{len(prices.rows):,} closes of {prices.rows['symbol'].nunique()} symbols, {span}, and"
        f" {len(sample_portfolios)} portfolios"
    )


_FORECAST_ASSETS = (
    "portfolio_values,position_betas,position_volatility,portfolio_volatility,portfolio_tail_risk,"
    "sector_concentration,portfolio_market_regressions,forecast_outcomes"
)

_NEXT_STEPS = """
The report is at {report} (done in {seconds:.0f} s)
Next, with `{command} COMMAND`:
  show insights              the whole notes, with alerts and evidence
  show track-record          how good the forecasts were, against simple alternatives
  init                       your own holdings, in a directory of your own"""


def _command_name() -> str:
    """Return the name of the command if it is on the path, else the path it was called by."""
    command_path = Path(sys.argv[0])
    return "riskmetrics" if shutil.which("riskmetrics") else str(command_path)
