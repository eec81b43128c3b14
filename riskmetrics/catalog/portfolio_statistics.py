"""Statistics of portfolios' pro-forma returns, each in a table of its own."""

from functools import partial

from riskmetrics.catalog.absences import COUNTED, NO_SENTENCE
from riskmetrics.catalog.figure import COVERED, PRO_FORMA, Absence, Figure, Unit
from riskmetrics.catalog.statistic import Statistic

_NO_DRAWDOWN = "undefined, or no drawdown"


def _over_year(
    table: str, reference: str = "", absent: tuple[Absence, ...] = ()
) -> "partial[Figure]":
    """Return the builder of the figures of a table that need half a year of returns."""
    return partial(
        Figure, table, window="252 sessions", minimum=f"126 returns, {COVERED}",
        reference=reference, absent=absent,
    )  # fmt: skip


_drawdown = _over_year("portfolio_drawdowns", "Grossman and Zhou (1993)")
_regression = partial(
    Figure, "portfolio_market_regressions", window="90 sessions", minimum=f"60 returns, {COVERED}",
    reference="Sharpe (1963)",
)  # fmt: skip
_active = _over_year("portfolio_active_risk", "Grinold and Kahn (2000)")
_expected = _over_year("portfolio_expected_active_risk", "Grinold and Kahn (2000)")
_performance = _over_year("portfolio_performance", absent=NO_SENTENCE)
_shape = _over_year("portfolio_return_distribution", absent=NO_SENTENCE)
_underwater = _over_year("portfolio_underwater", "Martin and McCann (1989)", NO_SENTENCE)
_alpha = _over_year("portfolio_alpha", "Jensen (1968)", NO_SENTENCE)

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
                "session of the peak before the maximum drawdown", null=_NO_DRAWDOWN,
                absent=NO_SENTENCE),
            _drawdown("max_drawdown_trough", "Trough (maximum drawdown)", Unit.DATE,
                "session of the maximum drawdown", null=_NO_DRAWDOWN, absent=NO_SENTENCE),
            _drawdown("observations", "Observations", Unit.COUNT,
                "returns of the portfolio in the 252 sessions", minimum="", reference="",
                absent=COUNTED),
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
                f"cov(R, m) / var(m) over 90 sessions, m the return of the index, {PRO_FORMA}",
                absent=NO_SENTENCE),
            _regression("std_error", "Standard error of beta", Unit.BETA,
                "sqrt(SSR / (n - 2) / sum((m - mean(m))²))"),
            _regression("r_squared", "R²", Unit.R_SQUARED, "1 - SSR / SST of the regression",
                null="undefined, or constant returns"),
            _regression("specific_volatility", "Specific volatility", Unit.VOLATILITY,
                "sqrt(252 * SSR / (n - 2))"),
            _regression("observations", "Observations", Unit.COUNT,
                "sessions on which R and the index have a return", minimum="", reference="",
                absent=COUNTED),
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
                "sessions on which R and the index have a return", minimum="", reference="",
                absent=COUNTED),
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
                "sessions on which R and the index have a return", minimum="", reference="",
                absent=COUNTED),
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
                null="undefined, or a volatility below 0.1%", reference="Sharpe (1994)"),
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
                "sessions on which R and the index have a return", minimum="", absent=COUNTED),
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
    Statistic(
        "portfolio_return_distribution",
        "asymmetry and tails of returns, and gains against losses, over the trailing year",
        "riskmetrics.metrics.return_distribution:return_distribution",
        sessions=252,
        min_obs=126,
        figures=(
            _shape("win_rate", "Sessions with a gain", Unit.FRACTION,
                f"share of the sessions with R > 0, {PRO_FORMA}", reference="Bacon (2008)"),
            _shape("payoff_ratio", "Payoff ratio", Unit.NUMBER,
                "mean of R where R > 0 / -(mean of R where R < 0)",
                null="undefined, or no gain or no loss", reference="Bacon (2008)"),
            _shape("omega_ratio", "Omega ratio", Unit.NUMBER,
                "sum of max(R, 0) / sum of max(-R, 0): the profit factor; less 1, the gain-to-pain"
                " ratio",
                null="undefined, or no loss", reference="Keating and Shadwick (2002)"),
            _shape("skewness", "Skewness", Unit.NUMBER,
                "G1 = n / ((n - 1)(n - 2)) * sum(((R - mean) / sd)³)",
                null="undefined, or constant returns", reference="Joanes and Gill (1998)"),
            _shape("excess_kurtosis", "Excess kurtosis", Unit.NUMBER,
                "G2 = n(n + 1) / ((n - 1)(n - 2)(n - 3)) * sum(((R - mean) / sd)^4)"
                " - 3(n - 1)² / ((n - 2)(n - 3)); 0 for normal returns",
                null="undefined, or constant returns", reference="Joanes and Gill (1998)"),
            _shape("tail_ratio", "Tail ratio", Unit.NUMBER,
                "|quantile of R at 95%| / |quantile of R at 5%|",
                null="undefined, or a quantile of 0", reference="Hyndman and Fan (1996)"),
            _shape("losing_streak", "Longest losing streak", Unit.COUNT,
                "most sessions in a row with R < 0; a session without R is skipped"),
            _shape("probabilistic_sharpe", "Probability of a positive Sharpe ratio",
                Unit.PROBABILITY,
                "N(q * sqrt(n - 1) / sqrt(1 - G1 * q + (G2 + 2) / 4 * q²)), q = mean(R) / sd(R),"
                " N: distribution function of the standard normal",
                null="undefined, or constant returns", reference="Bailey and López de Prado (2012)",
                short="P(Sharpe ratio > 0)"),
            _shape("kelly_leverage", "Kelly leverage", Unit.NUMBER,
                "mean(R) / var(R): the multiple of the holdings that would have maximized growth",
                null="undefined, or a volatility below 0.1%", reference="Thorp (2006)"),
            _shape("observations", "Observations", Unit.COUNT,
                "returns of the portfolio in the 252 sessions", minimum="", absent=COUNTED),
        ),
        key="return_distribution",
        title="Distribution of returns, 252 sessions to {session}, pro forma",
        heading="Distribution of returns, one year, pro forma",
        rows={
            "win_rate": "", "payoff_ratio": "mean gain / mean loss",
            "omega_ratio": "gains / losses", "skewness": "negative: losses are larger",
            "excess_kurtosis": "0 if normal", "tail_ratio": "95% / 5% quantile",
            "losing_streak": "sessions", "probabilistic_sharpe": "",
            "kelly_leverage": "× these holdings, for most growth",
        },
        facts={},
        family="return_distribution",
    ),
    Statistic(
        "portfolio_underwater",
        "depth and length of drawdowns over the trailing year",
        "riskmetrics.metrics.underwater:underwater",
        sessions=252,
        min_obs=126,
        figures=(
            _underwater("ulcer_index", "Ulcer index", Unit.FRACTION,
                "sqrt(mean(d²)), d = 1 - W / maximum of W so far, W = product of (1 + R) over 252"
                f" sessions, {PRO_FORMA}"),
            _underwater("average_drawdown", "Average drawdown", Unit.FRACTION,
                "mean(d): the pain index", reference="Bacon (2008)"),
            _underwater("time_under_water", "Time under water", Unit.FRACTION,
                "share of the sessions with d > 0"),
            _underwater("longest_drawdown", "Longest drawdown", Unit.COUNT,
                "most sessions from a maximum of W to its recovery, or to the last session"),
            _underwater("martin_ratio", "Martin ratio", Unit.NUMBER,
                "(W to the power 252 / n - 1) / ulcer_index, over n returns", null=_NO_DRAWDOWN),
            _underwater("observations", "Observations", Unit.COUNT,
                "returns of the portfolio in the 252 sessions", minimum="", reference="",
                absent=COUNTED),
        ),
        key="underwater",
        title="Time under water, 252 sessions to {session}, pro forma",
        heading="Time under water, one year, pro forma",
        rows={
            "ulcer_index": "root mean square drawdown", "average_drawdown": "",
            "time_under_water": "of the sessions", "longest_drawdown": "sessions",
            "martin_ratio": "return / ulcer index",
        },
        facts={},
        family="drawdown",
    ),
    Statistic(
        "portfolio_alpha",
        "alpha and correlation against the market index over the trailing year",
        "riskmetrics.metrics.market_alpha:market_alpha",
        sessions=252,
        min_obs=126,
        figures=(
            _alpha("alpha", "Alpha", Unit.ACTIVE_FRACTION,
                "252 * intercept of the regression of R on m, m the return of the index; the"
                f" risk-free rate is 0, {PRO_FORMA}"),
            _alpha("alpha_std_error", "Standard error of alpha", Unit.FRACTION,
                "252 * sqrt(SSR / (n - 2) * (1 / n + mean(m)² / sum((m - mean(m))²)))"),
            _alpha("year_beta", "Beta, 252 sessions", Unit.BETA, "cov(R, m) / var(m)"),
            _alpha("market_correlation", "Correlation with the index", Unit.CORRELATION,
                "cov(R, m) / (sd(R) * sd(m))",
                null="undefined, or constant returns", reference="Pearson (1896)"),
            _alpha("treynor_ratio", "Treynor ratio", Unit.NUMBER,
                "(product of (1 + R) to the power 252 / n, minus 1) / year_beta",
                null="undefined, or a beta within 1.96 standard errors of 0",
                reference="Treynor (1965)"),
            _alpha("observations", "Observations", Unit.COUNT,
                "sessions on which R and the index have a return", minimum="", reference="",
                absent=COUNTED),
        ),
        key="alpha",
        title="Alpha against the market index, 252 sessions to {session}, pro forma",
        heading="Alpha against the market index, one year, pro forma",
        rows={
            "alpha": "± {alpha_std_error} a year", "year_beta": "", "market_correlation": "",
            "treynor_ratio": "return / beta",
        },
        facts={},
        family="alpha",
        uses_market=True,
    ),
)  # fmt: skip
FIGURES = tuple(figure for statistic in STATISTICS for figure in statistic.figures)
LISTINGS = tuple(statistic.listing for statistic in STATISTICS)
