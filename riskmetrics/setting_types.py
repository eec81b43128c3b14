"""Types of settings, with the validators that pydantic applies to their values."""

from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from riskmetrics.errors import UsageError
from riskmetrics.factor_sets import parse_factors
from riskmetrics.symbols import normalize_symbol

BenchmarkCode = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_upper=True,
        max_length=32,
        pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*$",
    ),
]
"""Code of a benchmark, such as SP500."""

MAX_INDEX_LENGTH = 16
"""Length of the columns of market and rate indices, in characters."""
INDEX_SYMBOL_RULE = f"at most {MAX_INDEX_LENGTH} letters, digits and . - ^ = _"


def _normalize_index_symbol(text: str) -> str:
    """Return the normalized symbol of an index, or raise ValueError."""
    if symbol := normalize_symbol(text, MAX_INDEX_LENGTH):
        return symbol
    raise ValueError(f"not a valid symbol: use {INDEX_SYMBOL_RULE}")


IndexSymbol = Annotated[str, AfterValidator(_normalize_index_symbol)]


def _validate_factors(text: str) -> str:
    """Return the text of a factor set, or raise ValueError."""
    parse_factors(text)
    return text


FactorList = Annotated[
    str, StringConstraints(strip_whitespace=True), AfterValidator(_validate_factors)
]
"""Factors besides the market, as `factor_sets.parse_factors` reads them."""


def _validate_key(key: SecretStr) -> SecretStr:
    """Return a key without surrounding whitespace, or raise ValueError if it is not printable."""
    text = key.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a key must consist of printable ASCII characters without spaces")
    return SecretStr(text)


ApiKey = Annotated[SecretStr, AfterValidator(_validate_key)]


def _require_address(text: str, *schemes: str) -> None:
    """Raise ValueError, without the text, unless it is a URL with a host and one of the schemes."""
    try:
        parts = urlsplit(text)
        is_complete = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid IPv6 address, or a port out of range
        is_complete = False
    if not is_complete:
        raise ValueError(
            "expected an address that starts with"
            f" {' or '.join(f'{scheme}://' for scheme in schemes)}"
        )


def _validate_http_url(url: str) -> str:
    _require_address(url, "http", "https")
    return url


HttpUrl = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^https?://[^/\s?#]+[^\s?#]*$"),
    AfterValidator(_validate_http_url),
]
DaskAddress = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^(tcp|tls)://[^/\s]+:[0-9]+$")
]
EmailAddresses = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, pattern=r"^[^\s@,]+@[^\s@,]+(\s*,\s*[^\s@,]+@[^\s@,]+)*$"
    ),
]


def _read_no_limit(value: object) -> object:
    """Return None for the text none."""
    is_none = isinstance(value, str) and value.strip().casefold() == "none"
    return None if is_none else value


CallLimit = Annotated[PositiveInt | None, BeforeValidator(_read_no_limit)]
"""Maximum number of calls; none: no limit other than that of the vendor."""
UsdAmount = Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=6)]
SecondsLimit = Annotated[float, Field(gt=0, le=86_400)]
ParticipationRate = Annotated[float, Field(gt=0, le=1)]
AnnualRate = Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)]


def url_validator(*schemes: str) -> AfterValidator:
    """Return a validator of a secret URL with one of the schemes."""

    def check(address: SecretStr) -> SecretStr:
        _require_address(address.get_secret_value(), *schemes)
        return address

    return AfterValidator(check)


def parse_benchmark_code(text: str) -> str:
    """Return a benchmark code in upper case, or raise UsageError."""
    try:
        code: str = TypeAdapter(BenchmarkCode).validate_python(text)
    except ValidationError:
        raise UsageError(
            f"{text!r} is not a benchmark code: use at most 32 letters, digits and . - _"
        ) from None
    return code
