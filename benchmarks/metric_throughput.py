"""Time of the metrics alone, on a simulated market in memory, without a database.

Positions: a year of sessions for 5,000 symbols, compared with an implementation for one symbol in
pandas and statsmodels. Portfolios: one session of 10,000 portfolios. The calls are those of the
assets, up to the rows that they write.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks import measure, per_symbol, run_assets, run_inputs
from benchmarks.run_inputs import RunInputs
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.shrinkage import vasicek
from riskmetrics.results import betas
from riskmetrics.sources.simulate import MARKET_INDEX, RATE_INDEX


class Size(NamedTuple):
    """Problem size, scales to measure growth, symbols for slower methods, and repetitions."""

    symbols: int = 5_000
    sessions: int = 252
    portfolios: int = 10_000
    lots: int = 100
    scales: tuple[int, ...] = (1, 2, 4)
    sampled: int = 4
    repeats: int = 3


QUICK = Size(symbols=20, sessions=3, portfolios=4, lots=5, scales=(1, 2), sampled=1, repeats=1)


class Measurement(NamedTuple):
    """Costs of one size: of shared inputs, and of each asset on top of them."""

    number: int
    shared: dict[str, measure.Cost]
    own: dict[str, measure.Cost]
    cold_seconds: float
    """CPU seconds of the first run in a new process, used to compare sizes."""

    @property
    def seconds(self) -> float:
        """Return total CPU seconds."""
        return _cpu_seconds(self.shared) + _cpu_seconds(self.own)

    @property
    def peak(self) -> float:
        """Return peak memory in megabytes."""
        return max(cost.peak for cost in (*self.shared.values(), *self.own.values()))


class Sample(NamedTuple):
    """CPU seconds per symbol of slower methods, and largest difference by family of figures."""

    fits: float
    rolling: float
    pandas: float
    differences: dict[str, float]


def report(quick: bool) -> str:
    """Measure every size, each in a new process."""
    size = QUICK if quick else Size()
    positions, portfolios = (
        [measure.run_in_child(of, size, times) for times in size.scales]
        for of in (measure_positions, measure_portfolios)
    )
    return _text(size, positions, compare_sample(size), portfolios)


def measure_positions(size: Size, scale: int) -> Measurement:
    """Measure all metrics of positions."""
    symbols = size.symbols * scale
    inputs = run_inputs.simulate_position_inputs(symbols, size.sessions)
    return _measure(
        symbols,
        inputs,
        run_assets.SYMBOL_ESTIMATES,
        run_assets.POSITION_ASSETS,
        size.repeats if scale == 1 else 1,
    )


def measure_portfolios(size: Size, scale: int) -> Measurement:
    """Measure all metrics of portfolios."""
    portfolios = size.portfolios * scale
    inputs = run_inputs.simulate_portfolio_inputs(size.symbols, portfolios, size.lots)
    return _measure(
        portfolios,
        inputs,
        run_assets.SHARED_INPUTS,
        run_assets.PORTFOLIO_ASSETS,
        size.repeats if scale == 1 else 1,
    )


def _measure(
    number: int,
    inputs: RunInputs,
    shared: Sequence[str],
    assets: Mapping[str, run_assets.Asset],
    repeats: int,
) -> Measurement:
    runs = []
    for _ in range(repeats):
        run = replace(inputs)  # without cached properties
        of_shared = {name: measure.measure_cost(partial(getattr, run, name)) for name in shared}
        runs.append(
            (
                of_shared,
                {name: measure.measure_cost(partial(asset, run)) for name, asset in assets.items()},
            )
        )
        del run  # so that it is not included in the memory of the next run
    of_shared, own = (
        {name: measure.median_cost([run[part][name] for run in runs]) for name in runs[0][part]}
        for part in range(2)
    )
    return Measurement(number, of_shared, own, cold_seconds=sum(map(_cpu_seconds, runs[0])))


def _cpu_seconds(costs: Mapping[str, measure.Cost]) -> float:
    return sum(cost.client for cost in costs.values())


def compare_sample(size: Size) -> Sample:
    """Time the reference implementation for sampled symbols, and compare its results with ours."""
    sample = run_inputs.simulate_position_inputs(size.sampled, size.sessions)
    closes, own_figures = sample.bars["adj_close"], _own_figures(sample)
    changes = closes.pct_change().iloc[-(size.sessions + betas.BETA_WINDOW - 1) :]
    indices = [changes[index].to_numpy() for index in (MARKET_INDEX, RATE_INDEX)]
    seconds: dict[str, list[float]] = {"fits": [], "rolling": [], "pandas": []}
    differences: dict[str, float] = {}
    for symbol in [*closes.columns[2:]] * size.repeats:
        returns, bars = (
            changes[symbol].to_numpy(),
            {name: of[symbol] for name, of in sample.bars.items()},
        )
        fits, of_fits = measure.run_timed(partial(per_symbol.betas_by_fits, returns, *indices))
        with warnings.catch_warnings():
            # RollingOLS divides by zero before its first full window
            warnings.simplefilter("ignore")
            of_rolling = measure.measure_cost(
                partial(per_symbol.betas_by_rolling, returns, *indices)
            )
        figures, of_pandas = measure.run_timed(
            partial(per_symbol.volatility_figures, **bars, market=closes[MARKET_INDEX])
        )
        for costs, cost in zip(seconds.values(), (of_fits, of_rolling, of_pandas), strict=True):
            costs.append(cost.client)
        for name, theirs in (fits | figures).items():
            family, own = (
                name.partition(".")[0],
                own_figures[name][:, closes.columns.get_loc(symbol)],
            )
            difference = float(np.max(np.abs(own - theirs[-size.sessions :])) / np.max(np.abs(own)))
            differences[family] = max(differences.get(family, 0.0), difference)
    return Sample(
        **{name: median(costs) for name, costs in seconds.items()}, differences=differences
    )


def _own_figures(inputs: RunInputs) -> dict[str, FloatArray]:
    """Return our figures, sessions x symbols, with the names of `per_symbol`."""
    market, (rate, both), estimates = (
        inputs.market_betas.ols,
        inputs.rate_betas,
        inputs.symbol_volatility,
    )
    families: dict[str, Mapping[str, FloatArray]] = {
        "market": market._asdict(),
        "adjusted": vasicek(market.beta, market.std_error)._asdict(),
        "rate": rate.ols._asdict(),
        "both": both.ols._asdict(),
        "volatility": {**estimates.figures._asdict(), "oos_r_squared": estimates.oos_r_squared},
    }
    return {
        f"{family}.{name}": values
        for family, figures in families.items()
        for name, values in figures.items()
    }


def _text(
    size: Size, positions: Sequence[Measurement], sample: Sample, portfolios: Sequence[Measurement]
) -> str:
    first, own = positions[0], portfolios[0]
    targets = [
        measure.Target(
            f"seconds of estimates, {first.number:,} symbols x {size.sessions} sessions",
            8,
            _cpu_seconds(first.shared),
            is_upper_limit=True,
        ),
        measure.Target("peak memory including rows, MB", 2_000, first.peak, is_upper_limit=True),
        measure.Target(
            f"seconds, {own.number:,} portfolios x {size.lots} positions",
            15,
            own.seconds,
            is_upper_limit=True,
        ),
        *_growth_targets("symbols", positions),
        *_growth_targets("portfolios", portfolios),
    ]
    differences = ", ".join(f"{family} {value:.0e}" for family, value in sample.differences.items())
    sizes = [
        (f"{scale}x", *_size_row(by_symbol), *_size_row(by_portfolio))
        for scale, by_symbol, by_portfolio in zip(size.scales, positions, portfolios, strict=True)
    ]
    cost_head = ["", "seconds", "peak MB"]
    comparison_head = ["", "betas, s", "volatility, s", "both", "ratio", "basis"]
    growth = ["s", "ms each", "peak MB"]
    growth_head = ["", "symbols", *growth, "portfolios", *growth]
    return f"""## Metrics

