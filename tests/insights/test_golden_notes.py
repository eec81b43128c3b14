"""Golden notes of situations, read by eye at each change: `python -m tests.insights.golden`."""

import pytest

from tests.insights.golden import NOTES, read_notes, write_note
from tests.insights.situations import SITUATIONS


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_note_of_a_situation_is_the_one_that_was_read(name: str) -> None:
    assert write_note(name) == read_notes()[name]


def test_every_stored_note_has_a_situation() -> None:
    assert read_notes().keys() == SITUATIONS.keys()
    assert NOTES.exists()
