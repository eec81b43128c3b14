"""Statistics of portfolios' pro-forma returns, each in a table of its own."""

from functools import partial

from riskmetrics.catalog.figure import COVERED, PRO_FORMA, Figure, Unit
from riskmetrics.catalog.statistic import Statistic

_NO_DRAWDOWN = "undefined, or no drawdown"


def _over_year(table: str, reference: str = "") -> "partial[Figure]":
    """Return the builder of the figures of a table that need half a year of returns."""
    return partial(
        Figure, table, window="252 sessions", minimum=f"126 returns, {COVERED}",
        reference=reference,
    )  # fmt: skip


_drawdown = _over_year("portfolio_drawdowns", "Grossman and Zhou (1993)")
_regression = partial(
    Figure, "portfolio_market_regressions", window="90 sessions", minimum=f"60 returns, {COVERED}",
    reference="Sharpe (1963)",
)  # fmt: skip
_active = _over_year("portfolio_active_risk", "Grinold and Kahn (2000)")
_expected = _over_year("portfolio_expected_active_risk", "Grinold and Kahn (2000)")
_performance = _over_year("portfolio_performance")

STATISTICS = (
    Statistic(
        "portfolio_drawdowns",
        "current and maximum drawdown over the trailing year",
        "riskmetrics.metrics.drawdown:drawdown",
        sessions=252,
        min_obs=126,
        figures=(
            _drawdown("current_drawdown", "Current drawdown", Unit.FRACTION,
                "1 - W / maximum of W so far, W = product of (1 + R) over 252 sessions,"
                f" {PRO_FORMA}"),
            _drawdown("current_drawdown_peak", "Peak (current drawdown)", Unit.DATE,
                "session of the maximum of W"),
            _drawdown("max_drawdown", "Maximum drawdown", Unit.FRACTION,
                "maximum of 1 - W / maximum of W so far"),
            _drawdown("max_drawdown_peak", "Peak (maximum drawdown)", Unit.DATE,
                "session of the peak before the maximum drawdown", null=_NO_DRAWDOWN),
            _drawdown("max_drawdown_trough", "Trough (maximum drawdown)", Unit.DATE,
                "session of the maximum drawdown", null=_NO_DRAWDOWN),
            _drawdown("observations", "Observations", Unit.COUNT,
                "returns of the portfolio in the 252 sessions", minimum="", reference=""),
        ),
        key="drawdowns",
        title="Drawdowns of today's holdings, 252 sessions to {session}, pro forma",
        heading="Drawdown of today’s holdings, one year, pro forma",
        rows={
            "current_drawdown": "from {current_drawdown_peak}",
            "max_drawdown": "{max_drawdown_peak} to {max_drawdown_trough}",
        },
        facts={"current_drawdown": "drawdown", "max_drawdown": "max_drawdown"},
        family="drawdown",
    ),
    Statistic(
        "portfolio_market_regressions",
        "regression of the portfolio's own returns on the market index",
        "riskmetrics.metrics.active_risk:market_regression",
        sessions=90,
        min_obs=60,
        figures=(
            _regression("beta", "Beta", Unit.BETA,
                f"cov(R, m) / var(m) over 90 sessions, m the return of the index, {PRO_FORMA}"),
            _regression("std_error", "Standard error of beta", Unit.BETA,
                "sqrt(SSR / (n - 2) / sum((m - mean(m))²))"),
            _regression("r_squared", "R²", Unit.R_SQUARED, "1 - SSR / SST of the regression",
                null="undefined, or constant returns"),
            _regression("specific_volatility", "Specific volatility", Unit.VOLATILITY,
                "sqrt(252 * SSR / (n - 2))"),
            _regression("observations", "Observations", Unit.COUNT,
                "sessions on which R and the index have a return", minimum="", reference=""),
        ),
        key="market_regression",
        title="Regression on the market index, 90 sessions to {session}, pro forma",
        heading="Regression on the market index, 90 sessions, pro forma",
        rows={
            "beta": "± {std_error}", "r_squared": "of the variance is the market's",
            "specific_volatility": "",
        },
        facts={"r_squared": "market_r_squared", "specific_volatility": "specific_volatility"},
        family="market_regression",
        uses_market=True,
    ),
    Statistic(
        "portfolio_active_risk",
        "active return and risk against the market index over the trailing year",
        "riskmetrics.metrics.active_risk:active_risk",
        sessions=252,
        min_obs=126,
        figures=(
            _active("tracking_error", "Tracking error", Unit.VOLATILITY,
                f"sqrt(252) * sd(R - m), m the return of the index, {PRO_FORMA}"),
            _active("active_return", "Active return", Unit.ACTIVE_FRACTION, "252 * mean(R - m)"),
            _active("information_ratio", "Information ratio", Unit.NUMBER,
                "active_return / tracking_error", null="undefined, or no tracking error"),
            _active("observations", "Observations", Unit.COUNT,
                "sessions on which R and the index have a return", minimum="", reference=""),
        ),
        key="active_risk",
        title="Active risk, 252 sessions to {session}, pro forma",
        heading="Against the market index, one year, pro forma",
        rows={"tracking_error": "", "active_return": "a year", "information_ratio": ""},
        facts={
            "tracking_error": "tracking_error", "active_return": "active_return",
            "information_ratio": "information_ratio",
        },
        family="active_risk",
        uses_market=True,
    ),
    Statistic(
        "portfolio_expected_active_risk",
        "active risk against the market index, expected from weights that decay",
        "riskmetrics.metrics.active_risk:expected_active_risk",
        sessions=252,
        min_obs=126,
        figures=(
            _expected("expected_tracking_error", "Expected tracking error", Unit.VOLATILITY,
                "sqrt(252 * var(R - m)), half-life 63 sessions, m the return of the index,"
                f" {PRO_FORMA}"),
            _expected("active_beta", "Active beta", Unit.BETA,
                "cov(R - m, m) / var(m), half-life 63 sessions"),
            _expected("market_share", "Share of the market", Unit.FRACTION,
                "active_beta² * var(m) / var(R - m)", null="undefined, or no active risk"),
            _expected("observations", "Observations", Unit.COUNT,
                "sessions on which R and the index have a return", minimum="", reference=""),
        ),
        key="expected_active_risk",
        title="Expected active risk of today's holdings, {session}",
        heading="Expected against the market index",
        rows={
            "expected_tracking_error": "a year", "active_beta": "beta less 1",
            "market_share": "of active variance, by the active beta",
        },
        facts={
            "expected_tracking_error": "expected_tracking_error", "active_beta": "active_beta",
            "market_share": "active_market_share",
        },
        family="expected_active_risk",
        uses_market=True,
    ),
    Statistic(
        "portfolio_performance",
        "return in relation to risk and to the market index over the trailing year",
        "riskmetrics.metrics.performance:performance",
        sessions=252,
        min_obs=126,
        figures=(
            _performance("annual_return", "Annualized return", Unit.ACTIVE_FRACTION,
                "product of (1 + R) to the power 252 / n, minus 1, over n sessions with R and m, m"
                f" the return of the index, {PRO_FORMA}", reference="Bacon (2008)"),
            _performance("sharpe_ratio", "Sharpe ratio", Unit.NUMBER,
                "sqrt(252) * mean(R) / sd(R); the risk-free rate is 0",
                null="undefined, or no volatility", reference="Sharpe (1994)"),
            _performance("sortino_ratio", "Sortino ratio", Unit.NUMBER,
                "sqrt(252) * mean(R) / sqrt(mean(min(R, 0)²)); the target is 0",
                null="undefined, or no negative return", reference="Sortino and Price (1994)"),
            _performance("calmar_ratio", "Calmar ratio", Unit.NUMBER,
                "annual_return / maximum drawdown", null=_NO_DRAWDOWN,
                reference="Young (1991)"),
            _performance("up_capture", "Up capture", Unit.NUMBER,
                "geometric mean of R / geometric mean of m, on sessions with m > 0",
                null="undefined, or the index never rose", reference="Bacon (2008)"),
            _performance("down_capture", "Down capture", Unit.NUMBER,
                "geometric mean of R / geometric mean of m, on sessions with m < 0",
                null="undefined, or the index never fell", reference="Bacon (2008)"),
            _performance("observations", "Observations", Unit.COUNT,
                "sessions on which R and the index have a return", minimum=""),
        ),
        key="performance",
        title="Pro-forma performance, 252 sessions to {session}",
        heading="Pro-forma performance, one year",
        rows={
            "annual_return": "a year", "sharpe_ratio": "risk-free rate 0",
            "sortino_ratio": "target 0", "calmar_ratio": "", "up_capture": "of the index's gains",
            "down_capture": "of the index's losses",
        },
        facts={},
        family="performance",
        uses_market=True,
    ),
)  # fmt: skip
FIGURES = tuple(figure for statistic in STATISTICS for figure in statistic.figures)
LISTINGS = tuple(statistic.listing for statistic in STATISTICS)
