"""Sector weights of the S&P 500: from the profiles of its stocks, or from those of a fund where the plan has no more."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pandas as pd

from riskmetrics import gics, trading_calendar
from riskmetrics.db import imports, read, vendor, write
from riskmetrics.errors import BadAnswer, KeyRefused, NotInPlan, RateLimited, SourceError
from riskmetrics.ingest import profiles
from riskmetrics.ingest.feed import NO_KEY, VENDOR, Feed, Refreshed
from riskmetrics.results.benchmark import capitalisation_weights, normalised
from riskmetrics.settings import DEFAULT_BENCHMARK

FRESH = timedelta(days=7)
"""How long weights stand before they are asked for again."""

FUND = "SPY"
"""Whose sector weights stand in for those of the index."""

MIN_KNOWN = 0.95
"""Of the stocks, the share whose market capitalisation must be known."""

LARGEST_COMPANY = 1e14
"""Dollars that no company is worth: such a capitalisation counts as unknown."""

MIN_KEPT = 0.8
"""Of the stocks that stored weights rest on, the share that new ones must have."""

LEAST_WHOLE, MOST_WHOLE = 90.0, 110.0
"""What the sector weights of a fund sum to, in per cent: cash is left out."""

KIND = "benchmark"


def refresh(feed: Feed | None, *, anew: bool = False) -> Refreshed:
    """Fetch and store the sector weights of the latest ended session, if those stored are a week old; or ``anew``.

    Weights made of fewer sectors than are stored, or of much fewer stocks, are not stored.

    Raises
    ------
    SourceError
        If they are asked for anew and cannot be had. Otherwise that is a problem of the benchmark, or a note where the plan
        does not have them.
    """
    if feed is None:
        return Refreshed(notes=(NO_KEY,))
    if not anew and not _is_due(feed):
        return Refreshed()
    refused: list[SourceError] = []
    for weights in (_of_constituents, _of_fund):
        try:
            _store(feed, weights(feed))
        except KeyRefused:
            raise
        except SourceError as error:
            refused.append(error)
            continue
        return Refreshed(1, notes=tuple(f"{_said(error)}; those of {FUND} stand in" for error in refused))
    if anew:
        raise refused[0]
    if all(isinstance(error, NotInPlan) for error in refused):
        with feed.engine.begin() as connection:
            vendor.answered(connection, VENDOR, KIND, DEFAULT_BENCHMARK, problem=str(refused[0]))
        return Refreshed(1, notes=(*map(_said, refused), "import sector weights with `riskmetrics import benchmark FILE`"))
    return Refreshed(1, {DEFAULT_BENCHMARK: refused[0]}, tuple(map(_said, refused[1:])))


def _said(error: SourceError) -> str:
    return f"sector weights of the benchmark: {error}"


def _is_due(feed: Feed) -> bool:
    """Whether what is stored is older than a week, and nobody was told within the week that there is none."""
    with feed.engine.connect() as connection:
        latest = read.latest_benchmark(connection, DEFAULT_BENCHMARK)
        answer = vendor.answers(connection, VENDOR, KIND, [DEFAULT_BENCHMARK]).get(DEFAULT_BENCHMARK)
    if answer is not None and answer.problem and answer.at > datetime.now(UTC) - FRESH:
        return False
    return latest is None or latest[0] < trading_calendar.last_ended() - FRESH


def _of_constituents(feed: Feed) -> pd.DataFrame:
    """Weigh each sector by the market capitalisation of its companies; a call for each stock whose profile is a week old."""
    found = feed.fmp.constituents()
    _keep(feed, found.rejected)
    stocks = pd.DataFrame([row.model_dump() for row in found.rows], columns=["symbol", "sector", "cik"])
    with feed.engine.connect() as connection:
        calls, left = len(profiles.due(connection, stocks["symbol"])), vendor.calls_left(connection, VENDOR, feed.calls_per_day)
    if left is not None and calls > left:
        raise RateLimited(f"{calls} profiles of its stocks are to be fetched, and {left} calls are left today")
    profiles.refresh(feed, stocks["symbol"])
    with feed.engine.connect() as connection:
        caps = stocks["symbol"].map(read.market_caps(connection, stocks["symbol"]))
    sectors = stocks["sector"].map(gics.sector)
    known = (caps < LARGEST_COMPANY) & sectors.notna()
    if known.sum() < MIN_KNOWN * len(stocks) or stocks.empty:
        raise BadAnswer(f"{known.sum()} of {len(stocks)} stocks of the S&P 500 have a market capitalisation and a sector")
    return capitalisation_weights(sectors[known], caps[known], stocks.loc[known, "cik"].fillna(stocks["symbol"]))


def _of_fund(feed: Feed) -> pd.DataFrame:
    """Take the sector weights of a fund on the index: one call, and neither capitalisation nor number of stocks."""
    found = feed.fmp.sector_weightings(FUND)
    sectors = [gics.sector(row.sector) for row in found.rows]
    rows = list(zip(found.rows, found.texts, sectors, strict=True))
    _keep(feed, [*found.rejected, *((None, text, "not a GICS sector") for row, text, sector in rows if not sector and row.weight)])
    weights = pd.Series([row.weight for row, _, sector in rows if sector], index=[sector for sector in sectors if sector], dtype=float)
    if not LEAST_WHOLE <= weights.sum() <= MOST_WHOLE:
        raise BadAnswer(f"the sector weights of {FUND} sum to {weights.sum():.4g} %")
    return normalised(weights)


def _store(feed: Feed, rows: pd.DataFrame) -> None:
    """Make ``rows`` the weights of the latest ended session, unless what is stored is better."""
    day = trading_calendar.last_ended()
    stocks = int(rows["num_constituents"].sum()) if "num_constituents" in rows else 0
    with feed.engine.begin() as connection:
        write.lock(connection, KIND)
        latest = read.latest_benchmark(connection, DEFAULT_BENCHMARK)
        if latest is not None:
            asof, sectors_before, stocks_before = latest
            fewer_stocks = stocks < MIN_KEPT * stocks_before and (stocks > 0 or asof == day)
            if len(rows) < sectors_before or fewer_stocks:
                before = f"those of {asof} on {stocks_before} in {sectors_before}"
                raise BadAnswer(f"they rest on {stocks} stocks in {len(rows)} sectors, {before}: those stay")
        imports.benchmark(connection, rows.assign(date=day), DEFAULT_BENCHMARK, VENDOR)
        vendor.answered(connection, VENDOR, KIND, DEFAULT_BENCHMARK)


def _keep(feed: Feed, rejected: Iterable[tuple[int | None, str, str]]) -> None:
    with feed.engine.begin() as connection:
        imports.reject(connection, KIND, VENDOR, rejected)
