"""Figures that questions ask for, with the forms that answer each set of qualifiers.

`figures.yaml` has them. An answer belongs to one set of qualifiers, such as a confidence level, a
window or a comparison: a question with other qualifiers is not answered by it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.insights.plan import MissingFact
from riskmetrics.insights.question_fact_types import statistic_fact_names


def _split(words: object) -> object:
    return words.split() if isinstance(words, str) else words


Words = Annotated[frozenset[str], BeforeValidator(_split)]


class Answer(BaseModel):
    """The answer to a figure with some qualifiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str = ""
    """A question as it is offered; empty: it is not."""
    forms: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """Patterns of forms in the order in which they are stated."""
    only: Literal["", "alarms", "news", "new_alarms", "largest_shares"] = ""
    """Which claims of these forms belong to the answer; default: all."""
    order: Literal["salience", "weight", "share"] = "salience"
    """Order of the claims of one form."""
    most: int = 4
    """Claims at most."""
    otherwise: MissingFact = "undefined_figures"
    """What the answer states if no claim belongs to it."""

    @model_validator(mode="before")
    @classmethod
    def _read_forms(cls, value: Any) -> Any:
        """Accept the forms alone; those of a selection are all."""
        fields = {"forms": value} if isinstance(value, str) else dict(value)
        return {"forms": "*"} | fields if "only" in fields else fields


class Figure(BaseModel):
    """A figure, or a subject of several figures, that a question asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    group: str
    """Key of the heading under which its questions are offered."""
    words: str
    """Phrases that name it, separated by commas; none if a subject alone is asked about."""
    limit: str = ""
    """Name of the limit that may be set for it."""
    answers: Mapping[str, Answer]
    """Qualifiers, sorted and separated by spaces, to the answer."""
    usual: Words = frozenset()
    """Qualifiers that say what the answer is anyway."""
    covers: Words = frozenset()
    """Figures whose words say nothing more next to its own."""
    traits: Annotated[
        frozenset[Literal["weak", "flow", "part", "ahead", "counted", "confidence"]],
        BeforeValidator(_split),
    ] = frozenset()
    """weak: its words, such as positions, name no figure next to another one; flow: it is of a
    window, so that today is one; part: it names a part of the portfolio, of which another figure
    may be asked; ahead: a number of sessions is a horizon; counted: its count of the past year is
    stated if that of another window is asked for; confidence: it has a level."""

    def __hash__(self) -> int:
        """Return a hash of the key, which is unique."""
        return hash(self.key)

    @model_validator(mode="after")
    def _check_keys(self) -> "Figure":
        unsorted = [key for key in self.answers if key != join_qualifiers(key.split())]
        if unsorted:
            raise ValueError(f"{self.key}: qualifiers {unsorted[0]!r} are not sorted")
        return self


def join_qualifiers(qualifiers: "frozenset[str] | list[str]") -> str:
    """Return the key of an answer."""
    return " ".join(sorted(qualifiers))


@cache
def load_data(name: str) -> dict[str, Any]:
    """Return the contents of a data file of this package."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _load() -> dict[str, Any]:
    return load_data("figures.yaml")


@cache
def figures() -> Mapping[str, Figure]:
    """Return all figures by key; of two that the same words name, the first is meant.

    Raises
    ------
    ValueError
        If a group or a covered figure does not exist.
    """
    found = {each.key: each for statistic in all_statistics() for each in _of_statistic(statistic)}
    found |= {key: Figure(key=key, **fields) for key, fields in _load()["figures"].items()}
    for each in found.values():
        unknown = (each.covers - found.keys()) | ({each.group} - _load()["headings"].keys())
        if unknown:
            raise ValueError(f"{each.key}: unknown {sorted(unknown)}")
    return found


_OF_RETURNS = " of THE? daily? returns"
"""Words that may follow the name of a statistic."""


def _of_statistic(statistic: Statistic) -> list[Figure]:
    """Return a figure for each column of a statistic that no note states."""
    data = _load()
    names = {} if statistic.facts else statistic_fact_names(statistic)
    market = {"market"} if statistic.key == "alpha" else set()
    found = []
    for figure in statistic.figures:
        if figure.column in names:
            label = figure.label.lower().replace(",", "")
            words = f"{label}, {data['statistics'].get(figure.column, label)}"
            of_returns = words.replace(",", f"{_OF_RETURNS},") + _OF_RETURNS
            answer = Answer(
                ask=data["offered_statistics"].get(figure.column, ""),
                forms=tuple(each for each in (figure.column, f"{figure.column}_std_error")
                    if each in names),
            )  # fmt: skip
            found.append(
                Figure(
                    key=figure.column,
                    group="risk" if statistic.family == "drawdown" else "result",
                    words=f"{words}, {of_returns}",
                    answers={"": answer},
                    usual=frozenset({"252d", "1d", "annual"} | market),
                )
            )
    return found


@cache
def offered_questions() -> Mapping[str, tuple[str, ...]]:
    """Return the questions that are offered by heading."""
    return {
        heading: tuple(
            answer.ask
            for figure in figures().values()
            if figure.group == group
            for answer in figure.answers.values()
            if answer.ask
        )
        for group, heading in _load()["headings"].items()
    }
