"""How long the metrics themselves take, on a simulated market in memory: no database, nothing read or written.

Positions: a year of sessions for 5,000 symbols, beside what one would write for one symbol with pandas and statsmodels.
Portfolios: one session for 10,000 of them. Everything runs as the assets of a run call it, to the rows that they would write.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks import book, measure, per_symbol
from benchmarks.book import Book
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
    times: tuple[int, ...] = (1, 2, 4)
    sampled: int = 4
    repeats: int = 3


QUICK = Size(symbols=20, sessions=3, portfolios=4, lots=5, times=(1, 2), sampled=1, repeats=1)


class Measured(NamedTuple):
    """One size: of how many, and costs of what is shared and of what each asset makes of it."""

    number: int
    shared: dict[str, measure.Cost]
    own: dict[str, measure.Cost]
    cold: float
    """Processor seconds of the first run, in a process that had computed nothing: what sizes are compared by."""

    @property
    def seconds(self) -> float:
        """Processor seconds of all."""
        return _seconds(self.shared) + _seconds(self.own)

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
    positions, portfolios = ([measure.in_child(of, size, times) for times in size.times] for of in (positions_of, portfolios_of))
    return _text(size, positions, sample_of(size), portfolios)


def positions_of(size: Size, times: int) -> Measured:
    """Time all metrics of positions."""
    symbols = size.symbols * times
    one = book.of_symbols(symbols, size.sessions)
    return _measured(symbols, one, book.ESTIMATES, book.POSITIONS, size.repeats if times == 1 else 1)


def portfolios_of(size: Size, times: int) -> Measured:
    """Time all metrics of portfolios."""
    portfolios = size.portfolios * times
    one = book.of_portfolios(size.symbols, portfolios, size.lots)
    return _measured(portfolios, one, book.SHARED, book.PORTFOLIOS, size.repeats if times == 1 else 1)


def _measured(number: int, one: Book, shared: Sequence[str], assets: Sequence[Callable[[Book], book.Frames]], repeats: int) -> Measured:
    runs = []
    for _ in range(repeats):
        run = replace(one)  # shares nothing yet
        of_shared = {name: measure.cost(partial(getattr, run, name)) for name in shared}
        runs.append((of_shared, {asset.__name__: measure.cost(partial(asset, run)) for asset in assets}))
        del run  # or it counts as memory of the next
    of_shared, own = ({name: measure.median([run[part][name] for run in runs]) for name in runs[0][part]} for part in range(2))
    return Measured(number, of_shared, own, cold=sum(map(_seconds, runs[0])))


def _seconds(costs: Mapping[str, measure.Cost]) -> float:
    return sum(cost.client for cost in costs.values())


def sample_of(size: Size) -> Sample:
    """Time all metrics of a sample of positions one symbol at a time, and compare them with ours."""
    sample = book.of_symbols(size.sampled, size.sessions)
    closes, ours = sample.bars["adj_close"], _ours(sample)
    changes = closes.pct_change().iloc[-(size.sessions + betas.WINDOW - 1) :]
    indices = [changes[index].to_numpy() for index in (MARKET_INDEX, RATE_INDEX)]
    seconds: dict[str, list[float]] = {"fits": [], "rolling": [], "pandas": []}
    differences: dict[str, float] = {}
    for symbol in [*closes.columns[2:]] * size.repeats:
        returns, bars = changes[symbol].to_numpy(), {name: of[symbol] for name, of in sample.bars.items()}
        fits, of_fits = measure.timed(partial(per_symbol.betas_by_fits, returns, *indices))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # RollingOLS divides by zero before its first full window
            of_rolling = measure.cost(partial(per_symbol.betas_by_rolling, returns, *indices))
        figures, of_pandas = measure.timed(partial(per_symbol.volatility, **bars, market=closes[MARKET_INDEX]))
        for costs, cost in zip(seconds.values(), (of_fits, of_rolling, of_pandas), strict=True):
            costs.append(cost.client)
        for name, theirs in (fits | figures).items():
            family, own = name.partition(".")[0], ours[name][:, closes.columns.get_loc(symbol)]
            difference = float(np.max(np.abs(own - theirs[-size.sessions :])) / np.max(np.abs(own)))
            differences[family] = max(differences.get(family, 0.0), difference)
    return Sample(**{name: median(costs) for name, costs in seconds.items()}, differences=differences)


def _ours(one: Book) -> dict[str, FloatArray]:
    """Our figures, sessions x symbols, under the names of `per_symbol`."""
    market, (rate, both), of = one.market_betas.ols, one.rate_betas, one.symbol_volatility
    families: dict[str, Mapping[str, FloatArray]] = {
        "market": market._asdict(),
        "adjusted": vasicek(market.beta, market.std_error)._asdict(),
        "rate": rate.ols._asdict(),
        "both": both.ols._asdict(),
        "volatility": {**of.figures._asdict(), "skill": of.skill},
    }
    return {f"{family}.{name}": values for family, figures in families.items() for name, values in figures.items()}


def _text(size: Size, positions: Sequence[Measured], sample: Sample, portfolios: Sequence[Measured]) -> str:
    first, own = positions[0], portfolios[0]
    wanted = [
        measure.Target(
            f"seconds of estimates, {first.number:,} symbols x {size.sessions} sessions", 8, _seconds(first.shared), is_most=True
        ),
        measure.Target("largest memory, their rows included, MB", 2_000, first.peak, is_most=True),
        measure.Target(f"seconds, {own.number:,} portfolios x {size.lots} positions", 15, own.seconds, is_most=True),
        *_growth("symbols", positions),
        *_growth("portfolios", portfolios),
    ]
    differences = ", ".join(f"{family} {value:.0e}" for family, value in sample.differences.items())
    sizes = [(f"{times}x", *_size(one), *_size(two)) for times, one, two in zip(size.times, positions, portfolios, strict=True)]
    return f"""## Metrics

