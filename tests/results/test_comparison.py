"""What changed between two sessions, against frames and differences made by hand."""

import numpy as np
import pandas as pd

from riskmetrics.results.comparison import COMPARED_FIGURES, SessionResults, compare


def session(
    values: dict[str, float],
    betas: list[tuple[str, str, float, float, float]] = (),
    sectors: list[tuple[str, str, float]] = (),
    undefined: list[tuple[str, str, str, str]] = (),
) -> SessionResults:
    """Return a session of portfolios whose every figure is the same number."""
    return SessionResults(
        pd.DataFrame(
            [
                {"portfolio": name, **dict.fromkeys(COMPARED_FIGURES, value)}
                for name, value in values.items()
            ],
            columns=["portfolio", *COMPARED_FIGURES],
        ),
        pd.DataFrame(sectors, columns=["portfolio", "sector", "gross_weight"]),
        pd.DataFrame(
            betas, columns=["portfolio", "symbol", "quantity", "beta", "std_error"]
        ).assign(position_type="LONG"),
        pd.DataFrame(undefined, columns=["portfolio", "subject", "metric", "reason"]),
    )


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return rows with None for what is missing."""
    return [
        tuple(row)
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False)
    ]


def test_figures_differ_by_after_minus_before_in_their_stored_decimals() -> None:
    changed = compare(session({"P": 0.57}), session({"P": 0.58})).figures
    assert list(changed["figure"]) == list(COMPARED_FIGURES)
    assert list(changed["change"]) == [0.01] * len(
        COMPARED_FIGURES
    )  # 0.58 - 0.57 is 0.010000000000000009


def test_a_portfolio_of_one_session_has_figures_without_a_change_and_nothing_else() -> None:
    old = session(
        {"P": 1.0}, [("P", "A", 1, 1.0, 0.1)], [("P", "Energy", 1.0)], [("P", "A", "m", "r")]
    )
    changes = compare(old, session({"Q": 2.0}, [("Q", "A", 1, 9.0, 0.1)], [("Q", "Energy", 0.5)]))
    of_value = changes.figures[changes.figures["figure"] == "total_value"]
    assert rows(of_value) == [
        ("P", "total_value", 1, None, None),
        ("Q", "total_value", None, 2, None),
    ]
    assert [len(frame) for frame in changes[1:]] == [0, 0, 0, 0]


def test_sectors_that_moved_come_largest_first_and_an_unlisted_one_weighs_nothing() -> None:
    before = session(
        {"P": 1.0}, sectors=[("P", "Energy", 0.5), ("P", "ETF", 0.2), ("P", "Utilities", 0.3)]
    )
    after = session(
        {"P": 1.0},
        sectors=[("P", "Energy", 0.625), ("P", "Materials", 0.075), ("P", "Utilities", 0.1 + 0.2)],
    )
    assert rows(compare(before, after).sectors) == [
        ("P", "ETF", 0.2, 0, -0.2),
        ("P", "Energy", 0.5, 0.625, 0.125),
        ("P", "Materials", 0, 0.075, 0.075),
    ]


def test_positions_are_opened_closed_and_resized_by_the_sum_of_their_lots() -> None:
    before = session(
        {"P": 1.0},
        [
            ("P", "OLD", 5, 1, 0.1),
            ("P", "TWO", 1, 1, 0.1),
            ("P", "TWO", 2, 1, 0.1),
            ("P", "LOTS", 4, 1, 0.1),
        ],
    )
    after = session(
        {"P": 1.0},
        [
            ("P", "NEW", -7, 1, 0.1),
            ("P", "TWO", 4, 1, 0.1),
            ("P", "LOTS", 1, 1, 0.1),
            ("P", "LOTS", 3, 1, 0.1),
        ],
    )
    changed = compare(before, after).positions.drop(columns="position_type")
    assert rows(changed) == [
        ("P", "NEW", None, -7, None, "opened"),
        ("P", "OLD", 5, None, None, "closed"),
        ("P", "TWO", 3, 4, 1, "resized"),
    ]


def test_a_beta_has_moved_by_more_than_two_of_its_larger_standard_error() -> None:
    before = [("P", name, 1, 1.0, 0.1) for name in ("FAR", "NEAR", "WIDE", "GONE")]
    after = [
        ("P", "FAR", 1, 0.5, 0.125),
        ("P", "NEAR", 1, 1.2, 0.1),
        ("P", "WIDE", 1, 1.5, 0.3),
        ("P", "GONE", 1, np.nan, np.nan),
    ]
    changed = compare(session({"P": 1.0}, before), session({"P": 1.0}, after)).betas
    assert rows(changed) == [("P", "FAR", "LONG", 1.0, 0.5, -0.5, 4.0)]


def test_undefined_values_are_new_or_resolved_but_not_when_their_position_was_closed() -> None:
    before = session(
        {"P": 1.0},
        [("P", "A", 1, 1, 0.1), ("P", "SOLD", 1, 1, 0.1)],
        undefined=[
            ("P", "A", "beta", "12 returns"),
            ("P", "SOLD", "beta", "3 returns"),
            ("P", "whole", "hhi", "x"),
            ("P", "A", "alpha", "12"),
        ],
    )
    after = session(
        {"P": 1.0},
        [("P", "A", 1, 1, 0.1)],
        undefined=[("P", "A", "alpha", "13"), ("P", "A", "p", "flat"), ("P", "A", "p", "flat")],
    )
    assert rows(compare(before, after).undefined) == [
        ("P", "A", "beta", "resolved", "12 returns"),
        ("P", "A", "p", "new", "flat"),
        ("P", "whole", "hhi", "resolved", "x"),
    ]


def test_a_portfolio_that_lost_its_prices_has_reasons_and_nothing_resolved() -> None:
    before = session({"P": 1.0}, undefined=[("P", "whole", "greeks", "x")])
    after = session({}, undefined=[("P", "whole", "total_value", "none with a price")])
    assert rows(compare(before, after).undefined) == [
        ("P", "whole", "total_value", "new", "none with a price")
    ]


def test_equal_sessions_have_no_change() -> None:
    same = session(
        {"P": 1.0}, [("P", "A", 1, 1, 0.1)], [("P", "Energy", 1.0)], [("P", "A", "m", "r")]
    )
    changes = compare(same, same)
    assert (changes.figures["change"] == 0).all()
    assert [len(frame) for frame in changes[1:]] == [0, 0, 0, 0]
