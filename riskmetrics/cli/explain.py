"""`riskmetrics explain`: the derivation of a stored number, and its independent recalculation."""

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmetrics.cli.database import find_session, missing_results_error, read_transaction
from riskmetrics.cli.output import (
    CellFormat,
    format_cell,
    pluralize,
    print_frame,
    print_json,
    to_records,
)
from riskmetrics.cli.shared_options import AsJson, Day
from riskmetrics.errors import DataQualityError, NotStoredError, UsageError
from riskmetrics.present.formatting import stored_text
from riskmetrics.text import join_names, suggest_name

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.explain.explainer import Explanation

_MAX_SOURCE_ROWS = 5
"""Rows that are printed of a source with more than _MAX_COMPLETE_SOURCE; of others, all are."""

_MAX_COMPLETE_SOURCE = 20
_LABEL_WIDTH = len("Recalculated by") + 1
_MAX_UNFILTERED = 4
"""Explanations that are printed without a hint of how to choose one."""

_TEXT_WIDTH = 100
"""Columns of the list of figures, also in a pipe."""

_NUMBER_FORMAT = "{:.12g}".format
Portfolio = Annotated[str, typer.Argument(help="Name of the portfolio.", show_default=False)]
Metric = Annotated[
    str,
    typer.Argument(
        help="Name of the figure, such as hhi, or position_market_betas.beta if ambiguous.",
        show_default=False,
    ),
]


