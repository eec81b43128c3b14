"""Asset checks on rows exactly on the boundary of what they accept."""

from datetime import date

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics.assets.risk import build_risk_results
from riskmetrics.db import tables
from riskmetrics.resources import Warehouse
from tests.conftest import open_connection

pytestmark = pytest.mark.integration

DAY = date(2022, 12, 28)
BETA_EXTREME = dg.AssetCheckKey(dg.AssetKey("position_betas"), "beta_extreme")


def store_betas(database: str, *betas: float) -> None:
    """Store a position with each market beta on the day."""
    portfolios, positions = tables.portfolios, tables.positions
    with open_connection(database) as connection:
        new = sa.insert(portfolios).values(name="P", currency="USD").returning(portfolios.c.id)
        owner = connection.scalar(new)
        for number, beta in enumerate(betas):
            lot = {"symbol": f"S{number}", "position_type": "LONG", "quantity": 1}
            opened = {"portfolio_id": owner, "entry_date": DAY}
            new = sa.insert(positions).values(**lot, **opened).returning(positions.c.id)
            key = {"portfolio_id": owner, "position_id": connection.scalar(new), "calc_date": DAY}
            fit = {"method": "OLS_SIMPLE", "window_days": 90, "observations": 90, "beta": beta}
            connection.execute(sa.insert(tables.position_market_betas).values(key | fit))


@pytest.mark.parametrize(
    ("betas", "n_extreme"),
    [((5.0, -5.0, 1.0), 0), ((5.000001, -5.0), 1), ((4.999999, -5.000001), 1), ((6.0, -6.0), 2)],
)
def test_a_beta_of_five_is_accepted_and_one_beyond_is_extreme(
    database: str, monkeypatch: pytest.MonkeyPatch, betas: tuple[float, ...], n_extreme: int
) -> None:
    store_betas(database, *betas)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    definitions = dg.Definitions(
        assets=[build_risk_results()],
        jobs=[dg.define_asset_job("check", dg.AssetSelection.checks(BETA_EXTREME))],
        resources={"warehouse": Warehouse()},
    )
    job = definitions.resolve_job_def("check")
    result = job.execute_in_process(tags={"dagster/partition": DAY.isoformat()})
    (found,) = result.get_asset_check_evaluations()
    assert found.passed is (n_extreme == 0)
    assert found.metadata["betas_affected"].value == n_extreme
    assert found.metadata["betas_checked"].value == len(betas)
