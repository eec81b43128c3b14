"""What changed in a portfolio since an earlier session."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from riskmetrics.catalog import find_figure
from riskmetrics.present import formatting
from riskmetrics.present.figures import format_change, page_format
from riskmetrics.results.comparison import COMPARED_FIGURES, find_contributors

Record = Mapping[str, Any]


class Change(NamedTuple):
    """A figure on two sessions, as text; a missing value is a dash."""

    label: str
    before: str
    after: str
    change: str


class Contributor(NamedTuple):
    """A position and what its price change has brought since the earlier session."""

    symbol: str
    amount: str


def list_changes(before: Record, after: Record, flows: float = 0.0) -> list[Change]:
    """Return the headline figures that both sessions know; values are by 'table.column'.

    A sum of ``flows``, deposits less withdrawals since the earlier session, follows the equity.
    """
    found = []
    for column, compared in COMPARED_FIGURES.items():
        name = f"{compared.table}.{column}"
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            continue
        figure, form = find_figure(name), page_format(name)
        change = format_change(float(one), float(other), form, figure.unit)
        found.append(Change(compared.label or figure.label, form(one), form(other), change))
        if column == "total_value" and flows:
            found.append(
                Change("Deposits less withdrawals", "", "", formatting.signed_amount(flows))
            )
    return found


def list_contributors(before: pd.DataFrame, after: pd.DataFrame) -> list[Contributor]:
    """Return the positions whose prices changed the value most.

    Parameters
    ----------
    before, after : DataFrame
        Rows of `position_values` of one portfolio, as for `find_contributors`.
    """
    found = find_contributors(before, after)
    return [
        Contributor(str(symbol), formatting.signed_amount(amount))
        for symbol, amount in zip(found["symbol"], found["amount"].tolist(), strict=True)
    ]
