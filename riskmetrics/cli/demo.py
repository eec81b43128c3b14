"""`riskmetrics demo`: the whole pipeline on the bundled sample."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.output import echo_err

if TYPE_CHECKING:
    import sqlalchemy as sa


def demo(
    out: Annotated[Path, typer.Option("--out", help="Report to write.")] = Path("report.html"),
) -> None:
    """Load the bundled sample, run the job for its last session, score a year of forecasts, print the risk and write a report.

    It works on a database that is empty or holds the sample, never on one with portfolios of your
    own. No vendor is asked; Claude is, for the insights, if ANTHROPIC_API_KEY is set.

    Example: riskmetrics demo
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli import report
    from riskmetrics.cli.launch import prepare_instance
    from riskmetrics.cli.run import run_daily_risk
    from riskmetrics.cli.show_forecast_score import print_forecast_scores
    from riskmetrics.cli.summary import print_summaries
    from riskmetrics.sources import sample

    prepare_instance(settings.load())
    echo_err("1/5  Database: " + _load_into_empty_database())
    echo_err(f"2/5  Dagster job daily_risk for {sample.LAST_SESSION}")
    run_daily_risk([sample.LAST_SESSION], offline=True)
    echo_err("3/5  Volatility forecasts of a year, and what became of them")
    run_daily_risk(
        trading_calendar.sessions_with_lookback([sample.LAST_SESSION], 252),
        _FORECAST_ASSETS,
        offline=True,
    )
    run_daily_risk(
        [sample.LAST_SESSION], "ai_insights"
    )  # what became of forecasts is a fact now; it asks no vendor
    echo_err("4/5  Results")
    print_summaries(sample.LAST_SESSION, [portfolio.name for portfolio in sample.portfolios()])
    typer.echo()
    print_forecast_scores(sample.LAST_SESSION)
    echo_err("5/5  Report")
    report.write_report(sample.LAST_SESSION, out)
    typer.echo(
        _NEXT_STEPS.format(
            report=out.absolute().as_uri(), last=sample.LAST_SESSION, command=_command_name()
        )
    )


def _load_into_empty_database() -> str:
    """Bring in the sample and return a sentence on it; what is there already is left as it is."""
    from riskmetrics.cli.database import write_transaction
    from riskmetrics.db import input_queries
    from riskmetrics.db.engine import redact_url
    from riskmetrics.errors import UsageError
    from riskmetrics.sources import sample

    with write_transaction() as connection:
        other_portfolios = set(input_queries.read_portfolios(connection)["name"]) - {
            portfolio.name for portfolio in sample.portfolios()
        }
        if other_portfolios:
            raise UsageError(
                f"the database holds {', '.join(sorted(other_portfolios))}: run the demo with"
                " RISKMETRICS_HOME set to an empty folder"
            )
        loaded = load_sample(connection)
        return f"{redact_url(connection.engine.url)}\n     Sample: {loaded}"


def load_sample(connection: "sa.Connection") -> str:
    """Bring the bundled sample into a database, idempotently; returns what it holds."""
    from riskmetrics.db import holdings, input_queries, input_writes
    from riskmetrics.settings import DEFAULT_BENCHMARK
    from riskmetrics.sources import sample

    prices, portfolios = sample.prices(), sample.portfolios()
    input_writes.store_prices(connection, prices.rows, "sample")
    input_writes.store_profiles(connection, sample.profiles().rows, "sample")
    input_writes.store_benchmark_weights(
        connection, sample.benchmark().rows, DEFAULT_BENCHMARK, "sample"
    )
    input_writes.store_setting(connection, input_queries.MARKET_INDEX, sample.MARKET_INDEX)
    for portfolio in portfolios:
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
        f" {len(portfolios)} portfolios"
    )


_FORECAST_ASSETS = "portfolio_values,position_volatility,portfolio_volatility,forecast_scores"

_NEXT_STEPS = """
The report is at {report}

Closes in the sample are adjusted for dividends, so its dollar values are approximate; it holds no bond fund,
and interest-rate betas need one (TLT).

Next:
  {command} show betas                    every position's beta, with its standard error
  {command} backfill --from 2022-01-03 --to {last}
                                          a year of sessions in one run
  {command} ui                            the asset graph and every run, in Dagster

Your own data, in a database of its own:
  export RISKMETRICS_HOME=~/risk
  {command} import prices bars.csv
  {command} import portfolio holdings.csv --name Growth --equity 345000
  {command} run
"""


def _command_name() -> str:
    """Return how the command was called: by its name where that is found, else by its path."""
    command_path = Path(sys.argv[0])
    return "riskmetrics" if shutil.which("riskmetrics") else str(command_path)