Computation only, on a simulated market in memory, without reading and writing. Seconds are CPU
seconds of all threads, medians of {size.repeats}; memory is the peak of the process, including
interpreter and prices.

Positions, {size.sessions} sessions: estimates of {first.number:,} symbols, which assets share, and
the rows of each asset for {first.number * size.sessions:,} symbols or positions.

{measure.markdown_table(cost_head, _lines(first))}

Compared with an implementation for one symbol. Largest differences, relative to the largest value
of each figure: {differences}.

{measure.markdown_table(comparison_head, _comparison_rows(first, sample, size))}

{own.number:,} portfolios of {size.lots} lots in {size.symbols:,} stocks without options, one
session: inputs that assets share, and the additional cost of each asset.

{measure.markdown_table(cost_head, _lines(own))}

Growth: every size once, in a new process.

{measure.markdown_table(growth_head, sizes)}

{measure.targets_table(targets)}
"""


def _lines(measurement: Measurement) -> list[tuple[str, ...]]:
    shared = {name.replace("_", " "): cost for name, cost in measurement.shared.items()}
    costs = shared | measurement.own
    lines = [(name, f"{cost.client:.2f}", f"{cost.peak:,.0f}") for name, cost in costs.items()]
    return [*lines, ("all", f"{measurement.seconds:.2f}", f"{measurement.peak:,.0f}")]


def _comparison_rows(measurement: Measurement, sample: Sample, size: Size) -> list[tuple[str, ...]]:
    all_, forecast = (
        _cpu_seconds(measurement.shared),
        measurement.shared["symbol_volatility"].client,
    )
    ways = {
        "riskmetrics": (all_ - forecast, forecast),
        "statsmodels RollingOLS, pandas": (
            sample.rolling * measurement.number,
            sample.pandas * measurement.number,
        ),
        "statsmodels OLS for each window, pandas": (
            sample.fits * measurement.number,
            sample.pandas * measurement.number,
        ),
    }
    basis = ["measured"] + [f"from {size.sampled} symbols"] * 2
    return [
        (
            name,
            *(f"{seconds:,.1f}" for seconds in (*parts, sum(parts))),
            f"{sum(parts) / all_:,.0f}x",
            on,
        )
        for (name, parts), on in zip(ways.items(), basis, strict=True)
    ]


def _size_row(measurement: Measurement) -> tuple[str, ...]:
    return (
        f"{measurement.number:,}",
        f"{measurement.cold_seconds:.1f}",
        f"{measurement.cold_seconds / measurement.number * 1e3:.2f}",
        f"{measurement.peak:,.0f}",
    )


def _growth_targets(what: str, sizes: Sequence[Measurement]) -> list[measure.Target]:
    return [
        measure.Target(
            f"growth of seconds relative to {what}, {fewer.number:,} to {more.number:,}",
            1,
            (more.cold_seconds / fewer.cold_seconds) / (more.number / fewer.number),
            is_upper_limit=True,
        )
        for fewer, more in pairwise(sizes)
    ]
