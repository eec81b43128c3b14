"""Fixtures of databases for tests of the schema."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from riskmetrics.db.engine import create_engine


@pytest.fixture
def empty(empty_database: str) -> Iterator[sa.Engine]:
    """Return an engine for a database without tables."""
    engine = create_engine(empty_database)
    yield engine
    engine.dispose()
