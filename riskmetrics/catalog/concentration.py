"""Concentration and sector weights."""

from functools import partial

from riskmetrics.catalog.absences import NO_SENTENCE
from riskmetrics.catalog.figure import EQUITY, PRICED, Figure, Unit
from riskmetrics.catalog.listing import Listing

_NO_BENCHMARK = "no weights of the benchmark are stored"

_portfolio = partial(Figure, "portfolio_snapshots", minimum=PRICED)
_sector = partial(Figure, "portfolio_sector_weights")

FIGURES = (
    _portfolio("hhi", "HHI", Unit.INDEX,
        "sum(w²), w = |value| / gross value of each instrument", reference="Hirschman (1964)"),
    _portfolio("effective_num_positions", "Effective positions", Unit.NUMBER, "1 / HHI"),
    _portfolio("top_3_concentration", "Largest 3, share of gross", Unit.FRACTION,
        "sum of the 3 largest w", short="Top 3"),
    _portfolio("top_10_concentration", "Largest 10, share of gross", Unit.FRACTION,
        "sum of the 10 largest w", short="Top 10"),
    _portfolio("sector_exposure", "Sector shares", Unit.TEXT, "sum of w by sector",
        absent=NO_SENTENCE),
    _sector("gross_weight", "Gross", Unit.FRACTION,
        "sum(|value|) of the sector / gross value", minimum=PRICED),
    _sector("net_weight", "Net", Unit.FRACTION,
        "sum(value) of the sector / equity", minimum=EQUITY),
    _sector("benchmark_weight", "Benchmark", Unit.FRACTION,
        "the benchmark's latest weight on or before the day", null=_NO_BENCHMARK),
    _sector("active_weight", "Active", Unit.ACTIVE_FRACTION,
        "net_weight - benchmark_weight", minimum=EQUITY, null=f"undefined, or {_NO_BENCHMARK}"),
    _sector("benchmark_asof", "Benchmark as of", Unit.DATE,
        "date of the benchmark's latest weights on or before the session", null=_NO_BENCHMARK,
        absent=NO_SENTENCE),
    _sector("benchmark_code", "Benchmark code", Unit.TEXT, "code of the benchmark in use",
        null=_NO_BENCHMARK, absent=NO_SENTENCE),
    _sector("look_through_weight", "Through funds", Unit.FRACTION,
        "part of gross_weight that is held by funds that are looked through", minimum=PRICED,
        null="computed by an earlier version"),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_sector_weights", "Sector weights, {session}", "sectors",
        order=("-gross_weight", "sector")),
)  # fmt: skip
