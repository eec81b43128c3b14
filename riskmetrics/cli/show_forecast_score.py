"""`riskmetrics show forecast-score`: print the backtest of volatility forecasts."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.output import CellFormat, fail, print_frame, print_json, to_records
from riskmetrics.cli.shared_options import AsJson, Day, to_date
from riskmetrics.present import formatting

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
            "--all", help="Also print a row per symbol or portfolio and model, not only pools."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the backtest of volatility forecasts against trailing and EWMA volatility.

    Example: riskmetrics show forecast-score --all
    """
    print_forecast_scores(to_date(day), every=every, as_json=as_json)


def print_forecast_scores(
    day: "date | None", *, every: bool = False, as_json: bool = False
) -> None:
    """Print the scores of all forecasts completed by ``day``, and the meaning of the columns."""
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import volatility_queries
    from riskmetrics.results.score_results import POOLED, summarize_scores

    with read_transaction() as connection:
        scores = volatility_queries.read_forecast_scores(connection, day)
    table = summarize_scores(scores)
    if table.empty:
        raise fail(
            "no forecast is complete yet: a forecast completes after 21 sessions. Compute earlier"
            " ones with riskmetrics backfill --from DAY --to DAY"
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
            f"Volatility forecasts of {scores['day'].min():%Y-%m-%d} to"
            f" {scores['day'].max():%Y-%m-%d} against the volatility of the next 21 sessions"
        ),
    )
    typer.echo(
        "qlike: loss of the variance forecast, 0 is perfect; qlike_ratio: the forecast's loss over"
        " the model's, below 1 is better;"
    )
    typer.echo(
        "t: of the difference, significant beyond ±2. coverage: of the 80% interval. bias: mean"
        " forecast over mean outcome."
    )
    forecast_rows = table[pooled & (table["model"] == "forecast")]
    for column, why in (
        ("n_incomplete", "without an outcome or a model's forecast are excluded"),
        ("n_zero", "without any price movement are excluded from qlike"),
    ):
        if number := int(forecast_rows[column].sum()):
            typer.echo(f"{number:,} pairs {why}.")
    if table["in_sample"].any():
        typer.echo(
            "in_sample: the model was fitted to data after the day, so these figures are"
            " optimistic."
        )
