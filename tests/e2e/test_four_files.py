"""A statistic with a table of its own is added to a copy of the package by four files."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import migrate
from tests.conftest import COMMAND, open_connection
from tests.e2e.conftest import query_frame

ROOT = Path(__file__).parents[2]
DAY = date(2022, 12, 28)

METRIC = '''
"""Worst sessions of return series."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray


class WorstSession(NamedTuple):
    """Lowest return and the close that ends it; shape (N,)."""

    worst_loss: FloatArray
    worst_session: IntArray
    n_obs: IntArray


def worst_session(returns: FloatArray, *, min_obs: int) -> WorstSession:
    """Return the largest loss of a session.

    Examples
    --------
    >>> worst_session(np.array([[0.1], [-0.2]]), min_obs=1)
    WorstSession(worst_loss=array([0.2]), worst_session=array([2]), n_obs=array([2]))
    """
    is_valid = np.isfinite(returns)
    n_obs = is_valid.sum(axis=0)
    known = np.where(is_valid, returns, np.inf)
    is_enough = n_obs >= min_obs
    return WorstSession(
        np.where(is_enough, -known.min(axis=0), np.nan),
        np.where(is_enough, known.argmin(axis=0) + 1, -1),
        n_obs,
    )
'''
RECORD = """
    Statistic(
        "portfolio_worst_sessions",
        "largest loss of a session in the trailing quarter",
        "riskmetrics.metrics.worst_session:worst_session",
        (
            StatisticFigure("worst_loss", "Largest loss", Unit.FRACTION, "-min(R) over 63 sessions",
                note="on {worst_session}", fact="worst_loss"),
            StatisticFigure("worst_session", "Session of the largest loss", Unit.DATE,
                "session of it"),
        ),
        key="worst_sessions",
        title="Worst sessions, 63 sessions to {session}",
        heading="Worst session, one quarter",
        family="loss",
        reference="Toy (2022)",
        sessions=63,
        min_obs=45,
    ),
"""
MIGRATION = f'''
"""Create the table of the worst sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0123456789ab"
down_revision = "{migrate.head()}"


def upgrade() -> None:
    op.create_table(
        "portfolio_worst_sessions",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("worst_loss", sa.Double),
        sa.Column("worst_session", sa.Date),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    )


def downgrade() -> None:
    op.drop_table("portfolio_worst_sessions")
'''
TEST = '''
"""The worst session, by hand."""

import numpy as np

from riskmetrics.metrics.worst_session import worst_session


def test_too_few_returns_have_no_worst_session():
    returns = np.array([[0.1, np.nan], [-0.2, -0.3], [np.nan, 0.1]])
    found = worst_session(returns, min_obs=2)
    assert found.worst_loss.tolist() == [0.2, 0.3]
    assert found.worst_session.tolist() == [2, 2]
    assert worst_session(returns, min_obs=3).worst_session.tolist() == [-1, -1]
'''
INVARIANTS = (
    "tests/metrics/test_worst_session.py",
    "tests/catalog/test_catalog.py",
    "tests/docs/test_methodology.py",
    "tests/db/test_migrations.py::test_the_revisions_build_exactly_the_tables_in_the_code",
    "tests/db/test_migrations.py::test_columns_of_riskmetrics_have_a_comment_that_says_what_null_means",
    "tests/e2e/test_graph.py::test_the_graph_has_exactly_these_assets_edges_checks_jobs_and_schedules",
)
"""Tests that fail if a figure without a record, table, revision or definition is left."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository with the four files of a new statistic."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("riskmetrics", "migrations", "tests", "docs", "benchmarks", "deploy"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, folder / name)
    record = folder / "riskmetrics" / "catalog" / "portfolio_statistics.py"
    text = record.read_text(encoding="utf-8")
    end = "\n)  # fmt: skip\nFIGURES"
    assert text.count(end) == 1
    record.write_text(text.replace(end, f"{RECORD}{end[1:]}"), encoding="utf-8")
    for path, content in {
        "riskmetrics/metrics/worst_session.py": METRIC,
        "migrations/versions/0123456789ab_create_worst_sessions.py": MIGRATION,
        "tests/metrics/test_worst_session.py": TEST,
    }.items():
        (folder / path).write_text(content.lstrip(), encoding="utf-8")
    return folder


