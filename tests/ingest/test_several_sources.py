"""Several sources in order of preference: fallbacks, provenance, and no mixture in a symbol."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from urllib3.util.retry import Retry

from riskmetrics import trading_calendar
from riskmetrics.db import input_writes, tables
from riskmetrics.db import vendor as quotas
from riskmetrics.errors import (
    AuthenticationError,
    ConfigurationError,
    DataQualityError,
    InvalidResponseError,
    RateLimitError,
    UnknownSymbolError,
    UsageError,
)
from riskmetrics.ingest import benchmark, fallback, refetch
from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING, RefreshResult, open_vendor_clients
from riskmetrics.settings import Settings
from riskmetrics.sources import request_policy, source_registry
from riskmetrics.sources.market_data_source import Capability, SourceDefinition, SourceLimits
from riskmetrics.sources.vendor_http import CONCURRENCY
from riskmetrics.sources.yahoo_session import YahooSession
from tests.fmp_market import LAST, Market
from tests.fmp_server import BAD_KEY, KEY, LIMIT, NO_ENDPOINT, FmpServer, Reply
from tests.tiingo_server import HOURLY, TiingoMarket, serve_tiingo
from tests.yahoo_server import CHART, SUMMARY, YahooMarket, YahooServer, serve_yahoo

MONDAY = date(2024, 12, 9)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let yfinance's session retry once and at once; `vendor` does so for the others."""
    defaults = {**YahooSession.__init__.__kwdefaults__, "retries": Retry(1), "cooldown": 0.01}
    monkeypatch.setattr(YahooSession.__init__, "__kwdefaults__", defaults)


@pytest.fixture
def yahoo_market() -> YahooMarket:
    """What Yahoo tells."""
    return YahooMarket(LAST)


@pytest.fixture
def yahoo(yahoo_market: YahooMarket) -> Iterator[YahooServer]:
    """Yield a local server in place of Yahoo's hosts."""
    with serve_yahoo(yahoo_market) as running:
        yield running


@pytest.fixture
def tiingo_market() -> TiingoMarket:
    """What Tiingo tells."""
    return TiingoMarket(LAST)


@pytest.fixture
def tiingo(tiingo_market: TiingoMarket) -> Iterator[FmpServer]:
    """Yield a local Tiingo."""
    with serve_tiingo(tiingo_market) as running:
        yield running


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of yfinance's files, of which a process has one."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def open_sources(
    vendor: FmpServer, yahoo: YahooServer, tiingo: FmpServer, engine: sa.Engine, home: Path
) -> Iterator[Callable[..., object]]:
    """Return an opener of the sources with the given names, which are closed after the test."""
    with ExitStack() as stack:

        def open_sources(names: str, **settings: object) -> object:
            values = {
                "RISKMETRICS_SOURCE": names,
                "RISKMETRICS_HOME": home,
                "FMP_API_KEY": SecretStr(KEY),
                "RISKMETRICS_FMP_URL": vendor.url,
                "RISKMETRICS_TIINGO_API_KEY": SecretStr(KEY),
                "RISKMETRICS_TIINGO_URL": tiingo.url,
                "RISKMETRICS_YAHOO_URL": yahoo.url,
                **{
                    f"RISKMETRICS_{name}_CALLS_PER_MINUTE": 100_000
                    for name in ("FMP", "TIINGO", "YAHOO")
                },
                **settings,
            }
            return stack.enter_context(
                open_vendor_clients(engine, Settings(**values), lambda _: None)
            )

        yield open_sources


def stored_sources(engine: sa.Engine) -> dict[str, set[str]]:
    """Return the sources of each symbol's stored prices."""
    table = tables.market_data_cache
    with engine.connect() as connection:
        rows = connection.execute(sa.select(table.c.symbol, table.c.data_source).distinct()).all()
    return {symbol: {source for of, source in rows if of == symbol} for symbol, _ in rows}


