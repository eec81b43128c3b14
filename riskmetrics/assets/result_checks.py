"""What must hold of results: each check has a measured value, a severity and a sentence."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.assets import reports
from riskmetrics.dagster_private import AssetCheckExecutionRecordStatus
from riskmetrics.db import (
    input_queries,
    result_queries,
    result_rules,
    shown_names,
    stored_prices,
    track_record_queries,
)
from riskmetrics.db.result_rules import RESULT_RULES, ResultRule
from riskmetrics.db.split_suspects import find_suspected_splits
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE
from riskmetrics.present.formatting import fixed_point
from riskmetrics.resources import Warehouse, code_version
from riskmetrics.results import betas
from riskmetrics.results.beta_reference_check import max_abs_difference
from riskmetrics.text import join_names

_REFIT_SAMPLE_SIZE = 5
"""Stored betas that a run has statsmodels fit again."""

_MAX_EARLIER_EVALUATIONS = 10
"""Evaluations of a check that passed, among which one of the same values is looked for."""

_STORED_PRECISION = 2e-6
"""Columns keep six decimals; one unit in the last place covers both roundings."""

_MAX_PLAUSIBLE_BETA = 5.0
"""A beta larger in size did not occur in 164,000 windows of real stocks: look at the prices."""

_SUM_TOLERANCE = 1e-9
"""How far the sector weights of a portfolio may sum from 1: rounding of float64."""


def betas_match_statsmodels(
    warehouse: Warehouse, days: Sequence[date], passed: Iterable[Mapping[str, Any]]
) -> dg.AssetCheckResult:
    """A sample of the stored betas agrees with statsmodels; otherwise nothing downstream runs."""
    with warehouse.read() as connection:
        rows = result_queries.sample_market_betas(connection, days, _REFIT_SAMPLE_SIZE)
        symbols = {*rows["symbol"], *rows["market_index"]}
        sessions = trading_calendar.sessions_with_lookback(days, betas.BETA_WINDOW + 1)
        closes = input_queries.read_adjusted_closes(connection, symbols, sessions)
        suspected = find_suspected_splits(connection, symbols)
    compared = _fingerprint(code_version(), version("statsmodels"), rows, closes, suspected)
    # importing statsmodels takes half a second
    known = next((each for each in passed if each.get("compared") == compared), None)
    worst = (
        max_abs_difference(rows, closes, suspected)
        if known is None
        else float(known["largest_difference"])
    )
    return dg.AssetCheckResult(
        passed=worst <= _STORED_PRECISION,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"refitted": len(rows), "largest_difference": worst, "compared": compared},
        description=(
            f"{len(rows)} stored betas, refitted by statsmodels, differ by {worst:.1e} at most; "
            f"{_STORED_PRECISION:.0e} is the limit"
            + ("" if known is None else "; as in an earlier run with the same values")
        ),
    )


def _fingerprint(*compared: str | pd.DataFrame) -> str:
    """Return a hash of texts and of every value and label of frames."""
    digest = hashlib.sha256()
    for each in compared:
        text = each if isinstance(each, str) else json.dumps(each.to_dict("split"), default=repr)
        digest.update(text.encode())
    return digest.hexdigest()


def beta_extreme(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """No market beta is so large that only wrong prices explain it; none is capped."""
    with warehouse.read() as connection:
        extreme = result_queries.find_extreme_betas(connection, days, _MAX_PLAUSIBLE_BETA)
        n_betas = result_queries.count_betas(connection, days)
    worst = "".join(
        f": the largest is {row.beta:.1f}, of {row.symbol} on {row.calc_date:%Y-%m-%d}"
        for row in extreme[:1].itertuples()
    )
    advice = (
        "; look for its cause with `riskmetrics show quality`, and import the right prices"
        if worst
        else ""
    )
    description = (
        f"{len(extreme)} of {n_betas} betas are beyond ±{_MAX_PLAUSIBLE_BETA:.0f}{worst}{advice}"
    )
    return _warn_of(extreme, description, betas_affected=len(extreme), betas_checked=n_betas)


def price_coverage(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """At least 80% of each portfolio's holdings have a close; options need their underlying's."""
    with warehouse.read() as connection:
        missing_sources, missing_prices = (
            result_queries.find_low_coverage(connection, metric, days, MIN_COVERAGE)
            for metric in ("price_sources", "prices")
        )
        never_priced = stored_prices.suggest_symbols(
            connection, stored_prices.find_unpriced_symbols(connection, days)
        )
    has_missing_sources = not missing_sources.empty
    insufficient = missing_sources if has_missing_sources else missing_prices
    labels = [
        f"{row.portfolio} ({row.n_covered} of {row.n_total} instruments on {row.day:%Y-%m-%d})"
        for row in insufficient.itertuples()
    ]
    sentences = []
    if has_missing_sources:
        remedy = ": import the prices with `riskmetrics import prices FILE`"
        sentences.append(
            f"too few holdings have a close (options: of their underlying) in {join_names(labels)};"
            f" {MIN_COVERAGE:.0%} are needed, and their risk figures are undefined"
            f"{'' if never_priced else remedy + ', or remove the portfolio'}"
        )
    elif labels:
        sentences.append(
            f"too few holdings have a price of their own in {join_names(labels)}: state the prices"
            " of options with the holdings"
        )
    if never_priced:
        sentences.append(
            f"no price up to {days[-1]} is stored for {join_names(never_priced)}: correct the"
            " symbol with `riskmetrics symbols rename OLD NEW`, or import its prices; all:"
            f" `riskmetrics show quality --date {days[-1]}`"
        )
    return dg.AssetCheckResult(
        passed=insufficient.empty and not never_priced,
        severity=dg.AssetCheckSeverity.ERROR if has_missing_sources else dg.AssetCheckSeverity.WARN,
        metadata={
            "portfolios_affected": len(insufficient),
            "symbols_never_priced": len(never_priced),
            **reports.preview(insufficient),
        },
        description="; ".join(sentences) or "enough holdings of every portfolio have a price",
    )


def portfolios_valued(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """Every portfolio has values on every session of the run; one without names the reason."""
    with warehouse.read() as connection:
        missing = result_queries.find_unvalued_portfolios(connection, days)
    labels = [
        f"{row.portfolio} on {row.day:%Y-%m-%d} ({row.reason})" for row in missing.itertuples()
    ]
    description = (
        f"no values are stored of {join_names(labels)}" if labels else "every portfolio has values"
    )
    return _warn_of(missing, description, portfolios_affected=len(missing))


def unconfirmed_prices(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """No value or P&L rests on an unconfirmed close: a move of more than half in one session."""
    with warehouse.read() as connection:
        unconfirmed = result_queries.find_low_coverage(connection, "validated_prices", days, 1.0)
    if unconfirmed.empty:
        return dg.AssetCheckResult(
            passed=True, description="no value or P&L rests on an unconfirmed close"
        )
    unconfirmed = unconfirmed.assign(
        n_unconfirmed=unconfirmed["n_total"] - unconfirmed["n_covered"]
    )
    labels = [
        f"{row.portfolio} ({row.n_unconfirmed} of {row.n_total} instruments on {row.day:%Y-%m-%d})"
        for row in unconfirmed.itertuples()
    ]
    day = f"{unconfirmed['day'].iloc[0]:%Y-%m-%d}"
    description = (
        f"values and P&L rest on unconfirmed closes in {join_names(labels)}; see which with"
        f" `riskmetrics show quality --date {day}`, and import the right ones"
    )
    return _warn_of(unconfirmed, description, portfolios_affected=len(unconfirmed))


def equity_sufficient(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """Every portfolio's equity is large enough to express weights and losses as fractions of it."""
    with warehouse.read() as connection:
        small = result_queries.find_small_equity(connection, days, MIN_EQUITY_SHARE)
    labels = [
        f"{row['portfolio']} (equity {fixed_point(row['total_value'], 2)}, gross"
        f" {row['gross_exposure']:,.2f} on {row['day']:%Y-%m-%d})"
        for row in small.to_dict("records")
    ]
    description = (
        f"equity is below {MIN_EQUITY_SHARE:.0%} of gross exposure in {join_names(labels)}:"
        " weights and figures in units of equity are undefined; correct the equity with"
        " `riskmetrics import portfolio FILE --equity AMOUNT`"
        if labels
        else f"equity of every portfolio is at least {MIN_EQUITY_SHARE:.0%} of gross exposure"
    )
    return _warn_of(small, description, portfolios_affected=len(small))


