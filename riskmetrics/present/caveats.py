"""Caveats of a portfolio's values and weights, shared by commands, report and insights."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from riskmetrics.present import formatting

if TYPE_CHECKING:
    import pandas as pd


def portfolio_caveats(snapshots: "pd.DataFrame", coverage: "pd.DataFrame") -> dict[str, list[str]]:
    """Return the caveats by portfolio name; portfolios without caveats are omitted.

    Parameters
    ----------
    snapshots, coverage : DataFrame
        Results of `db.result_queries.read_snapshots` and `read_coverage` for one day.
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
    """Return the caveat for instruments without a price; None if all have one."""
    if n_priced >= n_held:
        return None
    return (
        f"{n_priced} of {n_held} instruments have a price; values exclude the others, and a stated"
        " equity counts them as cash"
    )


def small_equity_caveat(equity: float, gross: float) -> str | None:
    """Return the caveat for equity too small for weights; None if it is large enough."""
    from riskmetrics.metrics.minimums import MIN_EQUITY_SHARE, meets_minimum

    if not gross > 0 or (equity > 0 and meets_minimum(equity / gross, MIN_EQUITY_SHARE)):
        return None
    return (
        f"equity is {formatting.money(equity)}, {formatting.percent(equity / gross)} of gross"
        f" exposure; below {MIN_EQUITY_SHARE:.0%} weights and all figures in units of equity are"
        " undefined"
    )


def unconfirmed_closes_caveat(n_confirmed: int, n_instruments: int) -> str | None:
    """Return the caveat for instruments with an unconfirmed close; None if there are none."""
    if n_confirmed >= n_instruments:
        return None
    return (
        f"{n_instruments - n_confirmed} of {n_instruments} instruments have an unconfirmed close"
        " that affects value or P&L: a move of more than 50% that the next session has not yet"
        " confirmed or has reversed, or a suspected split without a decision; see riskmetrics show"
        " quality"
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
    rows = coverage[coverage["metric"] == "validated_prices"]
    columns = (rows[name] for name in ("portfolio", "n_covered", "n_total"))
    for name, n_confirmed, n_instruments in zip(*columns, strict=True):
        if text := unconfirmed_closes_caveat(n_confirmed, n_instruments):
            yield name, text
