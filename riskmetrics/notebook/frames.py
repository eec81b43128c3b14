"""Data frames of results, which show their texts in full."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd


class ResultFrame(pd.DataFrame):
    """A `pandas.DataFrame` that is shown with all its columns and whole texts.

    pandas cuts a text after 50 characters, in the middle of a formula or a reason, and leaves out
    the columns in the middle of a wide table: here they continue below.

    Examples
    --------
    >>> "days" in repr(ResultFrame({"reason": [30 * "60 of the " + "days"]}))
    True
    """

    @property
    def _constructor(self) -> "type[ResultFrame]":
        return ResultFrame

    def __repr__(self) -> str:
        with _show_all():
            return super().__repr__()

    def _repr_html_(self) -> Any:
        with _show_all():
            return super()._repr_html_()  # type: ignore[misc]  # not in the stubs


@contextmanager
def _show_all() -> Iterator[None]:
    with pd.option_context("display.max_colwidth", None, "display.max_columns", None):
        yield
