"""`riskmetrics show forecast-score`: how volatility forecasts did."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.output import CellFormat, fail, print_frame, print_json, to_records
from riskmetrics.cli.shared_options import AsJson, Day, to_date
from riskmetrics.report import formatting

if TYPE_CHECKING:
    from datetime import date

_SCORE_FORMATS: dict[str, CellFormat] = {
    "qlike": "{:.3f}".format,
    "rmse": "{:.3f}".format,
    "bias": formatting.signed_percent,
    "coverage": formatting.percent,
    "qlike_ratio": "{:.2f}".format,
    "t": "{:.1f}".format,
}


def forecast_score(
    day: Day = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="A row per symbol and portfolio and model, not the pools alone."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print how completed volatility forecasts did beside the past 21 days' volatility and exponentially weighted ones.

    Example: riskmetrics show forecast-score --all
    """
    print_forecast_scores(to_date(day), every=every, as_json=as_json)


def print_forecast_scores(
    day: "date | None", *, every: bool = False, as_json: bool = False
) -> None:
    """Print the scores of all forecasts that were complete by ``day``, and what the columns mean."""
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import volatility_queries
    from riskmetrics.results.score_results import POOLED, summarize_scores

    with read_transaction() as connection:
        scores = volatility_queries.read_forecast_scores(connection, day)
    table = summarize_scores(scores)
    if table.empty:
        raise fail(
            "no forecast is complete yet: the first is 21 sessions after it was made (riskmetrics"
            " backfill --from D --to D)"
        )
    if as_json:
        print_json(to_records(table))
        return
    pooled = table["subject"] == POOLED
    shown = table if every else table[pooled]
    print_frame(
        shown.drop(columns=["n_zero", "n_incomplete"]).assign(
            in_sample=shown["in_sample"].map({True: "yes", False: ""})
        ),
        as_json=False,
        formats=_SCORE_FORMATS,
        title=(
            f"Volatility forecasts made {scores['day'].min():%Y-%m-%d} to"
            f" {scores['day'].max():%Y-%m-%d}, and what happened in the 21 sessions after each"
        ),
    )
    typer.echo(
        "qlike: loss of the variance forecast, 0 is perfect; qlike_ratio: the forecast's over the"
        " model's, below 1 it is better;"
    )
    typer.echo(
        "t: of the difference, beyond 2 either way more than chance. coverage: of the 80 % band."
        " bias: mean forecast over mean outcome."
    )
    forecast_rows = table[pooled & (table["model"] == "forecast")]
    for column, why in (
        ("n_incomplete", "have no outcome, or lack a model's forecast, and are left out"),
        ("n_zero", "had no movement at all, and are left out of qlike"),
    ):
        if number := int(forecast_rows[column].sum()):
            typer.echo(f"{number:,} pairs {why}.")
    if table["in_sample"].any():
        typer.echo(
            "in_sample: the model's fit saw what came after the day, so those figures flatter it."
        )
