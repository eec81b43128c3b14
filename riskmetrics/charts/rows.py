"""Rows of charts, from the data of a portfolio; none if the chart has nothing to show."""

from collections.abc import Callable
from functools import wraps

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.charts.labels import place_labels
from riskmetrics.charts.portfolio_data import PortfolioData
from riskmetrics.charts.pro_forma_data import ProForma
from riskmetrics.metrics.decayed_beta import Z_95
from riskmetrics.present import formatting

MAX_BARS = 15
"""Bars of positions; the rest is one row."""

MAX_CONTRIBUTORS = 6
"""Largest gains and largest losses of a session."""

MAX_CORRELATED = 15
"""Symbols of the matrix of correlations: the largest weights."""

N_BINS = 25
"""Bins of the distribution of daily returns."""

FORECAST_SESSIONS = 21


def _of_pro_forma(
    build: Callable[[PortfolioData, ProForma], pd.DataFrame],
) -> Callable[[PortfolioData], pd.DataFrame]:
    """Return the rows of pro-forma returns, without which there are none."""

    @wraps(build)
    def build_if_defined(data: PortfolioData) -> pd.DataFrame:
        return pd.DataFrame() if data.pro_forma is None else build(data, data.pro_forma)

    return build_if_defined


def equity(data: PortfolioData) -> pd.DataFrame:
    """Return day, total_value, cumulative_pnl, daily_pnl and the trades of the day, if any."""
    rows = data.history[["day", "total_value", "cumulative_pnl", "daily_pnl"]]
    texts = (data.trades["action"] + " " + data.trades["symbol"]).groupby(data.trades["day"])
    trades = texts.agg(lambda each: ", ".join(each.iloc[:5]) + (" …" if len(each) > 5 else ""))
    calendar = trading_calendar.sessions_index()
    at_session = calendar.searchsorted(pd.DatetimeIndex(trades.index))  # a closed day: the next
    sessions = calendar[at_session.clip(max=len(calendar) - 1)]
    at = np.searchsorted(rows["day"].to_numpy(), sessions.to_numpy())
    is_shown = (at < len(rows)) & (sessions >= rows["day"].min())
    trade_labels = trades[is_shown].groupby(at[is_shown]).agg(", ".join)
    return rows.assign(trades=trade_labels.reindex(rows.index))


def cumulative_pnl(data: PortfolioData) -> pd.DataFrame:
    """Return day, cumulative_pnl and daily_pnl of the sessions with a cumulative P&L."""
    return data.history[["day", "cumulative_pnl", "daily_pnl"]].dropna(subset=["cumulative_pnl"])


