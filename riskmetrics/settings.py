"""Every setting, once: environment over ``.env`` over defaults.

Read at an edge and passed down as plain values.
"""

from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    PositiveInt,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)

from riskmetrics import folders
from riskmetrics.errors import ConfigurationError, UsageError
from riskmetrics.limits import MEGABYTE, Limits
from riskmetrics.symbols import normalize_symbol

PACKAGE = Path(__file__).parent
DEFAULT_MARKET_INDEX, DEFAULT_RATE_INDEX = "SPY", "TLT"
MAX_ENV_FILE_BYTES = MEGABYTE
DEFAULT_BENCHMARK = "SP500"
"""Code of the S&P 500, whose sector weights the vendor has."""

DEFAULT_INSIGHT_TYPES = (
    "daily_summary",
    "volatility_analysis",
    "concentration_risk",
    "hedge_quality",
    "factor_exposure",
    "stress_test_review",
)
"""Types of insights that need no question."""
_ANY_INSIGHT = "|".join(DEFAULT_INSIGHT_TYPES)

BenchmarkCode = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_upper=True,
        max_length=32,
        pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*$",
    ),
]
"""Name of a benchmark, such as SP500."""

MAX_INDEX_LENGTH = 16
"""Characters that the columns of market and rate indices hold."""
INDEX_SYMBOL_RULE = f"at most {MAX_INDEX_LENGTH} letters, digits and . - ^ = _"


def _normalize_index_symbol(text: str) -> str:
    """Return the normal form of an index's symbol."""
    if symbol := normalize_symbol(text, MAX_INDEX_LENGTH):
        return symbol
    raise ValueError(f"not a symbol: {INDEX_SYMBOL_RULE}")


_Symbol = Annotated[str, AfterValidator(_normalize_index_symbol)]


def _validate_key(key: SecretStr) -> SecretStr:
    """Drop the space around a key; what is not printable, such as a line end inside, cannot be one."""
    text = key.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a key has printable characters without spaces")
    return SecretStr(text)


_Key = Annotated[SecretStr, AfterValidator(_validate_key)]


def _require_address(text: str, *schemes: str) -> None:
    """Raise ValueError unless a text is an address with one of the schemes and a host; nothing of it is said."""
    try:
        parts = urlsplit(text)
        complete = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half of an IPv6 address, or a port beyond all
        complete = False
    if not complete:
        raise ValueError(
            "expected an address that begins with"
            f" {' or '.join(f'{scheme}://' for scheme in schemes)}"
        )


def _validate_http_url(url: str) -> str:
    _require_address(url, "http", "https")
    return url


_Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^https?://[^/\s?#]+[^\s?#]*$"),
    AfterValidator(_validate_http_url),
]
_Emails = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, pattern=r"^[^\s@,]+@[^\s@,]+(\s*,\s*[^\s@,]+@[^\s@,]+)*$"
    ),
]
_Usd = Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=6)]
_Seconds = Annotated[float, Field(gt=0, le=86_400)]
_Rate = Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)]


def _address_validator(*schemes: str) -> AfterValidator:
    """Accept a secret address with one of the schemes."""

    def check(address: SecretStr) -> SecretStr:
        _require_address(address.get_secret_value(), *schemes)
        return address

    return AfterValidator(check)


