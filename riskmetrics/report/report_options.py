"""What a report shows, apart from its session."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from riskmetrics.charts.renderer import ChartRenderer
from riskmetrics.inputs.snapshot import SnapshotTerms

DEFAULT_HISTORY = 252
"""Sessions that charts over time show."""

MAX_FULL_PORTFOLIOS = 5
"""Portfolios with charts and tables on one page; others are rows of the overview: decision 50."""


@dataclass(frozen=True)
class ReportOptions:
    """Options of a report."""

    terms: SnapshotTerms
    portfolio: str | None = None
    """Name of the only portfolio. None: all."""
    n_sessions: int = DEFAULT_HISTORY
    """Sessions that charts over time show."""
    against: date | None = None
    """Session to compare with. None: five sessions before, if that is stored."""
    renderer: ChartRenderer = field(default_factory=lambda: ChartRenderer(None))
    is_interactive: bool = True
    """Whether scripts make charts interactive and tables sortable."""
    max_full: int = MAX_FULL_PORTFOLIOS
    links_to_portfolios: bool = False
    """Whether the overview links to pages of portfolios that are not shown in full."""


def open_renderer(home: Path) -> ChartRenderer:
    """Return the drawn charts that the directory of this machine keeps."""
    return ChartRenderer(home / "cache" / "charts")
