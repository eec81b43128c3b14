"""Where settings come from, and that what is wrong is named but never shown."""

import os
import socket
import tempfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from riskmetrics import settings
from riskmetrics.deadlines import run_with_timeout
from riskmetrics.errors import ConfigurationError
from tests.other_account import ORDINARY, call_as, needs_root


@pytest.fixture
def dotenv(tmp_path):
    """Return a writer of the working directory's .env."""
    return lambda text: (tmp_path / ".env").write_text(text, encoding="utf-8")


def test_without_any_setting_data_live_in_the_working_directory(tmp_path):
    loaded = settings.load()
    assert (loaded.database_url, loaded.market_index) == (None, None)
    assert loaded.home_directory == tmp_path / ".riskmetrics"
    assert loaded.dagster_directory == tmp_path / ".riskmetrics" / "dagster"


def test_dotenv_is_read_and_the_environment_has_the_last_word(dotenv, monkeypatch):
    dotenv("RISKMETRICS_MARKET_INDEX=VTI\nRISKMETRICS_HOME=from-file\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("RISKMETRICS_HOME", "from-environment")
    loaded = settings.load()
    assert (loaded.market_index, loaded.home) == ("VTI", Path("from-environment"))


def test_a_limit_of_calls_can_be_none(dotenv):
    names = [f"{source}_CALLS_PER_DAY" for source in ("FMP", "YAHOO", "TIINGO")]
    dotenv("".join(f"RISKMETRICS_{name}=None\n" for name in [*names, "TIINGO_CALLS_PER_HOUR"]))
    loaded = settings.load()
    assert loaded.tiingo_calls_per_hour is None
    assert [getattr(loaded, name.lower()) for name in names] == [None] * 3


def test_an_empty_value_is_no_value(dotenv, monkeypatch):
    dotenv("RISKMETRICS_MARKET_INDEX=\nRISKMETRICS_HOME=from-file\n")
    monkeypatch.setenv("RISKMETRICS_HOME", "")
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", "")
    loaded = settings.load()
    assert (loaded.market_index, loaded.database_url, loaded.home) == (
        None,
        None,
        Path("from-file"),
    )


@pytest.mark.parametrize(
    ("own", "general", "used"),
    [
        ("postgresql://a", "postgresql://b", "postgresql://a"),
        (None, "postgresql://b", "postgresql://b"),
    ],
)
def test_our_own_database_url_goes_before_the_general_one(monkeypatch, own, general, used):
    if own:
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", own)
    monkeypatch.setenv("DATABASE_URL", general)
    url = settings.load().database_url
    assert url is not None
    assert url.get_secret_value() == used


@pytest.mark.parametrize(
    ("given", "meant"),
    [("data", "{cwd}/data"), ("~/risk", "{home}/risk"), ("/srv/risk", "/srv/risk")],
)
def test_folders_may_be_relative_or_under_the_users_home(monkeypatch, tmp_path, given, meant):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("RISKMETRICS_HOME", given)
    monkeypatch.setenv("DAGSTER_HOME", given)
    loaded = settings.load()
    expected = Path(meant.format(cwd=tmp_path, home=tmp_path / "me"))
    assert (loaded.home_directory, loaded.dagster_directory) == (expected, expected)


def test_the_market_index_is_written_as_symbols_are(monkeypatch):
    monkeypatch.setenv("RISKMETRICS_MARKET_INDEX", " spy ")
    assert settings.load().market_index == "SPY"


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch):
    monkeypatch.setenv("RISKMETRICS_MARKET_INDEX", "something-private-here")
    with pytest.raises(
        ConfigurationError,
        match=r"RISKMETRICS_MARKET_INDEX: .*not a valid symbol: use at most 16 letters",
    ) as caught:
        settings.load()
    assert "private" not in str(caught.value)
    assert caught.value.exit_code == 6
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("given", "used"), [(" abc123 \n", "abc123"), ("a+b/c==", "a+b/c=="), ("", None)]
)
def test_a_key_is_taken_without_the_space_around_it(monkeypatch, given, used):
    monkeypatch.setenv("FMP_API_KEY", given)
    key = settings.load().fmp_api_key
    assert (key.get_secret_value() if key else None) == used


