"""Names of factors in the setting and in scenarios."""

import pytest

from riskmetrics.errors import ConfigurationError
from riskmetrics.factor_sets import MAX_FACTOR_LENGTH, Factor, parse_factors, parse_moves
from riskmetrics.settings import Settings, load


def test_the_default_is_the_five_style_funds() -> None:
    found = parse_factors(Settings.model_fields["factors"].default)
    assert {factor.fund for factor in found} == {"MTUM", "QUAL", "SIZE", "USMV", "VLUE"}


def test_sets_funds_and_imported_factors_are_combined_in_the_order_of_their_names() -> None:
    found = parse_factors("sectors, small caps = iwm ,HML")
    assert len(found) == 13
    assert found[0] == Factor("HML", None)
    assert Factor("small caps", "IWM") in found
    assert list(found) == sorted(found)
    assert parse_factors("none") == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no name of a factor"),
        ("style,style", "is named twice"),
        ("HML,hml", "'hml' is named twice"),
        ("market", "is a name of every model"),
        ("a=", "names no symbol"),
        ("a=?", "names no symbol"),
        ("x" * (MAX_FACTOR_LENGTH + 1), "is no name of a factor"),
        (",".join(f"f{at}" for at in range(24)), "at most 24 factors including the market"),
    ],
)
def test_what_is_no_set_of_factors_is_refused_by_the_setting(
    text: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_factors(text)
    if text:
        monkeypatch.setenv("RISKMETRICS_FACTORS", text)
        with pytest.raises(ConfigurationError, match=f"RISKMETRICS_FACTORS.*{reason}"):
            load()


def test_the_longest_name_and_the_largest_set_are_accepted() -> None:
    assert parse_factors("x" * MAX_FACTOR_LENGTH)[0].fund is None
    assert len(parse_factors(",".join(f"f{at}" for at in range(23)))) == 23


def test_moves_are_fractions_by_factor() -> None:
    assert parse_moves("a=-0.5, b=1") == {"a": -0.5, "b": 1}
    for text in ("a", "a=x", "a=nan", "a=-1", "a=1.01", "a=0.1;a=0.2", "market=-0.1", "a=-5%"):
        with pytest.raises(ValueError, match=r"no move|moves twice|every model"):
            parse_moves(text)