def stored_closes(engine: sa.Engine, symbol: str) -> dict[date, tuple[float, float]]:
    """Return the stored closes of a symbol."""
    table = tables.market_data_cache
    with engine.connect() as connection:
        rows = connection.execute(
            sa.select(table.c.date, table.c.close, table.c.adj_close).where(
                table.c.symbol == symbol
            )
        ).all()
    return {day: (float(close), adjusted) for day, close, adjusted in rows}


@pytest.mark.parametrize("name", ["fmp", "yahoo", "tiingo"])
def test_each_source_stores_the_market_s_closes_with_its_name(open_sources, engine, name, request):
    market = request.getfixturevalue("market" if name == "fmp" else f"{name}_market")
    market.splits["A", date(2024, 10, 1)], market.dividends["A", date(2024, 11, 4)] = 4.0, 1.5
    clients = open_sources(name)
    assert fallback.refresh_prices(clients, {"A": None}, [LAST]).errors == {}
    stored = stored_closes(engine, "A")
    expected = market.closes("A")
    assert len(stored) == 1251
    for day, (close, adjusted) in stored.items():
        assert close == pytest.approx(expected[day][0], abs=1e-4)
        assert adjusted == pytest.approx(expected[day][1], rel=1e-6)
    assert stored_sources(engine) == {"A": {clients[0].name}}


@pytest.mark.parametrize("name", ["yahoo", "tiingo"])
@pytest.mark.parametrize("event", ["split", "dividend"])
def test_a_restated_history_is_replaced_whole(open_sources, engine, tomorrow, name, event, request):
    market = request.getfixturevalue(f"{name}_market")
    clients = open_sources(name)
    fallback.refresh_prices(clients, {"A": None}, [LAST])
    tomorrow()
    market.through = MONDAY
    events = market.splits if event == "split" else market.dividends
    events["A", MONDAY] = 4.0 if event == "split" else 1.5
    result = fallback.refresh_prices(clients, {"A": None}, [MONDAY])
    assert result.errors == {}
    assert any("prices of A were restated" in note for note in result.warnings)
    expected = market.closes("A")
    for day, (close, adjusted) in stored_closes(engine, "A").items():
        assert close == pytest.approx(expected[day][0], abs=1e-4)
        assert adjusted == pytest.approx(expected[day][1], rel=1e-6)


@pytest.mark.parametrize("name", ["yahoo", "tiingo"])
def test_an_update_asks_for_the_overlap_only(open_sources, tomorrow, name, request):
    market, server = (request.getfixturevalue(part) for part in (f"{name}_market", name))
    clients = open_sources(name)
    fallback.refresh_prices(clients, {"A": None}, [LAST])
    assert fallback.refresh_prices(clients, {"A": None}, [LAST]) == RefreshResult()
    tomorrow()
    market.through = MONDAY
    server.calls.clear()
    assert fallback.refresh_prices(clients, {"A": None}, [MONDAY]) == RefreshResult(api_calls=1)
    assert len(server.calls) == 1


def test_a_symbol_that_the_first_does_not_know_is_from_the_second(
    open_sources, market, engine, vendor
):
    market.unknown.add("NEW")
    clients = open_sources("fmp,tiingo")
    result = fallback.refresh_prices(clients, {"NEW": None, "B": None}, [LAST])
    assert result.errors == {}
    (note,) = result.warnings
    assert note.startswith("NEW: FMP has no price of NEW.")
    assert note.endswith("(using Tiingo)")
    assert stored_sources(engine) == {"NEW": {"Tiingo"}, "B": {"FMP"}}
    # what is known to be unknown is not asked again
    before = len(vendor.calls)
    assert fallback.refresh_prices(clients, {"NEW": None, "B": None}, [LAST]).errors == {}
    assert len(vendor.calls) == before


