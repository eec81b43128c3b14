"""Generated files of holdings, weights and values."""

import math
from dataclasses import replace
from decimal import Decimal
from random import Random

from tests.sources.generated_instruments import (
    CLASS_SHARES,
    FUNDS,
    ISINS,
    SPECIAL_ROWS,
    STOCKS,
    add_by_isin,
    add_cash,
    add_stock,
)
from tests.sources.generated_notation import Number, choose_notation
from tests.sources.generated_table import HoldingsTable, finish_file
from tests.sources.generated_truth import GeneratedFile, Truth, pick_headers, round_decimal
from tests.sources.generated_words import LANGUAGES, Language

MONEY_ROLES = ("entry_price", "cost_basis", "last_price", "market_value")
"""Columns with amounts of money."""


def _choose_roles(rng: Random, language: Language, *, is_plain: bool) -> list[str]:
    """Choose columns of a table of holdings, in any order."""
    optional = {
        "description": 0.5,
        "entry_price": 0.35,
        "cost_basis": 0.3,
        "last_price": 0.5,
        "market_value": 0.55,
        "currency": 0.35,
        "class": 0.35,
        "entry_date": 0.12,
        "noise": 0.2,
    }
    roles = ["symbol", "quantity", *(role for role, p in optional.items() if rng.random() < p)]
    if rng.random() < 0.12:
        roles.append("account")
    if not is_plain:
        if "side" in language.headers and rng.random() < 0.12:
            roles.append("side")
        if "right" in language.headers and rng.random() < 0.1:
            roles = list(dict.fromkeys([*roles, "class", "right", "strike", "expiration"]))
        rng.shuffle(roles)
    return roles


def holdings_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of holdings."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    roles = _choose_roles(rng, language, is_plain=is_plain)
    headers = pick_headers(rng, language, roles, is_plain=is_plain)
    table = HoldingsTable(rng, notation, headers, Truth("holdings"), is_plain)
    table.has_sections = not is_plain and "class" not in roles and rng.random() < 0.08
    if not is_plain and rng.random() < 0.04:
        return _isin_file(table)
    if not is_plain and "currency" not in roles and rng.random() < 0.06:
        _use_euros(table)
    accounts = ["Growth", "Retirement"] if "account" in roles else [""]
    for account in accounts:
        table.account = account
        _add_rows(table)
    if "market_value" in roles and not set(table.truth.unsupported) - {"WMT"}:
        is_usd = table.money_currency == "USD"
        table.truth.value = float(sum(table.values)) if is_usd else math.nan
    return finish_file(table, "holdings")


def _use_euros(table: HoldingsTable) -> None:
    """Write all amounts in euros, as the cells or the headers tell."""
    roles = [role for role in table.headers if role in MONEY_ROLES]
    if not roles:
        return
    table.money_currency = "EUR"
    is_in_headers = table.notation.delimiter == "xlsx" or table.rng.random() < 0.5
    if is_in_headers:
        suffix = table.rng.choice([" (EUR)", " in EUR", " €"])
        table.headers |= {role: table.headers[role].strip() + suffix for role in roles}
    table.notation = replace(table.notation, money="{}" if is_in_headers else "{} €")
    table.traits.append(f"euros in {'headers' if is_in_headers else 'cells'}")


def _isin_file(table: HoldingsTable) -> GeneratedFile:
    """Finish a file that names shares by ISIN only."""
    table.headers["symbol"] = "ISIN"
    table.has_sections = False
    table.account = "Growth" if table.has("account") else ""
    for symbol in table.rng.sample(list(ISINS), table.rng.randrange(2, 5)):
        add_by_isin(table, symbol)
    table.traits.append("ISIN instead of a symbol")
    return finish_file(table, "holdings")


def _add_rows(table: HoldingsTable) -> None:
    rng = table.rng
    symbols = rng.sample(list(STOCKS), rng.randrange(1, 6))
    for symbol in symbols:
        add_stock(table, symbol, STOCKS[symbol])
    if rng.random() < 0.3:
        symbol = rng.choice(list(FUNDS))
        add_stock(table, symbol, FUNDS[symbol], "etf")
    if rng.random() < 0.1:
        add_stock(table, rng.choice(list(CLASS_SHARES)), "Class B")
    if not table.is_plain:
        for name, (probability, add) in SPECIAL_ROWS.items():
            if rng.random() < probability:
                add(table)
                table.traits.append(f"row {name}")
    rng.shuffle(table.rows)
    if rng.random() < 0.3:
        add_cash(table)


def weights_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of weights that sum to one, with or without cash."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    roles = ["symbol", "weight", *(["description"] if rng.random() < 0.5 else [])]
    if not is_plain:
        rng.shuffle(roles)
    table = HoldingsTable(
        rng, notation, pick_headers(rng, language, roles, is_plain=is_plain),
        Truth("weights"), is_plain,
    )  # fmt: skip
    symbols = rng.sample(list(STOCKS), rng.randrange(2, 7))
    cuts = sorted(rng.sample(range(1, 1000), len(symbols) - 1))
    tenths = [end - start for start, end in zip([0, *cuts], [*cuts, 1000], strict=True)]
    style = rng.choice(["percent sign", "percent", "fraction"])
    has_cash = rng.random() < 0.3
    for place, (symbol, share) in enumerate(zip(symbols, tenths, strict=True)):
        amount = Decimal(share) / (1000 if style == "fraction" else 10)
        number = Number(amount, unit="%" if style == "percent sign" else "")
        is_cash = has_cash and place == len(symbols) - 1
        label = rng.choice(language.cash) if is_cash else symbol
        table.rows.append({"symbol": label, "weight": number, "description": ""})
        if not is_cash:
            table.truth.positions[("", symbol)] = share / 1000
    table.traits.append(f"weights as {style}")
    return finish_file(table, "weights")


def values_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of market values without quantities."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    roles = ["symbol", "market_value", *(["description"] if rng.random() < 0.5 else [])]
    table = HoldingsTable(
        rng, notation, pick_headers(rng, language, roles, is_plain=is_plain),
        Truth("values"), is_plain,
    )  # fmt: skip
    for symbol in rng.sample(list(STOCKS), rng.randrange(2, 6)):
        value = round_decimal(Decimal(rng.randrange(10_000, 9_000_000)) / 100, 2)
        table.rows.append(
            {"symbol": symbol, "market_value": Number(value, True), "description": STOCKS[symbol]}
        )
        table.truth.positions[("", symbol)] = float(value)
    if rng.random() < 0.3:
        add_cash(table)
    return finish_file(table, "values")
