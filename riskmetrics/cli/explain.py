"""`riskmetrics explain`: where a stored number comes from, and the same number computed another way."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmetrics.cli.options import AsJson, Day, day_of
from riskmetrics.cli.output import Format, cell, counted, fail, present, print_json, records

if TYPE_CHECKING:
    import pandas as pd

    from riskmetrics.explain.registry import Explanation

_ROWS_SHOWN = 5
_DIGITS = "{:.12g}".format
Portfolio = Annotated[str, typer.Argument(help="Name of the portfolio.", show_default=False)]
Metric = Annotated[
    str, typer.Argument(help="Such as hhi, or position_market_betas.beta where several tables have one.", show_default=False)
]


def explain(
    portfolio: Portfolio = "",
    metric: Metric = "",
    day: Day = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Only of this symbol, and of options on it.")] = None,
    names: Annotated[bool, typer.Option("--list", help="Print every metric with its formula instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a stored number's formula, inputs, window, source rows and run, and compute it anew by another way.

    Exit code: 3 if a number computed anew is not the stored one, to the digits that its column keeps.

    Example: riskmetrics explain Growth position_market_betas.beta --date 2022-12-28 --symbol AAPL
    """
    from riskmetrics.errors import UsageError

    if names:
        _list(as_json=as_json)
        return
    if not (portfolio and metric):
        raise UsageError("say a portfolio and a metric, as in riskmetrics explain Growth hhi; --list names the metrics")
    session, found = _explained(portfolio, metric, day, symbol)
    if as_json:
        print_json([_record(one) for one in found])
    else:
        _print(f"{portfolio}, {session}", found)
    if not all(one.equal for one in found):
        raise fail(
            "not equal: inputs were imported since that run, or the code differs; riskmetrics reprocess computes the session anew", code=3
        )


def _list(*, as_json: bool) -> None:
    import pandas as pd

    from riskmetrics.explain import registry

    rows = [(metric.name, metric.formula, metric.chapter.by) for metric in registry.metrics()]
    present(pd.DataFrame(rows, columns=["metric", "formula", "computed anew by"]), as_json=as_json)


def _explained(name: str, metric_name: str, day: Day, symbol: str | None) -> "tuple[date, list[Explanation]]":
    from riskmetrics import settings
    from riskmetrics.cli.database import reading
    from riskmetrics.db import explained, read, spellings, stored
    from riskmetrics.explain import registry

    metric, configured = registry.find(metric_name), settings.load()
    with reading() as connection:
        if symbol is not None:
            symbol = spellings.find_stored_spelling(connection, symbol)
        session, portfolio = day_of(day) or stored.latest_day(connection), explained.portfolio_id(connection, name)
        if portfolio is None:
            raise fail(f"there is no portfolio {name}: see riskmetrics portfolio list")
        if session is None:
            raise fail("no results yet: riskmetrics run")
        market = read.market_index(connection, configured.market_index)
        rate = read.rate_index(connection, configured.rate_index)
        found = registry.explain(connection, str(portfolio), metric, session, symbol=symbol, market=market, rate=rate)
    if not found:
        of_symbol = f" of {symbol}" if symbol else ""
        raise fail(f"no {metric.name} of {name}{of_symbol} is stored for {session}: has that session run?")
    return session, found


def _record(found: "Explanation") -> dict[str, Any]:
    from riskmetrics.explain.evidence import shown

    def plain(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: shown(value) for name, value in values.items()}

    return {
        "metric": found.metric.name,
        "of": plain(found.key),
        "formula": found.metric.formula,
        "stored": shown(found.stored),
        "recomputed": shown(found.recomputed),
        "recomputed_by": found.metric.chapter.by,
        "equal": found.equal,
        "undefined_reason": found.reason,
        "window": [day.isoformat() for day in found.evidence.window or ()],
        "observations": found.evidence.observations,
        "computed_with": plain(found.given),
        "inputs": plain(found.evidence.inputs),
        "source_rows": {what: records(_flat(rows)) for what, rows in found.sources.items()},
        "run_id": found.run_id,
        "code_version": found.code_version,
    }


def _flat(rows: "pd.DataFrame") -> "pd.DataFrame":
    return rows.reset_index() if rows.index.name else rows


def _print(of: str, found: "Sequence[Explanation]") -> None:
    metric = found[0].metric
    typer.echo(f"{of}: {metric.name}")
    typer.echo(f"  Formula        {metric.formula}")
    typer.echo(f"  Computed anew  by {metric.chapter.by}")
    for one in found:
        typer.echo(f"\n{', '.join(f'{name} {value}' for name, value in one.key.items()) or 'The portfolio'}")
        for label, text in _lines(one):
            typer.echo(f"  {label:<14} {text}")
        for what, rows in one.sources.items():
            typer.echo(f"  {'From':<14} {what}: {counted(len(rows), 'row')}")
    if len(found) == 1:
        for what, rows in found[0].sources.items():
            _print_last(what, rows)


def _print_last(what: str, rows: "pd.DataFrame") -> None:
    """Print the last source rows, without the columns in which nothing is said."""
    last = _flat(rows).tail(_ROWS_SHOWN).dropna(axis=1, how="all")
    if len(last):
        typer.echo("")
        said = last[[name for name in last.columns if not str(name).endswith("_id")]]
        present(said, as_json=False, title=f"{what}, the last {len(last)} of {len(rows)}")


def _lines(one: "Explanation") -> list[tuple[str, str]]:
    said = _record(one)
    window = " to ".join(said["window"]) or "the day"
    lines = [
        ("Stored", _value(said["stored"])),
        ("Anew", f"{_value(said['recomputed'])}  ({'equal to the stored digits' if one.equal else 'NOT EQUAL'})"),
        ("Undefined", said["undefined_reason"]),
        ("Window", window),
        ("Observations", _value(said["observations"])),
        ("Computed with", _joined(said["computed_with"])),
        ("Inputs", _joined(said["inputs"])),
        ("Run", f"{one.run_id or 'not known'}, riskmetrics {one.code_version or 'not known'}"),
    ]
    return [(label, text) for label, text in lines if text]


def _joined(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    form: Format | None = _DIGITS if isinstance(value, float) else None
    return cell(value, form)
