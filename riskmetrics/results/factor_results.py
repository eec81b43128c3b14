"""Factor exposures of symbols and portfolios, and the split of portfolio risk by factor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.factor_sets import IMPORTED, MARKET, SPECIFIC, Factor
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.factor_model import (
    MAX_VIF,
    FactorFit,
    age_weights,
    fit_factors,
    select_factors,
    undefined_fit,
)
from riskmetrics.results.betas import NO_PRICE_MOVEMENT
from riskmetrics.results.lot_frames import open_symbols
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.snapshots import insufficient_coverage, weigh_betas
from riskmetrics.results.undefined_reasons import Reason, count_texts
from riskmetrics.results.valuation import Valuation

FACTOR_HALF_LIFE = 126
"""Age in sessions at which a row of the window counts half."""

WEIGHTS = age_weights(YEAR_WINDOW, FACTOR_HALF_LIFE)

_NO_RESIDUAL = "the factors explain the returns completely, so that the standard error is 0"


@dataclass(frozen=True)
class FactorModel:
    """The factors (K) of the sessions of a run (D); the market is the first."""

    names: tuple[str, ...]
    definitions: tuple[str, ...]
    returns: FloatArray
    """Returns of the sessions of all windows, (D + YEAR_WINDOW - 1, K)."""
    kept: BoolArray
    """Whether a session's regression has a factor, (D, K)."""
    vif: FloatArray
    """Variance inflation factors, (D, K), as in `FactorSelection`."""

    def fit(self, day: int, series: FloatArray) -> FactorFit:
        """Regress the series of a session's window, (YEAR_WINDOW, N), on the factors it keeps.

        The arrays of all factors, (K, N), are NaN for factors that are left out.
        """
        kept, n_series = self.kept[day], series.shape[1]
        if not kept.any():
            return undefined_fit(len(self.names), np.zeros(n_series, np.int64))
        window = self.returns[day : day + YEAR_WINDOW, kept]
        found = fit_factors(series, window, WEIGHTS, min_obs=MIN_YEAR_OBS)
        all_factors = undefined_fit(len(kept), found.n_obs)
        for values, known in zip(all_factors, found, strict=True):
            if values.ndim == 2:
                values[kept] = known
        return all_factors._replace(
            specific=found.specific, volatility=found.volatility, r_squared=found.r_squared
        )

    @property
    def is_listed(self) -> BoolArray:
        """Return which factors have rows of risk and of symbols, (D, K): the market at least."""
        listed = self.kept.copy()
        listed[:, 0] = True
        return listed

    def _count_common(self, day: int, factor: int) -> int:
        """Return the sessions of a window with a factor and all that were compared."""
        compared = ~np.isnan(self.vif[day])
        compared[factor] = True
        window = self.returns[day : day + YEAR_WINDOW, compared]
        return int(np.isfinite(window).all(axis=1).sum())

    def exclusion_reasons(self, factor: int, shape: tuple[int, int]) -> tuple[Reason, ...]:
        """Return why sessions leave a factor out, for figures of a shape (P, D)."""
        n_obs = np.array(
            [
                np.isfinite(self.returns[day : day + YEAR_WINDOW, [factor]]).sum()
                for day in range(len(self.kept))
            ],
            dtype=np.float64,
        )
        missing, vif = ~self.kept[:, factor], self.vif[:, factor]
        n_common = np.array(
            [self._count_common(day, factor) for day in range(len(self.kept))], dtype=np.float64
        )
        definition = self.definitions[factor]
        source = "import the factor" if definition == IMPORTED else "import prices"
        wide = {
            "counts": np.broadcast_to(n_obs, shape),
            "common": np.broadcast_to(n_common, shape),
            "vif": np.broadcast_to(vif, shape),
        }
        return (
            Reason(
                f"{{:.0f}} of the trailing {YEAR_WINDOW} sessions have a return of the factor"
                f" ({definition}); {MIN_YEAR_OBS} required: {source}, or set RISKMETRICS_FACTORS",
                missing & (n_obs < MIN_YEAR_OBS),
                wide["counts"],
            ),
            Reason(
                f"{{:.0f}} of the trailing {YEAR_WINDOW} sessions have a return of the factor"
                f" ({definition}) and of those with more returns; {MIN_YEAR_OBS} required:"
                f" {source}, or set RISKMETRICS_FACTORS",
                missing & np.isnan(vif) & (n_common < MIN_YEAR_OBS),
                wide["common"],
            ),
            Reason(
                "left out as collinear: an exact combination of other factors",
                missing & np.isinf(vif),
            ),
            Reason(
                f"left out as collinear: the variance inflation factor is {{:.1f}}, above"
                f" {MAX_VIF:.0f}",
                missing & (vif > MAX_VIF),
                wide["vif"],
            ),
            Reason(f"the factor ({definition}) did not move in the window", missing),
        )


