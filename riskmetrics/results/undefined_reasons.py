"""Reasons of undefined figures of portfolios."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from riskmetrics.metrics._typing import BoolArray, FloatArray


class Reason(NamedTuple):
    """Reason of an undefined figure where ``condition``, (P, D), is true.

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
            [text.format(*row) for row in zip(*quoted, strict=True)] if quoted else text
        )
        unexplained &= ~applies
    return texts


def round_share_down(share: FloatArray) -> FloatArray:
    """Round shares down to 0.1 %, so that one below a minimum is not printed as the minimum."""
    return np.floor(share * 1000 + 1e-6) / 1000
