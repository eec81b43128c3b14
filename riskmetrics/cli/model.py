"""`riskmetrics show model`: versions of the volatility forecast's coefficients."""

import math
from typing import TYPE_CHECKING

import typer

from riskmetrics.cli.options import AsJson
from riskmetrics.cli.output import present, print_json, records

if TYPE_CHECKING:
    import pandas as pd

_REST = {"residual_variance": "variance", "n_obs": "pairs", "n_symbols": "symbols", "first_day": "first day", "last_target": "last target"}


def model(as_json: AsJson = False) -> None:
    """Print every version of the volatility forecast's coefficients, with standard errors where they are known.

    Example: riskmetrics show model
    """
    from riskmetrics.cli.database import reading
    from riskmetrics.db import read
    from riskmetrics.results.model import versions

    with reading() as connection:
        rows = read.har_coefficients(connection)
    known = versions(rows)
    rows = rows.sort_values("proxy").sort_values("version", key=lambda of: of.map(known.names.index), kind="stable", ignore_index=True)
    if as_json:
        print_json(records(rows))
        return
    for name, last in zip(known.names, known.last_target, strict=True):
        of_version = rows[rows["version"] == name]
        present(_table(of_version), as_json=False, title=f"{name}, for forecasts from {last} on, until there is a later version")
        maker, digest = of_version["code_version"].iloc[0], of_version["digest"].iloc[0]
        typer.echo(f"made by riskmetrics {maker}; sha256 of its numbers and dates: {digest}")
        for row in of_version[of_version["refused_reason"].notna()].itertuples():
            typer.echo(f"{row.proxy} was refused, and has the coefficients of the version before: {row.refused_reason}")
    typer.echo("± a standard error that allows for what series and neighbouring days have in common.")


def _table(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Weights with their standard errors, and what they rest on."""
    from riskmetrics.results.model import STD_ERRORS, WEIGHTS

    table = rows[["proxy"]].copy()
    for weight, std_error in zip(WEIGHTS, STD_ERRORS, strict=True):
        numbers = zip(rows[weight], rows[std_error], strict=True)
        table[weight.removesuffix("_weight")] = [f"{of:.3f}" + ("" if math.isnan(error) else f" ± {error:.3f}") for of, error in numbers]
    fit = rows["refused_reason"].isna().map({True: "accepted", False: "refused"})
    return table.assign(**{shown: rows[name] for name, shown in _REST.items()}, fit=fit)
