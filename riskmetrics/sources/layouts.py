"""Layouts of holdings files: headers, meaning of the columns, and lines that are no holdings.

A layout is data that ``brokers`` applies. Headers are normalized by `tabular_files.header_key`.
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

HEADER_ALIASES: HeaderAliases = {
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
"""Pattern of the symbols of money market funds, whose price is 1."""
CASH_ROW_SYMBOL = "Cash report"
"""Symbol of the row that is made from a cash line outside of the table."""
TOTAL_LINE_PATTERN = (
    r"(account |grand |portfolio |positions? )?(sub-?)?totals?\b.*|futures (cash|positions market"
    r" value)"
)
"""Pattern of the text in the symbol column of a total line."""


class Layout(NamedTuple):
    """Rules to recognize and read one kind of holdings file."""

    name: str
    signatures: frozenset[frozenset[str]]
    """Sets of headers; a line that has all headers of one set starts the table."""
    cash_pattern: str
    """Pattern of ``symbol|description|class``, in lower case, of a cash line."""
    columns: HeaderAliases = HEADER_ALIASES
    required_values: Mapping[str, str] = {}
    """Value that each of these columns must have in a holding, normalized like a header."""
    statement_patterns: tuple[str, ...] = ()
    """Patterns of ``cell|cell|…`` outside of the table; groups account, number, day and cash."""
    has_account_line_above: bool = False
    """Whether the line above a header names the account of the lines below it."""
    unpriced_classes: frozenset[str] = frozenset()
    """Asset classes, in lower case, that are not quoted per share and are rejected."""
    decimal_mark: str | None = None
    """Decimal mark that the broker always writes, used if the numbers are ambiguous.

    None: the user has to specify it then.
    """

    def matches_header(self, keys: frozenset[str]) -> bool:
        """Return whether a line with these headers starts the table."""
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
    statement_patterns=(
        (
            r"Positions for (?:account (?P<account>.+?)|All-Accounts) as of"
            r" .*?(?P<day>\d{1,4}/\d{1,2}/\d{1,4})"
        ),
    ),
    has_account_line_above=True,
    unpriced_classes=frozenset({"fixed income", "futures"}),
    decimal_mark=".",
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
    statement_patterns=(r"Date downloaded (?P<day>\w+-\d\d-\d{4}|\d\d/\d\d/\d{4})",),
    decimal_mark=".",
)
INTERACTIVE_BROKERS = Layout(
    name="Interactive Brokers activity statement",
    signatures=frozenset({frozenset({"openpositions", "header", "symbol", "quantity"})}),
    cash_pattern=rf"{CASH_ROW_SYMBOL.lower()}\|",
    columns={
        **HEADER_ALIASES,
        "last_price": ("closeprice",),
        "market_value": ("value",),
        "section": ("openpositions",),
        "kind": ("header",),
        "detail": ("datadiscriminator",),
        "account_number": ("account",),
        "account": (),
    },
    required_values={"section": "openpositions", "kind": "data", "detail": "summary"},
    statement_patterns=(
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
    decimal_mark=".",
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
    required_values={"detail": "summary"},
)
LAYOUTS = (SCHWAB, FIDELITY, INTERACTIVE_BROKERS, GENERIC)
"""All layouts, the more specific ones first."""

UNSUPPORTED_FILES: Mapping[frozenset[str], str] = {
    frozenset({"statement", "header"}): (
        "an Interactive Brokers statement without the section Open Positions. Export it with that"
        " section, in English"
    ),
    frozenset(
        {"header", "datadiscriminator"}
    ): "an Interactive Brokers statement in another language. Export it in English",
    frozenset(
        {"action", "symbol", "amount"}
    ): "a list of transactions, not of holdings. Export the positions",
    frozenset(
        {"transactiontype", "symbol"}
    ): "a list of transactions, not of holdings. Export the positions",
}
"""Description of unsupported files by headers that would otherwise match a table of holdings."""
