"""`riskmetrics show`: print stored results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from riskmetrics.cli import formats
from riskmetrics.cli.output import (
    format_cell,
    print_frame,
    print_json,
    print_table,
    to_records,
)
from riskmetrics.cli.shared_options import AsJson, Day, PortfolioName, to_date
from riskmetrics.cli.show_forecast_score import forecast_score
from riskmetrics.cli.show_insights import insights
from riskmetrics.cli.show_model import model
from riskmetrics.cli.show_results import print_results, print_with_reasons, read_results
from riskmetrics.present import formatting

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Show stored results of a session.", no_args_is_help=True)


@app.command()
def betas(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print the market beta of every position; lots of the same instrument are netted.

    Example: riskmetrics show betas --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import result_queries

    session, table = read_results(result_queries.read_market_betas, to_date(day), portfolio)
    print_frame(table, as_json=as_json, formats=formats.BETAS, title=f"Market betas, {session}")
    if not as_json:
        typer.echo(
            "std_error is that of the regression and understates the difference to the next"
            " window's beta: 1.96\nstandard errors covered it in 65% of 408 windows (python -m"
            " benchmarks.beta_skill)."
        )
        typer.echo(
            "adjusted_beta: Vasicek-adjusted beta, shrunk toward 1 in proportion to its sampling"
            " error."
        )


@app.command()
def rate_betas(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print betas to the rate index, of portfolios and of positions with standard errors.

    Example: riskmetrics show rate-betas --date 2022-12-28
    """
    from riskmetrics.db import rate_queries

    session, positions = read_results(
        rate_queries.read_position_rate_betas, to_date(day), portfolio
    )
    _, portfolios = read_results(
        rate_queries.read_portfolio_rate_betas,
        session,
        portfolio,
        is_empty_allowed=True,
        has_caveats=True,
    )
    if as_json:
        print_json({"portfolios": to_records(portfolios), "positions": to_records(positions)})
        return
    print_with_reasons(portfolios, formats.RATE_BETAS, f"Rate betas of portfolios, {session}")
    shown = positions.drop(columns=["alpha", "strike_price", "expiration_date"])
    print_with_reasons(shown, formats.RATE_BETAS, f"Rate betas of positions, {session}")
    typer.echo(
        "rate_beta: return per unit return of the rate index, a bond fund; a positive beta gains"
        " when yields fall. two_factor: controlling for the market."
    )