def test_a_source_at_its_limit_is_followed_by_the_next(open_sources, market, engine):
    market.replies["historical-price-eod/full", ""] = Reply(LIMIT, 429)
    result = fallback.refresh_prices(open_sources("fmp,yahoo"), {"A": None, "B": None}, [LAST])
    assert result.errors == {}
    assert stored_sources(engine) == {"A": {"Yahoo"}, "B": {"Yahoo"}}


def test_a_key_that_is_refused_ends_it_although_there_is_another_source(open_sources, market):
    market.replies["historical-price-eod/full", ""] = Reply(BAD_KEY, 401)
    with pytest.raises(AuthenticationError, match="FMP_API_KEY"):
        fallback.refresh_prices(open_sources("fmp,yahoo"), {"A": None}, [LAST])


def test_what_no_source_has_is_the_error_of_the_first(
    open_sources, market, tiingo_market, tmp_path
):
    market.unknown.add("NEW")
    tiingo_market.replies["", "NEW"] = Reply({"detail": "no"}, 403)
    result = fallback.refresh_prices(open_sources("fmp,tiingo"), {"NEW": None}, [LAST])
    assert isinstance(result.errors["NEW"], UnknownSymbolError)
    assert result.warnings == (
        "NEW: your Tiingo plan does not include NEW (no other source has it)",
    )


def test_a_symbol_stays_with_its_source_and_goes_to_another_as_a_whole(
    open_sources, market, tiingo_market, engine, tomorrow, vendor
):
    """Tiingo is preferred only afterward; it is asked once FMP no longer knows the symbol."""
    fallback.refresh_prices(open_sources("fmp"), {"A": None}, [LAST])
    clients = open_sources("tiingo,fmp")
    tomorrow()
    market.through = tiingo_market.through = MONDAY
    fallback.refresh_prices(clients, {"A": None}, [MONDAY])
    assert stored_sources(engine) == {"A": {"FMP"}}
    tomorrow()
    tuesday = date(2024, 12, 10)
    tiingo_market.through = tuesday
    tiingo_market.dividends["A", tuesday] = 1.0  # restates all adjusted closes by one ratio
    market.replies["historical-price-eod/full", "A"] = Reply(LIMIT, 429)
    result = fallback.refresh_prices(clients, {"A": None}, [tuesday])
    assert result.errors == {}
    assert stored_sources(engine) == {"A": {"Tiingo"}}
    expected = tiingo_market.closes("A")
    for day, (close, adjusted) in stored_closes(engine, "A").items():
        assert close == pytest.approx(expected[day][0], abs=1e-4)
        assert adjusted == pytest.approx(expected[day][1], rel=1e-6)


def test_a_source_that_disagrees_is_reported_and_stores_nothing(
    open_sources, market, tiingo_market, engine, tomorrow
):
    fallback.refresh_prices(open_sources("fmp"), {"A": None}, [LAST])
    before = stored_closes(engine, "A")
    tomorrow()
    tiingo_market.through = MONDAY
    rows = tiingo_market.rows("A")
    wrong = next(row for row in rows if row["date"].startswith("2024-03-04"))
    stored_close = wrong["close"]
    wrong["close"] += 0.03
    wrong["high"] += 0.03
    tiingo_market.replies["", "A"] = Reply(rows[-1253:])
    error = fallback.refresh_prices(open_sources("tiingo"), {"A": None}, [MONDAY]).errors["A"]
    assert isinstance(error, InvalidResponseError)
    assert str(error) == (
        "Tiingo prices of A differ from the stored prices of FMP: close of 2024-03-04 is"
        f" {stored_close + 0.03:.4f} instead of {stored_close:.4f}. The stored prices are kept; to"
        " replace them, run `riskmetrics symbols refetch A`"
    )
    assert stored_closes(engine, "A") == before
    assert stored_sources(engine) == {"A": {"FMP"}}


