"""Claims: the forms of the sentence catalog that are true of a fact sheet.

A form is a statement with typed slots, a precondition on the exact facts and two to four reviewed
phrasings. `claims_of` evaluates every form; nothing else makes a claim, so that no claim is false
by the facts. A form is one record in `riskmetrics.insights.forms`; see `form`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib import import_module
from pkgutil import iter_modules
from string import Formatter
from typing import Final, Literal, TypeVar

from riskmetrics.insights import novelty
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.phrasing_rules import reject_words
from riskmetrics.insights.slots import PATTERNS, Slot

Topic = Literal[
    "result",
    "tail",
    "volatility",
    "concentration",
    "sectors",
    "factors",
    "active",
    "hedge",
    "stress",
    "liquidity",
    "limits",
    "data",
]
Role = Literal["statement", "headline", "advice"]
T = TypeVar("T")

_TYPES_BY_TOPIC: Final[Mapping[str, frozenset[str]]] = {
    topic: frozenset({"daily_summary", "custom", *types})
    for topic, types in {
        "result": (),
        "data": (),
        "limits": (),
        "tail": ("stress_test_review",),
        "stress": ("stress_test_review",),
        "liquidity": ("stress_test_review",),
        "volatility": ("volatility_analysis",),
        "concentration": ("concentration_risk",),
        "sectors": ("concentration_risk",),
        "factors": ("factor_exposure",),
        "active": ("factor_exposure",),
        "hedge": ("hedge_quality",),
    }.items()
}
"""Topic to the types of insight that tell it."""

_SAME_FIGURES: Final = {"past_outcome": "volatility_21d", "return_5d": "return_21d",
    "previous_own_beta": "own_beta",
    "pnl_5d": "past_pnl", "pnl_21d": "past_pnl"}  # fmt: skip
"""Type of a fact to what measures the same thing: the rules state one of them."""

NOVELTY_FACTOR = 0.3
"""Factor of the salience of a claim that was true lately with nearly the same values."""


@dataclass(frozen=True)
class Form:
    """A statement of the sentence catalog."""

    id: str
    topic: Topic
    slots: Mapping[str, str]
    """Slot to its kind."""
    phrasings: tuple[str, ...]
    evaluate: "Callable[[View], Iterator[Instance]]"
    """Yields the instances of the form that are true of a sheet."""
    role: Role = "statement"
    connectives: frozenset[str] = frozenset()
    """Words of causes and contrasts in its phrasings; the precondition must establish them."""
    entries: tuple[str, ...] = ()
    """Phrasings of the entries of its lists."""
    is_event: bool = False
    """Whether it happens in a session: such a claim is new unless it is known."""
    states: str = ""
    """Of a headline: the form whose truth it shares."""
    further_proofs: tuple[str, ...] = ()
    """Of a headline: further forms that prove it."""
    needs: tuple[str, ...] = ()
    """Of a headline: forms of which a note must state one with what proves it."""
    place: int = 5
    """Place in a paragraph: the result of the session is 0, its contributors 1, other claims 5."""
    is_answer: bool = False
    """Whether only an answer to a question tells it."""
    figure: str = ""
    """What it states besides the figures of facts: a note states each such thing once."""
    is_background: bool = False
    """Whether it changes with what is held: new when it is first defined, and after trades."""

    def __post_init__(self) -> None:
        """Reject a phrasing that a reader could misunderstand, whatever the facts are.

        Raises
        ------
        ValueError
            If a phrasing has a digit, a pronoun, an unlisted connective, or other slots than the
            form.
        """
        for phrasing in self.phrasings:
            parts = list(Formatter().parse(phrasing))
            words = " ".join(part[0] for part in parts)
            used = {part[1] for part in parts if part[1] is not None}
            if used != set(self.slots):
                raise ValueError(f"{self.id}: slots {sorted(used)} in {phrasing!r}")
            reject_words(self.id, words, self.connectives)
            is_sentence = phrasing.endswith(".") and ". " not in phrasing
            if is_sentence != (self.role != "headline"):
                raise ValueError(f"{self.id}: {phrasing!r} is not one {self.role}")
        for entry in self.entries:
            words = " ".join(part[0] for part in Formatter().parse(entry))
            reject_words(self.id, words, self.connectives)
        if unknown := set(self.slots.values()) - PATTERNS.keys():
            raise ValueError(f"{self.id}: unknown kinds of slots {sorted(unknown)}")

    @property
    def insight_types(self) -> frozenset[str]:
        """Types of insight that tell it."""
        return frozenset({"custom"}) if self.is_answer else _TYPES_BY_TOPIC[self.topic]


@dataclass(frozen=True)
class Claim:
    """A true statement about a portfolio and session."""

    id: str
    """Form id, with the alias of its subject: "position_loss:POS_01"."""
    form: Form
    instance: Instance
    is_new: bool
    """Whether nothing like it was true in the sessions that are remembered."""
    salience: float
    """Salience of the instance, reduced unless it is new."""

    @cached_property
    def shown_ids(self) -> tuple[str, ...]:
        """Ids of the facts whose figures are in the text, and of what it states besides."""
        facts = (fact.id for fact in self.instance.facts)
        return tuple(filter(None, (*facts, self.form.figure)))

    @cached_property
    def equivalent_figures(self) -> tuple[str, ...]:
        """Ids of `shown_ids`, and of figures that measure the same thing by another definition."""
        same = (_SAME_FIGURES.get(fact.fact_type.name, "") for fact in self.instance.facts)
        return tuple(filter(None, (*self.shown_ids, *same)))

    @property
    def proofs(self) -> tuple[str, ...]:
        """Ids of the statements of which one proves a headline; empty if none has to."""
        subject = self.id.removeprefix(self.form.id)
        return tuple(
            each + subject for each in (self.form.states, *self.form.further_proofs) if each
        )

    @cached_property
    def evidence(self) -> tuple[Fact, ...]:
        """Facts that it states and that its precondition uses."""
        return (*self.instance.facts, *self.instance.context)

    def is_proved(self, stated: Collection[str]) -> bool:
        """Return whether the statements with some ids prove a headline."""
        is_proved = not self.proofs or any(each in stated for each in self.proofs)
        needs = self.form.needs
        return is_proved and (not needs or any(each in stated for each in needs))

    @property
    def slots(self) -> Mapping[str, Slot]:
        """Slots and their values."""
        return self.instance.slots


class View:
    """Facts of a sheet as forms read them."""

    def __init__(self, sheet: Sheet) -> None:
        """Index the facts of a sheet by type and alias."""
        self.sheet = sheet
        self._facts = sheet.by_type
        self._evaluated = sheet.evaluations

    def instances(self, each: Form) -> tuple[Instance, ...]:
        """Return the instances of a form that are true; it is evaluated once per sheet."""
        found: tuple[Instance, ...] | None = self._evaluated.get(each.id)
        if found is None:
            found = self._evaluated[each.id] = tuple(each.evaluate(self))
        return found

    def evaluate_once(self, find: "Callable[[View], T]") -> T:
        """Return what a function finds in the facts; it is evaluated once per sheet."""
        if find not in self._evaluated:
            self._evaluated[find] = find(self)
        found: T = self._evaluated[find]
        return found

    def fact(self, kind: str, alias: str | None = None) -> Fact | None:
        """Return a fact, or None."""
        return self._facts.get((kind, alias))

    def number(self, kind: str, alias: str | None = None) -> float | None:
        """Return the value of a numeric fact, or None."""
        fact = self.fact(kind, alias)
        return None if fact is None or isinstance(fact.value, str) else float(fact.value)

    def facts_of(self, *kinds: str, alias: str | None = None) -> tuple[Fact, ...] | None:
        """Return facts of several types, or None unless all exist."""
        found = []
        for kind in kinds:
            fact = self._facts.get((kind, alias))
            if fact is None:
                return None
            found.append(fact)
        return tuple(found)

    def aliases(self, prefix: str) -> Sequence[str]:
        """Return the aliases of positions (POS), sectors (SEC) or scenarios (SCN), sorted."""
        return self.evaluate_once(_find_aliases).get(prefix, ())

    @property
    def currency(self) -> str:
        """Currency of the portfolio."""
        fact = self.fact("total_value")
        return fact.currency if fact else "USD"


def _find_aliases(view: View) -> dict[str, list[str]]:
    """Return the aliases by prefix, sorted."""
    found: dict[str, list[str]] = {}
    for alias in sorted(view.sheet.aliases):
        found.setdefault(alias.partition("_")[0], []).append(alias)
    return found


_FORMS: dict[str, Form] = {}


def form(
    form_id: str,
    topic: Topic,
    slots: str,
    *phrasings: str,
    role: Role = "statement",
    connectives: Sequence[str] = (),
    entries: Sequence[str] = (),
    is_event: bool = False,
    states: str = "",
    place: int = 5,
    is_answer: bool = False,
    figure: str = "",
    further_proofs: Sequence[str] = (),
    needs: Sequence[str] = (),
    is_background: bool = False,
) -> "Callable[[Callable[[View], Iterator[Instance]]], Form]":
    """Return a decorator that adds a form to the catalog; the function evaluates it.

    Parameters
    ----------
    form_id : str
        Id, lower case with underscores.
    topic : str
        Topic, which decides the types of insight.
    slots : str
        Slots and their kinds, such as "loss: money, rate: percent".
    phrasings : str
        Complete sentences with the slots in braces, and no figure, unit or pronoun outside them.
    """
    kinds = dict(pair.split(": ") for pair in slots.split(", ")) if slots else {}

    def add(evaluate: "Callable[[View], Iterator[Instance]]") -> Form:
        if form_id in _FORMS:
            raise ValueError(f"two forms are named {form_id}")
        found = Form(
            form_id, topic, kinds, phrasings, evaluate, role, frozenset(connectives),
            tuple(entries), is_event, states, tuple(further_proofs), tuple(needs), place, is_answer,
            figure, is_background,
        )  # fmt: skip
        _FORMS[form_id] = found
        return found

    return add


@cache
def catalog() -> Mapping[str, Form]:
    """Return all forms by id."""
    from riskmetrics.insights import forms

    for module in iter_modules(forms.__path__):
        import_module(f"{forms.__name__}.{module.name}")
    return dict(sorted(_FORMS.items()))


@cache
def forms_of(insight_type: str) -> tuple[Form, ...]:
    """Return the forms that a type of insight may state."""
    return tuple(each for each in catalog().values() if insight_type in each.insight_types)


@cache
def catalog_digest() -> str:
    """Return a digest of ids, slots and phrasings: the version of the catalog."""
    parts = [
        f"{form.id}|{form.topic}|{sorted(form.slots.items())}|{form.phrasings}{form.entries}"
        for form in catalog().values()
    ]
    return sha256("\n".join(parts).encode()).hexdigest()[:12]


def claims_of(
    sheet: Sheet,
    before: "Mapping[str, tuple[float, ...]] | None" = None,
    *,
    insight_type: str = "",
) -> dict[str, Claim]:
    """Return the claims that are true of a sheet by id, the most salient first.

    Parameters
    ----------
    sheet : Sheet
        Facts of a portfolio and session. Facts that break an invariant must have been removed.
    before : mapping, optional
        `remembered` claims of the session before. Default: those of the sheet. Those of the
        sessions before it are always the sheet's.
    insight_type : str
        Only claims that this type of insight may state; the others are not evaluated.
    """
    before = sheet.before if before is None else before
    view, found = View(sheet), []
    for each in forms_of(insight_type) if insight_type else catalog().values():
        for instance in view.instances(each):
            claim_id = f"{each.id}:{instance.subject}" if instance.subject else each.id
            is_new = not instance.is_known and (
                each.is_event
                or novelty.is_new(
                    instance, each.id, sheet, before, is_background=each.is_background
                )
            )
            salience = instance.salience * (1.0 if is_new else NOVELTY_FACTOR)
            found.append(Claim(claim_id, each, instance, is_new, salience))
    found.sort(key=lambda claim: (-claim.salience, claim.id))
    return {claim.id: claim for claim in found}


def remember_claims(sheet: Sheet) -> dict[str, tuple[float, ...]]:
    """Return what `claims_of` of the next sessions needs: claims, named, with their values.

    They are those of notes, so that the forms that the notes of the sheet evaluate are not
    evaluated again.
    """
    sheet = sheet.for_notes
    view = View(sheet)
    found = {
        novelty.memory_key(each.id, instance, sheet): novelty.numbers_of(instance)
        for each in catalog().values()
        if not each.is_answer
        for instance in view.instances(each)
    }
    return found | {novelty.defined_key(name): () for name, _ in sheet.by_type}
