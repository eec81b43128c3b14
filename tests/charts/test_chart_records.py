"""Every chart: valid by Altair's schema, drawn by vl-convert, left out without rows."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import altair
import numpy as np
import pandas as pd
import pytest
from chart_data import portfolio_data

from riskmetrics.charts import chart as charts
from riskmetrics.charts.chart import Chart
from riskmetrics.charts.chart_records import CHARTS
from riskmetrics.charts.layers import BAD, GOOD, MAX_TILE_OPACITY
from riskmetrics.charts.renderer import ChartRenderer, to_file
from riskmetrics.report import page

named = pytest.mark.parametrize("record", CHARTS, ids=lambda record: record.name)


def test_names_are_unique() -> None:
    assert len({record.name for record in CHARTS}) == len(CHARTS)


@named
@pytest.mark.parametrize("is_interactive", [True, False])
def test_a_specification_is_valid_vega_lite(record: Chart, is_interactive: bool) -> None:
    rows = record.rows(portfolio_data())
    specification = record.specification(rows, is_interactive=is_interactive)
    assert altair.Chart.from_dict(specification, validate=True).to_dict()["layer"]


@named
def test_a_chart_is_drawn_with_marks_and_labels_that_the_page_can_color(record: Chart) -> None:
    rows = record.rows(portfolio_data())
    assert len(rows) >= record.min_rows
    svg = ChartRenderer(None).draw(record.specification(rows, is_interactive=False))
    assert svg.startswith('<svg viewBox="0 0 ')
    assert len(re.findall("<path|<line", svg)) > 3
    assert "<text" in svg
    assert not re.search(r"<script|https?://(?!www.w3.org)|NaN|undefined|clipPath|A<b>", svg)


@named
def test_a_chart_of_nothing_is_left_out(record: Chart) -> None:
    data = portfolio_data()
    empty = {
        name: getattr(data, name).iloc[:0]
        for name in (
            *("history", "forecasts", "sectors", "trades", "contributions", "stress"),
            *("positions", "correlations", "factors"),
        )
    }
    assert len(record.rows(portfolio_data(**empty, pro_forma=None))) < record.min_rows


@named
def test_columns_of_the_page_are_the_rows_of_the_picture(record: Chart) -> None:
    rows = record.rows(portfolio_data())
    specification = record.specification(rows, is_interactive=True)
    text = charts.to_json(specification)
    assert "<" not in text
    columns = json.loads(text)["data"]["values"]
    found = pd.DataFrame(columns).to_dict("list")
    expected = pd.DataFrame(specification["data"]["values"]).to_dict("list")
    assert json.dumps(found) == json.dumps(expected)
    assert len(pd.DataFrame(columns)) == len(rows)


def test_a_drawing_is_kept_until_no_report_uses_it(tmp_path, monkeypatch) -> None:
    (one, other) = ({"mark": "point", "data": {"values": [{"a": each}]}} for each in (1, 2))
    folder = tmp_path / "cache" / "charts"
    renderer = ChartRenderer(folder)
    first = [renderer.draw(each) for each in (one, other)]
    assert len(list(folder.iterdir())) == 2

    def refuse(_: object) -> str:
        raise AssertionError("drawn again")

    monkeypatch.setattr("riskmetrics.charts.renderer.convert", refuse)
    again = ChartRenderer(folder)
    assert again.draw(one) == first[0]
    again.remove_unused()
    assert len(list(folder.iterdir())) == 1
    with pytest.raises(AssertionError, match="drawn again"):
        again.draw(other)


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    renderer = ChartRenderer(file / "charts")
    assert renderer.draw({"mark": "point", "data": {"values": []}}).startswith("<svg")
    renderer.remove_unused()


@pytest.mark.parametrize(("n_days", "label"), [(150, "Jul 0"), (151, "Jul 2022")])
def test_an_axis_of_up_to_150_days_shows_days(n_days: int, label: str) -> None:
    """Else the labels of a few sessions are one month, four times."""
    record = next(each for each in CHARTS if each.name == "concentration")
    days = pd.to_datetime(["2022-03-01", "2022-03-01"]) + pd.to_timedelta([0, n_days], unit="D")
    rows = pd.DataFrame({"day": days.date, "effective_num_positions": [2.0, 3.0]})
    svg = ChartRenderer(None).draw(record.specification(rows, is_interactive=False))
    assert label in svg
    assert ("2022" in svg) == (n_days > 150)


def test_labels_of_an_axis_with_small_steps_differ() -> None:
    """Labels keep their decimals, of which coordinates have one."""
    record = next(each for each in CHARTS if each.name == "stored_beta")
    days = pd.date_range("2022-03-01", periods=25)
    beta = np.linspace(0.9, 1.1, 25)
    rows = pd.DataFrame({"day": days, "beta": beta, "low": beta - 0.01, "high": beta + 0.01})
    svg = ChartRenderer(None).draw(record.specification(rows, is_interactive=False))
    labels = re.findall(r">(\d\.\d+)</text>", svg)
    assert {"0.95", "1.00", "1.05"} <= set(labels)
    assert len(set(labels)) == len(labels)
    assert not re.search(r"<[^>]*\d\.\d\d", svg)


def test_a_drawing_as_a_file_is_an_image_of_its_own() -> None:
    root = ElementTree.fromstring(
        to_file(ChartRenderer(None).draw({"mark": "point", "data": {"values": []}}), "Arial")
    )
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("font-family") == "Arial"


def test_text_on_the_strongest_tile_is_readable_on_paper_and_in_dark_mode() -> None:
    """Oracle: the contrast ratio of WCAG 2.2, at least 4.5 for text of this size."""
    css = Path(page.__file__).with_name("page.css").read_text()
    for theme in css.split("@media screen and (prefers-color-scheme: dark)")[:2]:
        colors = dict(re.findall(r"--(paper|ink|good|bad): (#[0-9a-f]+);", theme))
        paper, ink, *tiles = (channels(colors[name]) for name in ("paper", "ink", "good", "bad"))
        for tile in tiles:
            behind = MAX_TILE_OPACITY * tile + (1 - MAX_TILE_OPACITY) * paper
            low, high = sorted((luminance(ink), luminance(behind)))
            assert (high + 0.05) / (low + 0.05) >= 4.5


def channels(color: str) -> np.ndarray:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    return np.array([int(digits[place : place + 2], 16) for place in (0, 2, 4)]) / 255


def luminance(color: np.ndarray) -> float:
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_tiles_of_both_signs_fade_into_the_page() -> None:
    record = next(each for each in CHARTS if each.name == "correlations")
    rows = pd.DataFrame({"first": list("ABCD"), "second": "A", "correlation": [1.0, 0.5, 0, -0.25]})
    svg = ChartRenderer(None).draw(record.specification(rows, is_interactive=False))
    found = re.findall(r'fill="(#\w+)" fill-opacity="([\d.]+)"', svg)
    assert [opacity for _, opacity in found] == ["0.55", "0.27", "0", "0.13"]
    assert [color for color, _ in found] == [GOOD, GOOD, GOOD, BAD]


@pytest.mark.parametrize(("n_days", "n_labels"), [(1, 2), (5, 6), (6, 7), (20, 3)])
def test_labels_of_a_few_sessions_do_not_repeat(n_days: int, n_labels: int) -> None:
    record = next(each for each in CHARTS if each.name == "concentration")
    days = pd.date_range("2024-12-05", periods=n_days + 1).date
    rows = pd.DataFrame({"day": days, "effective_num_positions": 2.0})
    svg = ChartRenderer(None).draw(record.specification(rows, is_interactive=False))
    labels = re.findall(r">(\w{3} \d\d)</text>", svg)
    assert len(set(labels)) == len(labels) == n_labels


@pytest.mark.parametrize(
    ("deviations", "end"), [([0.006, -0.001], 0.05), ([0.049], 0.05), ([0.02, -0.4], 0.4)]
)
def test_the_largest_deviation_has_the_full_color_and_a_tiny_one_is_pale(
    deviations: list[float], end: float
) -> None:
    """Both signs have one scale, so that -40% is stronger than +2%."""
    record = next(each for each in CHARTS if each.name == "sectors")
    rows = record.rows(portfolio_data()).iloc[: len(deviations)].assign(deviation=deviations)
    found = record.specification(rows, is_interactive=False)["params"]
    assert {"name": "color_end", "value": end} in found


def read_legend(specification: dict) -> list[str]:
    return sorted(
        {
            label
            for layer in specification["layer"]
            for label in layer["encoding"].get("color", {}).get("scale", {}).get("domain", [])
        }
    )


@pytest.mark.parametrize(
    ("name", "column", "source", "legend"),
    [
        (
            "cumulative_return",
            "daily_return",
            "history",
            ["holdings of today", "market index", "realized"],
        ),
        ("volatility", "realized", "forecasts", ["forecast", "outside the band", "realized"]),
    ],
)
def test_what_is_not_known_is_neither_in_the_legend_nor_in_the_tooltip(
    name: str, column: str, source: str, legend: list[str]
) -> None:
    (record,) = [each for each in CHARTS if each.name == name]
    for n_known in (None, 1, 0):
        data = portfolio_data()
        is_known = n_known is None
        if not is_known:
            frame = getattr(data, source).copy()
            frame.loc[frame[column].dropna().index[n_known:], column] = np.nan
            data = portfolio_data(**{source: frame})
        specification = record.specification(record.rows(data), is_interactive=True)
        lines = set(legend) - (set() if is_known else {"realized"})
        shown = sorted(lines if n_known != 0 else lines - {"outside the band"})
        assert read_legend(specification) == shown
        assert ("Realized" in json.dumps(specification["layer"])) == (n_known != 0)
        assert altair.Chart.from_dict(specification, validate=True)
        svg = ChartRenderer(None).draw(specification)
        assert (">realized<" in svg) == is_known