def test_a_file_that_the_source_disagrees_with_is_replaced_and_named(
    open_sources, tiingo_market, engine
):
    """The history of a file is replaced whole, because an update does not continue it."""
    days = [day for day in tiingo_market.closes("A") if day < LAST][-800:]
    closes = [tiingo_market.closes("A")[day][0] for day in days]
    rows = pd.DataFrame(
        {"symbol": "A", "date": days, "close": closes, "adj_close": closes, "has_adj_close": True}
    )
    rows.loc[795, ["close", "adj_close"]] += 0.5  # where the update overlaps
    with engine.begin() as connection:
        input_writes.store_prices(connection, rows, "bars.csv")
    result = fallback.refresh_prices(open_sources("tiingo"), {"A": None}, [LAST])
    assert result.errors == {}
    (difference,) = [note for note in result.warnings if "bars.csv" in note]
    assert difference.startswith("Tiingo prices of A differ from the stored prices of bars.csv:")
    assert f"close of {days[795]}" in difference
    assert difference.endswith("The stored prices are replaced")
    assert stored_sources(engine) == {"A": {"Tiingo"}}


def test_closes_without_dividends_do_not_continue_another_vendor_s_adjusted_ones(
    open_sources, market, yahoo_market, engine, tomorrow
):
    """A plan of FMP without adjusted closes continues its own stored ones, not Yahoo's."""
    fallback.refresh_prices(open_sources("yahoo"), {"A": None}, [LAST])
    tomorrow()
    market.through = MONDAY
    market.replies["historical-price-eod/dividend-adjusted", ""] = Reply(
        NO_ENDPOINT, 403, "text/plain"
    )
    error = fallback.refresh_prices(open_sources("fmp"), {"A": None}, [MONDAY]).errors["A"]
    assert "neither cover nor continue the stored prices" in str(error)
    assert stored_sources(engine) == {"A": {"Yahoo"}}


def test_a_user_replaces_prices_by_those_of_a_source_that_disagrees(
    open_sources, market, tiingo_market, engine
):
    fallback.refresh_prices(open_sources("fmp"), {"A": None}, [LAST])
    rows = tiingo_market.rows("A")
    rows[-20]["close"] += 5
    rows[-20]["high"] += 5
    tiingo_market.replies["", "A"] = Reply(rows)
    client = refetch.choose_source(open_sources("tiingo,fmp"), "")
    replaced = refetch.replace_history(client, "A", is_shorter_accepted=False)
    assert replaced == (1251, len(rows), min(market.closes("A")), LAST, ())
    assert stored_sources(engine) == {"A": {"Tiingo"}}
    day = date.fromisoformat(rows[-20]["date"][:10])
    assert stored_closes(engine, "A")[day][0] == rows[-20]["close"]


@pytest.mark.parametrize(("first", "last"), [(1, None), (None, -1)])
def test_a_shorter_history_replaces_only_when_that_is_accepted(
    open_sources, tiingo_market, engine, first, last
):
    fallback.refresh_prices(open_sources("fmp"), {"A": None}, [LAST])
    before = stored_closes(engine, "A")
    rows = tiingo_market.rows("A")[-1251:]
    tiingo_market.replies["", "A"] = Reply(rows[first:last])
    (client,) = open_sources("tiingo")
    with pytest.raises(DataQualityError, match="pass --shorten"):
        refetch.replace_history(client, "A", is_shorter_accepted=False)
    assert stored_closes(engine, "A") == before
    assert refetch.replace_history(client, "A", is_shorter_accepted=True).stored == 1250
    assert len(stored_closes(engine, "A")) == 1250


