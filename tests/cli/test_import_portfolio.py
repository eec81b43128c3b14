"""`riskmetrics import portfolio`: accounts, reported interpretation, dry runs and refusals."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics.errors import PARTIAL_EXIT_CODE, DataQualityError, UsageError
from tests.conftest import open_connection

TWO_ACCOUNTS = """\
Account Number,Account Name,Symbol,Description,Quantity,Last Price,Current Value,Cost Basis Total
X00000001,Individual,SPAXX**,HELD IN MONEY MARKET,,,$100.50,
X00000001,Individual,JNJ,JOHNSON & JOHNSON,80,$149.31,$11944.80,$12016.00
200000002,ROTH IRA,KO,COCA-COLA,200.5,$62.53,$12537.26,$11047.55
200000002,ROTH IRA,PG,PROCTER & GAMBLE,5,$173.82,$869.10,--
200000002,ROTH IRA,FCASH**,HELD IN FCASH,,,$10.00,

"Date downloaded Dec-06-2024 5:12 p.m ET"
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return an export of two accounts."""
    path = tmp_path / "positions.csv"
    path.write_text(TWO_ACCOUNTS)
    return path


def portfolios(call) -> dict[str, tuple[int, float | None, str]]:
    """Return open lots, equity and day of each portfolio."""
    rows = json.loads(call("portfolio", "list", "--json").stdout)
    return {
        row["portfolio"]: (
            row["open_lots"],
            row["equity_balance"] and float(row["equity_balance"]),
            row["holdings_as_of"],
        )
        for row in rows
    }


def test_each_account_becomes_a_portfolio_with_the_equity_that_the_file_states(
    call, export: Path
) -> None:
    result = call("import", "portfolio", str(export))
    assert result.exit_code == 0
    assert portfolios(call) == {
        "Individual ...0001": (1, 12045.30, "2024-12-06"),
        "ROTH IRA ...0002": (2, 13416.36, "2024-12-06"),
    }
    assert (
        "read as Fidelity positions (UTF-8, commas, decimal point) as of 2024-12-06"
        in result.stderr
    )
    assert "skipped, line 2: cash, 100.50" in result.stderr
    again = call("import", "portfolio", str(export))
    assert again.stdout.count("0 lots opened, 0 closed, 0 corrected") == 2


def test_a_dry_run_shows_everything_and_needs_no_database(
    call, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    export.write_text(TWO_ACCOUNTS.replace("200.5,", "two,"))
    result = call("import", "portfolio", str(export), "--dry-run")
    assert result.exit_code == PARTIAL_EXIT_CODE
    assert result.stderr.endswith("so the import would end with code 4\n")
    assert [word in result.stdout for word in ("JNJ", "150.2 ", "PG", "KO")] == [
        True,
        True,
        True,
        False,
    ]
    assert "rejected, line 4: quantity 'two' is not a number" in result.stderr
    shown = json.loads(call("import", "portfolio", str(export), "--dry-run", "--json").stdout)
    assert (shown["layout"], shown["as_of"]) == ("Fidelity positions", "2024-12-06")
    assert [(one["name"], one["cash"], len(one["lots"])) for one in shown["portfolios"]] == [
        *(("Individual ...0001", "100.50", 1), ("ROTH IRA ...0002", "10.00", 1)),
    ]
    assert [line["line"] for line in shown["skipped"]] == [2, 6, 8]
    assert [(row["line"], row["reason"]) for row in shown["rejected"]] == [
        (4, "quantity 'two' is not a number")
    ]


def test_one_account_is_chosen_and_named(call, export: Path) -> None:
    result = call(
        "import",
        "portfolio",
        str(export),
        "--account",
        "roth",
        "--name",
        "Retirement",
        "--equity",
        "20000",
    )
    assert result.exit_code == 0
    assert portfolios(call) == {"Retirement": (2, 20000, "2024-12-06")}


def test_a_name_precedes_those_of_several_accounts(call, export: Path) -> None:
    assert (
        call(
            "import", "portfolio", str(export), "--name", "Mine", "--as-of", "2024-12-05"
        ).exit_code
        == 0
    )
    assert portfolios(call).keys() == {"Mine: Individual ...0001", "Mine: ROTH IRA ...0002"}
    assert {day for _, _, day in portfolios(call).values()} == {"2024-12-05"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--account", "401k"),
            "--account 401k matches no account in .*: Individual ...0001, ROTH IRA ...0002",
        ),
        (("--account", "I"), "--account I matches 2 accounts in"),
        (("--equity", "1000"), "2 accounts .*: choose one with --account"),
        (("--value", "1000"), "has quantities: --value is only for weights"),
        (("--decimal", "dot"), "--decimal dot is invalid: use point or comma"),
        (("--as-of", "2999-01-01"), "is in the future"),
        (("--equity", "nan"), "--equity nan is not a valid amount in USD"),
    ],
)
def test_invalid_options_are_refused_and_nothing_is_stored(
    call, export: Path, arguments, message
) -> None:
    result = call("import", "portfolio", str(export), *arguments)
    assert isinstance(result.exception, UsageError)
    with pytest.raises(UsageError, match=message):
        raise result.exception
    assert portfolios(call) == {}


def test_a_file_that_names_no_account_needs_a_name_and_one_of_tomorrow_a_day(
    call, tmp_path: Path, export: Path
) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("symbol,quantity\nKO,1\n")
    unnamed = call("import", "portfolio", str(plain))
    assert isinstance(unnamed.exception, UsageError)
    assert "plain.csv names no account" in str(unnamed.exception)
    looked_at = call("import", "portfolio", str(plain), "--dry-run")
    assert looked_at.exit_code == 0, looked_at.output
    assert "note: " in looked_at.stderr
    assert (
        "plain.csv names no account: pass the name of the portfolio with --name to import it"
        in (" ".join(looked_at.stderr.split()))
    )
    assert "KO" in looked_at.stdout
    assert portfolios(call) == {}
    export.write_text(TWO_ACCOUNTS.replace("Dec-06-2024", "Dec-06-2999"))
    assert "in the future: pass --as-of" in str(call("import", "portfolio", str(export)).exception)


def test_a_number_that_can_be_read_two_ways_waits_for_the_decimal_mark(
    call, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("symbol;quantity\nKO;1.200\n")
    refused = call("import", "portfolio", str(file), "--name", "Mine")
    assert isinstance(refused.exception, UsageError)
    assert "1.200 can be 1.2 or 1200. Pass --decimal point or --decimal comma" in str(
        refused.exception
    )
    for mark, quantity in (("comma", 1200), ("point", 1.2)):
        assert (
            call("import", "portfolio", str(file), "--name", mark, "--decimal", mark).exit_code == 0
        )
        shown = json.loads(
            call(
                *("db", "sql", "--format", "json"),
                "SELECT quantity::float8 FROM positions p JOIN portfolios f ON f.id = portfolio_id"
                f" WHERE f.name = '{mark}'",
            ).stdout
        )
        assert shown == [{"quantity": quantity}]


def test_weights_become_quantities_at_the_stored_closes(call, tmp_path: Path) -> None:
    """100,000 in equal parts at 62.50 and 125 are 800 and 400 shares."""
    prices, weights = tmp_path / "prices.csv", tmp_path / "weights.csv"
    prices.write_text("symbol,date,close\nKO,2024-12-06,62.5\nPG,2024-12-06,125\n")
    weights.write_text("symbol,weight\nKO,50%\nPG,50%\n")
    model = ("import", "portfolio", str(weights), "--name", "Model", "--as-of", "2024-12-06")
    assert "pass the portfolio value with --value" in str(call(*model).exception)
    assert isinstance(call(*model, "--value", "100000").exception, DataQualityError)
    assert portfolios(call) == {}
    assert call("import", "prices", str(prices)).exit_code == 0
    later = call(*model[:-1], "2024-12-10", "--value", "100000").exception
    assert "a session that has prices (the last: 2024-12-06)" in str(later)
    assert call(*model, "--value", "100000").exit_code == 0
    assert portfolios(call) == {"Model": (2, 100000, "2024-12-06")}
    held = json.loads(
        call(
            "db",
            "sql",
            "SELECT symbol, quantity::float8 FROM positions ORDER BY 1",
            "--format",
            "json",
        ).stdout
    )
    assert held == [{"symbol": "KO", "quantity": 800}, {"symbol": "PG", "quantity": 400}]
    assert "KO          0.5   LONG" in call(*model, "--dry-run").stdout


def test_only_lots_of_a_first_statement_count_as_held_before_the_first_session(
    call, tmp_path: Path
) -> None:
    path, sentence = tmp_path / "lots.csv", "entry_date missing for {}: {} as held since before"
    for lines, day, text in (
        ("KO,1\nPG,2\n", "2024-12-05", sentence.format("2 new lots", "they count")),
        ("KO,1\nPG,2\nJNJ,3\n", "2024-12-06", ""),  # entered on that day
    ):
        path.write_text("symbol,quantity\n" + lines)
        done = call("import", "portfolio", str(path), "--name", "P", "--as-of", day, "--yes")
        assert done.exit_code == 0
        assert (text or "1 lot opened") in done.output
        assert ("entry_date missing" in done.output) == bool(text)


def test_holdings_without_closes_keep_their_price_and_the_import_says_so(
    call, tmp_path: Path
) -> None:
    path, words = tmp_path / "lots.csv", "the price of this statement on every session"
    option = "KO250117C00060000,-1,OPTIONS,1.5\n"
    for lines, said in (
        ("KO,1,PUBLIC,60\n", ""),
        (f"KO,1,PUBLIC,60\n{option}", f"1 option or private holding keeps {words}"),
        (f"{option}FUND,1,PRIVATE,9\n", f"2 options and private holdings keep {words}"),
    ):
        path.write_text("symbol,quantity,investment_class,last_price\n" + lines)
        done = call(
            "import", "portfolio", str(path), "--name", "P", "--as-of", "2024-12-05", "--yes"
        )
        assert done.exit_code == 0, done.output
        assert said in done.output
        assert bool(said) == (words in done.output)


def test_allow_empty_closes_all_lots(call, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("symbol,quantity\nKO,10\nPG,5\n")
    assert (
        call("import", "portfolio", str(file), "--name", "Mine", "--as-of", "2024-12-05").exit_code
        == 0
    )
    file.write_text("symbol,quantity\n")
    emptied = ("import", "portfolio", str(file), "--name", "Mine", "--as-of", "2024-12-06")
    assert isinstance(call(*emptied).exception, DataQualityError)
    assert portfolios(call)["Mine"][0] == 2
    result = call(*emptied, "--allow-empty")
    assert "0 lots opened, 2 closed" in result.stdout
    assert portfolios(call)["Mine"] == (0, None, "2024-12-06")


def test_an_option_of_a_rejected_line_is_kept(call, tmp_path: Path) -> None:
    """The rejected line has another spelling of the symbol, and an invalid quantity."""
    file = tmp_path / "options.csv"
    written = ["AAPL 01/17/2025 250.00 C", " -MSFT250117C450", "KO"]
    file.write_text("symbol,quantity\n" + "".join(f"{symbol},2\n" for symbol in written))
    stated = ("import", "portfolio", str(file), "--name", "Mine", "--as-of")
    assert call(*stated, "2024-12-05").exit_code == 0
    file.write_text("symbol,quantity\nPG,1\n" + "".join(f"{symbol},two\n" for symbol in written))
    result = call(*stated, "2024-12-06")
    assert (
        "because one of their rows was rejected: AAPL250117C00250000, KO,"
        " MSFT250117C00450000" in result.stderr
    )
    assert "1 lot opened, 0 closed" in result.stdout


def test_the_file_s_equity_is_ignored_if_a_line_was_rejected(
    call, export: Path, database: str
) -> None:
    """The total would miss kept holdings; an account's rejected line does not affect others."""
    assert call("import", "portfolio", str(export), "--as-of", "2024-12-05").exit_code == 0
    export.write_text(
        TWO_ACCOUNTS.replace("200.5,", "two,").replace(
            "X00000001,Individual,JNJ", "X00000001,Individual,MMM"
        )
    )
    result = call("import", "portfolio", str(export))
    assert "because one of their rows was rejected: KO" in result.stderr
    assert "1 row rejected and stored in rejected_rows" in result.stderr
    assert portfolios(call) == {
        "Individual ...0001": (1, 12045.30, "2024-12-06"),
        "ROTH IRA ...0002": (2, 13416.36, "2024-12-06"),
    }
    with open_connection(database) as connection:
        kept = connection.execute(sa.text("SELECT line, reason FROM rejected_rows")).all()
        stated = connection.execute(
            sa.text("SELECT name, equity_as_of::text FROM portfolios ORDER BY 1")
        ).all()
    assert [tuple(row) for row in kept] == [(4, "quantity 'two' is not a number")]
    assert [tuple(row) for row in stated] == [
        ("Individual ...0001", "2024-12-06"),
        ("ROTH IRA ...0002", "2024-12-05"),
    ]
