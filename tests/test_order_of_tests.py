"""Slow tests start first on every worker, and no test is lost or run twice."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import deal_slow_tests


class Item(NamedTuple):
    """A collected test: its place in the collection, what its marker says, and its module."""

    place: int
    seconds: float = 0.0
    path: Path = Path("tests/metrics/test_any.py")
    marker: str = "slow"
    waits: bool = False

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        """Return the marker if it has that name."""
        assert name in {"slow", "together", "waits"}
        has_marker = self.waits if name == "waits" else self.seconds and name == self.marker
        return getattr(pytest.mark, name)(self.seconds).mark if has_marker else None


def test_each_worker_begins_with_slow_tests_and_the_longest_come_first() -> None:
    """By hand: parts of 3, 3 and 4 tests; 50, 40 and 30 s start at once, 20 s after 30 s."""
    seconds = {2: 20.0, 5: 50.0, 6: 40.0, 9: 30.0}
    items = [Item(place, seconds.get(place, 0.0)) for place in range(10)]
    dealt = [item.place for item in deal_slow_tests(items, workers=3)]
    assert dealt == [5, 0, 1, 6, 3, 4, 9, 2, 7, 8]


def test_a_module_of_whole_runs_stays_together_and_starts_before_short_tests() -> None:
    """By hand: 3 tests of 1.5 s start next to one of 4 s, which begins alone."""
    module = Path("tests/e2e/test_any.py")
    items = [
        *(Item(place) for place in range(4)),
        *(Item(place, path=module) for place in (4, 5, 6)),
        Item(7, 4.0, module),
    ]
    dealt = [item.place for item in deal_slow_tests(items, workers=2)]
    assert dealt == [4, 5, 6, 0, 7, 1, 2, 3]


def test_tests_that_share_what_takes_long_stay_together_and_start_early() -> None:
    """By hand: 2 tests share what takes 20 s, and start next to one of 30 s."""
    module = Path("tests/sources/test_shared.py")
    items = [
        Item(0),
        Item(1, 30.0),
        *(Item(place, 20.0, module, "together") for place in (2, 3)),
        *(Item(place) for place in (4, 5)),
    ]
    dealt = [item.place for item in deal_slow_tests(items, workers=2)]
    assert dealt == [1, 0, 4, 2, 3, 5]


def test_tests_that_wait_do_so_one_after_another_on_one_worker() -> None:
    """By hand: 30 s and 20 s of waiting on one worker, 40 s of work on the other."""
    items = [Item(0), Item(1, 30.0, waits=True), Item(2, 40.0), Item(3, 20.0, waits=True)]
    dealt = [item.place for item in deal_slow_tests(items, workers=2)]
    assert dealt == [1, 3, 2, 0]


@pytest.mark.parametrize("n_slow", [0, 1, 7])
@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("path", [Path("tests/e2e/test_any.py"), Path("tests/test_any.py")])
def test_no_test_is_lost(path: Path, n_slow: int, workers: int) -> None:
    items = [Item(place, 1.0 + place if place < n_slow else 0.0, path) for place in range(7)]
    dealt = deal_slow_tests(items, workers)
    assert sorted(dealt) == items