@app.command()
def volatility(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print realized and forecast volatility of portfolios and positions, annualized.

    Example: riskmetrics show volatility --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import volatility_queries as stored_volatility

    session, positions = read_results(
        stored_volatility.read_position_volatility, to_date(day), portfolio
    )
    _, portfolios = read_results(
        stored_volatility.read_portfolio_volatility,
        session,
        portfolio,
        is_empty_allowed=True,
        has_caveats=True,
    )
    if as_json:
        print_json({"portfolios": to_records(portfolios), "positions": to_records(positions)})
        return
    for title, table in (("portfolios", portfolios), ("positions", positions)):
        print_with_reasons(
            _add_remarks(table), formats.VOLATILITY_FORMATS, f"Volatility of {title}, {session}"
        )
    typer.echo(
        "forecast: volatility of the next 21 sessions; low to high: its 80% interval. P(increase):"
        " probability that it exceeds 21d."
    )
    typer.echo(
        "percentile: of 21d within the past year. oos R²: out-of-sample R² of a year of forecasts"
        " against 21d; below 0 is worse than 21d."
    )
    if positions["proxy"].eq("range_market").any():
        typer.echo(
            "highs and lows: the forecast uses daily highs and lows; other forecasts, and those of"
            " portfolios, use closes."
        )
    if portfolios["thin_sessions"].gt(0).any():
        typer.echo(
            "thin: sessions of the past year on which 80% to 95% of gross exposure had a return."
        )
    if not positions["position_type"].isin(["LONG", "SHORT"]).all():
        typer.echo(
            "options: volatility of the underlying times |delta| x price / value (Black-Scholes)."
        )
    if portfolios["in_sample"].eq(True).any() or positions["in_sample"].eq(True).any():
        typer.echo(f"in-sample: {formatting.IN_SAMPLE_NOTE}.")


def _add_remarks(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return volatilities under short labels, with remarks on the forecasts."""
    remarks = [", ".join(_forecast_remarks(row)) for row in to_records(table)]
    names = [name for name in formats.VOLATILITY_LABELS if name in table]
    option_terms = [name for name in ("strike_price", "expiration_date") if name in table]
    unused = {name for name in option_terms if table[name].isna().all()}
    chosen = [name for name in names if name not in unused]
    shown = table[[*chosen, "undefined_reason"]].rename(columns=formats.VOLATILITY_LABELS)
    return shown.assign(remarks=remarks)


def _forecast_remarks(row: dict[str, Any]) -> Iterator[str]:
    yield from (text for name, text in formats.REMARK_LABELS.items() if row[name])
    if row["proxy"] == "range_market":
        yield "highs and lows"
    if row.get("thin_sessions"):
        yield f"{row['thin_sessions']} thin sessions"


@app.command()
def sectors(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print sector weights, and active weights against the benchmark.

    Example: riskmetrics show sectors --date 2022-12-28
    """
    from riskmetrics.db import result_queries

    session, table = read_results(
        result_queries.read_sector_weights, to_date(day), portfolio, has_caveats=True
    )
    print_frame(table, as_json=as_json, formats=formats.SECTORS, title=f"Sector weights, {session}")


@app.command()
def snapshot(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print all figures of the portfolios, one column per portfolio.

    Example: riskmetrics show snapshot --date 2022-12-28 --json
    """
    from riskmetrics.db import result_queries

    session, table = read_results(
        result_queries.read_snapshots, to_date(day), portfolio, has_caveats=True
    )
    if as_json:
        print_json(to_records(table))
        return
    rows = to_records(table)
    names = [
        name
        for name in table.columns
        if name not in ("portfolio", "portfolio_id", "created_at", "sector_exposure")
    ]
    print_table(
        ["", *(row["portfolio"] for row in rows)],
        [[str(name), *(format_cell(row[name]) for row in rows)] for name in names],
        right_aligned=[False, *(True for _ in rows)],
        title=f"Portfolios, {session}",
    )


@app.command()
def risk(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print value at risk, expected shortfall, the VaR backtest and drawdowns.

    Losses are positive, in percent of equity.

    Example: riskmetrics show risk --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import risk_queries

    session, tail_risk = read_results(
        risk_queries.read_tail_risk, to_date(day), portfolio, has_caveats=True
    )
    _, backtests = read_results(
        risk_queries.read_var_backtests, session, portfolio, is_empty_allowed=True
    )
    _, drawdowns = read_results(
        risk_queries.read_drawdowns, session, portfolio, is_empty_allowed=True
    )
    if as_json:
        print_json(
            {
                "tail_risk": to_records(tail_risk),
                "var_backtests": to_records(backtests),
                "drawdowns": to_records(drawdowns),
            }
        )
        return
    print_with_reasons(
        tail_risk,
        formats.TAIL_RISK,
        f"Tail risk, {session} (10-day figures are √10-scaled)",
    )
    print_with_reasons(
        backtests,
        formats.BACKTESTS,
        f"VaR exceptions (Kupiec test), 252 sessions to {session}",
    )
    print_with_reasons(drawdowns, formats.DRAWDOWNS, f"Drawdowns, 252 sessions to {session}")


@app.command()
def contributions(
    day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False
) -> None:
    """Print the contribution of each symbol, with options on it, to portfolio volatility.

    Example: riskmetrics show contributions --date 2022-12-28
    """
    from riskmetrics.db import risk_queries

    session, table = read_results(
        risk_queries.read_risk_contributions, to_date(day), portfolio, has_caveats=True
    )
    print_results(
        table,
        formats.CONTRIBUTIONS,
        f"Contributions to volatility, 252 sessions to {session}",
        as_json=as_json,
    )


@app.command()
def stress(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print the loss of each portfolio in each stress scenario; a gain is negative.

    Example: riskmetrics show stress --date 2022-12-28
    """
    from riskmetrics.db import risk_queries

    session, table = read_results(
        risk_queries.read_stress_results, to_date(day), portfolio, has_caveats=True
    )
    print_results(table, formats.STRESS, f"Stress scenarios, {session}", as_json=as_json)


@app.command()
def scenarios(as_json: AsJson = False) -> None:
    """Print the stress scenarios in use; add some with riskmetrics import scenarios.

    Example: riskmetrics show scenarios
    """
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import input_queries

    with read_transaction() as connection:
        table = input_queries.read_stress_scenarios(connection)
    print_frame(table, as_json=as_json, formats=formats.SCENARIOS, title="Stress scenarios")


@app.command()
def options(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print the Black-Scholes value and sensitivities of options per share, and their exposure.

    Exposure is that of the position. It represents the option in betas, volatility, contributions,
    value at risk, drawdowns and stress scenarios.

    Example: riskmetrics show options --date 2022-12-28
    """
    from riskmetrics.db import risk_queries

    session, table = read_results(
        risk_queries.read_option_exposures, to_date(day), portfolio, is_empty_allowed=True
    )
    if table.empty and not as_json:
        typer.echo(f"no options are held on {session}")
        return
    print_results(table, formats.OPTIONS, f"Options, {session}", as_json=as_json)


@app.command()
def undefined(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print undefined values and their reasons.

    Example: riskmetrics show undefined --date 2022-12-28
    """
    from riskmetrics.db import result_queries

    session, table = read_results(
        result_queries.read_undefined_metrics, to_date(day), portfolio, is_empty_allowed=True
    )
    if table.empty and not as_json:
        typer.echo(f"no undefined values on {session}")
        return
    print_frame(table, as_json=as_json, title=f"Undefined values, {session}")


@app.command()
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


app.command("forecast-score")(forecast_score)
app.command()(insights)
app.command("model")(model)