Computation alone, of a simulated market in memory: what the assets of a run do between reading and writing. Seconds are those of all
threads of the process, so what one core would take; medians of {size.repeats}; memory is the process's largest, the interpreter's and
the prices included.

Of positions, {size.sessions} sessions: estimates of {first.number:,} symbols, which assets share, and each asset's rows of
{first.number * size.sessions:,} symbols or positions.

{measure.table(["", "seconds", "peak MB"], _lines(first))}

Beside them, the estimates as one would write them for one symbol. Largest differences, beside the largest value of each figure:
{differences}.

{measure.table(["", "betas, s", "volatility, s", "both", "ratio", "basis"], _ways(first, sample, size))}

Of {own.number:,} portfolios of {size.lots} lots in {size.symbols:,} stocks, none of them options, one session: what assets share, and
the rest of each.

{measure.table(["", "seconds", "peak MB"], _lines(own))}

How all of it grows: every size once, in a fresh process.

{measure.table(["", "symbols", "s", "ms each", "peak MB", "portfolios", "s", "ms each", "peak MB"], sizes)}

{measure.targets(wanted)}
"""


def _lines(of: Measured) -> list[tuple[str, ...]]:
    costs = {name.replace("_", " "): cost for name, cost in of.shared.items()} | of.own  # assets keep their names
    lines = [(name, f"{cost.client:.2f}", f"{cost.peak:,.0f}") for name, cost in costs.items()]
    return [*lines, ("all", f"{of.seconds:.2f}", f"{of.peak:,.0f}")]


def _ways(of: Measured, sample: Sample, size: Size) -> list[tuple[str, ...]]:
    all_, forecast = _seconds(of.shared), of.shared["symbol_volatility"].client
    ways = {
        "riskmetrics": (all_ - forecast, forecast),
        "statsmodels RollingOLS, pandas": (sample.rolling * of.number, sample.pandas * of.number),
        "statsmodels OLS for each window, pandas": (sample.fits * of.number, sample.pandas * of.number),
    }
    basis = ["measured"] + [f"from {size.sampled} symbols"] * 2
    return [
        (name, *(f"{seconds:,.1f}" for seconds in (*parts, sum(parts))), f"{sum(parts) / all_:,.0f}x", on)
        for (name, parts), on in zip(ways.items(), basis, strict=True)
    ]


def _size(of: Measured) -> tuple[str, ...]:
    return f"{of.number:,}", f"{of.cold:.1f}", f"{of.cold / of.number * 1e3:.2f}", f"{of.peak:,.0f}"


def _growth(what: str, sizes: Sequence[Measured]) -> list[measure.Target]:
    return [
        measure.Target(
            f"growth of seconds beside that of {what}, {one.number:,} to {more.number:,}",
            1,
            (more.cold / one.cold) / (more.number / one.number),
            is_most=True,
        )
        for one, more in pairwise(sizes)
    ]
