"""Databases that tests of the schema begin with."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from riskmetrics.db.engine import create_engine


@pytest.fixture
def empty(empty_database: str) -> Iterator[sa.Engine]:
    """Return an engine on a database without any table."""
    engine = create_engine(empty_database)
    yield engine
    engine.dispose()