def explain(
    portfolio: Portfolio = "",
    metric: Metric = "",
    day: Day = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="Only this symbol, and options on it.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="Only rows with this key, such as method=filtered."),
    ] = None,
    names: Annotated[
        bool, typer.Option("--list", help="List all figures with their formulas and exit.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Explain a stored number, and recalculate it independently.

    Prints formula, reference, inputs, window, source rows and run. Exit code: 3 if the recalculated
    number differs from the stored one in the digits that its column keeps.

    Example: riskmetrics explain Growth position_market_betas.beta --date 2022-12-28 --symbol AAPL
    """
    if names:
        _print_metrics(as_json=as_json)
        return
    if not (portfolio and metric):
        raise UsageError(
            "specify a portfolio and a figure, as in riskmetrics explain Growth hhi; --list lists"
            " the figures"
        )
    session, explanations = _find_explanations(portfolio, metric, day, symbol)
    explanations = _select_rows(explanations, where or [])
    if as_json:
        print_json([_to_record(one) for one in explanations])
    else:
        _print_explanations(f"{portfolio}, {session}", explanations)
    if any(one.is_equal is False for one in explanations):
        raise DataQualityError(
            "not equal: inputs were imported since that run, or the code differs. Recompute the"
            " session with riskmetrics reprocess"
        )


def _print_metrics(*, as_json: bool) -> None:
    """Print all figures: metric and label; indented, formula, window and recalculation."""
    from riskmetrics import catalog
    from riskmetrics.explain import explainer

    methods = {
        figure.name: group.method for group in explainer.METRIC_GROUPS for figure in group.figures
    }
    rows: list[dict[str, Any]] = []
    for row in catalog.data_dictionary():
        metric = f"{row['table']}.{row['column']}"
        rows.append({"metric": metric, **row, "recalculated_by": methods.get(metric)})
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['metric']}: {row['label']}")
        remarks = [
            f"{label}: {row[column]}"
            for label, column in (("window", "window"), ("recalculated by", "recalculated_by"))
            if row[column]
        ]
        for text in (row["formula"], "; ".join(remarks)):
            for line in textwrap.wrap(text, _TEXT_WIDTH - 4):
                typer.echo(f"    {line}")


def _find_explanations(
    name: str, metric_name: str, day: Day, symbol: str | None
) -> "tuple[date, list[Explanation]]":
    from riskmetrics import settings
    from riskmetrics.catalog import find_figure
    from riskmetrics.db import stored_settings, symbol_spellings
    from riskmetrics.db.portfolios import find_portfolio_id
    from riskmetrics.explain import explainer

    figure, configured = find_figure(metric_name), settings.load()
    with read_transaction() as connection:
        if symbol is not None:
            symbol = symbol_spellings.find_stored_spelling(connection, symbol)
        portfolio = find_portfolio_id(connection, name)
        session = find_session(connection, day)
        market = stored_settings.read_market_index(connection, configured.market_index)
        rate = stored_settings.read_rate_index(connection, configured.rate_index)
        explanations = explainer.explain(
            connection,
            str(portfolio),
            figure,
            session,
            symbol=symbol,
            market_index=market,
            rate_index=rate,
        )
        if not explanations:
            raise _missing_value_error(connection, figure.name, name, session, symbol)
    return session, explanations


def _select_rows(explanations: "list[Explanation]", where: Sequence[str]) -> "list[Explanation]":
    """Return the explanations of rows whose keys have the given values, as in method=filtered."""
    found = explanations
    for condition in where:
        name, _, text = condition.partition("=")
        known = dict.fromkeys(
            f"{key}={_format_value(value)}" for one in found for key, value in one.key.items()
        )
        found = [one for one in found if name in one.key and _is_key(one.key[name], text)]
        if not found:
            raise UsageError(f"no row has {condition}: choose {join_names(list(known), 12)}")
    return found


def _is_key(value: Any, text: str) -> bool:
    try:
        return float(value) == float(text)
    except (TypeError, ValueError):
        return str(value) == text


def _missing_value_error(
    connection: "sa.Connection", figure: str, portfolio: str, session: date, symbol: str | None
) -> NotStoredError:
    from riskmetrics.db import holdings, result_queries

    if result_queries.read_snapshots(connection, session, portfolio).empty:
        return missing_results_error(connection, session, portfolio)
    if symbol is None:
        return NotStoredError(
            f"no {figure} of {portfolio} is stored for {session}: see riskmetrics status"
        )
    held = holdings.read_open_quantities(connection, portfolio, session) or {}
    return NotStoredError(
        f"no {figure} of {portfolio} for {symbol}{suggest_name(symbol, held)} is stored for"
        f" {session}: see riskmetrics show betas --portfolio {portfolio!r}"
    )


def _to_record(explanation: "Explanation") -> dict[str, Any]:
    from riskmetrics.explain.explanation_records import explanation_record

    source_rows = {
        what: to_records(_flatten_index(rows)) for what, rows in explanation.source_rows.items()
    }
    return explanation_record(explanation) | {"source_rows": source_rows}


def _flatten_index(rows: "pd.DataFrame") -> "pd.DataFrame":
    return rows.reset_index() if rows.index.name else rows


def _print_explanations(heading: str, explanations: "Sequence[Explanation]") -> None:
    figure, method = explanations[0].figure, explanations[0].method
    typer.echo(f"{heading}: {figure.name}")
    for label, text in (
        ("Formula", figure.formula),
        ("Reference", figure.reference),
        ("Requires", figure.minimum),
        ("Recalculated by", method or "nothing: this figure is not recalculated independently"),
    ):
        if text:
            typer.echo(f"  {label:<{_LABEL_WIDTH}} {text}")
    if len(explanations) > _MAX_UNFILTERED:
        row_key = explanations[-1].key.items()
        keys = " ".join(f"--where {name}={_format_value(value)}" for name, value in row_key)
        typer.echo(f"\n{len(explanations)} rows. For one of them and its source rows: {keys}")
    for one in explanations:
        key = ", ".join(f"{name} {value}" for name, value in one.key.items())
        typer.echo(f"\n{key or 'The portfolio'}")
        for label, text in _format_lines(one):
            typer.echo(f"  {label:<{_LABEL_WIDTH}} {text}")
        for what, rows in one.source_rows.items():
            typer.echo(f"  {'From':<{_LABEL_WIDTH}} {what}: {pluralize(len(rows), 'row')}")
    if len(explanations) == 1:
        for what, rows in explanations[0].source_rows.items():
            _print_source_rows(what, rows)


def _print_source_rows(source: str, rows: "pd.DataFrame") -> None:
    """Print the last source rows, without empty columns and ids."""
    n_shown = len(rows) if len(rows) <= _MAX_COMPLETE_SOURCE else _MAX_SOURCE_ROWS
    last = _flatten_index(rows).tail(n_shown).dropna(axis=1, how="all")
    if len(last):
        typer.echo("")
        visible = last[[name for name in last.columns if not str(name).endswith("_id")]]
        title = source if n_shown == len(rows) else f"{source}, the last {n_shown} of {len(rows)}"
        print_frame(visible, as_json=False, title=title)


def _format_lines(explanation: "Explanation") -> list[tuple[str, str]]:
    record = _to_record(explanation)
    window = " to ".join(record["window"]) or record["data_window"] or "the day"
    verdict = "equal to the stored digits" if explanation.is_equal else "NOT EQUAL"
    lines = [
        ("Stored", _format_value(record["stored"])),
        *(
            [("Recalculated", f"{_format_value(record['recalculated'])}  ({verdict})")]
            if explanation.recalculation
            else []
        ),
        ("Undefined", record["undefined_reason"] and stored_text(record["undefined_reason"])),
        ("Window", window),
        ("Observations", _format_value(record["observations"])),
        ("Computed with", _join_values(record["parameters"])),
        ("Inputs", _join_values(record["inputs"])),
        (
            "Run",
            (
                f"{explanation.run_id or 'unknown'}, riskmetrics"
                f" {explanation.code_version or 'unknown'}"
            ),
        ),
    ]
    return [(label, text) for label, text in lines if text]


def _join_values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_format_value(value)}" for name, value in values.items())


def _format_value(value: Any) -> str:
    form: CellFormat | None = _NUMBER_FORMAT if isinstance(value, float) else None
    return format_cell(value, form)
