"""`riskmetrics show track-record`: print how stored forecasts compare with their outcomes."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction
from riskmetrics.cli.output import CellFormat, pluralize, print_frame, print_json, to_records
from riskmetrics.cli.shared_options import AsJson, Day, PortfolioName, Wide
from riskmetrics.errors import NotStoredError, UsageError
from riskmetrics.present import formatting

if TYPE_CHECKING:
    import pandas as pd

    from riskmetrics.catalog.track_records import ForecastKind
    from riskmetrics.present.track_record import TrackRecord

_KINDS = "volatility, value_at_risk or beta"

_TWO, _THREE = formatting.two_decimals, partial(formatting.fixed_point, decimals=3)

_FORMATS: dict[str, CellFormat] = {
    "loss": _THREE,
    "loss_ratio": _TWO,
    "t": formatting.one_decimal,
    "bias": formatting.signed_percent,
    "coverage": formatting.percent,
    "nominal": formatting.percent,
    "level": formatting.level,
    "expected_exceptions": formatting.one_decimal,
    "kupiec_p": _THREE,
    "independence_p": _THREE,
    "conditional_p": _THREE,
    "z2": _TWO,
    "shortfall_ratio": _TWO,
    "kupiec_rejected": formatting.percent,
    "independence_rejected": formatting.percent,
    "conditional_rejected": formatting.percent,
}


def track_record(
    kind: Annotated[
        str | None, typer.Option("--kind", help=f"Only this kind of forecast: {_KINDS}.")
    ] = None,
    portfolio: PortfolioName = None,
    day: Day = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Print rows by symbol and portfolio, not by class."),
    ] = False,
    as_json: AsJson = False,
    is_wide: Wide = False,
) -> None:
    """Print how good past forecasts were.

    They are compared with their outcomes, and with simple alternatives.

    Example: riskmetrics show track-record --kind value_at_risk --portfolio Growth
    """
    from riskmetrics.catalog.track_records import ForecastKind
    from riskmetrics.db.portfolios import find_portfolio_id
    from riskmetrics.present.track_record import read_track_record

    known = {each.value: each for each in ForecastKind}
    if kind is not None and kind not in known:
        raise UsageError(f"--kind {kind} is unknown: use {_KINDS}")
    kinds = tuple(ForecastKind) if kind is None else (known[kind],)
    with read_transaction() as connection:
        if portfolio is not None:
            find_portfolio_id(connection, portfolio)
        record = read_track_record(
            connection, day, kinds=kinds, portfolio=portfolio, by_subject=every
        )
    if record.scores.empty:
        raise NotStoredError(
            "no forecast is complete yet: a value at risk completes after 1 session, a volatility"
            " forecast after 21, a beta after 90. Compute earlier ones with riskmetrics backfill"
            " --from DAY --to DAY"
        )
    is_by_portfolio = every or portfolio is not None
    if as_json:
        tests = record.tests if is_by_portfolio else record.pooled_tests
        print_json({"scores": to_records(record.scores), "value_at_risk_tests": to_records(tests)})
        return
    for number, each in enumerate(kinds):
        if number:
            typer.echo()
        _print_kind(record, each, is_by_portfolio=is_by_portfolio, is_wide=is_wide)
    _print_notes(record, is_by_portfolio=is_by_portfolio)


def _print_kind(
    record: "TrackRecord", kind: "ForecastKind", *, is_by_portfolio: bool, is_wide: bool
) -> None:
    from riskmetrics.catalog.track_records import ForecastKind
    from riskmetrics.present.track_record import BASIS_POINTS, LOSS_LABELS, label_methods

    rows = label_methods(record.rows_of(kind), kind)
    if rows.empty:
        return
    is_value_at_risk = kind is ForecastKind.VALUE_AT_RISK
    unused = ["kind", "n_excluded", *(() if is_value_at_risk else ("level",))]
    if not rows["in_sample"].astype(bool).any():
        unused.append("in_sample")
    if is_value_at_risk:
        rows = rows.assign(loss=rows["loss"] * BASIS_POINTS)
    _print(
        rows.drop(columns=unused),
        f"Track record of {kind.label} (loss: {LOSS_LABELS[kind]})",
        is_wide=is_wide,
    )
    if not is_value_at_risk:
        return
    tests = record.tests if is_by_portfolio else record.pooled_tests
    sums = ["losses_beyond", "shortfalls"]
    shown = label_methods(tests, kind).drop(columns=["remark", *sums], errors="ignore")
    typer.echo()
    _print(shown, "Exceptions of the stored value at risk", is_wide=is_wide)
    if is_by_portfolio:
        for row in to_records(shown.assign(remark=tests["remark"])):
            if row["remark"]:
                typer.echo(
                    f"{row['subject']}, {row['method']}, {formatting.level(row['level'])}:"
                    f" {row['remark']}."
                )


def _print(rows: "pd.DataFrame", title: str, *, is_wide: bool) -> None:
    if "in_sample" in rows:
        rows = rows.assign(in_sample=rows["in_sample"].map({True: "yes", False: ""}))
    print_frame(rows, as_json=False, formats=_FORMATS, title=title, is_wide=is_wide)


def _print_notes(record: "TrackRecord", *, is_by_portfolio: bool) -> None:
    typer.echo(
        "loss_ratio: loss of the first method over this one's, below 1 the first is better; t:"
        " Diebold-Mariano, of the difference,\nsignificant beyond ±2. bias: mean forecast over mean"
        " outcome - 1, of variances for volatility; value at risk: exceptions\nover expected - 1."
        " coverage: outcomes in the band, or up to the value at risk; nominal: as intended."
    )
    if len(record.tests):
        typer.echo(
            "kupiec, independence (Christoffersen), conditional:"
            f" {'p-values' if is_by_portfolio else 'shares of portfolios below 5%'}."
            " shortfall_ratio:\nlosses beyond / expected shortfall, at best 1."
            + (
                " traffic_light: Basel zones. z2 (Acerbi-Szekely): 0 is expected,\n-0.7 is the 5%"
                " critical value."
                if is_by_portfolio
                else ""
            )
        )
    if number := int(record.scores["n_excluded"].sum()):
        typer.echo(
            f"Excluded from QLIKE: {pluralize(number, 'outcome')} without any price movement."
        )
    if reason := record.describe_missing():
        typer.echo(f"—: {reason}.")
    if record.has_in_sample():
        typer.echo(f"in_sample: {formatting.IN_SAMPLE_NOTE}.")