def call(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the copy, with its package."""
    return subprocess.run(
        arguments,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
    )


def read_oracle(url: str) -> "dict[str, tuple[float, date]]":
    """Return the largest loss of each portfolio of the sample and its session, by pandas."""
    first = trading_calendar.sessions_with_lookback([DAY], 63)[0]
    closes = query_frame(
        url,
        "SELECT symbol, date, adj_close::float8 FROM market_data_cache"
        f" WHERE date BETWEEN '{first}' AND '{DAY}'",
    ).pivot_table(index="date", columns="symbol", values="adj_close")
    weights = query_frame(
        url,
        "SELECT name, symbol, weight FROM portfolio_risk_contributions"
        f" JOIN portfolios ON id = portfolio_id WHERE day = '{DAY}'",
    )
    found = {}
    for name, rows in weights.groupby("name"):
        returns = closes[rows["symbol"]].pct_change(fill_method=None).iloc[1:]
        worst = (returns * rows.set_index("symbol")["weight"]).sum(axis=1)
        found[str(name)] = -worst.min(), pd.Timestamp(worst.idxmin()).date()
    return found


def test_four_files_compute_store_show_explain_export_and_document_a_statistic(
    sample: str, copy: Path, tmp_path: Path
) -> None:
    day = ("--date", str(DAY))
    outcome = call(copy, COMMAND, "run", *day, "--offline")
    assert outcome.returncode == 0, outcome.stderr

    stored = query_frame(
        sample,
        "SELECT name, worst_loss, worst_session, observations, w.dagster_run_id"
        " FROM portfolio_worst_sessions w JOIN portfolios ON id = portfolio_id",
    ).set_index("name")
    oracle = read_oracle(sample)
    assert oracle.keys() == set(stored.index)
    for name, (loss, session) in oracle.items():
        row = stored.loc[name]
        assert row["worst_loss"] == pytest.approx(loss, rel=1e-9)
        assert (row["worst_session"], row["observations"]) == (session, 63)
    assert stored["dagster_run_id"].notna().all()
    with open_connection(sample) as connection:
        comment = connection.scalar(
            sa.text("SELECT col_description('portfolio_worst_sessions'::regclass, 3)")
        )
    assert comment.startswith("Largest loss: -min(R) over 63 sessions. Unit: fraction")

    loss, session = oracle["Long-Short"]
    shown = call(copy, COMMAND, "show", "risk", *day).stdout
    assert f"Worst sessions, 63 sessions to {DAY}" in shown
    risk = call(copy, COMMAND, "show", "risk", *day, "--json").stdout
    (row,) = (row for row in json.loads(risk)["worst_sessions"] if row["portfolio"] == "Long-Short")
    assert row["worst_loss"] == pytest.approx(loss, rel=1e-9)

    page = tmp_path / "report.html"
    call(copy, COMMAND, "report", *day, "--out", str(page))
    html = page.read_text(encoding="utf-8")
    assert '-worst_sessions">Worst session, one quarter</h4>' in html
    assert f'<td>{loss:.1%}</td><td class="text">on <span class="day">{session}</span></td>' in html

    explained = call(copy, COMMAND, "explain", "Long-Short", "worst_loss", *day)
    assert explained.returncode == 0, explained.stderr
    assert "-min(R) over 63 sessions" in explained.stdout
    assert "Toy (2022)" in explained.stdout

    call(copy, COMMAND, "export", str(tmp_path / "out"), *day)
    exported = pd.read_csv(tmp_path / "out" / "portfolio_worst_sessions.csv")
    assert exported["worst_loss"].tolist() == pytest.approx(
        stored["worst_loss"][exported["portfolio"]].tolist()
    )

    facts = query_frame(
        sample,
        "SELECT DISTINCT fact->>'shown_as' AS shown FROM ai_insights,"
        " jsonb_path_query(context_data::jsonb, '$.**') AS fact WHERE fact->>'kind' = 'worst_loss'",
    )
    assert f"{loss:.1%}" in set(facts["shown"])


def test_the_copy_passes_the_tests_that_name_what_is_missing(copy: Path) -> None:
    outcome = call(
        copy, sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *INVARIANTS
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_new_statistic_is_documented(copy: Path) -> None:
    script = "from docs.site import statistic_pages as s, table_pages as t;"
    script += "print(s.build_statistics_page(), s.list_statistics(), t.build_tables_page())"
    done = call(copy, sys.executable, "-c", script)
    assert "largest loss of a session in the trailing quarter" in done.stdout
    assert done.stdout.count("-min(R) over 63 sessions") == 2
