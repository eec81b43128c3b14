"""`riskmetrics calibrate`: fit a new version of the volatility forecast's coefficients."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from riskmetrics.cli.database import connect_at_head, read_transaction
from riskmetrics.cli.output import CellFormat, echo_err, echo_progress, print_frame, print_json
from riskmetrics.cli.shared_options import AsJson, day_option
from riskmetrics.present.formatting import fixed_point, stored_text, with_true_minus

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.settings import Settings

_Fit = TypeVar("_Fit")

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
_THREE_DECIMALS = partial(fixed_point, decimals=3)
_FORMATS: dict[str, CellFormat] = {
    **dict.fromkeys(
        ("constant", "day", "week", "month", "market", "variance", "R²"), _THREE_DECIMALS
    ),
    **dict.fromkeys(("pairs", "symbols"), "{:,.0f}".format),
}


def calibrate(
    through: Annotated[
        date | None,
        day_option(
            help_text=(
                "Last session of the calibration data."
                " Default: the latest with a close of the market index."
            ),
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the fit without storing it.")
    ] = False,
    is_backtest: Annotated[
        bool,
        typer.Option(
            "--backtest",
            help="Fit at the start of every year and score each fit on its year; store nothing.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the volatility forecast's coefficients to all stored stocks.

    Calibration requires five years of prices of twenty stocks, and rejects coefficients that are
    not safe to forecast with. A forecast uses the newest version that was fitted only to data
    before the day of the forecast.

    --backtest fits at the start of every year and compares each fit, on the sessions of its year,
    with the versions in use then.

    Example: riskmetrics calibrate --through 2024-12-06 --dry-run
    """
    from riskmetrics import settings
    from riskmetrics.inputs import calibration_inputs

    configured = settings.load()
    if is_backtest:
        rows = _fit(calibration_inputs.backtest, configured, through, "every year ")
        _print_backtest(rows, as_json=as_json)
        return
    if dry_run:
        proposal = _fit(calibration_inputs.propose_calibration, configured, through).summary()
    else:
        proposal = _run_calibration(configured, through)
    if as_json:
        print_json(proposal | {"dry_run": dry_run})
    else:
        _print_proposal(proposal)
    _report_outcome(proposal, dry_run=dry_run)


def _fit(
    function: Callable[["sa.Connection", str, str, date], _Fit],
    configured: "Settings",
    through: date | None,
    what: str = "",
) -> _Fit:
    """Return a function's result for the stored prices up to a session, by default the latest."""
    from riskmetrics.db import input_queries, stored_settings

    echo_progress(f"Fitting {what}…")
    with read_transaction() as connection:
        market = stored_settings.read_market_index(connection, configured.market_index)
        rate = stored_settings.read_rate_index(connection, configured.rate_index)
        last = through or input_queries.read_latest_session(connection, market)
        return function(connection, market, rate, last)


def _print_backtest(rows: "pd.DataFrame", *, as_json: bool) -> None:
    names = {"n_obs": "pairs", "qlike_refitted": "QLIKE refitted", "qlike_in_use": "QLIKE in use"}
    formats: dict[str, CellFormat] = {
        "pairs": "{:,.0f}".format,
        **dict.fromkeys(("QLIKE refitted", "QLIKE in use"), partial(fixed_point, decimals=4)),
        "t": lambda value: with_true_minus(f"{value:+.1f}"),
    }
    print_frame(
        rows if as_json else rows.rename(columns=names).astype({"pairs": float}),
        as_json=as_json,
        formats=formats,
        title="Fits at the start of each year, and versions in use, on the sessions of the year",
    )


def _run_calibration(configured: "Settings", through: date | None) -> dict[str, Any]:
    """Run the job that stores the version; exit with the job's code if it fails."""
    from riskmetrics.assets.har_calibration import PROPOSAL_KEY, har_coefficients
    from riskmetrics.cli import launch
    from riskmetrics.definitions import CALIBRATE

    echo_progress("Running calibrate …")
    name = har_coefficients.key.to_user_string()
    # Report a database error before the run begins, and keep an embedded server up.
    with connect_at_head():
        outcome = launch.run(
            configured, [], job=CALIBRATE, config={name: {"through": f"{through or ''}"}}
        )
    echo_err(f"run {outcome.run_id}: {'done' if outcome.exit_code == 0 else 'nothing was stored'}")
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
    (materialized,) = outcome.result.asset_materializations_for_node(name)
    proposal: dict[str, Any] = materialized.metadata[PROPOSAL_KEY].value  # type: ignore[assignment]
    return proposal


def _print_proposal(proposal: dict[str, Any]) -> None:
    import pandas as pd

    table = (
        pd.DataFrame(proposal["coefficients"])
        .astype({"n_obs": float, "n_symbols": float})
        .rename(columns=_COLUMNS)
    )
    print_frame(
        table,
        as_json=False,
        formats=_FORMATS,
        title=f"Coefficients of this fit and of {proposal['present']}",
    )
    if proposal["corrections"]:
        print_frame(
            pd.DataFrame(proposal["corrections"]),
            as_json=False,
            formats=dict.fromkeys(
                ("constant", "season_weight", "quarter_weight", "range_level_weight"),
                _THREE_DECIMALS,
            ),
            title=f"Corrections of this fit and of {proposal['present']}",
        )


def _report_outcome(proposal: dict[str, Any], *, dry_run: bool) -> None:
    for proxy, why in proposal["kept"].items():
        echo_err(f"{proxy} keeps the coefficients of {proposal['present']}: {stored_text(why)}")
    version = proposal["version"]
    if not proposal["new"]:
        echo_err(
            f"nothing stored: the same coefficients for the same days are already stored as"
            f" {version}"
        )
    elif dry_run:
        echo_err(f"dry run: nothing stored; without --dry-run this would be {version}")
    else:
        echo_err(
            f"stored as {version}: forecasts for {proposal['known_from']} and later use it;"
            " forecasts already stored use it once they are recomputed"
        )
