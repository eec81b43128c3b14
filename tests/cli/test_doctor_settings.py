"""`riskmetrics doctor` on settings whose mistakes would only be seen in a run, or never."""

import json
import socket
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from riskmetrics import trading_calendar
from riskmetrics.cli.demo import load_sample
from riskmetrics.db import factor_queries
from tests.commands import invoke
from tests.conftest import NewDatabase, open_connection


@pytest.fixture(scope="module")
def sample_of_factors(create_database: NewDatabase, template: str) -> str:
    """Return the URL of a database with the sample and a return of the factor HML."""
    url = create_database(template)
    with open_connection(url) as connection:
        load_sample(connection)
        rows = pd.DataFrame({"day": [date(2022, 12, 28)], "factor": "HML", "factor_return": 0.1})
        factor_queries.store_factor_returns(connection, rows, "test")
    return url


def find_problems(*options: str) -> tuple[int, str]:
    """Return the exit code, and the problems with what to do as one text."""
    result = invoke("doctor", "--json", *options)
    problems = [each for each in json.loads(result.stdout) if each["state"] != "ok"]
    return result.exit_code, "\n".join(
        f"{one['state']} {one['finding']} -> {one['what_to_do']}" for one in problems
    )


@pytest.fixture
def setting(
    sample_of_factors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", sample_of_factors)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RATE_INDEX", "IEF", "warn no close of the rate index IEF is stored"),
        ("RATE_INDEX", "IEF", "or RISKMETRICS_RATE_INDEX=SYMBOL"),
        ("FACTORS", "quality=QUALX", "of the factor funds QUALX (is it QUAL?)"),
        ("FACTORS", "HMX", "of the factors HMX (imported: HML)"),
        ("MARKT_INDEX", "SPX", "no effect (did you mean RISKMETRICS_MARKET_INDEX?)"),
    ],
)
def test_a_setting_that_names_nothing_is_a_warning_with_what_to_do(
    setting: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    setting.setenv(f"RISKMETRICS_{name}", value)
    code, found = find_problems()
    assert code == 0
    assert words in found


def test_a_market_index_without_closes_is_a_failure_as_nothing_can_be_computed(
    setting: pytest.MonkeyPatch,
) -> None:
    setting.setenv("RISKMETRICS_MARKET_INDEX", "SPXX")
    code, found = find_problems()
    assert code == 3
    assert "fail no close of the market index SPXX is stored" in found
    assert "or RISKMETRICS_MARKET_INDEX=SPX" in found


def test_settings_that_name_what_is_stored_are_no_problem(setting: pytest.MonkeyPatch) -> None:
    _, before = find_problems()
    setting.setenv("RISKMETRICS_MARKET_INDEX", "spx")
    setting.setenv("RISKMETRICS_RATE_INDEX", "USMV")
    setting.setenv("RISKMETRICS_FACTORS", "quality=QUAL,HML")
    setting.setenv("riskmetrics_risk_free_rate", "0.02")  # names of settings have no case
    setting.setenv("RISKMETRICS_FIRST_SESSION", str(trading_calendar.last_completed_session()))
    assert find_problems() == (0, before)


def test_a_misspelled_name_in_the_env_file_is_found(setting: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("RISKMETRICS_ALERT_EMIAL=me@example.com\nOTHER=1\n")
    code, found = find_problems()
    assert code == 0
    assert "RISKMETRICS_ALERT_EMIAL in .env" in found
    assert "did you mean RISKMETRICS_ALERT_EMAIL?" in found
    assert "OTHER" not in found


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LAYOUTS", "/nowhere", "/nowhere is not a directory"),
        ("FIRST_SESSION", "2999-01-04", "after the latest ended session, {latest}"),
    ],
)
def test_a_setting_that_no_run_can_follow_is_a_failure(
    setting: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    setting.setenv(f"RISKMETRICS_{name}", value)
    code, found = find_problems()
    assert code == 6
    assert words.format(latest=trading_calendar.last_completed_session()) in found


def test_a_scheduler_must_accept_connections_if_doctor_may_connect(
    setting: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        setting.setenv("RISKMETRICS_DASK_SCHEDULER", address)
        assert find_problems("--online")[0] == 0
    code, found = find_problems("--online")
    assert code == 6
    assert f"{address}, but nothing answers there" in found
    code, found = find_problems()
    assert code == 0
    assert address not in found
