"""`riskmetrics show`: stored results."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from riskmetrics.cli import formats
from riskmetrics.cli.insight_list import insights
from riskmetrics.cli.model import model
from riskmetrics.cli.options import AsJson, Day, PortfolioName, day_of
from riskmetrics.cli.output import (
    Format,
    cell,
    fail,
    present,
    print_json,
    print_table,
    records,
    say_caveats,
)
from riskmetrics.cli.track_record import forecast_score
from riskmetrics.report import figures
from riskmetrics.report.reservations import reservations

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

app = typer.Typer(help="Show stored results of a session.", no_args_is_help=True)


@app.command()
def betas(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print the market beta of every position, lots of one instrument netted.

    Example: riskmetrics show betas --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.betas, day_of(day), portfolio)
    present(table, as_json=as_json, formats=formats.BETAS, title=f"Market betas, {session}")
    if not as_json:
        typer.echo(
            "std_error is the regression's own and understates how far the next window's beta may lie: 1.96 of\n"
            "them held it in 65% of 408 windows (python -m benchmarks.beta_skill)."
        )
        typer.echo("adjusted_beta: Vasicek-adjusted beta, shrunk toward 1 in proportion to its sampling error.")


@app.command()
def rate_betas(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print betas to the rate index: of portfolios, and of every position with its standard error.

    Example: riskmetrics show rate-betas --date 2022-12-28
    """
    from riskmetrics.db import rates

    session, positions = _stored(rates.of_positions, day_of(day), portfolio)
    _, portfolios = _stored(rates.of_portfolios, session, portfolio, may_be_empty=True, reserved=True)
    if as_json:
        print_json({"portfolios": records(portfolios), "positions": records(positions)})
        return
    _print_with_reasons(portfolios, formats.RATE_BETAS, f"Rate betas of portfolios, {session}")
    shown = positions.drop(columns=["alpha", "strike_price", "expiration_date"])
    _print_with_reasons(shown, formats.RATE_BETAS, f"Rate betas of positions, {session}")
    typer.echo(
        "Return per unit of the rate index's return, a bond fund's: positive gains when yields fall. two_factor: the market held fixed."
    )


