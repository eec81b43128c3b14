"""What files of holdings look like: the headers of each layout, what its columns mean, and which lines are no holdings.

A layout is data; ``brokers`` reads by it. Headers are written as `tabular_files.header_key` writes
them.
"""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from riskmetrics.sources.tabular_files import HeaderAliases

SYMBOL_HEADERS = ("symbol", "ticker", "tickersymbol", "stocksymbol")
QUANTITY_HEADERS = (
    "quantity",
    "qty",
    "qtyquantity",
    "shares",
    "units",
    "numberofshares",
    "sharesheld",
)
WEIGHT_HEADERS = (
    "weight",
    "weights",
    "weightpct",
    "weightpercent",
    "portfolioweight",
    "targetweight",
    "allocation",
    "targetallocation",
)

HOLDINGS_COLUMNS: HeaderAliases = {
    "symbol": SYMBOL_HEADERS,
    "quantity": QUANTITY_HEADERS,
    "weight": WEIGHT_HEADERS,
    "entry_price": (
        *(
            "entryprice",
            "purchaseprice",
            "buyprice",
            "unitcost",
            "costprice",
            "costpershare",
            "costbasispershare",
            "costbasisprice",
        ),
        *("avgcost", "averagecost", "avgcostbasis", "averagecostbasis", "avgprice", "averageprice"),
    ),
    "cost_basis": (
        "costbasistotal",
        "totalcostbasis",
        "costbasis",
        "totalcost",
        "bookcost",
        "bookvalue",
    ),
    "entry_date": (
        "entrydate",
        "purchasedate",
        "dateacquired",
        "acquireddate",
        "acquired",
        "dateopened",
        "opendate",
        "tradedate",
    ),
    "position_type": ("positiontype", "side", "longshort", "direction"),
    "investment_class": (
        "investmentclass",
        "assetclass",
        "assettype",
        "securitytype",
        "assetcategory",
    ),
    "underlying_symbol": ("underlyingsymbol", "underlying", "underlyingticker"),
    "strike_price": ("strikeprice", "strike"),
    "expiration_date": ("expirationdate", "expiration", "expirydate", "expiry"),
    "last_price": (
        "lastprice",
        "currentprice",
        "marketprice",
        "markprice",
        "shareprice",
        "price",
        "last",
    ),
    "market_value": (
        "marketvalue",
        "mktvalmarketvalue",
        "mktval",
        "currentvalue",
        "totalvalue",
        "positionvalue",
    ),
    "currency": ("currency", "currencyprimary"),
    "multiplier": ("multiplier", "mult"),
    "detail": ("levelofdetail",),
    "account": ("accountname", "accountnamenumber", "account", "portfolio", "portfolioname"),
    "account_number": ("accountnumber", "accountid", "clientaccountid"),
    "description": ("description", "securityname", "name"),
}

MONEY_MARKET_PATTERN = r"[a-z]{3}xx\|"
"""Symbols of money market funds, whose price is 1."""
CASH_ROW_SYMBOL = "Cash report"
"""Stands in place of a symbol in the row that becomes of a line, outside of the table, which states cash."""
TOTAL_LINE_PATTERN = (
    r"(account |grand |portfolio |positions? )?(sub-?)?totals?\b.*|futures (cash|positions market"
    r" value)"
)
"""What stands in place of a symbol on a line that sums up others."""


class Layout(NamedTuple):
    """How a kind of file is recognised and read."""

    name: str
    signatures: frozenset[frozenset[str]]
    """Headers that stand together in the first line of its table; one set of them is enough."""
    cash_pattern: str
    """Matches ``symbol|description|class`` of a line that states cash, in lower case."""
    columns: HeaderAliases = HOLDINGS_COLUMNS
    holding_values: Mapping[str, str] = {}
    """What a line of the table must say in a column to be a holding, without case and spaces."""
    fact_patterns: tuple[str, ...] = ()
    """Match ``cell|cell|…`` of a line outside of the table and name its account, its account's number, the day or the cash."""
    has_account_line_above: bool = False
    """Whether the line above a header, one cell long, names the account of the lines below it."""
    unpriced_classes: frozenset[str] = frozenset()
    """Classes, in lower case, whose quantities and prices are not those of shares."""
    decimal: str | None = None
    """The decimal mark where the numbers do not tell. None: it has to be asked for."""

    def matches_header(self, keys: frozenset[str]) -> bool:
        """Whether a line of these headers begins its table."""
        return any(signature <= keys for signature in self.signatures)