def sector_weights_sum(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """The sector weights of every portfolio sum to 1; otherwise nothing downstream runs."""
    with warehouse.read() as connection:
        sums = result_queries.sum_sector_weights(connection, days)
    worst = float(np.abs(sums["total"] - 1.0).max()) if len(sums) else 0.0
    return dg.AssetCheckResult(
        passed=worst <= _SUM_TOLERANCE,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"portfolio_sessions": len(sums), "largest_deviation": worst},
        description=(
            f"sector weights of {len(sums)} portfolio sessions sum to 1 within {worst:.1e};"
            f" {_SUM_TOLERANCE:.0e} is the limit"
        ),
    )


def outcomes_present(warehouse: Warehouse, days: Sequence[date]) -> dg.AssetCheckResult:
    """Every volatility forecast that completes on a session of the run has its outcome."""
    with warehouse.read() as connection:
        n_forecasts, missing = track_record_queries.find_unscored_forecasts(connection, days)
        missing = shown_names.replace_ids_with_names(connection, missing)
    description = (
        f"{len(missing)} of {n_forecasts} forecasts that complete have no outcome; materialize"
        " forecast_outcomes again"
        if len(missing)
        else f"{n_forecasts} forecasts that complete have outcomes"
    )
    return _warn_of(missing, description, forecasts_checked=n_forecasts)