def test_a_replacement_marks_results_on_closes_that_it_removes(open_sources, tiingo_market, engine):
    fallback.refresh_prices(open_sources("fmp"), {"SPY": None}, [LAST])
    day = trading_calendar.previous_session(LAST)
    figures = (
        *("total_value", "cash_value", "long_value", "short_value", "gross_exposure"),
        *("net_exposure", "num_positions", "num_long_positions", "num_short_positions"),
    )
    with engine.begin() as connection:
        owner = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name="A", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        row = {"portfolio_id": owner, "snapshot_date": LAST} | dict.fromkeys(figures, 1)
        connection.execute(sa.insert(tables.portfolio_snapshots).values(row))
    rows = [row for row in tiingo_market.rows("SPY")[-1251:] if row["date"][:10] != f"{day}"]
    tiingo_market.replies["", "SPY"] = Reply(rows)
    (client,) = open_sources("tiingo")
    replaced = refetch.replace_history(client, "SPY", is_shorter_accepted=True)
    removed, outdated = replaced.warnings[-2:]
    assert removed == "1 stored close of SPY removed"
    assert outdated.startswith(f"Results from {LAST} on are outdated")


def test_an_unknown_symbol_replaces_nothing(open_sources, tiingo_market, engine):
    fallback.refresh_prices(open_sources("fmp"), {"A": None}, [LAST])
    tiingo_market.unknown.add("A")
    (client,) = open_sources("tiingo")
    with pytest.raises(UnknownSymbolError, match="Tiingo has no price of A"):
        refetch.replace_history(client, "A", is_shorter_accepted=True)
    assert stored_sources(engine) == {"A": {"FMP"}}


def test_the_source_of_a_replacement_is_one_that_is_configured(open_sources):
    clients = open_sources("tiingo,yahoo")
    assert refetch.choose_source(clients, "Yahoo").name == "Yahoo"
    with pytest.raises(UsageError, match=r"--source fmp is not one of .*: Tiingo, Yahoo"):
        refetch.choose_source(clients, "fmp")
    with pytest.raises(ConfigurationError, match="no data source is configured"):
        refetch.choose_source((), "")


def test_profiles_are_from_the_first_source_that_has_them(open_sources, market, engine, vendor):
    market.unknown.add("S002")
    clients = open_sources("fmp,tiingo,yahoo")
    result = fallback.refresh_profiles(clients, ["S001", "S002", "SPY"])
    assert (result.errors, result.warnings) == ({}, ())
    table = tables.company_profiles
    with engine.connect() as connection:
        rows = connection.execute(
            sa.select(table.c.symbol, table.c.data_source, table.c.sector).order_by(table.c.symbol)
        ).all()
    assert rows == [
        ("S001", "FMP", "Communication Services"),
        ("S002", "Yahoo", "Consumer Discretionary"),
        ("SPY", "FMP", None),
    ]
    before = len(vendor.calls)
    assert fallback.refresh_profiles(clients, ["S001", "S002", "SPY"]) == RefreshResult()
    assert len(vendor.calls) == before


def test_what_no_source_has_a_profile_of_is_a_warning_of_the_last(
    open_sources, market, yahoo_market
):
    market.unknown.add("S002")
    yahoo_market.unknown.add("S002")
    result = fallback.refresh_profiles(open_sources("fmp,yahoo"), ["S002"])
    assert result.warnings == ("Yahoo has no profile of S002; using imported profiles",)


def test_the_error_of_a_profile_is_reported_if_the_other_source_does_not_know_it(
    open_sources, market, yahoo_market
):
    """The second source is not asked again within a week."""
    yahoo_market.unknown.add("S002")
    market.replies["profile", "S002"] = Reply("down", 503)
    clients = open_sources("fmp,yahoo")
    for _ in range(2):
        result = fallback.refresh_profiles(clients, ["S001", "S002"])
        assert list(result.errors) == ["S002"]
        assert "503" in str(result.errors["S002"])


def test_sector_weights_are_yahoo_s_where_the_first_source_has_none(open_sources, engine):
    result = benchmark.refresh(open_sources("tiingo,yahoo"))
    assert (result.errors, result.warnings) == ({}, ())
    table = tables.benchmarks_sector_weights
    with engine.connect() as connection:
        rows = connection.execute(sa.select(table.c.weight, table.c.data_source)).all()
    assert len(rows) == 11
    assert float(sum(weight for weight, _ in rows)) == pytest.approx(1)
    assert {source for _, source in rows} == {"Yahoo"}


