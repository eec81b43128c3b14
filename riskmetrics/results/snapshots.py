"""Values and betas of portfolios: rows of `portfolio_snapshots`."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE, meets_minimum
from riskmetrics.metrics.portfolio import (
    RegressionBeta,
    WeightedBeta,
    regression_beta,
    weighted_beta,
)
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS, SymbolBetas
from riskmetrics.results.pro_forma import pro_forma_windows
from riskmetrics.results.undefined_reasons import Reason, round_share_down, undefined_rows
from riskmetrics.results.valuation import Valuation

DAY_COLUMN = "snapshot_date"
_TABLE = "portfolio_snapshots"
_BETA_COLUMNS = (
    "beta_calculated_90d",
    "beta_calculated_90d_r_squared",
    "beta_calculated_90d_observations",
    "beta_portfolio_regression",
    "beta_provider_1y",
)
VALUE_METRICS = [
    f"{_TABLE}.{name}"
    for name in (
        "total_value",
        "daily_pnl",
        "daily_return",
        "cumulative_pnl",
        "income",
        "equity_balance",
    )
]
BETA_METRICS = [f"{_TABLE}.{name}" for name in _BETA_COLUMNS]
VALUE_COVERAGE = (
    "prices",
    "current_prices",
    "price_sources",
    "validated_prices",
    "daily_pnl",
    "income",
)
"""Metrics of values in `portfolio_coverage`.

A source is a close, an option's underlying close, or a private holding's stated value;
validated_prices are the confirmed prices behind the value and the P&L of the day; income counts the
listed instruments held overnight with known distributions.
"""

EQUITY_SOURCES = ("stated_equity", "net_value", "transactions")
"""Basis of a portfolio's equity: a stated balance, its holdings alone, or transactions."""
BETA_COVERAGE = ("beta", "provider_beta")


