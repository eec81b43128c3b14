"""`riskmetrics calibrate`: a new version of the volatility forecast's coefficients."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmetrics.cli.options import DAY_FORMAT, AsJson, day_of
from riskmetrics.cli.output import Format, present, print_json, progress, say

if TYPE_CHECKING:
    from riskmetrics.settings import Settings

_COLUMNS = {
    "constant": "constant",
    "day_weight": "day",
    "week_weight": "week",
    "month_weight": "month",
    "market_weight": "market",
    "residual_variance": "variance",
    "n_obs": "pairs",
    "n_symbols": "symbols",
    "first_day": "first day",
    "last_target": "last target",
    "r_squared": "R²",
}
_FORMATS: dict[str, Format] = {
    **dict.fromkeys(("constant", "day", "week", "month", "market", "variance", "R²"), "{:.3f}".format),
    **dict.fromkeys(("pairs", "symbols"), "{:,.0f}".format),
}


def calibrate(
    through: Annotated[
        datetime | None,
        typer.Option(formats=DAY_FORMAT, help="Last session of the prices. Default: the latest with a close of the market index."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the fit and store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the volatility forecast's coefficients anew, to every stored stock.

    It takes five years of prices of twenty stocks, and refuses coefficients that would not be safe to forecast with. A forecast uses
    the newest version whose fit knew nothing of what comes after the forecast's day.

    Example: riskmetrics calibrate --through 2024-12-06 --dry-run
    """
    from riskmetrics import settings

    configured, day = settings.load(), day_of(through)
    proposal = _dry(configured, day) if dry_run else _stored(configured, day)
    if as_json:
        print_json(proposal | {"dry_run": dry_run})
    else:
        _print(proposal)
    _conclude(proposal, dry_run=dry_run)


def _dry(configured: "Settings", through: date | None) -> dict[str, Any]:
    from riskmetrics.assets import inputs
    from riskmetrics.cli.database import reading
    from riskmetrics.db import read

    progress("Fitting …")
    with reading() as connection:
        market = read.market_index(connection, configured.market_index)
        rate = read.rate_index(connection, configured.rate_index)
        return inputs.proposed_model(connection, market, rate, through or read.latest_session(connection, market)).summary()


def _stored(configured: "Settings", through: date | None) -> dict[str, Any]:
    """Run the job, which stores the version; ends with its exit code if it fails."""
    from riskmetrics.assets.model import PROPOSAL, har_coefficients
    from riskmetrics.cli import launch
    from riskmetrics.cli.database import connected
    from riskmetrics.definitions import CALIBRATE

    progress("Running calibrate …")
    name = har_coefficients.key.to_user_string()
    with connected():  # says what is wrong with the database before the run begins, and keeps an embedded server up
        outcome = launch.run(configured, [], job=CALIBRATE, config={name: {"through": f"{through or ''}"}})
    say(f"run {outcome.run_id}: {'done' if outcome.exit_code == 0 else 'nothing is stored'}")
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
    (materialized,) = outcome.result.asset_materializations_for_node(name)
    proposal: dict[str, Any] = materialized.metadata[PROPOSAL].value  # type: ignore[assignment]
    return proposal


def _print(proposal: dict[str, Any]) -> None:
    import pandas as pd

    table = pd.DataFrame(proposal["coefficients"]).astype({"n_obs": float, "n_symbols": float}).rename(columns=_COLUMNS)
    present(table, as_json=False, formats=_FORMATS, title=f"Coefficients fitted now, and those of {proposal['present']}")


def _conclude(proposal: dict[str, Any], *, dry_run: bool) -> None:
    for proxy, why in proposal["kept"].items():
        say(f"{proxy} keeps the coefficients of {proposal['present']}: {why}")
    version = proposal["version"]
    if not proposal["new"]:
        say(f"the same coefficients of the same days are stored already, as {version}: nothing is stored")
    elif dry_run:
        say(f"dry run: nothing is stored; without --dry-run it would be {version}")
    else:
        say(f"stored as {version}: forecasts of {proposal['known_from']} and later use it, stored ones once they are computed again")