SCHWAB = Layout(
    name="Schwab positions",
    signatures=frozenset(
        {
            frozenset({"symbol", "qtyquantity"}),
            frozenset({"symbol", "quantity", "marketvalue", "daychange"}),
        }
    ),
    cash_pattern=rf"cash & cash investments\||{MONEY_MARKET_PATTERN}|.*\|cash and money market$",
    fact_patterns=(
        (
            r"Positions for (?:account (?P<account>.+?)|All-Accounts) as of"
            r" .*?(?P<day>\d{1,4}/\d{1,2}/\d{1,4})"
        ),
    ),
    has_account_line_above=True,
    unpriced_classes=frozenset({"fixed income", "futures"}),
    decimal=".",
)
FIDELITY = Layout(
    name="Fidelity positions",
    signatures=frozenset(
        {frozenset({"accountnumber", "symbol", "quantity", "currentvalue", "lastprice"})}
    ),
    cash_pattern=(
        rf"[a-z]+\*\*\||{MONEY_MARKET_PATTERN}|pending activity\||[^|]*\|held in (money"
        r" market|fcash)\b"
    ),
    fact_patterns=(r"Date downloaded (?P<day>\w+-\d\d-\d{4}|\d\d/\d\d/\d{4})",),
    decimal=".",
)
INTERACTIVE_BROKERS = Layout(
    name="Interactive Brokers activity statement",
    signatures=frozenset({frozenset({"openpositions", "header", "symbol", "quantity"})}),
    cash_pattern=rf"{CASH_ROW_SYMBOL.lower()}\|",
    columns={
        **HOLDINGS_COLUMNS,
        "last_price": ("closeprice",),
        "market_value": ("value",),
        "section": ("openpositions",),
        "kind": ("header",),
        "detail": ("datadiscriminator",),
        "account_number": ("account",),
        "account": (),
    },
    holding_values={"section": "openpositions", "kind": "data", "detail": "summary"},
    fact_patterns=(
        r"Statement\|Data\|Period\|(?:.* - )?(?P<day>\w+ \d{1,2}, \d{4})$",
        r"Account Information\|Data\|Account\|(?P<number>[^|]+)",
        r"Cash Report\|Data\|Ending Cash\|(?P<currency>[A-Z]{3})\|(?P<cash>[^|]+)",
    ),
    unpriced_classes=frozenset(
        {
            "bonds",
            "treasury bills",
            "futures",
            "options on futures",
            "futures options",
            "forex",
            "cfds",
            "structured products",
            "crypto",
        }
    ),
    decimal=".",
)
GENERIC = Layout(
    name="table of holdings",
    signatures=frozenset(
        frozenset(pair) for pair in product(SYMBOL_HEADERS, (*QUANTITY_HEADERS, *WEIGHT_HEADERS))
    ),
    cash_pattern=(
        r"(\$?cash|usd|us dollars?|cash (balance|& cash investments)|pending"
        rf" activity|[a-z]+\*\*)\||{MONEY_MARKET_PATTERN}|"
        r".*\|(cash( and money market| equivalents?| & equivalents?)?|money market)$"
    ),
    holding_values={"detail": "summary"},
)
LAYOUTS = (SCHWAB, FIDELITY, INTERACTIVE_BROKERS, GENERIC)
"""Those that are told apart by more come first."""

UNSUPPORTED_FILES: Mapping[frozenset[str], str] = {
    frozenset({"statement", "header"}): (
        "a statement of Interactive Brokers without a section Open Positions: export it with that,"
        " in English"
    ),
    frozenset(
        {"header", "datadiscriminator"}
    ): "a statement of Interactive Brokers in another language: export it in English",
    frozenset(
        {"action", "symbol", "amount"}
    ): "a list of transactions, not of holdings: export the positions",
    frozenset(
        {"transactiontype", "symbol"}
    ): "a list of transactions, not of holdings: export the positions",
}
"""Headers of files that are not read, lest they pass for a table of holdings; and what they are."""
