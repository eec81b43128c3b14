"""A page has landmarks, headings in order, and tables and charts with names."""

import pytest
import sqlalchemy as sa
from test_page import DAY, EMPTY, LONG_SHORT, portfolio

from tests.page_structure import check_structure
from tests.report_options import render


@pytest.mark.parametrize("is_interactive", [False, True])
def test_portfolios_with_and_without_results(
    connection: sa.Connection, is_interactive: bool
) -> None:
    for name, snapshot in (("Growth", LONG_SHORT), ("Empty", EMPTY)):
        portfolio(connection, name, snapshot)
    check_structure(render(connection, DAY, is_interactive=is_interactive))


def test_an_overview_alone(connection: sa.Connection) -> None:
    portfolio(connection, "Growth", LONG_SHORT)
    check_structure(render(connection, DAY, max_full=0))
