"""Frames of results show their texts in full, and are frames of pandas otherwise."""

import pandas as pd

from riskmetrics.notebook.frames import ResultFrame

REASON = "positions with a vendor's beta make up 0.0% of gross exposure; 80% of it is required"


def test_a_reason_is_shown_in_full_in_a_notebook_and_a_terminal() -> None:
    plain = pd.DataFrame({"reason": [REASON]})
    frame = ResultFrame(plain)
    for show in ("_repr_html_", "__repr__"):
        assert REASON not in getattr(plain, show)()
        assert REASON in getattr(frame, show)()
    assert REASON in repr(frame[frame["reason"].notna()])  # what is chosen of it, too


def test_no_column_of_a_wide_table_is_left_out() -> None:
    names = [f"a_long_name_of_figure_{number}" for number in range(30)]
    plain = pd.DataFrame([range(30)], columns=names)
    assert "..." in repr(plain)
    for show in (repr, ResultFrame._repr_html_):
        shown = show(ResultFrame(plain))
        assert "..." not in shown
        assert all(name in shown for name in names)


def test_a_frame_is_equal_to_that_of_pandas_with_its_units() -> None:
    plain = pd.DataFrame({"beta": [1.0, None]}, index=["AAPL", "MSFT"])
    frame = ResultFrame(plain)
    frame.attrs["units"] = {"beta": "number"}
    pd.testing.assert_frame_equal(pd.DataFrame(frame), plain)
    assert frame.dropna().attrs == {"units": {"beta": "number"}}
