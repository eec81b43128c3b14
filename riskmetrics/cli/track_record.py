"""`riskmetrics show forecast-score`: how volatility forecasts did."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.options import AsJson, Day
from riskmetrics.cli.output import Format, fail, present, print_json, records
from riskmetrics.report import figures

if TYPE_CHECKING:
    import pandas as pd

_SCORES: dict[str, Format] = {
    "qlike": "{:.3f}".format,
    "rmse": "{:.3f}".format,
    "bias": figures.signed_percent,
    "coverage": figures.percent,
    "qlike_ratio": "{:.2f}".format,
    "t": "{:.1f}".format,
}


def forecast_score(
    day: Day = None,
    every: Annotated[bool, typer.Option("--all", help="A row per symbol and portfolio and model, not the pools alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print how completed volatility forecasts did beside the past 21 days' volatility and exponentially weighted ones.

    Example: riskmetrics show forecast-score --all
    """
    from riskmetrics.cli.database import reading
    from riskmetrics.cli.options import day_of
    from riskmetrics.db import volatility
    from riskmetrics.results.scores import summary

    with reading() as connection:
        scores = volatility.forecast_scores(connection, day_of(day))
    table = summary(scores)
    if table.empty:
        raise fail("no forecast is complete yet: the first is 21 sessions after it was made (riskmetrics backfill --from D --to D)")
    if as_json:
        print_json(records(table))
        return
    shown = table if every else table[table["subject"] == "(all)"]
    span = f"made {scores['day'].min():%Y-%m-%d} to {scores['day'].max():%Y-%m-%d}"
    present(
        _readable(shown),
        as_json=False,
        formats=_SCORES,
        title=f"Volatility forecasts {span}, and what happened in the 21 sessions after each",
    )
    typer.echo(
        "qlike: loss of the variance forecast, 0 is perfect; qlike_ratio: the forecast's over the model's; t: of the difference, below -2"
    )
    typer.echo("the forecast is better by more than chance. coverage: of the 80 % band. bias: mean forecast over mean outcome, less 1.")
    if table["in_sample"].any():
        typer.echo("in_sample: the model's fit saw what came after the day, so those figures flatter it.")


def _readable(table: "pd.DataFrame") -> "pd.DataFrame":
    return table.assign(in_sample=table["in_sample"].map({True: "yes", False: ""}))
