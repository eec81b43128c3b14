"""`riskmetrics show`: print stored results."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from riskmetrics.cli.database import find_session, missing_results_error, read_transaction
from riskmetrics.cli.output import (
    format_cell,
    is_fitted,
    is_number,
    print_caveats,
    print_frame,
    print_json,
    print_table,
    spell_infinities,
    to_records,
)
from riskmetrics.cli.shared_options import AsJson, Day, PortfolioName, Wide
from riskmetrics.cli.show_insights import insights
from riskmetrics.cli.show_model import model
from riskmetrics.cli.show_track_record import track_record
from riskmetrics.errors import NotStoredError
from riskmetrics.present.formatting import stored_text
from riskmetrics.text import escape_controls, join_names

if TYPE_CHECKING:
    import pandas as pd

    from riskmetrics.cli.views import Table, View


class _ViewGroup(TyperGroup):
    """The group of views, which knows the view of a table by a word of its name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return a command; of an unknown one, name the view that shows such a table."""
        try:
            return super().resolve_command(ctx, args)
        except typer.TyperException as error:
            if "Did you mean" not in error.message and (view := _find_view(args[0])):
                error.message = f"{error.message.rstrip('.')}. Did you mean {view!r}?"
            raise


def _find_view(text: str) -> str:
    """Return the view with a table that has all words of a text in its name; empty if none has.

    Examples
    --------
    >>> _find_view("tail"), _find_view("drawdowns"), _find_view("portfolio")
    ('risk', 'risk', '')
    """
    from riskmetrics.catalog import all_listings

    words = {*text.casefold().replace("-", "_").split("_")} - {"portfolio", "position", "holding"}
    found = (each.view for each in all_listings() if words and words <= {*each.table.split("_")})
    return next(filter(None, found), "")


app = typer.Typer(help="Print stored results of a session.", no_args_is_help=True, cls=_ViewGroup)


def scenarios(as_json: AsJson = False) -> None:
    """Print the stress scenarios in use.

    Add some with riskmetrics import scenarios.

    Example: riskmetrics show scenarios
    """
    from riskmetrics.db import input_queries
    from riskmetrics.present.figures import table_formats

    with read_transaction() as connection:
        table = input_queries.read_stress_scenarios(connection)
    print_frame(table, as_json=as_json, formats=table_formats({}), title="Stress scenarios")


def quality(day: Day = None, as_json: AsJson = False) -> None:
    """Print faults in a year of prices of holdings.

    Example: riskmetrics show quality --date 2022-12-28
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.db import input_queries, stored_prices, stored_settings
    from riskmetrics.inputs.stored_faults import read_faults
    from riskmetrics.results import price_faults

    configured = settings.load()
    with read_transaction() as connection:
        market = stored_settings.read_market_index(connection, configured.market_index)
        rate = stored_settings.read_rate_index(connection, configured.rate_index)
        (session,) = (
            trading_calendar.validate_range(day, day)
            if day
            else [input_queries.read_latest_session(connection, market)]
        )
        found, bars = read_faults(connection, session, [market, rate])
        unpriced = bars.close.columns[bars.close.isna().all()]
        likely = set(stored_prices.suggest_symbols(connection, unpriced)) - set(unpriced)
    if as_json:
        print_json(to_records(found))
        return
    if len(found):
        print_frame(
            found[["symbol", "day", "fault", "finding"]],
            as_json=False,
            formats={"finding": stored_text},
            title=f"Price faults, {session}",
        )
    if likely:
        typer.echo(f"no price in a year: {join_names(sorted(likely))}")
    for name in price_faults.FAULT_KINDS:
        advice = dict.fromkeys(found["what_to_do"][found["fault"] == name])
        for what_to_do in advice:
            typer.echo(f"{name}: {what_to_do}")
        if not advice:
            typer.echo(price_faults.describe_findings(name, found[:0], bars))


