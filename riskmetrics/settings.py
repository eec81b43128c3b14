"""Settings from the environment, else from ``.env``, else defaults.

Entry points load them and pass plain values to the other modules.
"""

from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AliasChoices, Field, PositiveInt, SecretStr, StringConstraints, ValidationError
from pydantic_settings import SettingsConfigDict

from riskmetrics import folders
from riskmetrics.errors import ConfigurationError
from riskmetrics.setting_types import (
    AnnualRate,
    ApiKey,
    BenchmarkCode,
    DaskAddress,
    EmailAddresses,
    FactorList,
    HttpUrl,
    IndexSymbol,
    ParticipationRate,
    SecondsLimit,
    UsdAmount,
    url_validator,
)
from riskmetrics.size_limits import MEGABYTE, Limits
from riskmetrics.text import simplify_validation
from riskmetrics.vendor_settings import VendorSettings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PACKAGE = Path(__file__).parent
DEFAULT_MARKET_INDEX, DEFAULT_RATE_INDEX = "SPY", "TLT"
MAX_ENV_FILE_BYTES = MEGABYTE
DEFAULT_BENCHMARK = "SP500"
"""Code of the S&P 500, the benchmark that the vendor provides."""

DEFAULT_INSIGHT_TYPES = (
    "daily_summary",
    "volatility_analysis",
    "concentration_risk",
    "hedge_quality",
    "factor_exposure",
    "stress_test_review",
)
"""Insight types that need no question."""
_ANY_INSIGHT = "|".join(DEFAULT_INSIGHT_TYPES)


