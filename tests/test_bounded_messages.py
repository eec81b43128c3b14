"""A run reports any number of missing symbols in a few lines."""

from types import SimpleNamespace

import dagster as dg
import pytest

from riskmetrics.assets import reports
from riskmetrics.errors import InvalidResponseError
from riskmetrics.ingest.vendor_client import RefreshResult
from riskmetrics.text import MAX_NAMES, join_names


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "S0"),
        (MAX_NAMES, "S0, S1, S2, S3, S4"),
        (MAX_NAMES + 1, "S0, S1, S2, S3, S4 and 1 more"),
    ],
)
def test_names_are_listed_up_to_the_limit_and_counted_beyond_it(count: int, text: str) -> None:
    assert join_names([f"S{number}" for number in range(count)]) == text


def test_a_thousand_symbols_that_were_not_fetched_are_a_handful_of_warnings() -> None:
    """Each has its own reason, except 500 with the same one, which comes first."""
    lines: list[str] = []
    context = SimpleNamespace(log=SimpleNamespace(info=lines.append, warning=lines.append))
    alone = {f"A{number}": InvalidResponseError(f"reason {number}") for number in range(500)}
    shared = {f"B{number}": InvalidResponseError("one reason") for number in range(500)}
    notes = tuple(f"note {number}" for number in range(1000))
    metadata = reports.fetch_metadata(context, RefreshResult(1000, alone | shared, notes), 1000)
    assert len(lines) == 2 * (MAX_NAMES + 1)
    assert "500 of 1000 not fetched (B0, B1, B2, B3, B4 and 495 more): one reason" in lines
    assert (
        f"{500 - MAX_NAMES + 1} of 1000 not fetched for {501 - MAX_NAMES} other reasons"
        in lines[-1]
    )
    assert metadata[reports.NOT_FETCHED_KEY] == 1000
    assert isinstance(metadata["fetch_errors"], dg.MarkdownMetadataValue)


def test_what_fits_is_said_in_full() -> None:
    lines: list[str] = []
    context = SimpleNamespace(log=SimpleNamespace(info=lines.append, warning=lines.append))
    problems = {
        f"A{number}": InvalidResponseError(f"reason {number}") for number in range(MAX_NAMES)
    }
    reports.fetch_metadata(context, RefreshResult(5, problems, ("one note",) * MAX_NAMES), 5)
    assert lines[MAX_NAMES:] == [f"1 of 5 not fetched (A{n}): reason {n}" for n in range(MAX_NAMES)]