def rejected_rows(
    kind: Annotated[
        str | None, typer.Option(help="Only rows of this kind, such as prices or portfolio.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="Number of rows, the newest first.")] = 50,
    as_json: AsJson = False,
    is_wide: Wide = False,
) -> None:
    """Print rows of files and vendors that were rejected, and why.

    Example: riskmetrics show rejected --kind prices --last 20
    """
    from riskmetrics.db import result_queries

    with read_transaction() as connection:
        table = result_queries.read_rejected_rows(connection, kind, last)
        kinds = result_queries.read_rejected_kinds(connection)
    if as_json:
        print_json(to_records(table))
    elif table.empty:
        stored = f": rows of {join_names(kinds)} were" if kinds else ""
        typer.echo(f"no row{f' of the kind {kind}' if kind else ''} was rejected{stored}")
    else:
        details = ("rejected_at", "kind")
        print_frame(table, as_json=False, title="Rejected rows", is_wide=is_wide, details=details)


def show_view(
    name: str, day: date | None, portfolio: str | None, *, as_json: bool, is_wide: bool
) -> None:
    """Print a view of a day's results, by default the latest; exit with advice without any."""
    view, session, frames, text_if_empty = _read(name, day, portfolio)
    if as_json:
        records = {key: to_records(spell_infinities(frame)) for key, frame in frames.items()}
        print_json(records.get("", records))
        return
    if text_if_empty and all(frame.empty for frame in frames.values()):
        typer.echo(text_if_empty.format(session=session))
        return
    for number, (key, table) in enumerate(view.tables.items()):
        if number:
            typer.echo()
        _print(table, frames[key], session, is_wide=is_wide)
    for line in view.notes(frames):
        typer.echo(line)


def _print(table: "Table", frame: "pd.DataFrame", session: date, *, is_wide: bool) -> None:
    """Print a table; columns of reasons and of options are shown only if they have a value."""
    from riskmetrics.cli.views import DETAILS, HIDDEN_IF_EMPTY
    from riskmetrics.present.figures import table_formats

    title = table.title.format(session=session)
    hidden = set(table.hidden)
    hidden |= {name for name in HIDDEN_IF_EMPTY if name in frame and frame[name].isna().all()}
    shown = table.arrange(frame)
    shown = shown[[name for name in shown.columns if name not in hidden]]
    figures = table.figures
    formats = table_formats(figures)
    if table.is_transposed:
        rows = to_records(shown)
        print_table(
            ["", *(row["portfolio"] for row in rows)],
            [
                [str(name), *(format_cell(row[name], formats.get(name)) for row in rows)]
                for name in shown.columns
                if name != "portfolio"
            ],
            right_aligned=[False, *(True for _ in rows)],
            title=title,
            is_wide=is_wide,
        )
        return
    headings = {column: figure.heading for column, figure in figures.items()}
    reasons: list[str] = []
    if "undefined_reason" in shown and is_fitted(is_wide=is_wide):
        shown, reasons = _number_reasons(shown)
    print_frame(
        shown,
        as_json=False,
        formats=formats,
        headings=headings if table.has_headings else {},
        title=title,
        is_wide=is_wide,
        details=DETAILS,
    )
    for number, reason in enumerate(reasons, start=1):
        typer.echo(escape_controls(f"({number}) {stored_text(reason)}", one_line=True))


def _number_reasons(table: "pd.DataFrame") -> "tuple[pd.DataFrame, list[str]]":
    """Return a table with numbers of its reasons in front of the first number, and the reasons."""
    reasons: list[str] = table["undefined_reason"].dropna().unique().tolist()
    numbers = {reason: f"({number})" for number, reason in enumerate(reasons, start=1)}
    notes = table["undefined_reason"].map(numbers).fillna("")
    others = table.drop(columns="undefined_reason")
    place = next((at for at, name in enumerate(others) if is_number(others, name)), others.shape[1])
    others.insert(place, "note", notes)
    return others, reasons


def _read(
    name: str, day: date | None, portfolio: str | None
) -> "tuple[View, date, Mapping[str, pd.DataFrame], str]":
    with read_transaction() as connection:
        from riskmetrics.cli.views import VIEWS  # with the server, which takes as long to start
        from riskmetrics.db import listed_rows, result_queries
        from riskmetrics.present.caveats import portfolio_caveats

        view = VIEWS[name]
        session = find_session(connection, day, portfolio)
        frames = {
            key: table.query(connection, session, portfolio) for key, table in view.tables.items()
        }
        snapshots = result_queries.read_snapshots(connection, session, portfolio)
        coverage = listed_rows.read_coverage(connection, session, portfolio)
        text_if_empty = view.text_if_empty(connection, portfolio)
        missing = [view.tables[key] for key, frame in frames.items() if frame.empty]
        if missing and snapshots.empty:
            raise missing_results_error(connection, session, portfolio)
    if not all(table.is_optional for table in missing):
        of_portfolio = f" of {portfolio}" if portfolio else ""
        raise NotStoredError(
            f"all of these results{of_portfolio} are undefined on {session}: see riskmetrics show"
            f" undefined --date {session}"
        )
    if view.has_caveats:
        print_caveats(session, portfolio_caveats(snapshots, coverage))
    return view, session, frames, text_if_empty


def _view_command(name: str, text: str) -> Callable[..., None]:
    """Return the command that prints a view, with a help text."""

    def command(
        day: Day = None,
        portfolio: PortfolioName = None,
        as_json: AsJson = False,
        is_wide: Wide = False,
    ) -> None:
        show_view(name, day, portfolio, as_json=as_json, is_wide=is_wide)

    example = f"riskmetrics show {name} --date 2022-12-28 --portfolio Growth"
    command.__doc__ = f"{text}\n\nExample: {example}"
    return command


_COMMANDS: dict[str, dict[str, str | Callable[..., None]]] = {
    "Portfolios": {
        "snapshot": "Print all figures of portfolios, one column per portfolio.",
        "sectors": "Print sector weights, and active ones against the benchmark.",
        "limits": "Print limits: value, status, and since when.",
        "insights": insights,
        "figures": (
            "Print figures that other packages add.\n\n"
            "They do so by the entry point riskmetrics.metrics."
        ),
    },
    "Risk": {
        "risk": (
            "Print value at risk, drawdowns and active risk.\n\n"
            "Also the backtest of value at risk, and the regression on the market. Losses are"
            " negative, in percent of equity."
        ),
        "volatility": (
            "Print realized and forecast volatility, annualized.\n\nOf portfolios and positions."
        ),
        "contributions": (
            "Print each symbol's contribution to risk.\n\n"
            "To volatility and tracking error, options on the symbol included. Incremental value at"
            " risk is that of the portfolio less that without the symbol."
        ),
        "correlations": (
            "Print correlations of the largest holdings.\n\nAlso the diversification of portfolios."
        ),
        "stress": (
            "Print the result of portfolios in each stress scenario.\n\nA loss is negative."
        ),
        "scenarios": scenarios,
        "options": (
            "Print values and sensitivities of options (Black-Scholes).\n\n"
            "They are per share; exposure is that of the position. It represents the option in"
            " betas, volatility, contributions, value at risk, drawdowns and stress scenarios."
        ),
        "liquidity": (
            "Print the days that it takes to sell holdings.\n\n"
            "Of portfolios and holdings, at a share of the median volume."
        ),
    },
    "Exposures": {
        "betas": ("Print market betas of positions.\n\nLots of the same instrument are netted."),
        "rate-betas": (
            "Print betas to the rate index.\n\n"
            "Of portfolios, and of positions with standard errors."
        ),
        "factors": (
            "Print factor exposures of portfolios, and risk by factor.\n\n"
            "Factors are the market and those of RISKMETRICS_FACTORS."
        ),
    },
    "Forecasts": {"track-record": track_record, "model": model},
    "Data": {
        "undefined": "Print undefined values and their reasons.",
        "quality": quality,
        "rejected": rejected_rows,
    },
}
"""By subject, each command's function, or the help text of its view in `cli.views`."""

for _subject, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_subject)(
            _view_command(_name, _command) if isinstance(_command, str) else _command
        )
