"""`riskmetrics show`: print stored results."""

from collections.abc import Callable

import typer

from riskmetrics.cli.output import print_frame, print_json, to_records
from riskmetrics.cli.shared_options import AsJson, Day, PortfolioName, Wide, to_date
from riskmetrics.cli.show_insights import insights
from riskmetrics.cli.show_model import model
from riskmetrics.cli.show_results import show_view
from riskmetrics.cli.show_track_record import track_record

app = typer.Typer(help="Show stored results of a session.", no_args_is_help=True)


def scenarios(as_json: AsJson = False) -> None:
    """Print the stress scenarios in use; add some with riskmetrics import scenarios.

    Example: riskmetrics show scenarios
    """
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import input_queries
    from riskmetrics.present.figures import table_formats

    with read_transaction() as connection:
        table = input_queries.read_stress_scenarios(connection)
    print_frame(table, as_json=as_json, formats=table_formats({}), title="Stress scenarios")


def quality(day: Day = None, as_json: AsJson = False) -> None:
    """Print faults in a year of prices of all holdings, up to a session.

    Example: riskmetrics show quality --date 2022-12-28
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import input_queries, stored_settings
    from riskmetrics.db.split_suspects import find_import_splices, find_suspected_splits
    from riskmetrics.results import price_faults

    configured = settings.load()
    with read_transaction() as connection:
        market = stored_settings.read_market_index(connection, configured.market_index)
        rate = stored_settings.read_rate_index(connection, configured.rate_index)
        (session,) = (
            trading_calendar.validate_range(day.date(), day.date())
            if day
            else [input_queries.read_latest_session(connection, market)]
        )
        bars = input_queries.read_held_bars(
            connection, price_faults.required_sessions(session), [market, rate]
        )
        suspects = find_suspected_splits(connection, bars.close.columns)
        seams = find_import_splices(
            connection, bars.close.columns, price_faults.required_sessions(session)
        )
    found = price_faults.find_faults(bars, suspects, seams)
    if as_json:
        print_json(to_records(found))
        return
    if len(found):
        print_frame(
            found[["symbol", "day", "fault", "finding"]],
            as_json=False,
            title=f"Price faults, {session}",
        )
    for name in price_faults.FAULT_KINDS:
        advice = dict.fromkeys(found["what_to_do"][found["fault"] == name])
        for what_to_do in advice:
            typer.echo(f"{name}: {what_to_do}")
        if not advice:
            typer.echo(price_faults.describe_findings(name, found[:0], bars))


def _view_command(name: str, text: str) -> Callable[..., None]:
    """Return the command that prints a view, with a help text."""

    def command(
        day: Day = None,
        portfolio: PortfolioName = None,
        as_json: AsJson = False,
        is_wide: Wide = False,
    ) -> None:
        show_view(name, to_date(day), portfolio, as_json=as_json, is_wide=is_wide)

    command.__doc__ = text
    return command


_COMMANDS: dict[str, str | Callable[..., None]] = {
    "betas": """
    Print the market beta of every position; lots of the same instrument are netted.

    Example: riskmetrics show betas --date 2022-12-28 --portfolio Growth
    """,
    "rate-betas": """
    Print betas to the rate index, of portfolios and of positions with standard errors.

    Example: riskmetrics show rate-betas --date 2022-12-28
    """,
    "volatility": """
    Print realized and forecast volatility of portfolios and positions, annualized.

    Example: riskmetrics show volatility --date 2022-12-28 --portfolio Growth
    """,
    "sectors": """
    Print sector weights, and active weights against the benchmark.

    Example: riskmetrics show sectors --date 2022-12-28
    """,
    "snapshot": """
    Print all figures of the portfolios, one column per portfolio.

    Example: riskmetrics show snapshot --date 2022-12-28 --json
    """,
    "risk": """
    Print value at risk with its backtest, drawdowns, market regression and active risk.

    Losses are positive, in percent of equity.

    Example: riskmetrics show risk --date 2022-12-28 --portfolio Growth
    """,
    "contributions": """
    Print each symbol's contribution to volatility and tracking error, options on it included.

    Incremental value at risk is that of the portfolio less that without the symbol.

    Example: riskmetrics show contributions --date 2022-12-28
    """,
    "correlations": """
    Print correlations of the largest holdings, and the diversification of portfolios.

    Example: riskmetrics show correlations --date 2022-12-28 --portfolio Growth
    """,
    "factors": """
    Print the exposures of each portfolio to the market and other factors, and its risk by factor.

    Example: riskmetrics show factors --date 2022-12-28 --portfolio Growth
    """,
    "liquidity": """
    Print the days to liquidate portfolios and holdings at a share of the median volume.

    Example: riskmetrics show liquidity --date 2022-12-28 --portfolio Growth
    """,
    "stress": """
    Print the loss of each portfolio in each stress scenario; a gain is negative.

    Example: riskmetrics show stress --date 2022-12-28
    """,
    "limits": """
    Print the limits of portfolios: value, status, and the first session with that status.

    Example: riskmetrics show limits --date 2022-12-28 --portfolio Growth
    """,
    "scenarios": scenarios,
    "options": """
    Print the Black-Scholes value and sensitivities of options per share, and their exposure.

    Exposure is that of the position. It represents the option in betas, volatility, contributions,
    value at risk, drawdowns and stress scenarios.

    Example: riskmetrics show options --date 2022-12-28
    """,
    "figures": """
    Print the figures that other packages add, by the entry point riskmetrics.metrics.

    Example: riskmetrics show figures --date 2022-12-28
    """,
    "undefined": """
    Print undefined values and their reasons.

    Example: riskmetrics show undefined --date 2022-12-28
    """,
    "quality": quality,
    "track-record": track_record,
    "insights": insights,
    "model": model,
}
"""Command to its function, or to the help text of its view in `cli.views`."""

for _name, _command in _COMMANDS.items():
    app.command(_name)(_view_command(_name, _command) if isinstance(_command, str) else _command)