class Settings(VendorSettings):
    """Settings that vary by machine and user; constants of methods are next to their formulas."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("RISKMETRICS_DATABASE_URL", "DATABASE_URL"),
        description="URL of a Postgres server >= 14; default: embedded server in RISKMETRICS_HOME.",
    )
    home: Path = Field(
        default=Path(".riskmetrics"),
        description="Directory of data and runs.",
    )
    dagster_home: Path | None = Field(
        default=None,
        validation_alias="DAGSTER_HOME",
        description="Directory of the Dagster instance; default: RISKMETRICS_HOME/dagster.",
    )
    first_session: date | None = Field(
        default=None,
        description="First session in Dagster's UI; default: that of the first stored price.",
    )
    layouts: Path | None = Field(
        default=None,
        description="Directory of your own layouts of holdings files (*.toml); default: none.",
    )
    market_index: IndexSymbol | None = Field(
        default=None,
        description="Market index of betas; default: the one stored in the database, else SPY.",
    )
    rate_index: IndexSymbol | None = Field(
        default=None,
        description=(
            "Rate index of interest-rate betas; default: the one stored in the database, else TLT."
        ),
    )
    benchmark: BenchmarkCode | None = Field(
        default=None,
        description=(
            "Benchmark of sector weights; default: the one stored in the database, else SP500."
        ),
    )
    factors: FactorList = Field(
        default="style",
        description=(
            "Factors besides the market, comma-separated: the sets style and sectors, spreads of"
            " funds over the market as NAME=SYMBOL, names of imported factors; none: the"
            " market alone."
        ),
    )
    risk_free_rate: AnnualRate = Field(
        default=0.0,
        description=(
            "Risk-free rate for option values: continuously compounded, per year, as a fraction"
            " (0.04 is 4%)."
        ),
    )
    dividend_yield: AnnualRate = Field(
        default=0.0,
        description=(
            "Dividend yield of all option underlyings: continuously compounded, per year, as a"
            " fraction."
        ),
    )
    liquidation_share: ParticipationRate = Field(
        default=0.2,
        description="Share of the median volume that is sold per day in liquidity figures.",
    )
    correlated_holdings: Annotated[int, Field(ge=0, le=30)] = Field(
        default=30,
        description=(
            "Largest holdings of a portfolio whose correlations are stored, at most 30: n * (n - 1)"
            " / 2 rows for each portfolio and session; 0 stores none."
        ),
    )
    anthropic_api_key: ApiKey | None = Field(
        default=None,
        validation_alias="ANTHROPIC_API_KEY",
        description="API key of Anthropic; if unset, insights are written by fixed rules.",
    )
    anthropic_url: HttpUrl = Field(
        default="https://api.anthropic.com",
        description="Base URL of the Messages API, or of a proxy, that serves /v1/….",
    )
    ai_model: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)
    ] = Field(
        default="claude-haiku-5-5",
        description="Model that writes insights.",
    )
    ai_usd_per_insight: UsdAmount = Field(
        default=Decimal("0.10"),
        description="Maximum cost of one insight in USD, of all its attempts.",
    )
    ai_usd_per_run: UsdAmount = Field(
        default=Decimal("1.00"),
        description="Maximum cost of the insights of one run in USD.",
    )
    ai_usd_per_day: UsdAmount = Field(
        default=Decimal("2.00"),
        description="Maximum cost of insights per UTC day in USD, of all processes together.",
    )

    ai_types: str = Field(
        default=",".join(DEFAULT_INSIGHT_TYPES),
        pattern=rf"^(|none|({_ANY_INSIGHT})(,({_ANY_INSIGHT}))*)$",
        description="Comma-separated types of the insights that the daily job writes, or none.",
    )
    ai_anonymization: Literal["aliases", "tickers", "names"] = Field(
        default="aliases",
        description=(
            "Identification of holdings in prompts: aliases such as POS_01 only, or also tickers,"
            " or also names."
        ),
    )
    nightly: bool = Field(
        default=False,
        description=(
            "Whether schedule and alerts are on when the Dagster daemon starts; a switch in the UI"
            " overrides this."
        ),
    )
    alert_webhook: Annotated[SecretStr, url_validator("http", "https")] | None = Field(
        default=None,
        description=(
            'URL that alerts are posted to as {"text": …}, the format of Slack and Mattermost;'
            " a secret."
        ),
    )
    alert_email: EmailAddresses | None = Field(
        default=None,
        description="Comma-separated e-mail addresses that receive alerts.",
    )
    alert_sender: str | None = Field(
        default=None,
        description="Sender of alert e-mails (risk@example.com); default: the first recipient.",
    )
    smtp_url: Annotated[SecretStr, url_validator("smtp", "smtps")] | None = Field(
        default=None,
        description=(
            "Mail server of alerts: smtp://USER:PASSWORD@HOST:587 (STARTTLS if offered) or"
            " smtps://…:465; a password is sent only if encrypted."
        ),
    )

    workers: PositiveInt = Field(
        default=1,
        description="Processes of this machine that compute a book of more than 5,000 lots.",
    )
    dask_scheduler: DaskAddress | None = Field(
        default=None,
        description=(
            "Address of a Dask scheduler, tcp://HOST:PORT, whose workers take the place of"
            " RISKMETRICS_WORKERS; needs the extra dask."
        ),
    )
    shard_positions: PositiveInt = Field(
        default=100_000,
        description="Maximum lots computed at once: larger books are divided, to limit memory.",
    )

    max_file_mb: PositiveInt = Field(
        default=1024,
        description="Maximum size of an imported file, megabytes after decompression.",
    )
    max_line_kb: PositiveInt = Field(
        default=1024,
        description="Maximum length of a line or cell of an imported file, kilobytes.",
    )
    max_rows: PositiveInt = Field(
        default=10_000_000,
        description="Maximum rows of an imported file.",
    )
    max_columns: PositiveInt = Field(
        default=1_000,
        description="Maximum columns of an imported file.",
    )
    max_symbols: PositiveInt = Field(
        default=100_000,
        description="Maximum distinct symbols, and maximum distinct dates, of an imported file.",
    )
    max_holdings: PositiveInt = Field(
        default=50_000,
        description="Maximum lines of a holdings file; its maximum size is 1 KB times this.",
    )
    max_rejected_rows: PositiveInt = Field(
        default=100_000,
        description="Maximum rejected rows of a file; with more, the whole file is rejected.",
    )
    max_answer_mb: PositiveInt = Field(
        default=8,
        description="Maximum response of a vendor or Anthropic, megabytes after decompression.",
    )
    max_result_mb: Annotated[PositiveInt, Field(le=1024)] = Field(
        default=64,
        description="Maximum result of `riskmetrics db sql` in megabytes, with 100 bytes a value.",
    )
    ai_seconds: SecondsLimit = Field(
        default=180.0,
        description=(
            "Maximum time of one insight or question including all calls, retries and waits,"
            " seconds."
        ),
    )
    ai_run_seconds: SecondsLimit = Field(
        default=1800.0,
        description="Maximum time of all Anthropic calls of a command or run, seconds.",
    )

    @property
    def limits(self) -> Limits:
        """Return the limits of an imported file."""
        return Limits(
            file_bytes=self.max_file_mb * MEGABYTE,
            line_bytes=self.max_line_kb * 1024,
            rows=self.max_rows,
            columns=self.max_columns,
            symbols=self.max_symbols,
            holdings=self.max_holdings,
            rejected_rows=self.max_rejected_rows,
        )

    @cached_property
    def home_directory(self) -> Path:
        """Return RISKMETRICS_HOME as an absolute path."""
        return _absolute_path(self.home, "RISKMETRICS_HOME")

    @cached_property
    def dagster_directory(self) -> Path:
        """Return DAGSTER_HOME as an absolute path."""
        return (
            _absolute_path(self.dagster_home, "DAGSTER_HOME")
            if self.dagster_home
            else self.home_directory / "dagster"
        )


def _absolute_path(folder: Path, setting: str) -> Path:
    """Return a directory as an absolute path, with ~ replaced by the home directory of a user."""
    try:
        return folder.expanduser().absolute()
    except RuntimeError:  # raised by pathlib if the user does not exist
        raise ConfigurationError(
            f"{setting} is the home directory of an unknown user: {folder}. Set it to an absolute"
            " path"
        ) from None
    except FileNotFoundError:
        raise ConfigurationError(
            f"{setting} is {folder}, relative to the current directory, which no longer exists."
            " Change to another directory"
        ) from None


def load() -> Settings:
    """Load the settings.

    Raises
    ------
    ConfigurationError
        If a setting is invalid, or .env cannot be read; names the setting, never its value.
    """
    try:
        _check_env_file()
        return Settings()
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f".env is not UTF-8 (byte {error.start}). Save it as UTF-8"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read .env: {error.strerror}. Make it readable, or remove it"
        ) from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {_describe_problem(problem)}"
            for problem in error.errors(include_input=False)
        )
        raise ConfigurationError(
            f"invalid settings in the environment or .env: {problems}"
        ) from None


def _describe_problem(problem: "ErrorDetails") -> str:
    """Return what is wrong with a setting; if it is its form, describe the setting."""
    if problem["type"] != "string_pattern_mismatch":
        return simplify_validation(problem["msg"])
    name = problem["loc"][0]
    described = next(
        info.description
        for info in Settings.model_fields.values()
        if info.validation_alias == name
        or (
            isinstance(info.validation_alias, AliasChoices)
            and name in info.validation_alias.choices
        )
    )
    return f"not in the form of this setting: {described}"


def _check_env_file() -> None:
    """Raise ConfigurationError if .env is unsafe to read."""
    file = Path(".env")
    folders.refuse_untrusted_file(file)  # it could send API keys to another address
    folders.refuse_foreign_owner_as_root(file)
    folders.refuse_special_file(file)
    if file.is_file() and file.stat().st_size > MAX_ENV_FILE_BYTES:
        raise ConfigurationError(
            f".env is larger than {MAX_ENV_FILE_BYTES // MEGABYTE} MB. Keep only settings in it",
        )


def bundled_path(name: str) -> Path:
    """Return the path of a file or directory that is in the root of the checkout and in the wheel.

    Such as ``migrations``, ``dagster.yaml`` and ``workspace.yaml``.
    """
    packaged = PACKAGE / "_bundled" / name
    return packaged if packaged.exists() else PACKAGE.parent / name
