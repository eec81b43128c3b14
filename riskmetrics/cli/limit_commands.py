"""`riskmetrics limits`: set limits on figures of portfolios."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction, write_transaction
from riskmetrics.cli.output import print_frame, to_records
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.errors import NotStoredError, UsageError

if TYPE_CHECKING:
    from riskmetrics.catalog import Unit

app = typer.Typer(
    help="Limit figures of portfolios; runs check them and send alerts.",
    no_args_is_help=True,
)

_MAX_PLAIN_NUMBER = 20.0
"""Largest beta or leverage without a percent sign. Beyond, percent is meant."""

_Portfolio = Annotated[str, typer.Argument(help="Name of the portfolio.")]
_Name = Annotated[str, typer.Argument(help="Limited figure; see riskmetrics limits list.")]


@app.command("set", context_settings={"ignore_unknown_options": True})  # -5% is no option
def set_(
    portfolio: _Portfolio,
    name: _Name,
    value: Annotated[str, typer.Argument(help="Maximum allowed value: 0.25 or 25%.")],
) -> None:
    """Set a limit, and check it on the latest session with results.

    Example: riskmetrics limits set Growth single_name 25%

    riskmetrics limits set Growth value_at_risk 0.03
    """
    from riskmetrics.catalog.limits import find_limited_figure
    from riskmetrics.db import portfolio_limits, portfolios, result_queries
    from riskmetrics.present.limit_texts import describe_check, format_limited

    limit = _parse_limit(value, find_limited_figure(name).unit)
    with write_transaction() as connection:
        portfolio_id = portfolios.find_portfolio_id(connection, portfolio)
        portfolio_limits.set_limit(connection, portfolio_id, name, limit)
        day = result_queries.read_latest_day(connection)
        checks = portfolio_limits.preview_checks(connection, day, portfolio_id, name) if day else []
    typer.echo(f"{portfolio}: {name} at most {format_limited(name, limit)}")
    for row in checks:
        typer.echo(f"{day}: {describe_check(row)}")
    if checks:
        typer.echo(f"The next run stores the check: riskmetrics run --date {day}")


@app.command()
def unset(portfolio: _Portfolio, name: _Name) -> None:
    """Remove a limit; its past checks stay.

    Example: riskmetrics limits unset Growth single_name
    """
    from riskmetrics.catalog.limits import find_limited_figure
    from riskmetrics.db import portfolio_limits, portfolios

    find_limited_figure(name)
    with write_transaction() as connection:
        portfolio_id = portfolios.find_portfolio_id(connection, portfolio)
        is_removed = portfolio_limits.remove_limit(connection, portfolio_id, name)
    if not is_removed:
        raise NotStoredError(f"{portfolio} has no limit on {name}: see riskmetrics limits list")
    typer.echo(
        f"{portfolio}: no limit on {name}; its checks stay until sessions are computed again"
    )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Print figures that can be limited, and the limits on them.

    Example: riskmetrics limits list
    """
    import pandas as pd

    from riskmetrics.catalog.limits import LIMITED_FIGURES
    from riskmetrics.db import portfolio_limits
    from riskmetrics.present.limit_texts import format_limited

    with read_transaction() as connection:
        stored = portfolio_limits.read_limits(connection)
    set_limits: dict[str, list[str]] = {}
    for row in to_records(stored):
        name, limit = row["limit_name"], format_limited(row["limit_name"], row["limit_value"])
        set_limits.setdefault(name, []).append(f"{row['portfolio']} {limit}")
    rows = [
        (each.name, each.label, ", ".join(set_limits.get(each.name, [])) or None)
        for each in LIMITED_FIGURES
    ]
    print_frame(
        pd.DataFrame(rows, columns=["name", "label", "limits"]),
        as_json=as_json,
        title="Limits",
    )


def _parse_limit(text: str, unit: "Unit") -> float:
    """Return a limit such as 0.25 or 25%."""
    from riskmetrics.catalog import Unit

    number, is_percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        limit = float(number) / (100 if is_percent else 1)
    except ValueError:
        limit = float("nan")
    if not 0 < limit < float("inf"):
        raise UsageError(f"{text} is not a limit: give a positive number such as 0.25 or 25%")
    is_share = unit is not Unit.NUMBER and unit is not Unit.BETA
    if not is_percent and (limit >= 1 if is_share else limit > _MAX_PLAIN_NUMBER):
        raise UsageError(
            f"{number} is {limit * 100:g}%: did you mean {number}%? Write the percent sign"
        )
    return limit
