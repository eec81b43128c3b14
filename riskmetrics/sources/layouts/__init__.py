"""Layouts of holdings files as data: headers, columns, and lines that are no holdings.

A layout is a TOML file in this directory, or in the directory of the setting RISKMETRICS_LAYOUTS.
Words that all layouts share are in ``vocabulary.toml``. Headers are compared as normalized by
`tabular_files.header_key`.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from riskmetrics.errors import ConfigurationError
from riskmetrics.sources.table_headers import HeaderAliases, header_key
from riskmetrics.sources.vocabulary import expand_headers, load_vocabulary

CASH_ROW_SYMBOL = "Cash report"
"""Symbol of the row that is made from a cash line outside of the table."""
HOLDINGS_COLUMNS = (
    "symbol",
    "identifier",
    "quantity",
    "weight",
    "entry_price",
    "cost_basis",
    "entry_date",
    "position_type",
    "investment_class",
    "type",
    "underlying_symbol",
    "strike_price",
    "expiration_date",
    "option_right",
    "last_price",
    "market_value",
    "currency",
    "exchange",
    "multiplier",
    "detail",
    "account",
    "account_number",
    "description",
    "day",
    "date",
    "status",
    "closed_date",
    "closed_quantity",
    "exit_price",
    "held",
    "fx_rate",
    "gain",
)
"""Columns of the vocabulary that holdings have."""
_EXTRA_COLUMNS = ("section", "kind")
"""Columns that only a layout can name, for its required values."""
_STATED_FACTS = {"account", "number", "day", "cash", "currency"}
"""Groups of the patterns of statement lines."""

HEADER_ALIASES: HeaderAliases = {name: load_vocabulary().columns[name] for name in HOLDINGS_COLUMNS}
SYMBOL_HEADERS = HEADER_ALIASES["symbol"]


def _compile(pattern: str) -> str:
    """Return a pattern, or raise ValueError if it is not a regular expression of known groups."""
    try:
        groups = re.compile(pattern).groupindex.keys()
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if unknown := groups - _STATED_FACTS:
        raise ValueError(
            f"{pattern!r} has the groups {', '.join(sorted(unknown))}; known are"
            f" {', '.join(sorted(_STATED_FACTS))}"
        )
    return pattern


def _header_set(headers: object) -> object:
    """Return headers, written as in the file, as normalized."""
    return frozenset(map(header_key, headers)) if isinstance(headers, list) else headers


def _aliases(columns: object) -> object:
    """Return the headers of each column, written as in the file, as normalized."""
    if not isinstance(columns, dict):
        return columns
    return {
        name: expand_headers(headers) if isinstance(headers, list) else headers
        for name, headers in columns.items()
    }


def _known_columns(columns: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return columns, or raise ValueError if one is unknown."""
    if unknown := columns.keys() - {*HOLDINGS_COLUMNS, *_EXTRA_COLUMNS}:
        raise ValueError(
            f"unknown columns {', '.join(sorted(unknown))}; known are"
            f" {', '.join((*HOLDINGS_COLUMNS, *_EXTRA_COLUMNS))}"
        )
    return columns


_Pattern = Annotated[str, AfterValidator(_compile)]
_HeaderSet = Annotated[frozenset[str], BeforeValidator(_header_set), Field(min_length=1)]


