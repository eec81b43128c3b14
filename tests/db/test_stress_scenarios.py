"""Stress scenarios in the database: defaults, and additions, changes and removals by users."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, input_writes, tables


def scenario(
    name: str, move: float = np.nan, first: date | None = None, last: date | None = None
) -> pd.DataFrame:
    row = {
        "name": name,
        "market_move": move,
        "rate_move": np.nan,
        "first_day": first,
        "last_day": last,
        "description": "",
    }
    return pd.DataFrame([row]).astype({"first_day": object, "last_day": object})


def test_the_windows_that_come_with_the_database_begin_and_end_with_sessions(connection):
    found = input_queries.read_stress_scenarios(connection)
    days = pd.concat([found["first_day"], found["last_day"]]).dropna()
    assert len(found) == 12
    assert all(trading_calendar.is_session(day.date()) for day in days)
    assert {-0.4, -0.2, -0.1, 0.1} <= set(found["market_move"])
    assert {-0.1, 0.1} <= set(found["rate_move"])


def test_a_name_that_is_there_gets_the_new_terms_and_the_same_file_again_changes_nothing(
    connection,
):
    """A scenario by moves becomes a window: the moves are removed."""
    assert input_writes.store_scenarios(
        connection, scenario("mine", -0.3), is_complete_set=False
    ) == (1, 0, 0)
    window = scenario("mine", first=date(2020, 2, 19), last=date(2020, 3, 23))
    assert input_writes.store_scenarios(connection, window, is_complete_set=False) == (1, 0, 0)
    assert input_writes.store_scenarios(connection, window, is_complete_set=False) == (0, 0, 1)
    found = input_queries.read_stress_scenarios(connection).set_index("name")
    assert len(found) == 13
    assert pd.isna(found.loc["mine", "market_move"])
    assert found.loc["mine", "last_day"] == pd.Timestamp(2020, 3, 23)


def test_the_others_go_if_it_is_said(connection):
    assert input_writes.store_scenarios(
        connection, scenario("mine", -0.3), is_complete_set=True
    ) == (1, 12, 0)
    assert input_queries.read_stress_scenarios(connection)["name"].tolist() == ["mine"]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"market_move": -1.0},
        {"market_move": -0.1, "first_day": date(2020, 2, 19), "last_day": date(2020, 3, 23)},
        {"first_day": date(2020, 2, 19)},
        {"first_day": date(2020, 3, 23), "last_day": date(2020, 2, 19)},
    ],
)
def test_the_table_refuses_what_is_neither_moves_nor_a_window(connection, row):
    with pytest.raises(sa.exc.IntegrityError, match="ck_stress_scenarios"):
        connection.execute(
            sa.insert(tables.stress_scenarios).values({"name": "x", "description": ""} | row)
        )