def test_sector_weights_come_from_the_next_source_if_the_first_fails(open_sources, market, engine):
    for endpoint in ("sp500-constituent", "etf/sector-weightings"):
        market.replies[endpoint, ""] = Reply("down", 503)
    result = benchmark.refresh(open_sources("fmp,yahoo"))
    assert result.errors == {}
    assert len(result.warnings) == 2
    assert all(note.endswith("; using the weights of SPY from Yahoo") for note in result.warnings)


def test_without_a_source_that_has_a_kind_of_data_the_advice_names_one(open_sources):
    clients = open_sources("tiingo")
    assert "yahoo" in fallback.refresh_profiles(clients, ["A"]).warnings[0]
    assert benchmark.refresh(clients) == RefreshResult()
    with pytest.raises(ConfigurationError, match="Tiingo has no sector weights"):
        benchmark.refresh(clients, force=True)


def test_without_any_source_there_is_one_warning():
    expected = RefreshResult(warnings=(NO_SOURCE_WARNING,))
    assert fallback.refresh_prices((), {"A": None}, [LAST]) == expected
    assert fallback.refresh_profiles((), ["A"]) == expected
    assert fallback.refresh_market_index((), None) == (NO_SOURCE_WARNING,)


@pytest.mark.usefixtures("no_day_ends")
def test_each_source_has_its_own_quota_and_names_its_own_setting(
    open_sources, yahoo_market, tiingo_market, engine
):
    clients = open_sources("tiingo", RISKMETRICS_TIINGO_CALLS_PER_DAY=1)
    result = fallback.refresh_prices(clients, {"A": None, "B": None}, [LAST])
    (error,) = result.errors.values()
    assert isinstance(error, RateLimitError)
    assert "Tiingo call limit reached (1 calls per day)" in str(error)
    assert "RISKMETRICS_TIINGO_CALLS_PER_DAY" in str(error)
    with engine.connect() as connection:
        assert quotas.read_remaining_calls(connection, "Yahoo", 5) == 5


def let_an_hour_pass(engine: sa.Engine) -> None:
    """Move the counted calls into the hour before."""
    table = tables.vendor_quotas
    with engine.begin() as connection:
        connection.execute(sa.update(table).values(hour=table.c.hour - sa.text("interval '1 h'")))


@pytest.mark.usefixtures("no_day_ends")
def test_calls_per_hour_end_a_run_that_the_next_one_resumes(open_sources, tiingo, engine):
    """Twelve symbols at five calls per hour: three runs, and no call is made twice."""
    clients = open_sources("tiingo", RISKMETRICS_TIINGO_CALLS_PER_HOUR=5)
    needed = dict.fromkeys("ABCDEFGHIJKL")
    for n_missing in (7, 2, 0):
        result = fallback.refresh_prices(clients, needed, [LAST])
        assert len(result.errors) == n_missing
        for error in result.errors.values():
            assert "What arrived is stored; run again after" in str(error)
        assert len(stored_sources(engine)) == 12 - n_missing
        let_an_hour_pass(engine)
    assert len(tiingo.calls) == len({path for path, _ in tiingo.calls}) == 12


@pytest.mark.usefixtures("no_day_ends")
def test_a_run_begins_with_the_symbols_that_the_last_one_left_out(
    open_sources, tiingo, tiingo_market, engine, tomorrow
):
    """Twenty symbols at ten calls per hour; simultaneous calls may overtake one another."""
    needed = dict.fromkeys("ABCDEFGHIJKLMNOPQRST")
    fallback.refresh_prices(open_sources("tiingo"), needed, [LAST])
    clients = open_sources("tiingo", RISKMETRICS_TIINGO_CALLS_PER_HOUR=10)
    asked = []
    for day in (MONDAY, date(2024, 12, 10)):
        tomorrow()
        let_an_hour_pass(engine)
        tiingo_market.through = day
        tiingo.calls.clear()
        assert len(fallback.refresh_prices(clients, needed, [day]).errors) == 10
        asked.append({path.split("/")[3] for path, _ in tiingo.calls})
    assert len(asked[1] - asked[0]) >= 10 - (CONCURRENCY - 1)


