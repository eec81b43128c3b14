"""A shard whose run has ended: its worker must not write over results of the next run."""

from collections.abc import Callable
from datetime import date
from importlib.metadata import version

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.computations.result_asset import EXTENSIONS, ResultAsset
from riskmetrics.computations.shard_work import ShardTask, run_shard
from riskmetrics.db import tables
from riskmetrics.db.engine import create_engine
from riskmetrics.db.result_writes import Computed, Part, TableRows
from riskmetrics.db.shards import Shard, Unit
from riskmetrics.db.write import Provenance
from riskmetrics.errors import ConfigurationError
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.inputs.snapshot import open_snapshot

DAY = date(2022, 12, 28)
TABLE = tables.portfolio_figures


def _figure(portfolio_id: object, while_it_is_computed: Callable[[], None]) -> ResultAsset:
    """Return an asset that computes 1 for a portfolio, while something else happens."""

    def compute(_: RunInputs) -> Computed:
        while_it_is_computed()
        row = {"portfolio_id": str(portfolio_id), "day": pd.Timestamp(DAY), "figure": "one"}
        rows = pd.DataFrame([row | {"value": 1.0, "undefined_reason": None}])
        return Computed([TableRows(TABLE, rows, condition=TABLE.c.figure == "one")])

    return ResultAsset("one", "One.", {}, (TABLE,), compute, "value", group=EXTENSIONS)


@pytest.mark.parametrize("is_run_over", [False, True])
def test_a_shard_is_written_only_while_its_run_goes_on(database: str, is_run_over: bool) -> None:
    engine = create_engine(database)
    portfolios = tables.portfolios
    with engine.begin() as connection:
        new = sa.insert(portfolios).values(name="P", currency="USD").returning(portfolios.c.id)
        portfolio_id = connection.scalar(new)
    with open_snapshot(engine, settings.load(), DAY) as snapshot:
        task = ShardTask(
            snapshot.export(),
            Part(Shard(Unit.PORTFOLIOS)),
            ("one",),
            (DAY,),
            Provenance("run", "code"),
            version("riskmetrics"),
        )
        end = snapshot.connection.rollback if is_run_over else lambda: None
        outcomes = run_shard(engine, {"one": _figure(portfolio_id, end)}, task)
    with engine.connect() as connection:
        values = list(connection.scalars(sa.select(TABLE.c.value)))
    engine.dispose()
    if is_run_over:
        assert isinstance(outcomes["one"], ConfigurationError)
        assert "the run has ended" in str(outcomes["one"])
        assert values == []
    else:
        assert outcomes["one"].sessions[DAY].n_rows == 1
        assert values == [1.0]