def value_rows(valuation: Valuation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the value columns of `portfolio_snapshots`, and the reasons of undefined values.

    A row per day and portfolio that can be valued, in its currency; daily_return is a fraction of
    the previous equity. The reasons include portfolios without any price, which have no row.
    """
    pnl = valuation.pnl
    stated = valuation.portfolios["equity_balance"].to_numpy(float)[:, None]
    columns = {
        "total_value": valuation.equity,
        "cash_value": valuation.cash,
        "stated_value": valuation.stated_value,
        "long_value": valuation.long_value,
        "short_value": valuation.short_value,
        "gross_exposure": valuation.gross_value,
        "net_exposure": valuation.net,
        "daily_pnl": pnl.daily,
        "daily_return": np.where(
            meets_minimum(pnl.coverage, MIN_COVERAGE),
            pnl.daily / valuation.start_of_day.return_denominator,
            np.nan,
        ),
        "cumulative_pnl": pnl.cumulative,
        "income": valuation.income.daily,
        "num_positions": valuation.n_held,
        "num_long_positions": valuation.sum_by_portfolio(valuation.direction > 0),
        "num_short_positions": valuation.sum_by_portfolio(valuation.direction < 0),
        "equity_balance": np.broadcast_to(stated, valuation.net.shape),
    }
    rows = valuation.to_frame(columns, DAY_COLUMN).astype(
        dict.fromkeys(("num_positions", "num_long_positions", "num_short_positions"), "int64")
    )
    stated_equity, net_value, transactions = EQUITY_SOURCES
    from_transactions = valuation.portfolios["portfolio_id"][valuation.is_cash_from_transactions]
    rows["equity_source"] = np.where(
        rows["portfolio_id"].isin(from_transactions),
        transactions,
        np.where(rows["equity_balance"].notna(), stated_equity, net_value),
    )
    reasons = {
        name: valuation.undefined_reasons(columns[name], *listed)
        for name, listed in _value_reasons(valuation).items()
    }
    undefined = undefined_snapshots(rows, reasons)
    return rows, pd.concat([undefined, _missing_row_reasons(valuation)], ignore_index=True)


def _value_reasons(valuation: Valuation) -> dict[str, tuple[Reason, ...]]:
    pnl = valuation.pnl
    no_pnl = Reason(
        "no holding has both a start price (previous close or entry) and an end price (close or"
        " exit)"
    )
    no_pnl_over_split = Reason(
        "instruments with a suspected split on the day: {:.0f}, and no other has a P&L; see"
        " `riskmetrics prices list`",
        pnl.n_split_suspects > 0,
        pnl.n_split_suspects,
    )
    since_split = Reason(
        "lots held over a suspected split that is not resolved: {:.0f}; see `riskmetrics prices"
        " list`",
        pnl.n_lots_over_split > 0,
        pnl.n_lots_over_split,
    )
    return {
        "daily_pnl": (no_pnl_over_split, no_pnl),
        "daily_return": _list_return_reasons(valuation, no_pnl, no_pnl_over_split),
        "income": (
            Reason(
                "close and adjusted close of the holdings are inconsistent on the day, so their"
                " distributions are unknown: see `riskmetrics show quality`",
                valuation.income.n_single < valuation.income.n_listed,
            ),
            Reason("distributions are unknown: no holding has both a close and an adjusted close"),
        ),
        "cumulative_pnl": (
            since_split,
            Reason(
                "lots without an entry price: {:.0f}",
                pnl.n_no_entry_price > 0,
                pnl.n_no_entry_price,
            ),
            Reason(
                "lots without a price on the day or at exit: {:.0f}",
                number=pnl.n_no_end_price,
            ),
        ),
        "equity_balance": (
            Reason(
                "no equity balance is stated: cash follows from transactions",
                np.broadcast_to(valuation.is_cash_from_transactions[:, None], valuation.net.shape),
            ),
            Reason("no equity balance is stated: cash is taken as 0"),
        ),
    }


def _list_return_reasons(
    valuation: Valuation, no_pnl: Reason, no_pnl_over_split: Reason
) -> tuple[Reason, ...]:
    """Return the reasons of an undefined daily return, in the order in which they apply."""
    start, pnl = valuation.start_of_day, valuation.pnl
    return (
        Reason("the portfolio could not be valued on the previous session", np.isnan(start.equity)),
        no_pnl_over_split._replace(condition=np.isnan(pnl.daily) & (pnl.n_split_suspects > 0)),
        no_pnl._replace(condition=np.isnan(pnl.daily)),
        Reason(
            "instruments with a P&L make up {:.1%} of the holdings at the start of the day, by"
            f" value or by number; {MIN_COVERAGE:.0%} required",
            ~meets_minimum(pnl.coverage, MIN_COVERAGE),
            round_share_down(pnl.coverage),
        ),
        Reason(
            "nothing was held on the previous session, and cash was {:.2f}",
            start.gross_value == 0,
            start.equity,
        ),
        Reason(
            "equity at the start of the day was {:.2f} at a gross exposure of {:.2f};"
            f" {MIN_EQUITY_SHARE:.0%} required",
            number=start.equity,
            second_number=start.gross_value,
        ),
    )


def _missing_row_reasons(valuation: Valuation) -> pd.DataFrame:
    rows = valuation.to_frame(
        {"n_held": valuation.n_held, "cash": valuation.cash}, "day", ~valuation.is_valued
    )
    unpriced = (
        f"none of {{:.0f}} instruments has a price on the day or the {panels.MAX_STALE_SESSIONS}"
        " sessions before; no row was written"
    )
    no_cash = (
        "the cash is unknown: a holding has a price now, but had none when the equity balance was"
        " stated or the holding was bought, and its statement has no price; state the equity again,"
        " or import the missing prices; no row was written"
    )
    return pd.DataFrame(
        {
            "portfolio_id": rows["portfolio_id"],
            "subject": rows["portfolio_id"],
            "day": rows["day"],
            "metric": f"{_TABLE}.total_value",
            "reason": rows["n_held"].map(unpriced.format).where(rows["cash"].notna(), no_cash),
            "n_obs": pd.array([pd.NA] * len(rows), dtype="Int64"),  # it counts instruments
        }
    )


def value_coverage(valuation: Valuation) -> pd.DataFrame:
    """Return rows of `portfolio_coverage` for VALUE_COVERAGE: shares of instruments."""
    held, priced, pnl = valuation.n_held, valuation.n_priced, valuation.pnl
    current = valuation.sum_by_portfolio(
        valuation.is_held & np.isfinite(valuation.values) & ~valuation.is_stale
    )
    sourced = valuation.sum_by_portfolio(valuation.is_held & valuation.has_price_source)
    n_validated = pnl.n_traded - pnl.n_unconfirmed
    income = valuation.income
    counts = (
        (priced, held),
        (current, held),
        (sourced, held),
        (n_validated, pnl.n_traded),
        (pnl.n_known, pnl.n_traded),
        (income.n_known, income.n_listed),
    )
    return coverage_rows(
        valuation,
        {
            metric: (n, total, n / np.maximum(total, 1))
            for metric, (n, total) in zip(VALUE_COVERAGE, counts, strict=True)
        },
    )


def coverage_rows(
    valuation: Valuation, covered: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]]
) -> pd.DataFrame:
    """Return rows of `portfolio_coverage` where the total is positive.

    ``covered`` maps each metric to the covered instruments, all instruments, and the share, each
    (P, D).
    """
    parts = [
        valuation.to_frame(
            {"coverage": share, "n_covered": n, "n_total": total},
            "day",
            (total > 0) & np.isfinite(share),
        ).assign(metric=metric)
        for metric, (n, total, share) in covered.items()
    ]
    return pd.concat(parts, ignore_index=True).astype({"n_covered": "int64", "n_total": "int64"})


def beta_rows(
    valuation: Valuation, betas: SymbolBetas, profiles: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the beta columns of snapshots, their coverage, and the reasons of undefined values.

    ``betas`` are on its sessions; ``profiles``, by symbol, contain the vendor's beta.
    A portfolio beta with inputs for less than MIN_COVERAGE of gross exposure is undefined.
    """
    symbols = betas.returns.frame.columns
    beta, r_squared, n_obs = (
        valuation.map_to_instruments(values.astype(float), symbols)
        for values in (betas.ols.beta, betas.ols.r_squared, betas.ols.n_obs)
    )
    calculated = weigh_betas(valuation, beta, r_squared, n_obs)
    series = (window.series for window in pro_forma_windows(valuation, betas.returns, BETA_WINDOW))
    regression = regression_beta(
        series, betas.returns.column(betas.index_symbol), min_obs=MIN_PAIRED_RETURNS
    )
    vendor = valuation.instruments["underlying"].map(profiles["beta"]).to_numpy(float)
    vendor = np.where(valuation.has_return_series, vendor[:, None], np.nan)
    provider = weigh_betas(valuation, vendor)
    found = *calculated[:3], regression.beta, provider.beta
    columns = dict(zip(_BETA_COLUMNS, found, strict=True))
    rows = valuation.to_frame(columns, DAY_COLUMN).astype(
        {"beta_calculated_90d_observations": "Int64"}
    )
    coverage = build_beta_coverage(
        valuation, BETA_COVERAGE, (beta, vendor), (calculated.coverage, provider.coverage)
    )
    reasons = {
        name: valuation.risk_reasons(columns[name], *listed)
        for name, listed in _list_beta_reasons(calculated, regression, provider).items()
    }
    counts = {"beta_portfolio_regression": regression.n_obs[valuation.is_valued]}
    return rows, coverage, undefined_snapshots(rows, reasons, counts)


def undefined_snapshots(
    rows: pd.DataFrame,
    reasons: Mapping[str, "pd.Series[str]"],
    n_obs: Mapping[str, FloatArray | IntArray] | None = None,
) -> pd.DataFrame:
    """Return the rows of undefined_metrics of columns of portfolio_snapshots."""
    return undefined_rows(
        rows, _TABLE, reasons, subject="portfolio_id", day=DAY_COLUMN, n_obs=n_obs
    )


def _list_beta_reasons(
    calculated: WeightedBeta,
    regression: RegressionBeta,
    provider: WeightedBeta,
) -> dict[str, tuple[Reason, ...]]:
    """Return the reasons of undefined betas by column, in the order in which they apply."""
    uncovered = insufficient_coverage("positions with a beta", calculated.coverage)
    return {
        "beta_calculated_90d": (uncovered,),
        "beta_calculated_90d_r_squared": (
            uncovered,
            Reason("no position with a beta has an R²: none of their prices moved in the window"),
        ),
        "beta_calculated_90d_observations": (uncovered,),
        "beta_portfolio_regression": (
            Reason(
                f"{{:.0f}} of the trailing {BETA_WINDOW} sessions have returns of the market index"
                f" and of {MIN_COVERAGE:.0%} of gross exposure; {MIN_PAIRED_RETURNS} required",
                regression.n_obs < MIN_PAIRED_RETURNS,
                regression.n_obs,
            ),
            Reason("the market index did not move in the window"),
        ),
        "beta_provider_1y": (
            insufficient_coverage("positions with a vendor's beta", provider.coverage),
        ),
    }


def weigh_betas(
    valuation: Valuation,
    beta: FloatArray,
    r_squared: FloatArray | None = None,
    n_obs: FloatArray | None = None,
    *,
    is_in_currency: bool = False,
) -> WeightedBeta:
    """Weigh the betas of instruments, (I, D), by their exposures: betas of portfolios, (P, D).

    Without ``r_squared`` or ``n_obs``, those of the result have no meaning. In currency, a beta is
    the change of value per unit move, and needs no equity.
    """
    return weighted_beta(
        valuation.exposures,
        beta,
        beta if r_squared is None else r_squared,
        np.ones_like(beta) if n_obs is None else n_obs,
        valuation.instrument_portfolio,
        valuation.amount_denominator if is_in_currency else valuation.risk_denominator,
        valuation.priced_share,
    )


def build_beta_coverage(
    valuation: Valuation,
    names: Sequence[str],
    betas: Sequence[FloatArray],
    shares: Sequence[FloatArray],
) -> pd.DataFrame:
    """Return the `coverage_rows` of metrics with betas (I, D) for shares (P, D) of exposure."""
    return coverage_rows(
        valuation,
        {
            metric: (count_covered(valuation, values), valuation.n_held, share)
            for metric, values, share in zip(names, betas, shares, strict=True)
        },
    )


def count_covered(valuation: Valuation, beta: FloatArray) -> FloatArray:
    """Count instruments with an exposure and a beta, (P, D), from betas of instruments (I, D)."""
    covered: BoolArray = (
        np.isfinite(valuation.exposures) & (valuation.exposures != 0) & np.isfinite(beta)
    )
    return valuation.sum_by_portfolio(covered)


def insufficient_coverage(what: str, coverage: FloatArray) -> Reason:
    """Return the reason of an undefined figure with inputs for too small a share of exposure."""
    text = f"{what} make up {{:.1%}} of gross exposure; {MIN_COVERAGE:.0%} required"
    return Reason(text, ~meets_minimum(coverage, MIN_COVERAGE), round_share_down(coverage))
