"""How long the metrics themselves take, on a simulated market in memory: no database, nothing read or written.

Positions: a year of sessions for 5,000 symbols, beside what one would write for one symbol with
pandas and statsmodels. Portfolios: one session for 10,000 of them. Everything runs as the assets of
a run call it, to the rows that they would write.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks import measure, per_symbol, run_inputs
from benchmarks.run_inputs import RunInputs
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.shrinkage import vasicek
from riskmetrics.results import betas
from riskmetrics.sources.simulate import MARKET_INDEX, RATE_INDEX


class Size(NamedTuple):
    """How much is computed, how many times as much to see growth, on how many symbols the slower way is timed, and how often."""

    symbols: int = 5_000
    sessions: int = 252
    portfolios: int = 10_000
    lots: int = 100
    scales: tuple[int, ...] = (1, 2, 4)
    sampled: int = 4
    repeats: int = 3


QUICK = Size(symbols=20, sessions=3, portfolios=4, lots=5, scales=(1, 2), sampled=1, repeats=1)


class Measurement(NamedTuple):
    """One size: of how many, and costs of what is shared and of what each asset makes of it."""

    number: int
    shared: dict[str, measure.Cost]
    own: dict[str, measure.Cost]
    cold_seconds: float
    """Processor seconds of the first run, in a process that had computed nothing: what sizes are compared by."""

    @property
    def seconds(self) -> float:
        """Processor seconds of all."""
        return _cpu_seconds(self.shared) + _cpu_seconds(self.own)

    @property
    def peak(self) -> float:
        """Largest memory, megabytes."""
        return max(cost.peak for cost in (*self.shared.values(), *self.own.values()))


class Sample(NamedTuple):
    """Processor seconds of one symbol by ways of the slower kind, and the largest difference to ours of each family of figures."""

    fits: float
    rolling: float
    pandas: float
    differences: dict[str, float]


def report(quick: bool) -> str:
    """Time every size, each in a process of its own."""
    size = QUICK if quick else Size()
    positions, portfolios = (
        [measure.run_in_child(of, size, times) for times in size.scales]
        for of in (measure_positions, measure_portfolios)
    )
    return _text(size, positions, compare_sample(size), portfolios)


def measure_positions(size: Size, scale: int) -> Measurement:
    """Time all metrics of positions."""
    symbols = size.symbols * scale
    inputs = run_inputs.simulate_position_inputs(symbols, size.sessions)
    return _measure(
        symbols,
        inputs,
        run_inputs.SYMBOL_ESTIMATES,
        run_inputs.POSITION_ASSETS,
        size.repeats if scale == 1 else 1,
    )


def measure_portfolios(size: Size, scale: int) -> Measurement:
    """Time all metrics of portfolios."""
    portfolios = size.portfolios * scale
    inputs = run_inputs.simulate_portfolio_inputs(size.symbols, portfolios, size.lots)
    return _measure(
        portfolios,
        inputs,
        run_inputs.SHARED_INPUTS,
        run_inputs.PORTFOLIO_ASSETS,
        size.repeats if scale == 1 else 1,
    )


def _measure(
    number: int,
    inputs: RunInputs,
    shared: Sequence[str],
    assets: Sequence[Callable[[RunInputs], run_inputs.Frames]],
    repeats: int,
) -> Measurement:
    runs = []
    for _ in range(repeats):
        run = replace(inputs)  # shares nothing yet
        of_shared = {name: measure.measure_cost(partial(getattr, run, name)) for name in shared}
        runs.append(
            (
                of_shared,
                {asset.__name__: measure.measure_cost(partial(asset, run)) for asset in assets},
            )
        )
        del run  # or it counts as memory of the next
    of_shared, own = (
        {name: measure.median_cost([run[part][name] for run in runs]) for name in runs[0][part]}
        for part in range(2)
    )
    return Measurement(number, of_shared, own, cold_seconds=sum(map(_cpu_seconds, runs[0])))


def _cpu_seconds(costs: Mapping[str, measure.Cost]) -> float:
    return sum(cost.client for cost in costs.values())


def compare_sample(size: Size) -> Sample:
    """Time all metrics of a sample of positions one symbol at a time, and compare them with ours."""
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
            warnings.simplefilter(
                "ignore"
            )  # RollingOLS divides by zero before its first full window
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
    """Our figures, sessions x symbols, under the names of `per_symbol`."""
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
    wanted = [
        measure.Target(
            f"seconds of estimates, {first.number:,} symbols x {size.sessions} sessions",
            8,
            _cpu_seconds(first.shared),
            is_upper_limit=True,
        ),
        measure.Target(
            "largest memory, their rows included, MB", 2_000, first.peak, is_upper_limit=True
        ),
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
        (f"{times}x", *_size_row(one), *_size_row(two))
        for times, one, two in zip(size.scales, positions, portfolios, strict=True)
    ]
    return f"""## Metrics

Computation alone, of a simulated market in memory: what the assets of a run do between reading and writing. Seconds are those of all
threads of the process, so what one core would take; medians of {size.repeats}; memory is the process's largest, the interpreter's and
the prices included.

Of positions, {size.sessions} sessions: estimates of {first.number:,} symbols, which assets share, and each asset's rows of
{first.number * size.sessions:,} symbols or positions.

{measure.markdown_table(["", "seconds", "peak MB"], _lines(first))}

Beside them, the estimates as one would write them for one symbol. Largest differences, beside the largest value of each figure:
{differences}.

{measure.markdown_table(["", "betas, s", "volatility, s", "both", "ratio", "basis"], _comparison_rows(first, sample, size))}

Of {own.number:,} portfolios of {size.lots} lots in {size.symbols:,} stocks, none of them options, one session: what assets share, and
the rest of each.

{measure.markdown_table(["", "seconds", "peak MB"], _lines(own))}

How all of it grows: every size once, in a fresh process.

{measure.markdown_table(["", "symbols", "s", "ms each", "peak MB", "portfolios", "s", "ms each", "peak MB"], sizes)}

{measure.targets_table(wanted)}
"""


def _lines(measurement: Measurement) -> list[tuple[str, ...]]:
    costs = {
        name.replace("_", " "): cost for name, cost in measurement.shared.items()
    } | measurement.own  # assets keep their names
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
            f"growth of seconds beside that of {what}, {one.number:,} to {more.number:,}",
            1,
            (more.cold_seconds / one.cold_seconds) / (more.number / one.number),
            is_upper_limit=True,
        )
        for one, more in pairwise(sizes)
    ]
