"""Holdings, transactions and prices by ISIN or CUSIP: one import teaches the next."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics.db import identifier_store, tables
from riskmetrics.db.symbol_renames import rename_symbol
from riskmetrics.errors import DataQualityError
from tests.conftest import open_connection

AS_OF = ("--as-of", "2024-12-06")


@pytest.fixture
def run(call, tmp_path: Path):
    """Write a text and import it."""

    def run(kind: str, text: str, *options: str):
        path = tmp_path / f"{kind}.csv"
        path.write_text(text)
        done = call("import", kind, str(path), *options)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run


def stored(url: str) -> dict[str, tuple[str, str]]:
    """Return symbol and source of all identifiers."""
    table = tables.security_identifiers
    query = sa.select(table.c.identifier, table.c.symbol, table.c.data_source)
    with open_connection(url) as connection:
        return {key: (symbol, source) for key, symbol, source in connection.execute(query)}


def lots(url: str) -> list[tuple[str, float]]:
    """Return symbol and quantity of the open lots."""
    table = tables.positions
    query = sa.select(table.c.symbol, table.c.quantity).where(table.c.exit_date.is_(None))
    with open_connection(url) as connection:
        rows = connection.execute(query)
        return sorted((symbol, float(quantity)) for symbol, quantity in rows)


def test_profiles_name_the_symbols_of_all_kinds_of_files(run, database: str) -> None:
    holdings = "ISIN,Quantity\nUS0378331005,15\n"
    with pytest.raises(DataQualityError, match="import profiles with a column ISIN"):
        run("portfolio", holdings, "--name", "P", *AS_OF)
    run("profiles", "symbol,name,isin,cusip\nAAPL,Apple,US0378331005,\nMSFT,,,594918104\n")
    assert stored(database) == {"037833100": ("AAPL", "file"), "594918104": ("MSFT", "file")}
    done = run("portfolio", holdings, "--name", "P", *AS_OF)
    assert "US0378331005 is read as AAPL" in done.stderr
    assert lots(database) == [("AAPL", 15)]
    trades = "Date,Type,ISIN,Quantity,Price,Currency\n2024-12-02,Buy,US5949181045,4,430,USD\n"
    run("transactions", trades, "--portfolio", "T")
    assert lots(database) == [("AAPL", 15), ("MSFT", 4)]
    run("prices", "ISIN,Date,Close\nUS5949181045,2024-12-06,443.57\n")
    query = sa.select(tables.market_data_cache.c.symbol)
    with open_connection(database) as connection:
        assert connection.scalars(query).all() == ["MSFT"]


def test_profiles_name_the_identifiers_that_they_do_not_store(run, database: str) -> None:
    holdings = "ISIN,Quantity\nUS30303M1027,15\n"
    run("portfolio", holdings, "--name", "P", *AS_OF, "--map", "US30303M1027=FB")
    lines = ("META,US30303M1027", "KO,US1912161007", "KOX,US1912161007", "PEP,US7134481081")
    done = run("profiles", "\n".join(["symbol,isin", *lines, ""]))
    assert "30303M102 stays FB, as you mapped it, and is META in the file" in done.stderr
    assert "191216100 is not stored: it is that of KO and KOX" in done.stderr
    assert stored(database) == {"30303M102": ("FB", "user"), "713448108": ("PEP", "file")}


def test_a_statement_with_both_columns_teaches(run, database: str) -> None:
    text = "Symbol,CUSIP,Quantity\nAAPL,037833100,15\nBRK.B,084670702,3\n"
    run("portfolio", text, "--name", "P", *AS_OF, "--dry-run")
    assert stored(database) == {}
    run("portfolio", text, "--name", "P", *AS_OF)
    assert stored(database) == {
        "037833100": ("AAPL", "statement"),
        "084670702": ("BRK-B", "statement"),
    }
    run("portfolio", "ISIN,Quantity\nUS0846707026,5\n", "--name", "Q", *AS_OF)
    assert lots(database) == [("AAPL", 15), ("BRK-B", 3), ("BRK-B", 5)]


def test_a_file_does_not_replace_a_stored_symbol_but_the_user_does(run, database: str) -> None:
    meta = {"30303M102": "META"}
    with open_connection(database) as connection:
        identifier_store.store_symbols(connection, meta, "FMP")
        connection.commit()
    old = "Symbol,ISIN,Quantity\nFB,US30303M1027,15\n"
    done = run("portfolio", old, "--name", "P", *AS_OF)
    assert "30303M102 is FB in this file and stored as META" in done.stderr
    assert stored(database) == {"30303M102": ("META", "FMP")}
    named = "ISIN,Quantity\nUS30303M1027,15\n"
    run("portfolio", named, "--name", "P", *AS_OF, "--map", "US30303M1027=FB")
    assert stored(database) == {"30303M102": ("FB", "user")}
    run("profiles", "symbol,isin\nMETA,US30303M1027\nKO,US1912161007\nCCE,US1912161007\n")
    assert stored(database) == {
        "30303M102": ("FB", "user")
    }  # and an ISIN of two symbols is of none
    with open_connection(database) as connection:
        rename_symbol(connection, "FB", "META")
        connection.commit()
    assert stored(database) == {"30303M102": ("META", "user")}


def test_an_unknown_isin_is_rejected_without_a_database(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RISKMETRICS_DATABASE_URL")
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    text = "Symbol,Quantity\nKO,1\nUS0378331005,15\n"
    done = run("portfolio", text, "--name", "P", "--dry-run")
    assert done.exit_code == 4
    assert "US0378331005 is an ISIN, not a symbol" in done.stderr
    assert not (tmp_path / "home").exists()