@_of_pro_forma
def cumulative_returns(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return day, portfolio, market, and realized if stored; all start at 0.

    Each unbroken run of stored returns starts on the pro-forma line, as what was earned on sessions
    without a stored return is unknown.
    """
    rows = pro_forma.frame(data.n_sessions)
    growth = (1 + rows[["portfolio", "market"]].fillna(0.0)).cumprod()
    stored = (
        data.history.set_index("day")["daily_return"].reindex(rows["day"]).reset_index(drop=True)
    )
    is_stored = stored.notna()
    run = (is_stored & ~is_stored.shift(fill_value=False)).cumsum()
    start = growth["portfolio"].shift(1, fill_value=1.0).groupby(run).transform("first")
    realized = start * (1 + stored).groupby(run).cumprod()
    return pd.DataFrame(
        {
            "day": rows["day"],
            "portfolio": growth["portfolio"] - 1,
            "market": growth["market"] - 1,
            "realized": realized - 1,
        }
    )


@_of_pro_forma
def underwater(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return day, portfolio and market: value relative to the highest so far, minus 1."""
    rows = pro_forma.frame(data.n_sessions)
    growth = (1 + rows[["portfolio", "market"]].fillna(0.0)).cumprod()
    below = growth / growth.cummax().clip(lower=1.0) - 1
    return below.assign(day=rows["day"])[["day", "portfolio", "market"]]


def volatility_fan(data: PortfolioData) -> pd.DataFrame:
    """Return forecasts on the session that ends their 21 sessions, with what was realized.

    Columns day (the end), made_on, volatility_forecast, low, high, realized, is_outside.
    """
    rows = data.forecasts.dropna(subset=["volatility_forecast"])
    made = [day.date() for day in rows["day"]]
    if not made:
        return pd.DataFrame()
    calendar = trading_calendar.sessions_index()
    at = calendar.get_indexer(pd.DatetimeIndex(made)) + FORECAST_SESSIONS
    is_known = at < len(calendar)
    rows = rows[is_known]
    realized = rows["realized"]
    is_outside = realized.notna() & ~realized.between(rows["low"], rows["high"])
    columns = ["volatility_forecast", "low", "high", "realized"]
    return rows[columns].assign(
        day=calendar[at[is_known]].to_numpy(),
        made_on=rows["day"].dt.strftime("%Y-%m-%d"),
        is_outside=is_outside.astype(int),
    )


@_of_pro_forma
def beta(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return day, beta, low and high of today's holdings: the 95% interval."""
    return _add_interval(pro_forma.rolling_beta(data.n_sessions).dropna(), "beta")


def stored_beta(data: PortfolioData) -> pd.DataFrame:
    """Return day, beta, low and high of the holdings of each session: the 95% interval."""
    return _add_interval(data.history[["day", "beta", "std_error"]].dropna(), "beta")


def _add_interval(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Add low and high, the ends of the 95% interval of a figure with a standard error."""
    margin = Z_95 * rows["std_error"]
    return rows.assign(low=rows[name] - margin, high=rows[name] + margin)


@_of_pro_forma
def value_at_risk(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return day, portfolio (return), threshold (minus the value at risk) and exception."""
    rows = pro_forma.value_at_risk(data.n_sessions).dropna(subset=["portfolio"])
    return rows.assign(
        threshold=-rows["value_at_risk"], exception=rows["is_exception"].astype(int)
    ).drop(columns=["value_at_risk", "is_exception"])


@_of_pro_forma
def rolling_sharpe(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return day and sharpe_ratio of the trailing half year."""
    return pro_forma.rolling_figures(data.n_sessions)[["day", "sharpe_ratio"]].dropna()


@_of_pro_forma
def rolling_volatility(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return day, volatility and market_volatility of the trailing half year."""
    names = ["day", "volatility", "market_volatility"]
    return pro_forma.rolling_figures(data.n_sessions)[names].dropna(subset=["volatility"])


@_of_pro_forma
def monthly_returns(_data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return year, month (1 to 12), monthly_return and sessions of each month."""
    rows = pro_forma.frame(len(pro_forma.days)).dropna(subset=["portfolio"])
    groups = (1 + rows["portfolio"]).groupby([rows["day"].dt.year, rows["day"].dt.month])
    found = (groups.prod() - 1).rename("monthly_return").rename_axis(["year", "month"])
    return found.reset_index().assign(sessions=groups.size().to_numpy())


@_of_pro_forma
def distribution(data: PortfolioData, pro_forma: ProForma) -> pd.DataFrame:
    """Return low and high of bins of daily returns, and the number of returns in each."""
    returns = pro_forma.returns[-data.n_sessions :]
    counts, edges = np.histogram(returns[np.isfinite(returns)], bins=N_BINS)
    rows = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "sessions": counts})
    return rows if counts.any() else pd.DataFrame()


def has_benchmark(data: PortfolioData) -> bool:
    """Return whether weights of a benchmark are stored for the sectors."""
    return bool(data.sectors["benchmark_weight"].fillna(0).any())


def has_no_benchmark(data: PortfolioData) -> bool:
    """Return whether sectors can only be shown by themselves."""
    return not has_benchmark(data)


def sector_drift(data: PortfolioData) -> pd.DataFrame:
    """Return session, sector, label, net_weight and deviation from the benchmark.

    One session is nothing over time: it has no rows.
    """
    rows = data.sectors.dropna(subset=["active_weight"])
    return _label_sectors(rows, "active_weight").rename(columns={"active_weight": "deviation"})


def sector_weights(data: PortfolioData) -> pd.DataFrame:
    """Return session, sector, label and net_weight of the sectors that are held.

    One session is nothing over time: it has no rows.
    """
    rows = data.sectors.dropna(subset=["net_weight"])
    largest = rows["net_weight"].abs().groupby(rows["sector"]).transform("max")
    return _label_sectors(rows[largest > 0], "net_weight")


def _label_sectors(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return session, sector, net_weight and ``column``; a label has the latest value of it."""
    if rows["day"].nunique() < 2:
        rows = rows.iloc[:0]
    latest = rows[rows["day"] == rows["day"].max()].set_index("sector")[column].astype(float)
    texts = latest.map(formatting.signed_percent)
    numbers = list(dict.fromkeys(("net_weight", column)))
    return rows[["sector"]].assign(
        session=rows["day"].dt.strftime("%Y-%m-%d"),
        label=rows["sector"] + "  " + rows["sector"].map(texts).fillna("—"),
        **{name: rows[name].astype(float) for name in numbers},
    )


def concentration(data: PortfolioData) -> pd.DataFrame:
    """Return day and effective_num_positions."""
    return data.history[["day", "effective_num_positions"]].dropna()


def risk_shares(data: PortfolioData) -> pd.DataFrame:
    """Return symbol, weight and share of volatility, the largest first; the rest is one row."""
    rows = data.contributions[["symbol", "weight", "share"]].dropna()
    order = rows["share"].abs().sort_values(ascending=False).index
    return _fold_rest(rows.loc[order].astype({"weight": float, "share": float}))


def risk_against_weight(data: PortfolioData) -> pd.DataFrame:
    """Return symbol, weight and share of volatility, and the side of the label of the largest."""
    rows = data.contributions[["symbol", "weight", "share"]].dropna()
    rows = rows.astype({"weight": float, "share": float})
    ordered = rows.loc[rows["share"].abs().sort_values(ascending=False).index]
    names, weights, shares = (ordered[name].tolist() for name in ordered)
    sides = place_labels(names, weights, shares, also_y=weights)  # the line spans the weights
    return rows.assign(side=pd.Series(sides, ordered.index, dtype=object))


def correlations(data: PortfolioData) -> pd.DataFrame:
    """Return the correlation of each pair of the largest weights, in both orders.

    Columns first, second and correlation; that of a symbol with itself is 1.
    """
    weights = data.contributions.dropna(subset=["weight"])
    largest = weights["weight"].astype(float).abs().sort_values(ascending=False).index
    symbols = weights.loc[largest[:MAX_CORRELATED], "symbol"].tolist()
    pairs = data.correlations.dropna(subset=["correlation"])
    named = pairs.rename(columns={"symbol_a": "first", "symbol_b": "second"})
    same = {"first": symbols, "second": symbols, "correlation": 1.0}
    swapped = named.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([named, swapped, pd.DataFrame(same)]) if len(named) else named
    shown = both[both["first"].isin(symbols) & both["second"].isin(symbols)]
    order = {symbol: place for place, symbol in enumerate(symbols)}
    shown = shown.sort_values(["first", "second"], key=lambda each: each.map(order))
    return shown[["first", "second", "correlation"]].astype({"correlation": float})


def factor_exposures(data: PortfolioData) -> pd.DataFrame:
    """Return factor, exposure and the ends of its 95% interval, of factors with an exposure."""
    rows = data.factors[["factor", "exposure", "std_error"]].dropna(subset=["exposure"])
    return _add_interval(rows.astype({"exposure": float, "std_error": float}), "exposure")


def stress(data: PortfolioData) -> pd.DataFrame:
    """Return scenario and result (a loss is negative), the largest loss first."""
    rows = data.stress[["scenario", "loss"]].dropna().astype({"loss": float})
    rows = rows.assign(result=-rows["loss"]).sort_values("result")
    return rows[["scenario", "result"]]


def pnl_contributors(data: PortfolioData) -> pd.DataFrame:
    """Return symbol and daily_pnl: the largest gains, the largest losses, and the rest between.

    The rest has no bar, but a label with its total, as in `_fold_rest`.
    """
    by_symbol = data.positions.groupby("underlying", dropna=True)["daily_pnl"].sum(min_count=1)
    ranked = by_symbol.dropna().sort_values(ascending=False)
    ranked = ranked[ranked != 0]
    if len(ranked) > 2 * MAX_CONTRIBUTORS + 1:
        gains, losses = ranked[ranked > 0], ranked[ranked < 0]
        gains, losses = gains.iloc[:MAX_CONTRIBUTORS], losses.iloc[-MAX_CONTRIBUTORS:]
        rest = ranked.iloc[len(gains) : len(ranked) - len(losses)]
        others = {f"{len(rest)} others: {formatting.signed_amount(rest.sum())}": np.nan}
        ranked = pd.concat([gains, pd.Series(others), losses])
    return ranked.rename_axis("symbol").rename("daily_pnl").reset_index()


def _fold_rest(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the first `MAX_BARS` rows, and one for the others, labeled with their total share.

    It has no bar: that of hundreds of positions would dwarf those that are shown.
    """
    if len(rows) <= MAX_BARS + 1:
        return rows
    rest = rows.iloc[MAX_BARS:]
    label = f"{len(rest)} others: {formatting.percent(rest['share'].sum())}"
    others = pd.DataFrame({"symbol": [label], "weight": [rest["weight"].sum()], "share": [np.nan]})
    return pd.concat([rows.iloc[:MAX_BARS], others], ignore_index=True)
