"""Sector weights of the S&P 500, from its constituents or, depending on the plan, from a fund."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd

from riskmetrics import gics, trading_calendar
from riskmetrics.db import input_queries, input_writes, vendor, write
from riskmetrics.errors import (
    AuthenticationError,
    ConfigurationError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    SourceError,
)
from riskmetrics.ingest import profiles
from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING, RefreshResult, VendorClient
from riskmetrics.results.benchmark_weights import capitalization_weights, normalize_weights
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.sources.market_data_source import Capability
from riskmetrics.text import join_names

MAX_AGE = timedelta(days=7)
"""Age after which the weights are fetched again."""

PROXY_FUND = "SPY"
"""Fund whose sector weights replace those of the index."""

MIN_CLASSIFIED_SHARE = 0.95
"""Minimum share of constituents with a known market capitalization and sector."""

MARKET_CAP_LIMIT = 1e14
"""Market capitalization, in dollars, from which on a value is treated as unknown."""

MIN_CONSTITUENT_RATIO = 0.8
"""Minimum number of constituents of new weights, relative to the stored weights."""

MIN_WEIGHT_SUM, MAX_WEIGHT_SUM = 90.0, 110.0
"""Accepted sum of the sector weights of a fund, in percent; cash is excluded."""

KIND = "benchmark"


def refresh(clients: Sequence[VendorClient], *, force: bool = False) -> RefreshResult:
    """Fetch and store the sector weights of the last completed session, if they are due.

    Weights from fewer sectors than stored, or from far fewer constituents, are not stored.

    Parameters
    ----------
    clients : sequence of VendorClient
        Sources in order of preference; without one the result has a warning.
    force : bool
        Fetch even if the stored weights are less than a week old.

    Raises
    ------
    ConfigurationError
        If ``force`` is set and no source has sector weights.
    SourceError
        If ``force`` is set and the weights cannot be fetched. Without ``force``, the result has an
        error, or a warning if the plan does not include the weights.
    """
    if not clients:
        return RefreshResult(warnings=(NO_SOURCE_WARNING,))
    fetchers = [
        (client, fetch_weights)
        for client in clients
        for capability, fetch_weights in _FETCHERS
        if client.has(capability) and (force or _is_due(client))
    ]
    if force and not fetchers:
        raise ConfigurationError(
            f"{join_names([client.name for client in clients])} has no sector weights. Add a source"
            " that has to RISKMETRICS_SOURCE, such as yahoo, or import them with `riskmetrics"
            " import benchmark FILE`"
        )
    errors: list[tuple[VendorClient, SourceError]] = []
    for client, fetch_weights in fetchers:
        try:
            _store(client, fetch_weights(client))
        except AuthenticationError:
            raise
        except SourceError as error:
            errors.append((client, error))
            continue
        used = PROXY_FUND if client is clients[0] else f"{PROXY_FUND} from {client.name}"
        return RefreshResult(
            1,
            warnings=tuple(
                f"{_to_warning(error)}; using the weights of {used}" for _, error in errors
            ),
        )
    return _report_failure([client for client, _ in fetchers], errors, force=force)


def _report_failure(
    clients: Sequence[VendorClient],
    errors: Sequence[tuple[VendorClient, SourceError]],
    *,
    force: bool,
) -> RefreshResult:
    """Return the result without new weights; raise the first error if ``force`` is set."""
    if not errors:
        return RefreshResult()
    reasons = [error for _, error in errors]
    if force:
        raise reasons[0]
    for client in dict.fromkeys(clients):
        problems = [error for source, error in errors if source is client]
        if all(isinstance(error, EntitlementError) for error in problems):
            with client.engine.begin() as connection:
                vendor.record_answer(
                    connection, client.name, KIND, DEFAULT_BENCHMARK, problem=str(problems[0])
                )
    if all(isinstance(error, EntitlementError) for error in reasons):
        advice = "import sector weights with `riskmetrics import benchmark FILE`"
        return RefreshResult(1, warnings=(*map(_to_warning, reasons), advice))
    return RefreshResult(1, {DEFAULT_BENCHMARK: reasons[0]}, tuple(map(_to_warning, reasons[1:])))


def _to_warning(error: SourceError) -> str:
    return f"benchmark sector weights: {error}"


def _is_due(client: VendorClient) -> bool:
    """Return whether the weights are older than a week, without a failed attempt in that week."""
    with client.engine.connect() as connection:
        latest = input_queries.read_latest_benchmark(connection, DEFAULT_BENCHMARK)
        answer = vendor.read_answers(connection, client.name, KIND, [DEFAULT_BENCHMARK]).get(
            DEFAULT_BENCHMARK
        )
    if answer is not None and answer.problem and answer.received_at > datetime.now(UTC) - MAX_AGE:
        return False
    oldest = pd.Timestamp(trading_calendar.last_completed_session() - MAX_AGE)
    return latest.empty or bool(latest["asof_date"].iloc[0] < oldest)


def _fetch_constituent_weights(client: VendorClient) -> pd.DataFrame:
    """Compute sector weights from the market capitalizations of the constituents.

    Takes one call for each constituent whose profile is older than a week.
    """
    response = client.api.fetch_constituents()
    _record_rejected(client, response.rejected)
    stocks = pd.DataFrame(
        [row.model_dump() for row in response.rows], columns=["symbol", "sector", "cik"]
    )
    with client.engine.connect() as connection:
        calls = len(profiles.symbols_due(connection, client.name, stocks["symbol"]))
        calls_left = vendor.read_remaining_calls(connection, client.name, client.calls_per_day)
    if calls_left is not None and calls > calls_left:
        raise RateLimitError(
            f"{calls} constituent profiles are due, and {calls_left} calls are left today"
        )
    fetched = profiles.refresh(client, stocks["symbol"])
    with client.engine.connect() as connection:
        caps = stocks["symbol"].map(input_queries.read_market_caps(connection, stocks["symbol"]))
    sectors = stocks["sector"].map(gics.to_gics_sector)
    is_classified = (caps < MARKET_CAP_LIMIT) & sectors.notna()
    if is_classified.sum() < MIN_CLASSIFIED_SHARE * len(stocks) or stocks.empty:
        causes = [
            f"; {len(fetched.errors)} profiles were not fetched: {error}"
            for error in list(fetched.errors.values())[:1]
        ]
        raise InvalidResponseError(
            f"{is_classified.sum()} of {len(stocks)} stocks of the S&P 500 have a market"
            f" capitalization and a sector ({MIN_CLASSIFIED_SHARE:.0%} required){''.join(causes)}"
        )
    return capitalization_weights(
        sectors[is_classified],
        caps[is_classified],
        stocks.loc[is_classified, "cik"].fillna(stocks["symbol"]),
    )


def fetch_fund_weights(client: VendorClient, fund: str = PROXY_FUND) -> pd.DataFrame:
    """Fetch the sector weights of a fund, by default of one that tracks the index.

    Takes one call, and gives neither market capitalizations nor the number of constituents.

    Raises
    ------
    InvalidResponseError
        If the weights do not sum to 100%, as those of a bond fund.
    """
    response = client.api.fetch_sector_weights(fund)
    sectors = [gics.to_gics_sector(row.sector) for row in response.rows]
    rows = list(zip(response.rows, response.texts, sectors, strict=True))
    _record_rejected(
        client,
        [
            *response.rejected,
            *(
                (None, text, "not a GICS sector")
                for row, text, sector in rows
                if not sector and row.weight
            ),
        ],
    )
    weights = pd.Series(
        [row.weight for row, _, sector in rows if sector],
        index=[sector for sector in sectors if sector],
        dtype=float,
    )
    if not MIN_WEIGHT_SUM <= weights.sum() <= MAX_WEIGHT_SUM:
        raise InvalidResponseError(
            f"sector weights of {fund} sum to {weights.sum():.4g}%"
            f" ({MIN_WEIGHT_SUM:g}-{MAX_WEIGHT_SUM:g}% required)"
        )
    return normalize_weights(weights)


def _store(client: VendorClient, rows: pd.DataFrame) -> None:
    """Store weights for the last completed session, unless the stored weights are more complete."""
    day = trading_calendar.last_completed_session()
    stocks = int(rows["num_constituents"].sum()) if "num_constituents" in rows else 0
    with client.engine.begin() as connection:
        write.lock_asset(connection, KIND)
        latest = input_queries.read_latest_benchmark(connection, DEFAULT_BENCHMARK)
        if len(latest):
            asof, sectors_before = latest["asof_date"].iloc[0].date(), len(latest)
            stocks_before = int(latest["num_constituents"].sum())
            fewer_stocks = stocks < MIN_CONSTITUENT_RATIO * stocks_before and (
                stocks > 0 or asof == day
            )
            if len(rows) < sectors_before or fewer_stocks:
                raise InvalidResponseError(
                    f"new weights cover {stocks} stocks in {len(rows)} sectors, stored weights of"
                    f" {asof} cover {stocks_before} in {sectors_before}; the stored weights are"
                    " kept"
                )
        input_writes.store_benchmark_weights(
            connection, rows.assign(date=day), DEFAULT_BENCHMARK, client.name
        )
        vendor.record_answer(connection, client.name, KIND, DEFAULT_BENCHMARK)


def _record_rejected(client: VendorClient, rejected: Iterable[tuple[int | None, str, str]]) -> None:
    with client.engine.begin() as connection:
        input_writes.store_rejected_rows(connection, KIND, client.name, rejected)


_FETCHERS = (
    (Capability.CONSTITUENTS, _fetch_constituent_weights),
    (Capability.SECTOR_WEIGHTS, fetch_fund_weights),
)
"""Ways to get the weights, in order of preference, and what a source needs for them."""