@pytest.mark.parametrize("given", ["two words", "new\nline", "schlüssel"])
def test_a_key_that_no_url_can_carry_is_refused_and_not_shown(monkeypatch, given):
    monkeypatch.setenv("FMP_API_KEY", given)
    with pytest.raises(ConfigurationError, match="FMP_API_KEY") as caught:
        settings.load()
    assert given not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("RISKMETRICS_FMP_URL", url)
            for url in ("ftp://x", "https://", "http://[::1", "http://:80", "http://vendor:99999")
        ),
        ("RISKMETRICS_FMP_CALLS_PER_DAY", "0"),
        ("RISKMETRICS_AI_USD_PER_DAY", "-1"),
        ("RISKMETRICS_AI_ANONYMIZATION", "all"),
    ],
)
def test_limits_and_addresses_of_the_vendor_that_cannot_be_are_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        settings.load()


def test_settings_are_not_changed_after_they_are_read_and_hide_the_password(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://risk:s3cr3t@db/metrics")
    monkeypatch.setenv("FMP_API_KEY", "s3cr3t")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "s3cr3t")
    loaded = settings.load()
    assert "s3cr3t" not in f"{loaded!r} {loaded} {loaded.model_dump()}"
    with pytest.raises(ValidationError, match="frozen"):
        loaded.market_index = "VTI"


def test_what_is_bundled_is_found_in_the_checkout_and_in_the_wheel(monkeypatch, tmp_path):
    assert (settings.bundled_path("migrations") / "versions").is_dir()
    (tmp_path / "_bundled" / "migrations").mkdir(parents=True)
    monkeypatch.setattr(settings, "PACKAGE", tmp_path)
    assert settings.bundled_path("migrations") == tmp_path / "_bundled" / "migrations"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"FMP_API_KEY=caf\xe9-secret", r"^\.env is not UTF-8 \(byte 15\). Save it as UTF-8$"),
        (b"\xff", r"^\.env is not UTF-8 \(byte 0\)"),
    ],
)
def test_a_dotenv_that_is_not_utf8_is_refused_without_its_text(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigurationError, match=sentence) as refusal:
        settings.load()
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a device"])
def test_a_dotenv_that_may_never_end_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ".env"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(".env")
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match=r"^\.env is a pipe, socket or device\. Use a"):
        run_with_timeout(60, settings.load)


@pytest.mark.parametrize("target", [".", "/dev/null", "missing"])
def test_a_folder_or_nothing_in_place_of_dotenv_is_none(tmp_path: Path, target: str) -> None:
    (tmp_path / ".env").symlink_to(target)
    assert settings.load().market_index is None


def test_a_dotenv_may_have_the_largest_size_and_no_byte_more(tmp_path: Path) -> None:
    text = "RISKMETRICS_MARKET_INDEX=QQQ\n"
    text += "#" * (settings.MAX_ENV_FILE_BYTES - len(text))
    (tmp_path / ".env").write_text(text)
    assert settings.load().market_index == "QQQ"
    (tmp_path / ".env").write_text(text + "#")
    with pytest.raises(
        ConfigurationError, match=r"^\.env is larger than 1 MB\. Keep only settings"
    ):
        settings.load()


@needs_root
def test_a_dotenv_that_cannot_be_read_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / ".env").touch(mode=0o600)
        os.chdir(folder)
        assert (
            call_as(ORDINARY, settings.load)
            == "ConfigurationError: cannot read .env: Permission denied. Make it readable, or"
            " remove it"
        )


@pytest.mark.parametrize("name", ["RISKMETRICS_HOME", "DAGSTER_HOME"])
def test_a_home_that_is_no_path_is_refused_by_the_name_of_its_setting(
    monkeypatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, "~no-such-account/risk")
    with pytest.raises(
        ConfigurationError,
        match=f"{name} is the home directory of an unknown user: ~no-such-account/risk",
    ):
        _ = settings.load().dagster_directory
    monkeypatch.setenv(name, "risk")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(
        ConfigurationError,
        match=f"{name} is risk, relative to the current directory, which no longer exists",
    ):
        _ = settings.load().dagster_directory
    monkeypatch.setenv(name, str(tmp_path / "risk"))
    assert settings.load().dagster_directory.is_relative_to(tmp_path / "risk")