class Layout(BaseModel):
    """Rules to recognize and read one kind of holdings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    headers: tuple[_HeaderSet, ...] = ()
    """Sets of headers; a line that has all headers of one set starts the table."""
    cash: tuple[_Pattern, ...] = ()
    """Patterns of ``symbol|description|class``, in lower case, of a cash line."""
    columns: Annotated[
        dict[str, tuple[str, ...]], BeforeValidator(_aliases), AfterValidator(_known_columns)
    ] = {}
    """Headers of columns that mean something else here than in the vocabulary."""
    required_values: dict[str, str] = {}
    """Value that each of these columns must have in a holding, normalized like a header."""
    statements: tuple[_Pattern, ...] = ()
    """Patterns of ``cell|cell|…`` outside of the table; groups account, number, day and cash."""
    account_line_above: bool = False
    """Whether the line above a header names the account of the lines below it."""
    funds_by_cusip: bool = False
    """Whether a CUSIP in the place of a symbol is that of a pooled fund without a symbol."""
    decimal_mark: Literal[".", ","] | None = None
    """Decimal mark that the broker always writes, used if the numbers are ambiguous.

    None: the user has to specify it then.
    """
    dates: Literal["mdy", "dmy"] | None = None
    """Order of day and month that the broker always writes, used if a date is ambiguous."""
    has_days_of_prices: bool = False
    """Whether the day column has the days of the prices, of which the newest is the day."""
    is_of_any_kind: bool = False
    """Whether no other command reads an unsupported file either."""
    unsupported: str = ""
    """Why a file with these headers cannot be read, and what to export instead."""
    export: str = ""
    """What to click to get the file."""
    left_out: str = ""
    """What the file holds that is not imported."""

    @property
    def is_general(self) -> bool:
        """Return whether this is the layout of any table with known headers."""
        return not self.headers

    @property
    def aliases(self) -> HeaderAliases:
        """Return the headers of each column."""
        return {**HEADER_ALIASES, **self.columns}

    def matches_header(self, keys: frozenset[str]) -> bool:
        """Return whether a line with these headers starts the table."""
        if self.is_general:
            return any(
                not keys.isdisjoint(symbols) and not keys.isdisjoint(amounts)
                for symbols, amounts in _GENERAL_HEADERS
            )
        return any(headers <= keys for headers in self.headers)


_GENERAL_HEADERS = [
    (frozenset(HEADER_ALIASES[symbol]), frozenset(HEADER_ALIASES[amount]))
    for symbol, amount in product(("symbol", "identifier"), ("quantity", "weight", "market_value"))
]

GENERAL = Layout(name="table of holdings", required_values={"detail": "summary"})


class LayoutSet(NamedTuple):
    """Layouts in the order in which they are tried."""

    layouts: tuple[Layout, ...]
    """Layouts that can be read; the general one is the last."""
    unsupported: tuple[Layout, ...]
    """Files that would otherwise be read as a general table."""


def load_layouts(folder: Path | None = None) -> LayoutSet:
    """Load the layouts of this package, preceded by those of a directory.

    Raises
    ------
    ConfigurationError
        If the directory does not exist, or a file in it is not a layout.
    """
    if folder is None:
        return _built_in_layouts()
    if not folder.is_dir():
        raise ConfigurationError(
            f"RISKMETRICS_LAYOUTS={folder} is not a directory. Create it, or remove the setting"
        )
    own = [parse_layout(str(path), path.read_bytes()) for path in sorted(folder.glob("*.toml"))]
    built_in = _built_in_layouts()
    return _order([*own, *built_in.layouts[:-1], *built_in.unsupported], own)


@cache
def _built_in_layouts() -> LayoutSet:
    folder = files("riskmetrics.sources.layouts")
    paths = sorted(
        (path for path in folder.iterdir() if path.name.endswith(".toml")),
        key=lambda path: path.name,
    )
    return _order(
        [
            parse_layout(path.name, path.read_bytes())
            for path in paths
            if path.name != "vocabulary.toml"
        ]
    )


def _order(layouts: Iterable[Layout], preferred: Sequence[Layout] = ()) -> LayoutSet:
    """Return layouts with the preferred first, then by the number of their headers."""
    found = sorted(
        layouts,
        key=lambda layout: (
            layout not in preferred,
            -min(map(len, layout.headers), default=0),
        ),
    )
    return LayoutSet(
        (*(one for one in found if one.headers and not one.unsupported), GENERAL),
        tuple(one for one in found if one.unsupported),
    )


def parse_layout(source: str, content: bytes) -> Layout:
    """Parse and validate a layout file.

    Parameters
    ----------
    source : str
        Name of the file, for errors.
    content : bytes
        TOML with the fields of `Layout`.

    Raises
    ------
    ConfigurationError
        If the content is not TOML or not a layout; the error names the field.
    """
    try:
        layout = Layout.model_validate(tomllib.loads(content.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{source} is not a TOML file in UTF-8: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigurationError(f"{source} is not a layout: {where}: {first['msg']}") from None
    if not layout.headers:
        raise ConfigurationError(
            f"{source} is not a layout: headers is missing. Write the headers that only this file"
            " has"
        )
    return layout
