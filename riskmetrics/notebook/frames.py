"""Data frames of results, which show their texts in full."""

from typing import Any

import pandas as pd


class ResultFrame(pd.DataFrame):
    """A `pandas.DataFrame` whose texts are never cut when it is shown.

    pandas cuts a text after 50 characters, in the middle of a formula or a reason.

    Examples
    --------
    >>> "days" in repr(ResultFrame({"reason": [30 * "60 of the " + "days"]}))
    True
    """

    @property
    def _constructor(self) -> "type[ResultFrame]":
        return ResultFrame

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return super().__repr__()

    def _repr_html_(self) -> Any:
        with pd.option_context("display.max_colwidth", None):
            return super()._repr_html_()  # type: ignore[operator]
