"""Settings of data vendors: which are used, with which key, where, and how often."""

from typing import Annotated

from pydantic import AliasGenerator, Field, PositiveInt, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from riskmetrics.setting_types import ApiKey, CallLimit, HttpUrl, SecondsLimit

SourceNames = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9_-]*(\s*,\s*[A-Za-z0-9][A-Za-z0-9_-]*)*\s*$",
    ),
]
"""Comma-separated names of data sources, such as tiingo,yahoo."""


class VendorSettings(BaseSettings):
    """Settings of data vendors; part of `settings.Settings`.

    The environment variable of a setting is its name in capitals after RISKMETRICS_, unless it
    states another one.
    """

    model_config = SettingsConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: f"RISKMETRICS_{name.upper()}")
    )

    source: SourceNames | None = Field(
        default=None,
        description=(
            "Data sources in order of preference, comma-separated: fmp, yahoo, tiingo, the name of"
            " an installed one, or none; default: fmp if FMP_API_KEY is set."
        ),
    )
    fmp_api_key: ApiKey | None = Field(
        default=None,
        validation_alias="FMP_API_KEY",
        description="API key of Financial Modeling Prep; if unset, only imported data is used.",
    )
    fmp_url: HttpUrl = Field(
        default="https://financialmodelingprep.com",
        description="Base URL of FMP, or of a proxy, that serves /stable/….",
    )
    fmp_calls_per_minute: PositiveInt = Field(
        default=300,
        description="Maximum FMP calls in any 60 seconds, of all processes together.",
    )
    fmp_calls_per_day: CallLimit = Field(
        default=None,
        description=(
            "Maximum FMP calls per UTC day (250 on the free plan); default: no limit other than"
            " that of the vendor."
        ),
    )
    fmp_call_seconds: SecondsLimit = Field(
        default=180.0,
        description="Maximum time of one FMP call including retries and waits, seconds.",
    )
    fmp_run_seconds: SecondsLimit = Field(
        default=3600.0,
        description="Maximum time of all FMP calls of a command or run, seconds.",
    )

    yahoo_url: HttpUrl | None = Field(
        default=None,
        description="Base URL of a proxy that answers in place of Yahoo's hosts.",
    )
    yahoo_calls_per_minute: PositiveInt = Field(
        default=60,
        description="Maximum Yahoo calls in any 60 seconds, of all processes together.",
    )
    yahoo_calls_per_day: CallLimit = Field(
        default=None,
        description="Maximum Yahoo calls per UTC day; default: no limit.",
    )
    yahoo_call_seconds: SecondsLimit = Field(
        default=180.0,
        description="Maximum time of one Yahoo call including retries and waits, seconds.",
    )
    yahoo_run_seconds: SecondsLimit = Field(
        default=3600.0,
        description="Maximum time of all Yahoo calls of a command or run, seconds.",
    )

    tiingo_api_key: ApiKey | None = Field(
        default=None,
        description="API key (token) of Tiingo.",
    )
    tiingo_url: HttpUrl = Field(
        default="https://api.tiingo.com",
        description="Base URL of Tiingo, or of a proxy, that serves /tiingo/….",
    )
    tiingo_calls_per_minute: PositiveInt = Field(
        default=50,
        description="Maximum Tiingo calls in any 60 seconds, of all processes together.",
    )
    tiingo_calls_per_day: CallLimit = Field(
        default=1000,
        description="Maximum Tiingo calls per UTC day; none: no limit; the default is that of"
        " the free plan.",
    )
    tiingo_calls_per_hour: CallLimit = Field(
        default=50,
        description="Maximum Tiingo calls per hour; none: no limit; the default is that of"
        " the free plan.",
    )
    tiingo_call_seconds: SecondsLimit = Field(
        default=180.0,
        description="Maximum time of one Tiingo call including retries and waits, seconds.",
    )
    tiingo_run_seconds: SecondsLimit = Field(
        default=3600.0,
        description="Maximum time of all Tiingo calls of a command or run, seconds.",
    )

    @property
    def source_names(self) -> tuple[str, ...]:
        """Return the data sources in order of preference; empty: imported data only."""
        if self.source is None:
            return () if self.fmp_api_key is None else ("fmp",)
        names = dict.fromkeys(name.strip() for name in self.source.split(","))
        return tuple(name for name in names if name != "none")
