"""Facts from stored result rows of one portfolio and session."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.fact_types import CHANGE_UNITS, FACT_TYPES
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.present.caveats import small_equity_caveat

_MAX_SECTORS, _MAX_SCENARIOS = 3, 3
"""Largest sectors by gross weight (plus the most over- and underweight); worst scenarios."""

_MONEY_CHANGES = ("total_value", "gross_exposure")
"""Changes that are omitted if an instrument's P&L is unknown, because they would reveal it."""


def snapshot_facts(
    make: "partial[Fact]", row: Record, coverage: Mapping[str, float]
) -> Iterator[Fact]:
    """Yield facts of values, exposures, coverage, betas and concentration."""
    columns = (
        "total_value",
        "cash_value",
        "long_value",
        "short_value",
        "gross_exposure",
        "net_exposure",
    )
    counts = ("num_positions", "num_long_positions", "num_short_positions")
    pnl = {name: row[name] for name in ("daily_pnl", "daily_return", "cumulative_pnl")}
    yield from defined_facts(make, {name: row[name] for name in (*columns, *counts)} | pnl)
    if row["gross_exposure"] > 0 and not small_equity_caveat(
        float(row["total_value"]), float(row["gross_exposure"])
    ):
        shares = {"gross_to_equity": "gross_exposure", "net_to_equity": "net_exposure"}
        yield from defined_facts(
            make, {name: row[column] / row["total_value"] for name, column in shares.items()}
        )
    yield from defined_facts(
        make, {"price_coverage": coverage.get("prices"), "beta_coverage": coverage.get("beta")}
    )
    betas = {
        "beta": "beta_calculated_90d",
        "beta_r_squared": "beta_calculated_90d_r_squared",
        "own_beta": "beta_portfolio_regression",
    }
    yield from defined_facts(
        make,
        {name: row[column] for name, column in betas.items()},
        n_obs=row["beta_calculated_90d_observations"],
    )
    tops = {
        "hhi": "hhi",
        "effective_positions": "effective_num_positions",
        "top_3": "top_3_concentration",
        "top_10": "top_10_concentration",
    }
    yield from defined_facts(
        make,
        {
            name: row[column]
            for name, column in ({"provider_beta": "beta_provider_1y"} | tops).items()
        },
    )


def forecast_facts(
    make: "partial[Fact]", row: Record, forecast: Record | None, score: Record | None
) -> Iterator[Fact]:
    """Yield facts of volatility, its forecast, and the outcome of the last forecast."""
    past = {
        "volatility_21d": row["realized_volatility_21d"],
        "volatility_63d": row["realized_volatility_63d"],
    }
    yield from defined_facts(
        make, past | {name: row[name] for name in ("volatility_percentile", "volatility_trend")}
    )
    if forecast:
        expected = {
            "expected_volatility": row["expected_volatility_21d"],
            "expected_low": forecast["low"],
            "expected_high": forecast["high"],
        }
        quality = (
            "in sample"
            if forecast["in_sample"]
            else "short history"
            if forecast["short_history"]
            else "ok"
        )
        n_obs = forecast["observations"]
        yield from defined_facts(
            make,
            expected | {"rise_probability": forecast["rise_probability"]},
            n_obs=n_obs,
            quality=quality,
        )
    if score:
        figures = {
            "past_forecast": "expected",
            "past_outcome": "realized",
            "past_low": "low",
            "past_high": "high",
        }
        quality = "in sample" if score["in_sample"] else "ok"
        yield from defined_facts(
            make,
            {name: score[column] for name, column in figures.items()},
            n_obs=FORECAST_HORIZON,
            quality=quality,
        )


def position_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    """Yield facts of the largest positions, and add their aliases."""
    for number, row in enumerate(rows, start=1):
        alias = f"POS_{number:02}"
        aliases[alias] = {"symbol": row["symbol"]} | (
            {"name": row["company"]} if row["company"] else {}
        )
        side = "long" if row["weight"] > 0 else "short"
        yield from defined_facts(
            make, {"weight": abs(row["weight"])}, entity=alias, rank=row["weight_rank"]
        )
        yield from defined_facts(make, {"side": side}, entity=alias)
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
    held = [row for row in rows if row["gross_weight"] > 0]
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
        yield from defined_facts(make, {"benchmark": row["benchmark_weight"]}, entity=alias)
        if row in active:
            yield from defined_facts(
                make, {"active": row["active_weight"]}, entity=alias, rank=active.index(row) + 1
            )


def risk_facts(
    make: "partial[Fact]",
    rows_by_name: Mapping[str, Sequence[Record]],
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield facts of rate betas, stress results, tail risk and drawdowns; add scenario aliases."""
    for row in rows_by_name["rate_betas"]:
        yield from defined_facts(
            make,
            {name: row[name] for name in ("rate_beta", "two_factor_rate_beta")},
            n_obs=row["observations"],
        )
    for number, row in enumerate(rows_by_name["stress"][:_MAX_SCENARIOS], start=1):
        alias = f"SCN_{number:02}"
        aliases[alias] = {"scenario": row["scenario"]}
        covered = f"{row['coverage']:.0%}"
        quality = "ok" if covered == "100%" else f"covers {covered} of gross exposure"
        yield from defined_facts(
            make, {"result": -row["loss"]}, entity=alias, rank=number, quality=quality
        )
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
    for row in rows_by_name["drawdowns"]:
        yield from defined_facts(
            make,
            {"drawdown": row["current"], "largest_drawdown": row["largest"]},
            n_obs=row["observations"],
        )


def change_facts(
    make: "partial[Fact]",
    row: Record,
    previous: Record | None,
    *,
    is_profit_known: bool,
) -> Iterator[Fact]:
    """Yield facts of changes since the previous session."""
    columns = {
        "beta": "beta_calculated_90d",
        "volatility_21d": "realized_volatility_21d",
        "expected_volatility": "expected_volatility_21d",
        "top_3": "top_3_concentration",
    }
    for name in CHANGE_UNITS:
        column = columns.get(name, name)
        if name in _MONEY_CHANGES and not is_profit_known:
            continue
        if previous and None not in (row[column], previous[column]):
            yield from defined_facts(make, {f"{name}_change": row[column] - previous[column]})
