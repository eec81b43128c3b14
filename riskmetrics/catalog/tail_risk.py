"""Tail risk, its backtest and risk contributions."""

from collections.abc import Mapping
from functools import partial

from riskmetrics.catalog.absences import (
    COMMANDS_ONLY,
    COVERAGE_COUNT,
    ESTIMATE_QUALIFIER,
    NO_SENTENCE,
    NOT_IN_REPORT,
    SUM_OF_CONTRIBUTIONS,
)
from riskmetrics.catalog.figure import COVERED, PRICED, PRO_FORMA, Figure, Unit
from riskmetrics.catalog.listing import Listing

_YEAR, _TWO_YEARS = "252 sessions", "504 sessions"
_BY_LEVEL = "126 returns at 95%, 500 at 99%; parametric: a volatility forecast"
_SHORTFALL, _KUPIEC = "Acerbi and Tasche (2002)", "Kupiec (1995)"
_SHRINKAGE = "Ledoit and Wolf (2004)"
VAR_TOO_LOW = "The historical value at risk has been too low for the portfolio"
"""Headline of a failed backtest with too many exceptions."""

HEADLINE_TAIL: Mapping[str, object] = {"method": "filtered", "level": 0.95, "horizon_days": 1}
"""Row of `portfolio_tail_risk` that leads wherever one value at risk is shown."""

_KUPIEC_MINIMUM = "126 tested sessions"

_tail = partial(Figure, "portfolio_tail_risk", window=_TWO_YEARS)
_backtest = partial(Figure, "portfolio_var_backtests", window=_YEAR)
_active_sector = partial(
    Figure,
    "portfolio_active_sectors",
    window=_YEAR,
    minimum=f"126 returns, {COVERED}",
    reference="Menchero and Hu (2006)",
    absent=NO_SENTENCE,
)
_contribution = partial(
    Figure, "portfolio_risk_contributions", window=_YEAR, minimum=f"126 returns, {COVERED}",
    reference="Litterman (1996)",
)  # fmt: skip
_ex_ante = partial(
    Figure,
    "portfolio_ex_ante_volatility",
    window=_YEAR,
    minimum=f"126 returns, {COVERED}",
    absent=SUM_OF_CONTRIBUTIONS,
)

