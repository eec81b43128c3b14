"""Caveats of a portfolio's values and weights, shared by commands, report and insights."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from riskmetrics.present import formatting
from riskmetrics.text import agree_with_number

if TYPE_CHECKING:
    import pandas as pd


def portfolio_caveats(snapshots: "pd.DataFrame", coverage: "pd.DataFrame") -> dict[str, list[str]]:
    """Return the caveats by portfolio name; portfolios without caveats are omitted.

    Parameters
    ----------
    snapshots, coverage : DataFrame
        Results of `db.result_queries.read_snapshots` and `db.listed_rows.read_coverage` for one
        day.
    """
    counts = {
        str(name): dict(
            zip(rows["metric"], zip(rows["n_covered"], rows["n_total"], strict=True), strict=True)
        )
        for name, rows in coverage.groupby("portfolio", sort=False)
    }
    columns = (snapshots[name] for name in ("portfolio", "total_value", "gross_exposure"))
    values = {name: map(float, amounts) for name, *amounts in zip(*columns, strict=True)}
    found = {
        name: list(list_caveats(counts.get(name, {}), *values.get(name, (0.0, 0.0))))
        for name in dict.fromkeys((*counts, *values))
    }
    return {name: texts for name, texts in found.items() if texts}


def list_caveats(
    counts: Mapping[str, tuple[int, int]], equity: float, gross: float
) -> Iterator[str]:
    """Yield the caveats of a portfolio: missing and old prices, small equity, unconfirmed closes.

    Parameters
    ----------
    counts : mapping
        Metric of `portfolio_coverage` to covered and all instruments.
    equity, gross : float
        Equity and gross exposure.
    """
    n_priced, n_held = counts.get("prices", (0, 0))
    if n_priced < n_held:
        yield agree_with_number(
            f"{n_priced} of {n_held} instruments have a price; values exclude the others: one"
            " without a price since the equity was stated is still in the equity, and one whose"
            " prices ended later has left it, with no loss in the P&L"
        )
    n_current, _ = counts.get("current_prices", (n_priced, n_held))
    if n_current < n_priced:
        yield agree_with_number(
            f"{n_priced - n_current} of {n_held} instruments are valued at the close of an earlier"
            " session, because the session has none, with a P&L of the day of 0"
        )
    if is_equity_small(equity, gross):
        from riskmetrics.metrics.minimums import MIN_EQUITY_SHARE

        yield (
            f"equity is {formatting.money(equity)}, {formatting.percent(equity / gross)} of gross"
            f" exposure; below {MIN_EQUITY_SHARE:.0%} weights and all figures in units of equity"
            " are undefined"
        )
    n_confirmed, n_instruments = counts.get("validated_prices", (0, 0))
    if n_confirmed < n_instruments:
        yield agree_with_number(
            f"{n_instruments - n_confirmed} of {n_instruments} instruments have an unconfirmed"
            " close that affects value or P&L: a move of more than 50% that the next session has"
            " not yet confirmed or has reversed, or a suspected split without a decision; see"
            " riskmetrics show quality"
        )


def is_equity_small(equity: float, gross: float) -> bool:
    """Return whether equity is too small for weights."""
    from riskmetrics.metrics.minimums import MIN_EQUITY_SHARE, meets_minimum

    return gross > 0 and not (equity > 0 and meets_minimum(equity / gross, MIN_EQUITY_SHARE))
