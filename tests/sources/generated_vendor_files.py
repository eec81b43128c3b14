"""Generated files of prices in the layouts of vendors."""

from tests.sources.generated_quotes import SYMBOLS, Prices, make_quotes, sessions


def yfinance(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write yfinance's header of three lines."""
    rng = prices.rng
    symbols = rng.sample(SYMBOLS, rng.randrange(1, 3))
    days = sessions(rng, rng.randrange(2, 10))
    fields = ["Adj Close", "Close", "High", "Low", "Open", "Volume"]
    lines = [
        ",".join(["Price", *(name for name in fields for _ in symbols)]),
        ",".join(["Ticker", *symbols * len(fields)]),
        "Date" + "," * len(fields) * len(symbols),
    ]
    by_symbol = [make_quotes(rng, symbol, days) for symbol in symbols]
    stamp = rng.choice(["", " 00:00:00+00:00"])
    for quotes in zip(*by_symbol, strict=True):
        columns = ["adj_close", "close", "high", "low", "open", "volume"]
        cells = [str(getattr(quote, name)) for name in columns for quote in quotes]
        lines.append(",".join([f"{quotes[0].day}{stamp}", *cells]))
        for quote in quotes:
            prices.record(quote, has_adjusted=True, has_volume=True)
    return "yfinance", ("\n".join(lines) + "\n").encode(), {}


def stooq(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write the bulk layout of Stooq."""
    rng = prices.rng
    symbol, days = rng.choice(SYMBOLS), sessions(rng, rng.randrange(2, 10))
    lines = ["<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"]
    for q in make_quotes(rng, symbol, days):
        day = f"{q.day:%Y%m%d}"
        lines.append(f"{symbol}.US,D,{day},000000,{q.open},{q.high},{q.low},{q.close},{q.volume},0")
        prices.record(q, has_adjusted=False, has_volume=True)
    return "stooq", ("\n".join(lines) + "\n").encode(), {}


def raw_with_split(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write Tiingo's raw close with a split: closes before it must be divided by its factor."""
    rng = prices.rng
    symbol, days, factor = rng.choice(SYMBOLS), sessions(rng, 8), rng.choice([2, 3, 4, 10])
    split = rng.randrange(1, len(days))
    lines = ["symbol,date,close,high,low,open,volume,adjClose,divCash,splitFactor"]
    for place, q in enumerate(make_quotes(rng, symbol, days)):
        times = factor if place < split else 1
        raw = [name * times for name in (q.close, q.high, q.low, q.open)]
        written = ",".join(map(str, raw))
        lines.append(
            f"{symbol},{q.day},{written},{q.volume},{q.adj_close},0.0,"
            f"{float(factor) if place == split else 1.0}"
        )
        prices.record(q, has_adjusted=True, has_volume=False)
    prices.traits.append("split")
    return "tiingo", ("\n".join(lines) + "\n").encode(), {}


def alpha_vantage(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write Alpha Vantage's raw closes of a symbol that only the name of the file tells."""
    rng = prices.rng
    symbol, days, factor = rng.choice(SYMBOLS), sessions(rng, 8), rng.choice([2, 3, 20])
    split = rng.randrange(1, len(days))
    lines = []
    for place, q in enumerate(make_quotes(rng, symbol, days)):
        times = factor if place < split else 1
        raw = ",".join(str(price * times) for price in (q.open, q.high, q.low, q.close))
        coefficient = f"{float(factor) if place == split else 1.0}"
        lines.append(f"{q.day},{raw},{q.adj_close},{q.volume},0.0000,{coefficient}")
        prices.record(q, has_adjusted=True, has_volume=False)
    header = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"
    prices.traits.append("split")
    return symbol, "\n".join([header, *reversed(lines), ""]).encode(), {}
