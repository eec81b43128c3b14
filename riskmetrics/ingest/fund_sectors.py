"""Sector weights of the funds that are held, which sector exposures look through."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, input_writes, vendor
from riskmetrics.errors import EntitlementError, InvalidResponseError, SourceError
from riskmetrics.funds import load_funds
from riskmetrics.ingest.benchmark import MAX_AGE, fetch_fund_weights
from riskmetrics.ingest.vendor_client import RefreshResult, VendorClient
from riskmetrics.sources.market_data_source import Capability

KIND = "fund sectors"


def read_held_funds(
    connection: sa.Connection, symbols: Iterable[str], benchmark_code: str
) -> list[str]:
    """Return the funds among symbols, by their profiles; those that track the benchmark have its.

    ``symbols`` are what is held.
    """
    profiles = input_queries.read_profiles(connection, symbols)
    is_fund = profiles["is_etf"].eq(other=True) | profiles["is_fund"].eq(other=True)
    codes = load_funds().benchmark_codes
    return [symbol for symbol in profiles.index[is_fund] if codes.get(symbol) != benchmark_code]


def refresh(clients: Sequence[VendorClient], funds: Sequence[str]) -> RefreshResult:
    """Fetch and store the sector weights of funds that are a week old, one call each.

    A fund without weights of stocks, such as a bond fund, keeps its class and is requested again
    after a week; a plan without weights gets no request for the next fund.
    """
    calls, errors, warnings = 0, dict[str, SourceError](), list[str]()
    for client in clients:
        if not client.has(Capability.SECTOR_WEIGHTS):
            continue
        for fund in _due_funds(client, funds):
            calls += 1
            try:
                _store(client, fund)
                errors.pop(fund, None)
            except InvalidResponseError as error:
                _record_problem(client, fund, error)
            except EntitlementError as error:
                _record_problem(client, fund, error)
                warnings.append(f"sector weights of funds: {error}")
                break
            except SourceError as error:
                errors[fund] = error
    return RefreshResult(calls, errors, tuple(warnings))


def _due_funds(client: VendorClient, funds: Sequence[str]) -> list[str]:
    """Return the funds whose weights and whose last answer are older than a week."""
    day = trading_calendar.last_completed_session()
    with client.engine.connect() as connection:
        stored = input_queries.read_fund_weights(connection, funds, day)
        answers = vendor.read_answers(connection, client.name, KIND, funds)
    is_recent = {
        fund for fund, answer in answers.items() if answer.received_at > datetime.now(UTC) - MAX_AGE
    } | {fund for fund, weights in stored.items() if weights.index[-1].date() >= day - MAX_AGE}
    return [fund for fund in funds if fund not in is_recent]


def _store(client: VendorClient, fund: str) -> None:
    weights = fetch_fund_weights(client, fund)
    day = trading_calendar.last_completed_session()
    with client.engine.begin() as connection:
        input_writes.store_benchmark_weights(
            connection, weights.assign(date=day), fund, client.name
        )
        vendor.record_answer(connection, client.name, KIND, fund)


def _record_problem(client: VendorClient, fund: str, error: SourceError) -> None:
    with client.engine.begin() as connection:
        vendor.record_answer(connection, client.name, KIND, fund, problem=str(error))