def test_an_hourly_limit_that_tiingo_states_ends_the_run_without_a_wait(
    open_sources, tiingo, tiingo_market, engine, monkeypatch
):
    monkeypatch.setattr(request_policy, "sleep", lambda _: pytest.fail("waited"))
    fallback.refresh_prices(open_sources("tiingo"), {"A": None}, [LAST])
    tiingo_market.replies["", ""] = Reply(HOURLY, 200)
    needed = dict.fromkeys("ABCDEFGHIJKL")
    result = fallback.refresh_prices(open_sources("tiingo"), needed, [LAST])
    assert sorted(result.errors) == list("BCDEFGHIJKL")
    assert "run again in an hour for the rest" in str(result.errors["B"])
    assert len(tiingo.calls) <= 1 + CONCURRENCY
    tiingo_market.replies.clear()
    assert fallback.refresh_prices(open_sources("tiingo"), needed, [LAST]).errors == {}


def test_a_hole_is_kept_with_its_reason(open_sources, yahoo_market, engine):
    yahoo_market.holes.add(("A", date(2024, 11, 6)))
    assert fallback.refresh_prices(open_sources("yahoo"), {"A": None}, [LAST]).errors == {}
    table = tables.rejected_rows
    with engine.connect() as connection:
        rows = connection.execute(sa.select(table.c.source, table.c.reason)).all()
    assert rows == [("Yahoo", "no close")]


def test_a_limit_at_yahoo_keeps_what_came(open_sources, yahoo, yahoo_market, engine):
    asked: list[str] = []

    def limited(path: str, query: dict[str, str]) -> Reply:
        asked.append(path)
        if len(asked) > 4:
            return Reply("Too Many Requests", 429, "text/html")
        return yahoo_market(path, query)

    yahoo.answers = limited
    result = fallback.refresh_prices(open_sources("yahoo"), dict.fromkeys("ABCD"), [LAST])
    assert len(stored_sources(engine)) + len(result.errors) == 4
    assert result.errors
    assert all(isinstance(error, RateLimitError) for error in result.errors.values())


class Installed:
    """A source of another package."""

    def fetch_prices(self, symbol: str, first: date, last: date) -> object:
        """Know nothing."""
        from riskmetrics.sources.row_validation import ParseResult

        return ParseResult(pd.DataFrame(), [], [])


class EntryPoint:
    """An entry point of an installed package."""

    name = "acme"

    def __init__(self, value: object) -> None:
        self.value = value

    def load(self) -> object:
        """Return what the package defines."""
        return self.value


def acme(name: str = "Acme") -> SourceDefinition:
    """Return a definition as another package writes it."""
    from contextlib import nullcontext

    return SourceDefinition(
        name,
        frozenset({Capability.PRICES}),
        lambda _: SourceLimits(60, None),
        lambda *_: nullcontext(Installed()),
    )


def test_a_package_adds_a_source_by_an_entry_point(open_sources, monkeypatch):
    monkeypatch.setattr(
        source_registry, "entry_points", lambda group: [EntryPoint(acme())][: len(group)]
    )
    (client,) = open_sources("acme")
    error = fallback.refresh_prices([client], {"A": None}, [LAST]).errors["A"]
    assert str(error).startswith("Acme has no price of A.")


def test_an_entry_point_that_is_no_definition_is_named(open_sources, monkeypatch):
    monkeypatch.setattr(source_registry, "entry_points", lambda group: [EntryPoint(group)])
    with pytest.raises(ConfigurationError, match="entry point acme"):
        open_sources("acme")