FIGURES = (
    _tail("value_at_risk", "Value at risk", Unit.LOSS,
        f"historical: the level's quantile of the losses -R of 504 sessions, {PRO_FORMA}; "
        "filtered: of -R * s / s before R, s the exponentially weighted volatility of R,"
        " decay 0.94, 252 sessions; revalued: filtered, options by Black-Scholes at the moved price"
        " and volatility; parametric: z * risk / sqrt(252). Ten sessions: filtered, revalued: of"
        " 2,000 sums of ten filtered returns less their mean; others: * sqrt(10)",
        minimum=f"{_BY_LEVEL}, {COVERED}", reference="Hyndman and Fan (1996), type 7"),
    _tail("expected_shortfall", "Expected shortfall", Unit.LOSS,
        "historical, filtered, revalued: mean of the losses at or beyond value_at_risk;"
        " parametric: n(z) / (1 - level) * risk / sqrt(252); ten sessions as value_at_risk",
        minimum=f"{_BY_LEVEL}, {COVERED}", reference=_SHORTFALL),
    _tail("value_at_risk_amount", "Value at risk, amount", Unit.LOSS_AMOUNT,
        "value_at_risk * equity; also defined where equity is too small for fractions",
        minimum=f"{_BY_LEVEL}, {PRICED}"),
    _tail("expected_shortfall_amount", "Expected shortfall, amount", Unit.LOSS_AMOUNT,
        "expected_shortfall * equity; also defined where equity is too small for fractions",
        minimum=f"{_BY_LEVEL}, {PRICED}", absent=NOT_IN_REPORT),
    _tail("observations", "Observations", Unit.COUNT,
        "returns in the 504 sessions; filtered, revalued: with a volatility before; parametric:"
        " observations of the forecast", absent=COVERAGE_COUNT),
    _backtest("expected_exceptions", "Expected exceptions", Unit.EXPECTED_COUNT,
        "(1 - level) * n_tested", short="Expected"),
    _backtest("exceptions", "Exceptions", Unit.COUNT,
        "sessions of the last 252 whose loss exceeded the historical value at risk of the 504"
        " sessions before", short="Observed"),
    _backtest("n_tested", "Tested sessions", Unit.COUNT,
        "sessions of the last 252 with a return and a value at risk before it", short="Sessions"),
    _backtest("likelihood_ratio", "Likelihood ratio", Unit.NUMBER,
        "2 (x ln(f / p) + (n - x) ln((1 - f) / (1 - p))), x exceptions in n sessions, f = x / n,"
        " p = 1 - level", minimum=_KUPIEC_MINIMUM, reference=_KUPIEC, absent=COMMANDS_ONLY),
    _backtest("p_value", "p-value", Unit.P_VALUE, "P(chi²(1) > likelihood_ratio)",
        minimum=_KUPIEC_MINIMUM, reference=_KUPIEC),
    _contribution("weight", "Weight", Unit.FRACTION,
        "sum(exposure) of the symbol, including options on it, / equity", window=None),
    _contribution("component", "Contribution", Unit.VOLATILITY, "weight * marginal",
        absent=NO_SENTENCE),
    _contribution("marginal", "Marginal", Unit.MARGINAL_VOLATILITY,
        f"cov(r / coverage, R) / sd(R) * sqrt(252) over 252 sessions, {PRO_FORMA}",
        absent=COMMANDS_ONLY),
    _contribution("share", "Share", Unit.FRACTION, "component / volatility of R"),
    _contribution("decayed_component", "Contribution, exponentially weighted", Unit.VOLATILITY,
        "weight * decayed_marginal", reference=_SHRINKAGE, absent=NO_SENTENCE),
    _contribution("decayed_marginal", "Marginal, exponentially weighted", Unit.MARGINAL_VOLATILITY,
        "row of C * weights / volatility, C as in portfolio_ex_ante_volatility",
        reference=_SHRINKAGE, absent=NO_SENTENCE),
    _contribution("decayed_share", "Share, exponentially weighted", Unit.FRACTION,
        "decayed_component / decayed volatility", reference=_SHRINKAGE, absent=NO_SENTENCE),
    _contribution("observations", "Observations", Unit.COUNT,
        "sessions on which both R and the symbol have a return", minimum="", reference="",
        absent=ESTIMATE_QUALIFIER),
    _ex_ante("volatility", "Ex-ante volatility", Unit.VOLATILITY,
        "sqrt(252 * w' C w); equal_weighted: C the sample covariance (n - 1); decayed:"
        " C = (1 - d) S + d F, S the covariance with weights 2 ** (-age / 63), F with its variances"
        " and its mean correlation, d the optimal intensity; r / coverage in place of r",
        reference=_SHRINKAGE),
    _ex_ante("shrinkage", "Shrinkage", Unit.FRACTION,
        "d of the paper, in [0, 1]; 0 for equal weights", reference=_SHRINKAGE,
        absent=COMMANDS_ONLY),
    _ex_ante("effective_observations", "Effective observations", Unit.NUMBER,
        "sum(weights)² / sum(weights²)", reference="Kish (1965)", absent=COVERAGE_COUNT),
    _ex_ante("observations", "Observations", Unit.COUNT,
        "returns of the portfolio in the 252 sessions", minimum="", reference="",
        absent=COVERAGE_COUNT),
    _contribution("active_component", "Active contribution", Unit.ACTIVE_FRACTION,
        "252 * cov(weight * (r - m) / coverage, R - m) / expected tracking error, half-life 63"
        " sessions, m the return of the index", reference="Menchero and Hu (2006)",
        absent=NO_SENTENCE),
    _contribution("incremental_var_95", "Incremental VaR, 95%", Unit.LOSS,
        "historical value at risk at 95% of R less that of R - weight * r / coverage; the values of"
        " a portfolio do not sum to its value at risk", window=_TWO_YEARS,
        reference="Jorion (2007)", null="undefined, or not among the 30 largest weights",
        absent=NO_SENTENCE),
    _active_sector("exposure_weight", "Weight", Unit.FRACTION,
        "sum(weight) of the sector's symbols; Cash: 1 - sum(weight)", window=None, reference=""),
    _active_sector("sector_component", "Active contribution", Unit.ACTIVE_FRACTION,
        "sum(active_component) of the sector's symbols; Cash: the rest of the expected tracking"
        " error, from exposures that differ from equity"),
    _active_sector("sector_share", "Share", Unit.ACTIVE_FRACTION,
        "sector_component / expected tracking error"),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_tail_risk",
        "Tail risk, {session}, pro forma (10 days: filtered and revalued simulated, others"
        " √10-scaled)",
        "risk", "tail_risk", order=("horizon_days", "level", "method")),
    Listing("portfolio_var_backtests",
        "VaR exceptions, pro forma (Kupiec test), 252 sessions to {session}",
        "risk", "var_backtests", order=("level",), is_optional=True),
    Listing("portfolio_risk_contributions",
        "Contributions to volatility, 252 sessions to {session}, pro forma", "contributions",
        columns=("symbol", "weight", "decayed_component", "decayed_share", "decayed_marginal",
            "component", "share", "marginal", "active_component", "incremental_var_95",
            "observations", "undefined_reason"),
        order=("-decayed_component", "symbol")),
    Listing("portfolio_ex_ante_volatility",
        "Ex-ante volatility, 252 sessions to {session}, pro forma", "risk", "ex_ante_volatility",
        order=("method",), is_optional=True),
    Listing("portfolio_active_sectors",
        "Contributions to the expected tracking error by sector, {session}, pro forma", "risk",
        "active_sectors", order=("-sector_component", "sector"), is_optional=True),
)  # fmt: skip
