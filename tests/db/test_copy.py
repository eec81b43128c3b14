"""COPY in both directions returns identical values and text."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmetrics.db.copy import copy_in, fetch_frame
from riskmetrics.errors import DataQualityError

KINDS = sa.Table(
    "kinds",
    sa.MetaData(),
    sa.Column("place", sa.Integer),
    sa.Column("text", sa.Text),
    sa.Column("number", sa.Double),
    sa.Column("price", sa.Numeric(12, 4)),
    sa.Column("big", sa.BigInteger),
    sa.Column("flag", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("symbol", sa.String(4)),
    sa.Column("per cent", sa.Double),
)
SURPRISING_TEXT = [
    "",
    " ",
    'say "x"',
    "a,b",
    "a\nb",
    "a\r\nb",
    "\\",
    "\\.",
    "\\N",
    "NULL",
    "NaN",
    "nan",
    "NA",
    "N/A",
    "'; --",
    "Zürich 株 🙂",
    "\t",
    "t",
]
EXTREME_NUMBERS = [
    0.0,
    -0.0,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1e-300,
    0.1,
    1 / 3,
    2**53 + 2.0,
    123456789.12345679,
]

names = iter(range(1_000_000))


@pytest.fixture
def kinds(connection: sa.Connection) -> sa.Connection:
    """Return a connection to a database with the table ``kinds``."""
    KINDS.create(connection)
    return connection


def through(connection: sa.Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Write ``rows`` by COPY, and return them as fetched, in the same order."""
    rows = rows.assign(place=range(len(rows)))
    name = f"through_{next(names)}"
    copy_in(connection, KINDS, rows, name)
    loaded = sa.table(name, *(sa.column(column, KINDS.c[column].type) for column in rows.columns))
    return fetch_frame(connection, sa.select(loaded).order_by(loaded.c.place)).drop(columns="place")


def test_text_of_any_kind_survives_and_the_empty_one_is_not_missing(kinds):
    assert (
        through(kinds, pd.DataFrame({"text": SURPRISING_TEXT}))["text"].to_list() == SURPRISING_TEXT
    )
    assert kinds.scalar(sa.text("SELECT 'kept'")) == "kept"


@given(
    text=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        min_size=1,
        max_size=5,
    )
)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_text_is_changed_on_its_way(kinds, text):
    assert through(kinds, pd.DataFrame({"text": text}))["text"].to_list() == text


def test_the_smallest_and_the_largest_numbers_come_back_to_the_last_bit(kinds):
    numbers = through(kinds, pd.DataFrame({"number": EXTREME_NUMBERS}))["number"].to_numpy()
    assert numbers.view(np.int64).tolist() == np.array(EXTREME_NUMBERS).view(np.int64).tolist()