@dataclass(frozen=True)
class SymbolFactors:
    """Factor exposures of symbols (S) on the sessions of a run (D)."""

    model: FactorModel
    symbols: "pd.Index[str]"
    exposure: FloatArray
    """(K, D, S), as `std_error` and `t_statistic`."""
    std_error: FloatArray
    t_statistic: FloatArray
    r_squared: FloatArray
    """(D, S)."""
    n_obs: IntArray


def build_model(
    factors: Sequence[Factor], market_index: str, funds: panels.Returns, imported: pd.DataFrame
) -> FactorModel:
    """Select the factors of each session.

    Parameters
    ----------
    factors : sequence of Factor
        Factors other than the market.
    market_index : str
        Symbol of the market index.
    funds : Returns
        Returns of the market index and the factor funds in the windows of D sessions.
    imported : DataFrame
        Imported returns, sessions x factors.
    """
    market = funds.column(market_index)
    by_session = imported.reindex(funds.frame.index)
    columns = [market] + [
        funds.column(factor.fund) - market
        if factor.fund
        else by_session.reindex(columns=[factor.name]).to_numpy(float)[:, 0]
        for factor in factors
    ]
    returns = np.column_stack(columns)
    found = [
        select_factors(returns[day : day + YEAR_WINDOW], WEIGHTS, min_obs=MIN_YEAR_OBS)
        for day in range(len(returns) - YEAR_WINDOW + 1)
    ]
    kept, vif = (np.array(values) for values in zip(*found, strict=True))
    return FactorModel(
        (MARKET, *(factor.name for factor in factors)),
        (market_index, *(factor.definition(market_index) for factor in factors)),
        returns,
        kept & kept[:, :1],  # without the market there is no model
        vif,
    )


def estimate_symbol_factors(returns: panels.Returns, model: FactorModel) -> SymbolFactors:
    """Regress every symbol on the factors over the window that ends on each session."""
    fits = [model.fit(day, known) for day, known in enumerate(returns.windows(YEAR_WINDOW))]
    names = ("exposure", "std_error", "t_statistic", "r_squared", "n_obs")
    by_day = (np.stack([getattr(fit, name) for fit in fits], axis=-2) for name in names)
    return SymbolFactors(model, returns.frame.columns, *by_day)


