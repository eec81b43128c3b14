"""Facts from stored result rows of one portfolio and session."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from riskmetrics.catalog import all_statistics
from riskmetrics.db.fact_queries import Record
from riskmetrics.factor_sets import MARKET, SPECIFIC
from riskmetrics.funds import NOT_LOOKED_THROUGH
from riskmetrics.insights.fact_types import CHANGE_UNITS, FACT_TYPES
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.history_facts import position_alias
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.present.caveats import is_equity_small

_MAX_SECTORS, MAX_SCENARIOS, _MAX_FACTORS = 3, 3, 3
"""Largest sectors by gross weight (plus the most over- and underweight); worst scenarios; factors
besides the market with the largest shares of volatility, positive or negative."""

_PAIR_SEPARATOR = " / "
"""Between the symbols of a pair, as results store it."""

_MONEY_CHANGES = ("total_value", "gross_exposure")
"""Changes that are omitted if an instrument's P&L is unknown, because they would reveal it."""


def snapshot_facts(
    make: "partial[Fact]", row: Record, coverage: Mapping[str, float]
) -> Iterator[Fact]:
    """Yield facts of values, exposures, coverage, betas and concentration."""
    values = (
        *("total_value", "cash_value", "long_value", "short_value", "gross_exposure"),
        *("net_exposure", "num_positions", "num_long_positions", "num_short_positions"),
        *("daily_pnl", "daily_return", "cumulative_pnl"),
    )
    yield from defined_facts(make, _select(row, *values))
    if row["gross_exposure"] > 0 and not is_equity_small(
        float(row["total_value"]), float(row["gross_exposure"])
    ):
        amounts = _select(row, "gross_to_equity", "net_to_equity")
        yield from defined_facts(
            make, {name: amount / row["total_value"] for name, amount in amounts.items()}
        )
    yield from defined_facts(
        make, {"price_coverage": coverage.get("prices"), "beta_coverage": coverage.get("beta")}
    )
    yield from defined_facts(
        make,
        _select(row, "beta", "beta_r_squared", "own_beta"),
        n_obs=row["beta_calculated_90d_observations"],
    )
    yield from defined_facts(
        make,
        _select(row, "provider_beta", "hhi", "effective_positions", "top_3", "top_10"),
    )


def forecast_facts(
    make: "partial[Fact]", row: Record, forecast: Record | None, score: Record | None
) -> Iterator[Fact]:
    """Yield facts of volatility, its forecast, and the outcome of the last forecast."""
    past = ("volatility_21d", "volatility_63d", "volatility_percentile", "volatility_trend")
    yield from defined_facts(make, _select(row, *past))
    if forecast:
        expected = _select(row, "expected_volatility") | _select(
            forecast, "expected_low", "expected_high", "rise_probability"
        )
        quality = (
            "in sample"
            if forecast["in_sample"]
            else "short history"
            if forecast["short_history"]
            else "ok"
        )
        n_obs = forecast["observations"]
        yield from defined_facts(make, expected, n_obs=n_obs, quality=quality)
    if score:
        yield from defined_facts(
            make,
            _select(score, "past_forecast", "past_outcome", "past_low", "past_high"),
            n_obs=FORECAST_HORIZON,
            quality="in sample" if score["in_sample"] else "ok",
        )


def position_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    """Yield facts of the largest positions, and add their aliases."""
    for row in rows:
        alias = position_alias(aliases, row["symbol"])
        aliases[alias] |= {"name": row["company"]} if row["company"] else {}
        side = "long" if row["weight"] > 0 else "short"
        yield from defined_facts(
            make, {"weight": abs(row["weight"])}, entity=alias, rank=row["weight_rank"]
        )
        kind = "fund" if row["is_fund"] else "other"
        yield from defined_facts(make, {"side": side, "fund": kind}, entity=alias)
        yield from defined_facts(
            make,
            {"share": row["share"]},
            entity=alias,
            rank=row["share_rank"],
            n_obs=row["observations"],
        )
    if rows:
        yield from defined_facts(make, {"short_share": rows[0]["short_share"]})


def sector_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    """Yield facts of the largest and most over- or underweight sectors; add their aliases."""
    held = [row for row in rows if row["gross_weight"] > 0 and row["sector"] != NOT_LOOKED_THROUGH]
    active = sorted(
        (row for row in rows if row["active_weight"] is not None),
        key=lambda row: -row["active_weight"],
    )
    chosen = held[:_MAX_SECTORS] + [
        row for row in (*active[:1], *active[-1:]) if row not in held[:_MAX_SECTORS]
    ]
    for number, row in enumerate(chosen, start=1):
        alias = f"SEC_{number:02}"
        aliases[alias] = {"sector": row["sector"]}
        yield from defined_facts(
            make, {"gross": row["gross_weight"]}, entity=alias, rank=rows.index(row) + 1
        )
        more = {"benchmark": row["benchmark_weight"], "net": row["net_weight"]}
        yield from defined_facts(make, more, entity=alias)
        if row in active:
            yield from defined_facts(
                make, {"active": row["active_weight"]}, entity=alias, rank=active.index(row) + 1
            )