@pytest.mark.parametrize(
    ("length", "is_accepted"), [(1, True), (16, True), (17, False), (0, False)]
)
def test_a_name_fits_its_column(length, is_accepted):
    if is_accepted:
        assert acme("x" * length).name == "x" * length
    else:
        with pytest.raises(ConfigurationError, match="1 to 16 characters"):
            acme("x" * length)


def test_a_source_that_is_not_installed_is_named_with_those_that_are(open_sources):
    with pytest.raises(ConfigurationError, match=r"names bloom, .*fmp, yahoo, tiingo, none"):
        open_sources("bloom")


@pytest.mark.parametrize(
    ("name", "setting"), [("fmp", "FMP_API_KEY"), ("tiingo", "RISKMETRICS_TIINGO_API_KEY")]
)
def test_a_missing_key_is_named(open_sources, name, setting):
    with pytest.raises(ConfigurationError, match=f"{setting} is not set"):
        open_sources(name, **{setting: None})


def test_yahoo_without_its_library_says_what_to_install(open_sources, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install -e '\.\[yahoo\]'"):
        open_sources("yahoo")


def test_the_capabilities_of_a_source_are_the_methods_it_has(open_sources):
    methods = {
        Capability.PRICES: "fetch_prices",
        Capability.PROFILES: "fetch_profile",
        Capability.CONSTITUENTS: "fetch_constituents",
        Capability.SECTOR_WEIGHTS: "fetch_sector_weights",
    }
    for client in open_sources("fmp,tiingo,yahoo"):
        own = vars(type(client.api))
        assert {one for one, method in methods.items() if method in own} == set(
            client.definition.capabilities
        )
        for one in set(methods) - client.definition.capabilities:
            arguments = () if one is Capability.CONSTITUENTS else ("A",)
            if one is Capability.PRICES:
                arguments = ("A", LAST, LAST)
            with pytest.raises(NotImplementedError, match="provides no"):
                getattr(client.api, methods[one])(*arguments)


def test_yahoo_s_profile_endpoint_is_named_when_it_fails(open_sources, yahoo_market):
    yahoo_market.replies[SUMMARY, ""] = Reply("down", 503, "text/html")
    result = fallback.refresh_profiles(open_sources("yahoo"), ["S001"])
    assert "Yahoo server error (status 503 for S001)" in str(result.errors["S001"])
    assert CHART not in str(result.errors["S001"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ()),
        ({"FMP_API_KEY": SecretStr("k")}, ("fmp",)),
        ({"RISKMETRICS_SOURCE": "none", "FMP_API_KEY": SecretStr("k")}, ()),
        ({"RISKMETRICS_SOURCE": " Tiingo , yahoo,tiingo"}, ("tiingo", "yahoo")),
    ],
)
def test_the_setting_names_sources_in_order(given, expected):
    assert Settings(**given).source_names == expected


def test_the_market_that_all_three_tell_is_one():
    """The servers' markets have the same closes, so that sources can follow each other."""
    assert Market().closes("A") == YahooMarket(LAST).closes("A") == TiingoMarket(LAST).closes("A")


def test_a_market_index_that_no_source_knows_is_a_warning_and_a_failure_is_an_error(
    open_sources, market, tiingo_market
):
    """An unknown index can be imported; a source at its limit may have it later."""
    market.unknown.add("SPY")
    tiingo_market.unknown.add("SPY")
    clients = open_sources("fmp,tiingo")
    notes = fallback.refresh_market_index(clients, None)
    assert [note.split(".")[0] for note in notes] == [
        "SPY: Tiingo has no price of SPY",
        "FMP has no price of SPY",
    ]
    tiingo_market.replies["", "QQQ"] = Reply(LIMIT, 429)
    with pytest.raises(RateLimitError, match="Tiingo rate limit"):
        fallback.refresh_market_index(open_sources("tiingo"), "QQQ")