@app.command()
def volatility(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print volatility, past and expected, of portfolios and positions: annualized standard deviations.

    Example: riskmetrics show volatility --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import volatility as stored_volatility

    session, positions = _stored(stored_volatility.of_positions, day_of(day), portfolio)
    _, portfolios = _stored(stored_volatility.of_portfolios, session, portfolio, may_be_empty=True, reserved=True)
    if as_json:
        print_json({"portfolios": records(portfolios), "positions": records(positions)})
        return
    for title, table in (("portfolios", portfolios), ("positions", positions)):
        _print_with_reasons(_with_remarks(table), formats.VOLATILITY_FORMATS, f"Volatility of {title}, {session}")
    typer.echo("expected: of the next 21 sessions; low to high: where it falls four times in five. rise: probability that it exceeds 21d.")
    typer.echo("percentile: of 21d in a year. skill: R² of a year of forecasts beside 21d as one; below 0 is worse than it.")
    if positions["proxy"].eq("range_market").any():
        typer.echo("highs and lows: forecast from the ranges of days; others, as those of portfolios, from closes.")
    if portfolios["thin_sessions"].gt(0).any():
        typer.echo("thin: sessions of the past year on which 80 to 95 % of gross exposure had a return.")
    if not positions["position_type"].isin(["LONG", "SHORT"]).all():
        typer.echo("options: their underlying's volatility times |delta| x price / value, by Black-Scholes.")
    if portfolios["in_sample"].eq(True).any() or positions["in_sample"].eq(True).any():
        typer.echo(f"in sample: {figures.IN_SAMPLE}.")


def _with_remarks(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return volatilities under short headings, with what to know of a forecast in words."""
    remarks = [", ".join(_remarks(row)) for row in records(table)]
    names = [name for name in formats.VOLATILITY if name in table]
    terms = [name for name in ("strike_price", "expiration_date") if name in table]
    unused = {name for name in terms if table[name].isna().all()}
    chosen = [name for name in names if name not in unused]
    shown = table[[*chosen, "undefined_reason"]].rename(columns=formats.VOLATILITY)
    return shown.assign(remarks=remarks)


def _remarks(row: dict[str, Any]) -> Iterator[str]:
    yield from (text for name, text in formats.REMARKS.items() if row[name])
    if row["proxy"] == "range_market":
        yield "highs and lows"
    if row.get("thin_sessions"):
        yield f"{row['thin_sessions']} thin sessions"


@app.command()
def sectors(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print sector weights beside the benchmark's.

    Example: riskmetrics show sectors --date 2022-12-28
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.sectors, day_of(day), portfolio, reserved=True)
    present(table, as_json=as_json, formats=formats.SECTORS, title=f"Sector weights, {session}")


@app.command()
def snapshot(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print every figure of the portfolios, one column a portfolio.

    Example: riskmetrics show snapshot --date 2022-12-28 --json
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.snapshots, day_of(day), portfolio, reserved=True)
    if as_json:
        print_json(records(table))
        return
    rows = records(table)
    names = [name for name in table.columns if name not in ("portfolio", "portfolio_id", "created_at", "sector_exposure")]
    print_table(
        ["", *(row["portfolio"] for row in rows)],
        [[str(name), *(cell(row[name]) for row in rows)] for name in names],
        right=[False, *(True for _ in rows)],
        title=f"Portfolios, {session}",
    )


@app.command()
def risk(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print value at risk, expected shortfall, how they held, and drawdowns.

    Losses are positive, in per cent of equity.

    Example: riskmetrics show risk --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import losses

    session, tail = _stored(losses.tail_risk, day_of(day), portfolio, reserved=True)
    _, tested = _stored(losses.var_backtests, session, portfolio, may_be_empty=True)
    _, fallen = _stored(losses.drawdowns, session, portfolio, may_be_empty=True)
    if as_json:
        print_json({"tail_risk": records(tail), "var_backtests": records(tested), "drawdowns": records(fallen)})
        return
    _print_with_reasons(tail, formats.TAIL, f"Tail risk, {session}: 10 days are 1 day times the square root of 10")
    _print_with_reasons(tested, formats.BACKTESTS, f"Losses beyond the historical value at risk, last 252 sessions to {session}")
    _print_with_reasons(fallen, formats.DRAWDOWNS, f"Drawdowns, last 252 sessions to {session}")


@app.command()
def contributions(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print what each symbol, with the options on it, adds to the volatility of its portfolio.

    Example: riskmetrics show contributions --date 2022-12-28
    """
    from riskmetrics.db import losses

    session, table = _stored(losses.contributions, day_of(day), portfolio, reserved=True)
    _present(table, formats.CONTRIBUTIONS, f"Contributions to volatility, last 252 sessions to {session}", as_json=as_json)


@app.command()
def stress(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print what portfolios would lose in each scenario; a gain is negative.

    Example: riskmetrics show stress --date 2022-12-28
    """
    from riskmetrics.db import losses

    session, table = _stored(losses.stress, day_of(day), portfolio, reserved=True)
    _present(table, formats.STRESS, f"Stress scenarios, {session}", as_json=as_json)


@app.command()
def scenarios(as_json: AsJson = False) -> None:
    """Print the stress scenarios in use; more come with riskmetrics import scenarios.

    Example: riskmetrics show scenarios
    """
    from riskmetrics.cli.database import reading
    from riskmetrics.db import read

    with reading() as connection:
        table = read.stress_scenarios(connection)
    present(table, as_json=as_json, formats=formats.SCENARIOS, title="Stress scenarios")


@app.command()
def options(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print every option's value and sensitivities by Black-Scholes, per share; exposure is the position's.

    By its exposure an option counts in betas, volatility, contributions, value at risk, drawdowns and stress.

    Example: riskmetrics show options --date 2022-12-28
    """
    from riskmetrics.db import losses

    session, table = _stored(losses.options, day_of(day), portfolio, may_be_empty=True)
    if table.empty and not as_json:
        typer.echo(f"no option is held on {session}")
        return
    _present(table, formats.OPTIONS, f"Options, {session}", as_json=as_json)


@app.command()
def undefined(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print what has no value, and why.

    Example: riskmetrics show undefined --date 2022-12-28
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.undefined, day_of(day), portfolio, may_be_empty=True)
    if table.empty and not as_json:
        typer.echo(f"nothing is undefined on {session}")
        return
    present(table, as_json=as_json, title=f"Undefined on {session}")


@app.command()
def quality(day: Day = None, as_json: AsJson = False) -> None:
    """Print what is wrong with a year of prices of what is held, up to a session.

    Example: riskmetrics show quality --date 2022-12-28
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli.database import reading
    from riskmetrics.db import read
    from riskmetrics.db.suspects import import_seams, suspected_moves
    from riskmetrics.results import price_quality

    configured = settings.load()
    with reading() as connection:
        market = read.market_index(connection, configured.market_index)
        rate = read.rate_index(connection, configured.rate_index)
        (session,) = trading_calendar.checked_range(day.date(), day.date()) if day else [read.latest_session(connection, market)]
        bars = read.held_bars(connection, price_quality.sessions(session), [market, rate])
        suspects = suspected_moves(connection, bars.close.columns)
        seams = import_seams(connection, bars.close.columns, price_quality.sessions(session))
    found = price_quality.find(bars, suspects, seams)
    if as_json:
        print_json(records(found))
        return
    if len(found):
        present(found[["symbol", "day", "fault", "finding"]], as_json=False, title=f"Faults of prices, {session}")
    for name in price_quality.FAULTS:
        advice = dict.fromkeys(found["what_to_do"][found["fault"] == name])
        for what_to_do in advice:
            typer.echo(f"{name}: {what_to_do}")
        if not advice:
            typer.echo(price_quality.sentence(name, found[:0], bars))


app.command("forecast-score")(forecast_score)
app.command()(insights)
app.command("model")(model)


def _present(table: "pd.DataFrame", formats: dict[str, Format], title: str, *, as_json: bool) -> None:
    if as_json:
        print_json(records(table))
        return
    _print_with_reasons(table, formats, title)


def _print_with_reasons(table: "pd.DataFrame", formats: dict[str, Format], title: str) -> None:
    """Print rows that say themselves why something in them is undefined, where one does."""
    explained = table if table["undefined_reason"].notna().any() else table.drop(columns="undefined_reason")
    present(explained, as_json=False, formats=formats, title=title)


def _stored(
    read: "Callable[[sa.Connection, date, str | None], pd.DataFrame]",
    day: date | None,
    portfolio: str | None,
    *,
    may_be_empty: bool = False,
    reserved: bool = False,
) -> "tuple[date, pd.DataFrame]":
    """Read a day's results, by default the latest day's; an empty answer ends the command with what to check.

    ``reserved`` results are values, or weights of them: what to know before reading them is said too.
    """
    from riskmetrics.cli.database import reading
    from riskmetrics.db import stored
    from riskmetrics.db.read import portfolios as read_portfolios

    with reading() as connection:
        session = day or stored.latest_day(connection)
        if session is None:
            raise fail("no results are stored yet: riskmetrics run")
        table = read(connection, session, portfolio)
        snapshots = stored.snapshots(connection, session, portfolio)
        notes = reservations(snapshots, stored.coverage(connection, session, portfolio)) if reserved else {}
        known = set(read_portfolios(connection)["name"])
    if portfolio and portfolio not in known:
        raise fail(f"there is no portfolio {portfolio}: see riskmetrics portfolio list", code=2)
    whose = f" for {portfolio}" if portfolio else ""
    if table.empty and len(snapshots) and not may_be_empty:
        raise fail(f"nothing is defined on {session}{whose}: see riskmetrics show undefined --date {session}")
    if table.empty and not (may_be_empty and len(snapshots)):
        raise fail(f"nothing is stored on {session}{whose}: has that session run? riskmetrics run --date {session}")
    say_caveats(session, notes)
    return session, table
