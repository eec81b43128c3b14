"""Values, profit and coverage of portfolios."""

from functools import partial

from riskmetrics.catalog.absences import (
    COMMANDS_ONLY,
    COVERAGE_CAVEAT,
    EXTENSION_FIGURE,
    NO_SENTENCE,
)
from riskmetrics.catalog.figure import Figure, Unit
from riskmetrics.catalog.listing import Listing

_portfolio = partial(Figure, "portfolio_snapshots")
_coverage = partial(Figure, "portfolio_coverage")

FIGURES = (
    _portfolio("total_value", "Equity", Unit.MONEY, short="Value",
        formula="net value + cash + stated value, at closes of the day or at most 5"
        " sessions old"),
    _portfolio("cash_value", "Cash", Unit.MONEY,
        "equity balance - net value - stated value on the last priced session up to its date"
        " + sales - purchases + income since; contains holdings without a close or stated price on"
        " that session"),
    _portfolio("stated_value", "Holdings without a price", Unit.MONEY,
        "sum(units * price in the statement) over holdings without a price since the equity was"
        " stated or they were bought",
        null="written by an earlier version", absent=NO_SENTENCE),
    _portfolio("long_value", "Long", Unit.MONEY,
        "sum of the values of instruments held long, units * price, lots netted"),
    _portfolio("short_value", "Short", Unit.MONEY,
        "sum of the values of instruments held short"),
    _portfolio("gross_exposure", "Gross", Unit.MONEY, "long value - short value"),
    _portfolio("net_exposure", "Net", Unit.MONEY, "long value + short value"),
    _portfolio("daily_pnl", "Daily P&L", Unit.GAIN,
        "sum(units * (P(t) - P(t-1))) + income; entry price on the opening day, exit price on the"
        " closing day"),
    _portfolio("daily_return", "Daily return", Unit.ACTIVE_FRACTION,
        "daily_pnl / (equity of the previous session + inflows of the day: purchases if no"
        " equity is stated, deposits and transfers of transactions)",
        minimum="80% of the holdings at the start of the day have a P&L, equity is at"
        " least 5% of gross exposure"),
    _portfolio("cumulative_pnl", "Cumulative P&L", Unit.GAIN,
        "sum(units * (price or exit price - entry price)) + income since entry, over all lots"
        " entered by the day", "since entry", "the prices of every lot"),
    _portfolio("income", "Income (in daily P&L)", Unit.GAIN,
        "sum(units * D) over the lots held overnight; D = C(t-1) - C(t) * A(t-1) / A(t), C close,"
        " A adjusted close", minimum="a close and an adjusted close of some holding",
        absent=NO_SENTENCE),
    _portfolio("equity_source", "Equity source", Unit.TEXT,
        "transactions if deposits are among a portfolio's transactions; stated_equity if an equity"
        " balance is stated; else net_value",
        null="written by an earlier version", absent=COMMANDS_ONLY),
    _portfolio("num_positions", "Positions", Unit.COUNT, "instruments held, lots netted"),
    _portfolio("num_long_positions", "Long positions", Unit.COUNT, "instruments held long"),
    _portfolio("num_short_positions", "Short positions", Unit.COUNT, "instruments held short"),
    _portfolio("equity_balance", "Stated equity", Unit.MONEY, "as imported with the portfolio",
        absent=NO_SENTENCE),
    _coverage("coverage", "Coverage", Unit.FRACTION,
        "covered exposure / exposure; prices and P&L: covered instruments / instruments",
        absent=COVERAGE_CAVEAT),
    _coverage("n_covered", "Covered", Unit.COUNT, "instruments that the figure covers",
        absent=COVERAGE_CAVEAT + NO_SENTENCE),
    _coverage("n_total", "Instruments", Unit.COUNT, "instruments that the figure applies to",
        absent=COVERAGE_CAVEAT + NO_SENTENCE),
    Figure("portfolio_figures", "value", "Value", Unit.NUMBER, "as its extension computes it",
        null="undefined", absent=EXTENSION_FIGURE),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_coverage", order=("metric",)),
    Listing("portfolio_figures", order=("figure",)),
)
