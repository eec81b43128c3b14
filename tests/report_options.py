"""Render a page of the report in tests."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from riskmetrics.inputs.snapshot import SnapshotTerms
from riskmetrics.report.page import render_page
from riskmetrics.report.report_options import ReportOptions
from riskmetrics.results.option_results import PricingParameters


def render(connection: sa.Connection, day: date, **options: Any) -> str:
    """Return the page of a session; without scripts unless they are wanted."""
    terms = SnapshotTerms(day, "SPX", "TLT", "SP500", PricingParameters(0.04, 0.0), 0.2, 30)
    return render_page(connection, day, ReportOptions(terms, **{"is_interactive": False} | options))