def _warn_of(found: pd.DataFrame, description: str, **measured: int) -> dg.AssetCheckResult:
    """Return the result of a check that passes if nothing is found, else warns of the rows."""
    return dg.AssetCheckResult(
        passed=found.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**measured, **reports.preview(found)},
        description=description,
    )


def _rule_holds(
    rule: ResultRule, warehouse: Warehouse, days: Sequence[date]
) -> dg.AssetCheckResult:
    """Return whether all stored rows of the sessions fulfill a rule."""
    with warehouse.read() as connection:
        n_rows, n_broken, broken = result_rules.find_broken_rows(connection, rule, days)
    return dg.AssetCheckResult(
        passed=n_broken == 0,
        severity=dg.AssetCheckSeverity.ERROR if rule.is_error else dg.AssetCheckSeverity.WARN,
        metadata={"rows_checked": n_rows, "rows_broken": n_broken, **reports.preview(broken)},
        description=f"{n_broken} of {n_rows} rows break the rule: {rule.description}"
        if n_broken
        else f"{n_rows} rows checked: {rule.description}",
    )


@dataclass(frozen=True)
class ResultCheck:
    """A check of an asset of results; a blocking one stops its downstream assets."""

    asset: str
    name: str
    description: str
    function: Callable[..., dg.AssetCheckResult]
    is_blocking: bool = False
    takes_passed: bool = False
    """Whether the function takes the metadata of the latest evaluations that passed."""

    def evaluate(
        self, warehouse: Warehouse, sessions: Sequence[date], instance: dg.DagsterInstance
    ) -> dg.AssetCheckResult:
        """Return the result of the check for sessions of a run."""
        earlier = [self._read_passed(instance)] if self.takes_passed else []
        result = self.function(warehouse, sessions, *earlier)
        return result._replace(asset_key=dg.AssetKey(self.asset), check_name=self.name)

    def _read_passed(self, instance: dg.DagsterInstance) -> Iterator[dict[str, Any]]:
        """Yield the metadata of the latest evaluations that passed, the latest first."""
        for record in instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(self.asset), self.name),
            limit=_MAX_EARLIER_EVALUATIONS,
            status={AssetCheckExecutionRecordStatus.SUCCEEDED},
        ):
            if record.evaluation is not None:
                yield {name: each.value for name, each in record.evaluation.metadata.items()}


def _check(
    asset: str,
    function: Callable[..., dg.AssetCheckResult],
    *,
    is_blocking: bool = False,
    takes_passed: bool = False,
) -> ResultCheck:
    """Return a check with name and description of its function."""
    name, description = function.__name__, str(function.__doc__)
    return ResultCheck(asset, name, description, function, is_blocking, takes_passed)


RESULT_CHECKS = (
    _check("position_betas", betas_match_statsmodels, is_blocking=True, takes_passed=True),
    _check("position_betas", beta_extreme),
    _check("portfolio_values", price_coverage),
    _check("portfolio_values", portfolios_valued),
    _check("portfolio_values", unconfirmed_prices),
    _check("portfolio_volatility", equity_sufficient),
    _check("sector_concentration", sector_weights_sum, is_blocking=True),
    _check("forecast_outcomes", outcomes_present),
    *(
        ResultCheck(rule.asset, rule.name, rule.description, partial(_rule_holds, rule))
        for rule in RESULT_RULES
    ),
)
