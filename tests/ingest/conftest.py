"""A database at head, and a vendor on this machine that it is filled from."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from urllib3.util.retry import Retry

from riskmetrics.db import tables
from riskmetrics.ingest.vendor_client import VendorClient, open_vendor_clients
from riskmetrics.settings import Settings
from riskmetrics.sources import vendor_http
from tests.fmp_market import Market
from tests.fmp_server import KEY, FmpServer, serve


@pytest.fixture
def market() -> Market:
    """What the vendor tells."""
    return Market()


@pytest.fixture
def vendor(market: Market, monkeypatch: pytest.MonkeyPatch) -> Iterator[FmpServer]:
    """The vendor; whoever asks it retries at once and waits for nothing."""

    class Impatient(vendor_http.VendorHttpClient):
        def __init__(self, *arguments: object, **options: object) -> None:
            quickly = Retry(total=1, allowed_methods=["GET"])
            super().__init__(*arguments, **options, retries=quickly, cooldown=0.01)

    monkeypatch.setattr(vendor_http, "VendorHttpClient", Impatient)
    with serve(market) as running:
        yield running


@pytest.fixture
def open_vendor(vendor: FmpServer, engine: sa.Engine) -> Callable[..., object]:
    """Return an opener of the vendor's client, with settings as given."""

    @contextmanager
    def open_vendor(**settings: object) -> Iterator[VendorClient]:
        values = {
            "FMP_API_KEY": SecretStr(KEY),
            "RISKMETRICS_FMP_URL": vendor.url,
            "RISKMETRICS_FMP_CALLS_PER_MINUTE": 100_000,
            **settings,
        }
        with open_vendor_clients(engine, Settings(**values), lambda _: None) as (client,):
            yield client

    return open_vendor


@pytest.fixture
def feed(open_vendor: Callable[..., object]) -> Iterator[VendorClient]:
    """The vendor's client for one test."""
    with open_vendor() as feed:
        yield feed


@pytest.fixture
def tomorrow(engine: sa.Engine) -> Callable[[], None]:
    """Make all answers eight days old."""

    def tomorrow() -> None:
        table = tables.vendor_responses
        with engine.begin() as connection:
            connection.execute(
                sa.update(table).values(
                    received_at=table.c.received_at - sa.text("interval '8 days'")
                )
            )

    return tomorrow


@pytest.fixture
def terminal() -> Iterator[None]:
    """Ctrl-C interrupts, which a shell's background job has ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