def risk_facts(
    make: "partial[Fact]",
    rows_by_name: Mapping[str, Sequence[Record]],
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield facts of rate betas, stress, tail risk and statistics; add scenario aliases."""
    for row in rows_by_name["rate_betas"]:
        yield from defined_facts(
            make,
            _select(row, "rate_beta", "two_factor_rate_beta"),
            n_obs=row["observations"],
        )
    yield from scenario_facts(make, rows_by_name["stress"][:MAX_SCENARIOS], aliases)
    for row in rows_by_name["tail_risk"]:
        level = f"{row['level']:.2f}".removeprefix("0.")
        figures = {
            f"var_{level}": row["value_at_risk"],
            f"shortfall_{level}": row["expected_shortfall"],
        }
        yield from defined_facts(
            make,
            {name: value for name, value in figures.items() if name in FACT_TYPES},
            n_obs=row["observations"],
        )
    for row in rows_by_name["liquidity"]:
        covered = f"{row['coverage'] or 0.0:.0%}"
        quality = "ok" if covered == "100%" else f"covers {covered} of gross value"
        yield from defined_facts(
            make, _select(row, "days_to_liquidate", "sold_in_5d"), quality=quality
        )
    for statistic in all_statistics():
        for row in rows_by_name[statistic.key]:
            figures = _select(row, *statistic.facts.values())
            yield from defined_facts(make, figures, n_obs=row["observations"])
    for row in rows_by_name["drawdowns"]:
        if row["current_drawdown_peak"] is not None:
            peak = f"{row['current_drawdown_peak']:%Y-%m-%d}"
            yield from defined_facts(make, {"drawdown_peak": peak})
    for row in rows_by_name["market_regression"]:
        yield from defined_facts(make, {"own_beta_error": row["std_error"]})


def previous_beta_facts(
    make: "partial[Fact]", snapshot: Record | None, regressions: Sequence[Record]
) -> Iterator[Fact]:
    """Yield the beta of the session before with its error: neither has the session's return."""
    for row in (snapshot,) if snapshot else ():
        beta = {"previous_own_beta": row[FACT_TYPES["previous_own_beta"].column]}
        yield from defined_facts(make, beta, n_obs=row["beta_calculated_90d_observations"])
    for row in regressions:
        yield from defined_facts(make, {"previous_own_beta_error": row["std_error"]})


def historical_var_facts(make: "partial[Fact]", previous: Sequence[Record]) -> Iterator[Fact]:
    """Yield the historical value at risk of the session before, which the test counts by."""
    for row in previous:
        values = {"previous_var_95_historical": row["value_at_risk"]}
        yield from defined_facts(make, values, n_obs=row["observations"])


def scenario_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    aliases: dict[str, dict[str, str]],
    first: int = 1,
) -> Iterator[Fact]:
    """Yield facts of stress scenarios, and add their aliases.

    Parameters
    ----------
    rows : sequence of dict
        Scenarios, the largest loss first.
    first : int, optional
        Rank of the first one.
    """
    for number, row in enumerate(rows, start=first):
        alias = f"SCN_{number:02}"
        aliases[alias] = {"scenario": row["scenario"]}
        if row.get("has_other_moves"):
            aliases[alias]["moves"] = "several"
        covered = f"{row['coverage']:.0%}"
        quality = "ok" if covered == "100%" else f"covers {covered} of gross exposure"
        yield from defined_facts(
            make, {"result": -row["loss"]}, entity=alias, rank=number, quality=quality
        )
        yield from defined_facts(make, {"market_move": row["market_move"]}, entity=alias)


def factor_facts(
    make: "partial[Fact]",
    rows_by_name: Mapping[str, Sequence[Record]],
    aliases: dict[str, dict[str, str]],
    count: int = _MAX_FACTORS,
) -> Iterator[Fact]:
    """Yield facts of the factors that matter most besides the market; add their aliases.

    The share of the volatility that no factor explains is a fact of the portfolio.
    """
    exposures = {row["factor"]: row for row in rows_by_name["factor_exposures"]}
    shares = sorted(
        (
            row
            for row in rows_by_name["factor_risk"]
            if row["share"] is not None and row["factor"] not in (MARKET, SPECIFIC)
        ),
        key=lambda row: (-abs(row["share"]), row["factor"]),
    )
    for row in rows_by_name["factor_risk"]:
        if row["factor"] == SPECIFIC:
            share = {"specific_share": row["share"]}
            yield from defined_facts(make, share, n_obs=row["observations"])
    for number, row in enumerate(shares[:count], start=1):
        alias = f"FAC_{number:02}"
        aliases[alias] = {"factor": row["factor"]}
        exposure = exposures[row["factor"]]
        figures = {
            "factor_exposure": exposure["exposure"],
            "factor_error": exposure["std_error"],
            "factor_share": row["share"],
        }
        yield from defined_facts(
            make, figures, entity=alias, rank=number, n_obs=row["observations"]
        )


def diversification_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    """Yield facts of correlations; that of the most correlated pair is of both symbols."""
    for row in rows:
        figures = _select(row, "average_correlation", "diversification_ratio")
        yield from defined_facts(make, figures)
        if row["highest_pair"] is not None:
            for symbol in row["highest_pair"].split(_PAIR_SEPARATOR):
                alias = position_alias(aliases, symbol)
                yield from defined_facts(make, _select(row, "highest_correlation"), entity=alias)


def change_facts(
    make: "partial[Fact]",
    row: Record,
    previous: Record | None,
    *,
    is_profit_known: bool,
) -> Iterator[Fact]:
    """Yield facts of changes since the previous session."""
    for name in CHANGE_UNITS:
        column = FACT_TYPES[name].column
        if name in _MONEY_CHANGES and not is_profit_known:
            continue
        if previous and None not in (row[column], previous[column]):
            yield from defined_facts(make, {f"{name}_change": row[column] - previous[column]})


def _select(row: Record, *names: str) -> dict[str, float | str | None]:
    """Return the values of fact types in a row of their source table."""
    return {name: row[FACT_TYPES[name].column] for name in names}
