"""Reasons of undefined figures, and the rows of `undefined_metrics` that keep them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.text import agree_with_number


class Reason(NamedTuple):
    """Reason of an undefined figure of portfolios where ``condition``, (P, D), is true.

    The text may quote numbers, (P, D) each.
    """

    text: str
    condition: BoolArray | bool = True
    number: FloatArray | None = None
    second_number: FloatArray | None = None


def first_reason_texts(undefined: BoolArray, *reasons: Reason) -> "NDArray[np.object_]":
    """Return the text of the first reason that applies, (P, D); empty where none does.

    It is also empty where ``undefined`` is false.
    """
    texts = np.full(undefined.shape, "", dtype=object)
    unexplained = undefined.copy()
    for text, condition, *numbers in reasons:
        applies = unexplained & condition
        quoted = [number[applies] for number in numbers if number is not None]
        texts[applies] = (
            [agree_with_number(text.format(*row)) for row in zip(*quoted, strict=True)]
            if quoted
            else text
        )
        unexplained &= ~applies
    return texts


def first_reasons(*reasons: "pd.Series[str]") -> "pd.Series[str]":
    """Return the first reason of each row, of several figures in a row."""
    return pd.concat(reasons).groupby(level=0).first()


def round_share_down(share: FloatArray) -> FloatArray:
    """Round shares down to 0.1 %, so that one below a minimum is not printed as the minimum."""
    return np.floor(share * 1000 + 1e-6) / 1000


def undefined_rows(
    rows: pd.DataFrame,
    table: str,
    reasons: Mapping[str, pd.Series],
    *,
    subject: str,
    day: str,
    n_obs: Mapping[str, FloatArray | IntArray] | None = None,
) -> pd.DataFrame:
    """Return a row of `undefined_metrics` for each missing value of ``rows``.

    Parameters
    ----------
    rows : DataFrame
        Result rows with portfolio_id and the columns of subject and day.
    table : str
        Table of the rows; a metric is named table.column.
    subject, day : str
        Columns of ``rows`` with the subject and the day of a value.
    reasons : mapping of column to Series of str
        Reason of a missing value, by the index of ``rows``; required only where it is missing.
    n_obs : mapping of column to (rows,) array, optional
        Number quoted by the reasons of a column. Default: ``observations``, if the rows have it.

    Returns
    -------
    DataFrame
        portfolio_id, subject, day, metric, reason, n_obs (missing if nothing is counted), in the
        order of ``reasons``.
    """
    missing = {column: np.flatnonzero(rows[column].isna()) for column in reasons}
    found = rows.iloc[np.concatenate(list(missing.values()))]
    texts = [reasons[column].loc[rows.index[at]].to_numpy(object) for column, at in missing.items()]
    row_counts = (
        rows["observations"].to_numpy(float)
        if "observations" in rows
        else np.full(len(rows), np.nan)
    )
    counts = [(n_obs or {}).get(column, row_counts)[at] for column, at in missing.items()]
    return pd.DataFrame(
        {
            "portfolio_id": found["portfolio_id"].to_numpy(),
            "subject": found[subject].to_numpy(),
            "day": found[day].to_numpy(),
            "metric": np.repeat(
                [f"{table}.{column}" for column in missing], [len(at) for at in missing.values()]
            ),
            "reason": pd.array(np.concatenate(texts), dtype="str"),
            "n_obs": pd.array(np.concatenate(counts), dtype="Int64"),
        }
    )


def count_texts(numbers: "pd.Series[int]", text: str) -> "pd.Series[str]":
    """Return a text after each number; that after 1 is singular."""
    texts = numbers.astype("str") + text
    return texts.mask(numbers == 1, agree_with_number(f"1{text}"))
