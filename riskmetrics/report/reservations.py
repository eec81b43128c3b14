"""What to know before a portfolio's values and weights are read: said in the same words by the commands and the report."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from riskmetrics.report import figures

if TYPE_CHECKING:
    import pandas as pd


def reservations(snapshots: "pd.DataFrame", coverage: "pd.DataFrame") -> dict[str, list[str]]:
    """Return, by name of the portfolio, a sentence for each thing that makes its values or weights other than they look.

    ``snapshots`` and ``coverage`` are what `db.stored` gives of one day; a portfolio of which nothing is to be said is not there.
    """
    found: dict[str, list[str]] = {}
    for name, text in (*_of_equity(snapshots), *_of_closes(coverage)):
        found.setdefault(name, []).append(text)
    return found


def _of_equity(snapshots: "pd.DataFrame") -> Iterator[tuple[str, str]]:
    negative = snapshots[(snapshots["total_value"] <= 0) & (snapshots["gross_exposure"] > 0)]
    for name, equity in zip(negative["portfolio"], negative["total_value"], strict=True):
        yield name, f"equity is {figures.money(equity)}, which is not positive: weights are shares of gross exposure"


def _of_closes(coverage: "pd.DataFrame") -> Iterator[tuple[str, str]]:
    doubted = coverage[(coverage["metric"] == "believed_prices") & (coverage["coverage"] < 1)]
    for name, believed, total in zip(doubted["portfolio"], doubted["n_covered"], doubted["n_total"], strict=True):
        yield (
            name,
            f"value or profit rests on closes that are not believed, of {total - believed} of {total} instruments: "
            "a move over half that the next session has yet to confirm, or took back (riskmetrics show quality)",
        )
