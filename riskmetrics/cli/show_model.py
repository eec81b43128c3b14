"""`riskmetrics show model`: print the versions of the volatility forecast's coefficients."""

import math
from typing import TYPE_CHECKING

import typer

from riskmetrics.cli.database import read_transaction
from riskmetrics.cli.output import print_frame, print_json, to_records
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.present.formatting import fixed_point

if TYPE_CHECKING:
    import pandas as pd

_FIT_LABELS = {
    "residual_variance": "variance",
    "n_obs": "pairs",
    "n_symbols": "symbols",
    "first_day": "first day",
    "last_target": "last target",
}


def model(as_json: AsJson = False) -> None:
    """Print the coefficients of the volatility forecast.

    All versions, with standard errors.

    Example: riskmetrics show model
    """
    from riskmetrics.db import calibration_queries
    from riskmetrics.results.model_versions import parse_versions

    with read_transaction() as connection:
        rows = calibration_queries.read_har_coefficients(connection)
    model_versions = parse_versions(rows)
    rows = rows.sort_values(["horizon", "proxy"]).sort_values(
        "version",
        key=lambda names: names.map(model_versions.names.index),
        kind="stable",
        ignore_index=True,
    )
    if as_json:
        print_json(to_records(rows))
        return
    for name, last in zip(model_versions.names, model_versions.last_target, strict=True):
        version_rows = rows[rows["version"] == name]
        print_frame(
            _format_coefficients(version_rows),
            as_json=False,
            title=f"{name}, for forecasts from {last} on, until the next version",
        )
        code_version, digest = version_rows["code_version"].iloc[0], version_rows["digest"].iloc[0]
        typer.echo(
            f"fitted by riskmetrics {code_version}; SHA-256 of its numbers and dates: {digest}"
        )
        for row in version_rows[version_rows["rejection_reason"].notna()].itertuples():
            typer.echo(
                f"{row.proxy}: fit rejected, coefficients of the previous version kept:"
                f" {row.rejection_reason}"
            )
    typer.echo("±: standard error, robust to correlation between series and adjacent days.")


def _format_coefficients(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return weights with their standard errors and the data of the fit, as text."""
    from riskmetrics.results.model_versions import STD_ERROR_COLUMNS, WEIGHT_COLUMNS

    table = rows[["horizon", "proxy"]].copy()
    for weight, std_error in zip(WEIGHT_COLUMNS, STD_ERROR_COLUMNS, strict=True):
        numbers = zip(rows[weight], rows[std_error], strict=True)
        table[weight.removesuffix("_weight")] = [
            fixed_point(value, 3) + ("" if math.isnan(error) else f" ± {error:.3f}")
            for value, error in numbers
        ]
    fit = rows["rejection_reason"].isna().map({True: "accepted", False: "rejected"})
    return table.assign(**{shown: rows[name] for name, shown in _FIT_LABELS.items()}, fit=fit)
