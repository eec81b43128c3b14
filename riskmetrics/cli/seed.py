"""`riskmetrics seed`: first fills from the vendor."""

import typer

from riskmetrics.cli.options import AsJson
from riskmetrics.cli.output import Format, present, progress

app = typer.Typer(help="Fetch from the vendor what a run would fetch only when it is due (FMP_API_KEY).", no_args_is_help=True)


@app.command()
def benchmark(as_json: AsJson = False) -> None:
    """Sector weights of the S&P 500 as of the latest session, whatever is stored: some 500 calls, or one on a small plan.

    Example: riskmetrics seed benchmark
    """
    from riskmetrics import settings
    from riskmetrics.cli import launch
    from riskmetrics.cli.database import connected, reading
    from riskmetrics.db import stored
    from riskmetrics.errors import ConfigurationError

    configured = settings.load()
    if configured.fmp_api_key is None:
        raise ConfigurationError("FMP_API_KEY is not set: set it, or import sector weights with `riskmetrics import benchmark FILE`")
    from riskmetrics.definitions import SEED_BENCHMARK

    progress(f"Running {SEED_BENCHMARK} …")
    with connected():
        outcome = launch.run(configured, (), job=SEED_BENCHMARK, config={"benchmark_weights": {"anew": True}})
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
    with reading() as connection:
        weights = stored.benchmark(connection, settings.DEFAULT_BENCHMARK)
    formats: dict[str, Format] = {"weight": "{:.2%}".format, "market_cap": "{:,.0f}".format}
    present(weights, as_json=as_json, formats=formats)