class Settings(BaseSettings):
    """What varies by machine and by user; the method's constants stand beside their formulas instead."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("RISKMETRICS_DATABASE_URL", "DATABASE_URL"),
        description="Any Postgres >= 14; unset: an embedded server under RISKMETRICS_HOME.",
    )
    home: Path = Field(
        default=Path(".riskmetrics"),
        validation_alias="RISKMETRICS_HOME",
        description="Where data and runs live.",
    )
    dagster_home: Path | None = Field(
        default=None,
        validation_alias="DAGSTER_HOME",
        description="Dagster's instance; unset: RISKMETRICS_HOME/dagster.",
    )
    market_index: _Symbol | None = Field(
        default=None,
        validation_alias="RISKMETRICS_MARKET_INDEX",
        description=(
            "What betas are measured against; unset: the one kept with the database, else SPY."
        ),
    )
    rate_index: _Symbol | None = Field(
        default=None,
        validation_alias="RISKMETRICS_RATE_INDEX",
        description=(
            "What interest-rate betas are measured against; unset: the one kept with the database,"
            " else TLT."
        ),
    )
    benchmark: BenchmarkCode | None = Field(
        default=None,
        validation_alias="RISKMETRICS_BENCHMARK",
        description=(
            "Benchmark that sector weights are compared with; unset: the one kept with the"
            " database, else SP500."
        ),
    )
    risk_free_rate: _Rate = Field(
        default=0.0,
        validation_alias="RISKMETRICS_RISK_FREE_RATE",
        description=(
            "Of options' values: continuously compounded, per year, as a fraction (0.04 is 4 %)."
        ),
    )
    dividend_yield: _Rate = Field(
        default=0.0,
        validation_alias="RISKMETRICS_DIVIDEND_YIELD",
        description=(
            "Of all underlyings of options: continuously compounded, per year, as a fraction."
        ),
    )
    fmp_api_key: _Key | None = Field(
        default=None,
        validation_alias="FMP_API_KEY",
        description="Of Financial Modeling Prep; unset: only what was imported is used.",
    )
    fmp_url: _Url = Field(
        default="https://financialmodelingprep.com",
        validation_alias="RISKMETRICS_FMP_URL",
        description="Where the vendor, or a proxy of it, answers /stable/….",
    )
    fmp_calls_per_minute: PositiveInt = Field(
        default=300,
        validation_alias="RISKMETRICS_FMP_CALLS_PER_MINUTE",
        description="Most calls in any 60 seconds, of all processes together.",
    )
    fmp_calls_per_day: PositiveInt | None = Field(
        default=None,
        validation_alias="RISKMETRICS_FMP_CALLS_PER_DAY",
        description=(
            "Most calls in a day of UTC (250 on the free plan); unset: as many as the vendor"
            " allows."
        ),
    )
    anthropic_api_key: _Key | None = Field(
        default=None,
        validation_alias="ANTHROPIC_API_KEY",
        description="Of Anthropic; unset: insights are written by fixed rules.",
    )
    anthropic_url: _Url = Field(
        default="https://api.anthropic.com",
        validation_alias="RISKMETRICS_ANTHROPIC_URL",
        description="Where the Messages API, or a proxy of it, answers /v1/….",
    )
    ai_model: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)
    ] = Field(
        default="claude-haiku-5-5",
        validation_alias="RISKMETRICS_AI_MODEL",
        description="The model that words insights.",
    )
    ai_usd_per_insight: _Usd = Field(
        default=Decimal("0.10"),
        validation_alias="RISKMETRICS_AI_USD_PER_INSIGHT",
        description="Most that one insight may cost, with repair.",
    )
    ai_usd_per_run: _Usd = Field(
        default=Decimal("1.00"),
        validation_alias="RISKMETRICS_AI_USD_PER_RUN",
        description="Most that the insights of one run may cost.",
    )
    ai_usd_per_day: _Usd = Field(
        default=Decimal("2.00"),
        validation_alias="RISKMETRICS_AI_USD_PER_DAY",
        description="Most that insights may cost in a day of UTC, of all processes together.",
    )

    ai_types: str = Field(
        default=",".join(DEFAULT_INSIGHT_TYPES),
        validation_alias="RISKMETRICS_AI_TYPES",
        pattern=rf"^(|none|({_ANY_INSIGHT})(,({_ANY_INSIGHT}))*)$",
        description=(
            "Insights that the daily job writes, separated by commas; none: it writes none."
        ),
    )
    ai_anonymization: Literal["aliases", "tickers", "names"] = Field(
        default="aliases",
        validation_alias="RISKMETRICS_AI_DISCLOSE",
        description=(
            "What a language model may learn of what is held: aliases such as POS_01 alone, tickers"
            " too, or names too."
        ),
    )
    nightly: bool = Field(
        default=False,
        validation_alias="RISKMETRICS_NIGHTLY",
        description=(
            "Whether Dagster's daemon starts with the schedule and the alerts on; what is switched"
            " in the UI holds against it."
        ),
    )
    alert_webhook: Annotated[SecretStr, _address_validator("http", "https")] | None = Field(
        default=None,
        validation_alias="RISKMETRICS_ALERT_WEBHOOK",
        description=(
            'Where alerts are posted as {"text": …}, which Slack and Mattermost take; it is a'
            " secret."
        ),
    )
    alert_email: _Emails | None = Field(
        default=None,
        validation_alias="RISKMETRICS_ALERT_EMAIL",
        description="Who gets alerts by e-mail: addresses, separated by commas.",
    )
    alert_sender: str | None = Field(
        default=None,
        validation_alias="RISKMETRICS_ALERT_SENDER",
        description="Sender of these e-mails; unset: the first who gets them.",
    )
    smtp_url: Annotated[SecretStr, _address_validator("smtp", "smtps")] | None = Field(
        default=None,
        validation_alias="RISKMETRICS_SMTP_URL",
        description=(
            "What sends them: smtp://USER:PASSWORD@HOST:587 (STARTTLS where offered),"
            " smtps://…:465; a password goes encrypted."
        ),
    )

    max_file_mb: PositiveInt = Field(
        default=1024,
        validation_alias="RISKMETRICS_MAX_FILE_MB",
        description="Largest imported file, megabytes after unpacking.",
    )
    max_line_kb: PositiveInt = Field(
        default=1024,
        validation_alias="RISKMETRICS_MAX_LINE_KB",
        description="Longest line or cell of an imported file, kilobytes.",
    )
    max_rows: PositiveInt = Field(
        default=10_000_000,
        validation_alias="RISKMETRICS_MAX_ROWS",
        description="Most rows of an imported file.",
    )
    max_columns: PositiveInt = Field(
        default=1_000,
        validation_alias="RISKMETRICS_MAX_COLUMNS",
        description="Most columns of an imported file.",
    )
    max_symbols: PositiveInt = Field(
        default=100_000,
        validation_alias="RISKMETRICS_MAX_SYMBOLS",
        description="Most different symbols, and most different dates, in an imported file.",
    )
    max_holdings: PositiveInt = Field(
        default=50_000,
        validation_alias="RISKMETRICS_MAX_HOLDINGS",
        description="Most lines of a file of holdings, which may have 1 KB each on average.",
    )
    max_rejected_rows: PositiveInt = Field(
        default=100_000,
        validation_alias="RISKMETRICS_MAX_REJECTED_ROWS",
        description="Most rows of a file that are rejected and kept; beyond, the file is refused.",
    )
    max_answer_mb: PositiveInt = Field(
        default=8,
        validation_alias="RISKMETRICS_MAX_ANSWER_MB",
        description="Largest answer of FMP or Anthropic, megabytes after unpacking.",
    )
    max_result_mb: Annotated[PositiveInt, Field(le=1024)] = Field(
        default=64,
        validation_alias="RISKMETRICS_MAX_RESULT_MB",
        description=(
            "Largest result of `riskmetrics db sql`, megabytes: text, and 100 bytes per value."
        ),
    )
    fmp_call_seconds: _Seconds = Field(
        default=180.0,
        validation_alias="RISKMETRICS_FMP_CALL_SECONDS",
        description=(
            "Longest that one question to FMP may take with all retries and waits, seconds."
        ),
    )
    fmp_run_seconds: _Seconds = Field(
        default=3600.0,
        validation_alias="RISKMETRICS_FMP_RUN_SECONDS",
        description="Longest that a command or run goes on asking FMP, seconds.",
    )
    ai_seconds: _Seconds = Field(
        default=180.0,
        validation_alias="RISKMETRICS_AI_SECONDS",
        description=(
            "Longest that an insight or a question may take with all calls, retries and waits,"
            " seconds."
        ),
    )
    ai_run_seconds: _Seconds = Field(
        default=1800.0,
        validation_alias="RISKMETRICS_AI_RUN_SECONDS",
        description="Longest that a command or run goes on asking Anthropic, seconds.",
    )

    @property
    def limits(self) -> Limits:
        """Most that is read from one imported file."""
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
        """RISKMETRICS_HOME as an absolute path."""
        return _absolute_path(self.home, "RISKMETRICS_HOME")

    @cached_property
    def dagster_directory(self) -> Path:
        """DAGSTER_HOME as an absolute path."""
        return (
            _absolute_path(self.dagster_home, "DAGSTER_HOME")
            if self.dagster_home
            else self.home_directory / "dagster"
        )


def _absolute_path(folder: Path, setting: str) -> Path:
    """Return a folder as an absolute path, with ~ replaced by the home folder of an account."""
    try:
        return folder.expanduser().absolute()
    except RuntimeError:  # of pathlib, where there is no such account
        raise ConfigurationError(
            f"{setting} names the home of an unknown account: {folder}. Set it to an absolute path"
        ) from None
    except FileNotFoundError:
        raise ConfigurationError(
            f"{setting} is {folder}, in the current directory, which does not exist any more."
            " Change to another directory"
        ) from None


def load() -> Settings:
    """Read the settings, or raise ConfigurationError that names the setting at fault (never its value)."""
    try:
        _check_env_file()
        return Settings()
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f".env is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read .env: {error.strerror}. Make it readable, or remove it"
        ) from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise ConfigurationError(
            f"settings in the environment or .env are wrong: {faults}"
        ) from None


def _check_env_file() -> None:
    """Raise ConfigurationError if .env must not be read."""
    file = Path(".env")
    folders.refuse_planted_file(file)  # it could send our keys to an address of its own
    folders.refuse_foreign_owner_as_root(file)
    folders.refuse_special_file(file)
    if file.is_file() and file.stat().st_size > MAX_ENV_FILE_BYTES:
        raise ConfigurationError(
            f".env has more than {MAX_ENV_FILE_BYTES // MEGABYTE} MB. Keep only settings in it",
        )


def parse_benchmark_code(text: str) -> str:
    """Return the code of a benchmark in upper case, or raise UsageError."""
    try:
        code: str = TypeAdapter(BenchmarkCode).validate_python(text)
    except ValidationError:
        raise UsageError(
            f"{text!r} is not the code of a benchmark: use at most 32 letters, digits and . - _"
        ) from None
    return code


class SettingOrigin(NamedTuple):
    """Where the value of a setting comes from."""

    name: str
    """Of the variable."""
    field: str
    source: str
    """environment, .env or default."""
    is_secret: bool


def setting_origins() -> list[SettingOrigin]:
    """Say of every setting where its value comes from; nothing is validated."""
    values_by_source = {
        "environment": EnvSettingsSource(Settings)(),
        ".env": DotEnvSettingsSource(Settings)(),
    }
    found = []
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        name = str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias)
        source = next(
            (where for where, values in values_by_source.items() if name in values), "default"
        )
        found.append(SettingOrigin(name, field, source, "SecretStr" in str(info.annotation)))
    return found


def bundled_path(name: str) -> Path:
    """A file or folder at the top of the checkout and inside the wheel: ``migrations``, ``dagster.yaml``, ``workspace.yaml``."""
    packaged = PACKAGE / "_bundled" / name
    return packaged if packaged.exists() else PACKAGE.parent / name