def symbol_rows(found: SymbolFactors, lots: pd.DataFrame, sessions: Sequence[date]) -> pd.DataFrame:
    """Return rows of `symbol_factor_exposures`, per day, symbol held, and factor of the regression.

    A row with an undefined figure has a reason.
    """
    model = found.model
    day, column = open_symbols(lots, sessions, found.symbols)
    frames = []
    for k, name in enumerate(model.names):
        chosen = model.is_listed[day, k]
        at, symbol = day[chosen], column[chosen]
        n_obs, r_squared = found.n_obs[at, symbol], found.r_squared[at, symbol]
        exposure, t_statistic = found.exposure[k, at, symbol], found.t_statistic[k, at, symbol]
        few = count_texts(
            pd.Series(n_obs),
            f" of the trailing {YEAR_WINDOW} sessions have returns of the price and of the"
            f" factors; {MIN_YEAR_OBS} required",
        )
        reasons = pd.Series(_NO_RESIDUAL, few.index, dtype="str")
        reasons = reasons.mask(np.isnan(r_squared), NO_PRICE_MOVEMENT)
        reasons = reasons.mask(np.isnan(exposure), few).where(np.isnan(t_statistic))
        frames.append(
            pd.DataFrame(
                {
                    "symbol": found.symbols[symbol],
                    "day": pd.to_datetime(list(sessions)).to_numpy()[at],
                    "factor": name,
                    "exposure": exposure,
                    "std_error": found.std_error[k, at, symbol],
                    "t_statistic": t_statistic,
                    "r_squared": r_squared,
                    "observations": n_obs,
                    "definition": model.definitions[k],
                    "undefined_reason": reasons,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def portfolio_rows(
    valuation: Valuation, found: SymbolFactors, returns: panels.Returns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_factor_exposures` and of `portfolio_factor_risk`.

    Exposures are sums over the holdings; their errors, and the split of risk, are of the regression
    of the portfolios' pro-forma returns on the same factors. ``returns`` are of the YEAR_WINDOW
    sessions that end on each of the sessions of ``valuation``.
    """
    model, shape = found.model, valuation.net.shape
    fits = [
        model.fit(window.day, window.series)
        for window in pro_forma_windows(valuation, returns, YEAR_WINDOW)
    ]
    own = FactorFit._make(np.stack(parts, axis=-1) for parts in zip(*fits, strict=True))
    few = insufficient_observations(own.n_obs, YEAR_WINDOW, MIN_YEAR_OBS)
    exposures, risk = [], []
    for k, name in enumerate(model.names):
        betas = valuation.map_to_instruments(found.exposure[k], found.symbols)
        weighed = weigh_betas(valuation, betas)
        exclusions, vif = model.exclusion_reasons(k, shape), model.vif[:, k]
        is_defined = np.isfinite(weighed.beta)
        t_statistic = np.where(is_defined & (own.std_error[k] > 0), weighed.beta, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            t_statistic = t_statistic / own.std_error[k]
        reasons = valuation.risk_reasons(
            t_statistic,
            *exclusions,
            insufficient_coverage("positions with factor exposures", weighed.coverage),
            few,
            Reason(_NO_RESIDUAL),
        )
        columns = {
            "exposure": weighed.beta,
            "std_error": np.where(is_defined, own.std_error[k], np.nan),
            "t_statistic": t_statistic,
            "coverage": np.where(model.kept[:, k], weighed.coverage, np.nan),
            "vif": np.broadcast_to(np.where(np.isinf(vif), np.nan, vif), shape),
        }
        exposures.append(
            valuation.to_frame(columns, "day").assign(
                factor=name, definition=model.definitions[k], undefined_reason=reasons
            )
        )
        rows = _risk_rows(valuation, own, own.component[k], (*exclusions, few))
        is_listed = np.broadcast_to(model.is_listed[:, k], shape)[valuation.is_valued]
        risk.append(rows.assign(factor=name)[is_listed])
    specific = _risk_rows(valuation, own, own.specific, (*model.exclusion_reasons(0, shape), few))
    risk.append(specific.assign(factor=SPECIFIC))
    return pd.concat(exposures, ignore_index=True), pd.concat(risk, ignore_index=True)


def _risk_rows(
    valuation: Valuation, own: FactorFit, component: FloatArray, reasons: tuple[Reason, ...]
) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = component / own.volatility
    columns = {"component": component, "share": share, "observations": own.n_obs}
    flat = Reason("the portfolio's value did not move in the window")
    text = valuation.risk_reasons(share, *reasons, flat)
    return valuation.to_frame(columns, "day").assign(undefined_reason=text)
