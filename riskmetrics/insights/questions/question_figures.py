"""Figures that questions ask for, with the forms that answer each set of qualifiers.

`figures.yaml` has them. An answer belongs to one set of qualifiers, such as a confidence level, a
window or a comparison: a question with other qualifiers is not answered by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from riskmetrics.catalog import Statistic, Unit, all_statistics
from riskmetrics.insights.missing_facts import MissingFact
from riskmetrics.insights.question_fact_types import statistic_fact_names

RESULT, RISK, TAIL = "Result and returns", "Volatility, drawdown and stress", "Value at risk"
"""Headings whose figures are read in ways of their own."""

_OF_RETURNS: Final = " of THE? daily? returns"
"""Words that may follow the name of a statistic."""

_TRAITS: Final = frozenset(
    {"weak", "flow", "part", "ahead", "counted", "confidence", "bounded", "single"}
)

_Words = Annotated[frozenset[str], BeforeValidator(lambda words: frozenset(words.split()))]


class Answer(BaseModel):
    """The answer to a figure with some qualifiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str = ""
    """A question as it is offered; empty: it is not."""
    forms: tuple[str, ...] = ()
    """Patterns of forms in the order in which they are stated."""
    only: Literal["", "alarms", "news", "new_alarms", "largest_shares", "lead"] = ""
    """Which claims of these forms belong to the answer; default: all."""
    order: Literal["salience", "weight", "share"] = "salience"
    """Order of the claims of one form."""
    most: int = 4
    """Claims at most."""
    otherwise: MissingFact = "undefined_figures"
    """What the answer states if no claim belongs to it."""

    @model_validator(mode="before")
    @classmethod
    def _split_answer(cls, value: Any) -> Any:
        """Split the text of an answer into the question that is offered, and forms."""
        fields = {"answer": value} if isinstance(value, str) else dict(value)
        ask, forms = split_question(fields.pop("answer", ""))
        groups = load_data("figures.yaml")["forms"]
        patterns = (pattern for each in forms.split() for pattern in groups.get(each, each).split())
        return {"ask": ask, "forms": tuple(patterns)} | fields


class Figure(BaseModel):
    """A figure, or a subject of several figures, that a question asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    heading: str
    """Heading under which its questions are offered."""
    words: str = ""
    """Phrases that name it, separated by commas; none if it is asked for by other parts alone."""
    limit: str = ""
    """Name of the limit that may be set for it, if any."""
    usual: _Words = frozenset()
    """Qualifiers that say what the answer is anyway; today is one unless it has its own answer."""
    covers: _Words = frozenset()
    """Figures whose words say nothing more next to its own."""
    traits: _Words = frozenset()
    """weak: its words, such as positions, name no figure next to another one; flow: it is of a
    window, so that today is one; part: it names a part of the portfolio, of which another figure
    may be asked; ahead: a number of sessions is a horizon; counted: its count of the past year is
    stated if that of another window is asked for; confidence: it has a level; bounded: its value
    answers whether it is above a number; single: it names one position, whose figures may be asked.
    """
    answers: Mapping[str, Answer]
    """Qualifiers, sorted and separated by spaces, to the answer."""

    @model_validator(mode="before")
    @classmethod
    def _add_today(cls, fields: dict[str, Any]) -> dict[str, Any]:
        today = "" if "1d" in fields["answers"] else " 1d"
        return fields | {"usual": fields.get("usual", "") + today}

    @model_validator(mode="after")
    def _check_words(self) -> "Figure":
        unsorted = [key for key in self.answers if key != join_qualifiers(key.split())]
        unknown = self.traits - _TRAITS
        if unsorted or unknown:
            raise ValueError(f"{self.key}: unsorted {unsorted}, unknown {sorted(unknown)}")
        return self

    def __hash__(self) -> int:
        """Return a hash of the key, which is unique."""
        return hash(self.key)


def split_question(text: str) -> tuple[str, str]:
    """Return the question at the beginning of a text, if any, and the rest.

    Examples
    --------
    >>> split_question("How large is the beta? beta_level")
    ('How large is the beta?', 'beta_level')
    >>> split_question("beta_level")
    ('', 'beta_level')
    """
    if not text[:1].isupper() or "? " not in text + " ":
        return "", text
    question, _, rest = text.partition("?")
    return f"{question}?", rest.strip()


def join_qualifiers(qualifiers: Iterable[str]) -> str:
    """Return the key of an answer."""
    return " ".join(sorted(qualifiers))


@cache
def load_data(name: str) -> dict[str, Any]:
    """Return the contents of a data file of this package."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@cache
def figures() -> Mapping[str, Figure]:
    """Return all figures by key; of two that the same words name, the first is meant.

    Raises
    ------
    ValueError
        If a covered figure does not exist.
    """
    found = {each.key: each for statistic in all_statistics() for each in _of_statistic(statistic)}
    data = load_data("figures.yaml")
    limits = {key: limit for limit, keys in data["limits"].items() for key in keys.split()}
    for heading, group in data["figures"].items():
        for key, texts in group.items():
            fields = {name: text for name, text in texts.items() if name in Figure.model_fields}
            answers = {name: text for name, text in texts.items() if name not in fields}
            fields |= {"key": key, "heading": heading, "limit": limits.get(key, "")}
            found[key] = Figure(answers=answers, **fields)
    for each in found.values():
        if unknown := each.covers - found.keys():
            raise ValueError(f"{each.key}: unknown {sorted(unknown)}")
    return found


def _of_statistic(statistic: Statistic) -> Iterator[Figure]:
    """Yield a figure for each column of a statistic that no note states."""
    names = {} if statistic.facts else statistic_fact_names(statistic)
    for figure in statistic.figures:
        if figure.column in names:
            text = load_data("figures.yaml")["statistics"].get(figure.column, "")
            ask, more = split_question(text)
            words = f"{figure.label.lower().replace(',', '')}{', ' * bool(more)}{more}"
            error = f"{figure.column}_std_error"
            answer = f"{ask} {figure.column} {error if error in names else ''}"
            usual = ["252d", "annual", *["market"] * (statistic.key == "alpha")]
            usual += ["error"] * (error in names)
            is_share = figure.unit is Unit.FRACTION  # of days, say, with a loss above a number
            yield Figure(
                key=figure.column,
                heading=RISK if statistic.family == "drawdown" else RESULT,
                words=f"{words}, {words.replace(',', f'{_OF_RETURNS},')}{_OF_RETURNS}",
                answers={"": answer.strip()},  # type: ignore[dict-item]
                usual=" ".join(usual),  # type: ignore[arg-type]
                traits="" if is_share else "bounded",  # type: ignore[arg-type]
            )


@cache
def offered_questions() -> Mapping[str, tuple[str, ...]]:
    """Return the questions that are offered by heading."""
    return {
        heading: tuple(
            answer.ask
            for figure in figures().values()
            if figure.heading == heading
            for answer in figure.answers.values()
            if answer.ask
        )
        for heading in load_data("figures.yaml")["figures"]
    }