def test_random_bits_of_a_double_come_back_unchanged(kinds):
    numbers = np.random.default_rng(0).integers(0, 2**64, 2000, dtype=np.uint64).view(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    assert np.array_equal(
        through(kinds, pd.DataFrame({"number": numbers}))["number"].to_numpy(), numbers
    )


def test_what_is_missing_in_any_spelling_is_null(kinds):
    rows = pd.DataFrame(
        {
            "text": pd.Series([None, pd.NA, np.nan, "x"], dtype=object),
            "number": [np.nan, np.nan, 1.0, 2.0],
            "big": pd.array([pd.NA, 2**62, None, 4], dtype="Int64"),
            "flag": pd.array([pd.NA, True, False, None], dtype="boolean"),
            "day": pd.to_datetime([None, "2024-12-06", None, "1990-01-02"]),
            "symbol": pd.Series([None] * 4, dtype=object),
        }
    )
    name = "missing"
    copy_in(kinds, KINDS, rows, name)
    stored = kinds.execute(
        sa.text(f"SELECT {', '.join(f'count({column})' for column in rows.columns)} FROM {name}")
    ).one()
    assert stored == (1, 2, 2, 2, 2, 0)
    fetched = through(kinds, rows)
    assert fetched.isna().to_numpy().tolist() == rows.isna().to_numpy().tolist()
    assert fetched["big"].to_list()[1] == 2**62
    assert fetched["flag"].to_list()[1:3] == [True, False]
    assert fetched["day"].to_list()[1] == pd.Timestamp("2024-12-06")


def test_a_quoted_column_name_is_taken_as_it_stands(kinds):
    assert through(kinds, pd.DataFrame({"per cent": [0.5]}))["per cent"].to_list() == [0.5]


def test_no_row_is_a_frame_with_the_columns_and_their_types(kinds):
    empty = fetch_frame(kinds, sa.select(KINDS))
    assert list(empty.columns) == [column.name for column in KINDS.c]
    types = [str(kind) for kind in empty.dtypes]
    assert types == [
        "Int64",
        "str",
        "float64",
        "float64",
        "Int64",
        "bool",
        "datetime64[s]",
        "str",
        "float64",
    ]
    copy_in(kinds, KINDS, empty, "nothing")
    assert kinds.scalar(sa.text("SELECT count(*) FROM nothing")) == 0


def test_a_frame_in_pieces_some_of_them_empty_arrives_whole(kinds):
    """Parquet files and concatenation produce chunks; pyarrow writes garbage for empty ones."""
    texts = pa.chunked_array(
        [
            pa.array([], pa.string()),
            pa.array(["a", None]),
            pa.array([], pa.string()),
            pa.array(["b"]),
        ]
    )
    numbers = pa.chunked_array([pa.array([1.5]), pa.array([], pa.float64()), pa.array([None, 2.5])])
    rows = pd.DataFrame(
        {
            "text": pd.Series(pd.arrays.ArrowExtensionArray(texts)),
            "number": pd.Series(pd.arrays.ArrowExtensionArray(numbers)),
        }
    )
    fetched = through(kinds, rows)
    assert fetched["text"].fillna("-").to_list() == ["a", "-", "b"]
    assert fetched["number"].fillna(-1).to_list() == [1.5, -1, 2.5]


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
@pytest.mark.parametrize("column", ["number", "price"])
def test_an_infinite_value_is_refused(kinds, column, infinite):
    with pytest.raises(
        DataQualityError,
        match=rf"^kinds\.{column}: infinite value; only finite values can be stored$",
    ):
        copy_in(kinds, KINDS, pd.DataFrame({column: [1.0, infinite]}), "infinite")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("price", 1e8, "kinds.price: numeric field overflow"),
        ("symbol", "TOOLONG", "kinds.symbol: value too long for type character varying(4)"),
        ("place", 2**40, 'kinds.place: value "1099511627776" is out of range for type integer'),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_table_and_column(
    kinds, column, value, message
):
    with pytest.raises(DataQualityError) as caught:
        copy_in(kinds, KINDS, pd.DataFrame({column: [value]}), "overflowing")
    assert str(caught.value) == message


def test_a_value_is_rounded_as_its_column_holds_it(kinds):
    """Postgres rounds halves away from zero."""
    assert through(kinds, pd.DataFrame({"price": [1.00005, -1.00005, 1e8 - 1]}))[
        "price"
    ].to_list() == [1.0001, -1.0001, 99999999]


def test_parameters_of_a_query_are_passed_as_values(kinds):
    text = "100 %s of O'Hara's \\"
    assert fetch_frame(kinds, sa.select(sa.literal(text).label("text")))["text"].to_list() == [text]
    wanted = sa.select(sa.literal(1).label("one")).where(sa.literal(2).in_([1, 2, 3]))
    assert fetch_frame(kinds, wanted)["one"].to_list() == [1]


@pytest.mark.parametrize("values", [[None], [None, None], [1.5, None], [None, 1.5, None]])
def test_a_column_on_its_own_keeps_its_missing_values(kinds, values):
    """NULL is an empty line in a single column."""
    kinds.execute(
        sa.insert(KINDS), [{"place": place, "number": value} for place, value in enumerate(values)]
    )
    fetched = fetch_frame(kinds, sa.select(KINDS.c.number).order_by(KINDS.c.place))["number"]
    assert fetched.astype(object).where(fetched.notna(), None).to_list() == values
