"""Caveats of a portfolio's values and weights: the same sentences in the commands, the report and the insights."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from riskmetrics.report import formatting

if TYPE_CHECKING:
    import pandas as pd


def portfolio_caveats(snapshots: "pd.DataFrame", coverage: "pd.DataFrame") -> dict[str, list[str]]:
    """Return the caveats of each portfolio that has some, by name.

    ``snapshots`` and ``coverage`` are what `db.result_queries` gives of one day.
    """
    found: dict[str, list[str]] = {}
    for name, text in (
        *_price_caveats(coverage),
        *_equity_caveats(snapshots),
        *_unconfirmed_close_caveats(coverage),
    ):
        found.setdefault(name, []).append(text)
    return found


def missing_prices_caveat(n_priced: int, n_held: int) -> str | None:
    """Say how many instruments have no price; None where each has one."""
    if n_priced >= n_held:
        return None
    return (
        f"{n_priced} of {n_held} instruments have a price; values leave the others out, and a"
        " stated equity counts them as cash"
    )


def small_equity_caveat(equity: float, gross: float) -> str | None:
    """Say that equity is too small to divide by; None where it is not."""
    from riskmetrics.metrics.minimums import MIN_EQUITY_SHARE, meets_minimum

    if not gross > 0 or (equity > 0 and meets_minimum(equity / gross, MIN_EQUITY_SHARE)):
        return None
    return (
        f"equity is {formatting.money(equity)}, {formatting.percent(equity / gross)} of gross"
        f" exposure; below {MIN_EQUITY_SHARE:.0%} weights and all figures in units of equity are"
        " undefined"
    )


def doubted_closes(n_believed: int, n_instruments: int) -> str | None:
    """Say of how many instruments the close is not believed; None where each one is."""
    if n_believed >= n_instruments:
        return None
    return (
        "value or profit rests on closes that are not believed, of "
        f"{n_instruments - n_believed} of {n_instruments} instruments: "
        "a move over half that the next session has yet to confirm, or took back, or a suspected "
        "split that nobody has decided about (riskmetrics show quality)"
    )


def _price_caveats(coverage: "pd.DataFrame") -> Iterator[tuple[str, str]]:
    prices = coverage[coverage["metric"] == "prices"]
    for name, n_priced, n_held in zip(
        prices["portfolio"], prices["n_covered"], prices["n_total"], strict=True
    ):
        if text := missing_prices_caveat(n_priced, n_held):
            yield name, text


def _equity_caveats(snapshots: "pd.DataFrame") -> Iterator[tuple[str, str]]:
    columns = (snapshots[name] for name in ("portfolio", "total_value", "gross_exposure"))
    for name, equity, gross in zip(*columns, strict=True):
        if text := small_equity_caveat(float(equity), float(gross)):
            yield name, text


def _unconfirmed_close_caveats(coverage: "pd.DataFrame") -> Iterator[tuple[str, str]]:
    rows = coverage[coverage["metric"] == "believed_prices"]
    columns = (rows[name] for name in ("portfolio", "n_covered", "n_total"))
    for name, n_believed, n_instruments in zip(*columns, strict=True):
        if text := doubted_closes(n_believed, n_instruments):
            yield name, text
