"""Generator of true and false sentences from a sheet's JSON, independent of the verifier."""

import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.templates import sheet_json


class Sentence(NamedTuple):
    """A sentence, whether it is true, and its mutation."""

    text: str
    true: bool
    mutation: str


_NO_NOUNS = {
    "lost",
    "gained",
    "would lose",
    "would gain",
    "overweight",
    "underweight",
    "of the portfolio's volatility",
}
_OVER = (
    "past_forecast",
    "past_outcome",
    "past_low",
    "past_high",
    "daily_return",
    "max_drawdown",
    "volatility_21d",
    "volatility_63d",
)
_PAIRS = [
    ("expected_volatility", "volatility_21d"),
    ("volatility_21d", "volatility_63d"),
    ("past_forecast", "past_outcome"),
    ("beta", "beta_threshold"),
    ("own_beta", "beta"),
    ("beta", "provider_beta"),
    ("gross_exposure", "net_exposure"),
    ("long_value", "short_value"),
    ("drawdown", "drawdown_threshold"),
    ("gross_to_equity", "gross_to_equity_threshold"),
    ("var_99", "var_95"),
    ("volatility_percentile", "volatility_percentile_threshold"),
    ("effective_positions", "num_positions"),
    ("rate_beta", "two_factor_rate_beta"),
]
_OF_THINGS = [
    ("pos", "weight", "weight_threshold"),
    ("sec", "gross", "gross_threshold"),
    ("scn", "result", "result_threshold"),
]
_UP, _DOWN = (
    ("above", "greater than", "higher than", "more than", "at or above"),
    ("below", "less than", "lower than", "at or below"),
)
_MOVED = {True: ("rose", "increased", "grew"), False: ("fell", "decreased", "declined")}


class Author:
    """Generator of true sentences about a sheet and their falsifications."""

    def __init__(self, sheet: Sheet, values: dict[str, Any], random: Random) -> None:
        sent = json.loads(sheet_json(sheet, "aliases"))
        self.facts = {fact["id"]: fact for fact in sent["facts"]}
        self.values, self.random, self.day = values, random, sent["day"]
        self.aliases = sorted(sent["things"])

    def name(self, fact: str) -> str:
        """Return a random noun that names a fact."""
        return self.random.choice(
            [said for said in self.facts[fact]["said_as"] if said not in _NO_NOUNS]
        )

    def about(self, fact: str) -> str | None:
        """Return the entity of a fact, if it is not the portfolio."""
        return self.facts[fact].get("about")

    def plain(self) -> str:
        """Return a sentence with a figure and its name."""
        fact = self.random.choice(sorted(self.facts))
        name, thing = self.name(fact), self.about(fact)
        if thing:
            forms = (
                f"The {name} of {thing} is {{{{{fact}}}}}.",
                f"{thing} has a {name} of {{{{{fact}}}}}.",
                f"{thing}: {name} {{{{{fact}}}}}.",
            )
        else:
            forms = (
                f"The {name} is {{{{{fact}}}}}.",
                f"The portfolio has a {name} of {{{{{fact}}}}}.",
                f"On {self.day} the {name} of the portfolio is {{{{{fact}}}}}.",
                f"The {name} ({{{{{fact}}}}}) is shown.",
            )
        return self.random.choice(forms)

    def two(self) -> str:
        """Return a sentence with two figures of the portfolio."""
        own = sorted(fact for fact in self.facts if not self.about(fact))
        one, other = self.random.sample(own, 2)
        joined = self.random.choice((" and", ", while", ";"))
        return (
            f"The {self.name(one)} is {{{{{one}}}}}{joined} the {self.name(other)} is"
            f" {{{{{other}}}}}."
        )

    def compared(self) -> str:
        """Return a comparison of two figures of one family."""
        if self.random.random() < 0.5:
            one, other = self.random.choice(_PAIRS)
            left, right = (
                f"The {self.name(one)} of {{{{{one}}}}}",
                f"the {self.name(other)} of {{{{{other}}}}}",
            )
        else:
            begins, kind, other = self.random.choice(_OF_THINGS)
            one = self.random.choice(
                [
                    fact
                    for fact in sorted(self.facts)
                    if fact.startswith(begins) and fact.endswith(f"_{kind}")
                ]
            )
            left, right = (
                f"The {self.name(one)} of {self.about(one)}, {{{{{one}}}}},",
                f"the {self.name(other)} of {{{{{other}}}}}",
            )
        if self.facts[one]["shown_as"] == self.facts[other]["shown_as"]:
            return self.compared()
        limit = self.values[other]
        if other.endswith("_threshold") and (limit < 0 or self.random.random() < 0.2):
            is_reached = self.values[one] <= limit if limit < 0 else self.values[one] >= limit
            return f"{left} is {'at or beyond' if is_reached else 'within'} {right}."
        return (
            f"{left} is"
            f" {self.random.choice(_UP if self.values[one] > self.values[other] else _DOWN)}"
            f" {right}."
        )

    def moved(self) -> str:
        """Return a change since the previous session."""
        change = self.random.choice(
            [fact for fact in sorted(self.facts) if fact.endswith("_change") and self._shows(fact)]
        )
        base = change.removesuffix("_change")
        verb = self.random.choice(_MOVED[self.values[change] > 0])
        since = self.random.choice((" since the session before", ""))
        to = self.random.choice(("", f" to {{{{{base}}}}}"))
        return f"The {self.name(base)} {verb} by {{{{{change}.size}}}}{to}{since}."

    def signed(self) -> str:
        """Return a sentence with the direction of a signed figure."""
        forms: list[Callable[[], str]] = [self._profit, self._scenario, self._active, self._net]
        return self.random.choice(forms)()

    def _profit(self) -> str:
        if not self._shows("daily_pnl"):
            return self._net()
        return (
            f"The portfolio {'gained' if self.values['daily_pnl'] > 0 else 'lost'}"
            " {{daily_pnl.size}} in the session."
        )

    def _scenario(self) -> str:
        fact = self.random.choice(
            [fact for fact in sorted(self.facts) if fact.endswith("_result") and self._shows(fact)]
        )
        verb = "would gain" if self.values[fact] > 0 else "would lose"
        return f"In {self.about(fact)} the portfolio {verb} {{{{{fact}.size}}}}."

    def _active(self) -> str:
        fact = self.random.choice(
            [fact for fact in sorted(self.facts) if fact.endswith("_active") and self._shows(fact)]
        )
        side = "overweight" if self.values[fact] > 0 else "underweight"
        return f"{self.about(fact)} is {side}, with an active weight of {{{{{fact}}}}}."

    def _net(self) -> str:
        side = "net long" if self.values["net_exposure"] > 0 else "net short"
        return f"The portfolio is {side}, with a net exposure of {{{{net_exposure}}}}."

    def first(self) -> str:
        """Return a sentence about the largest of its kind."""
        begins, kind, word, noun = self.random.choice(
            [
                ("pos", "weight", "largest", "position"),
                ("sec", "gross", "largest", "sector"),
                ("scn", "result", "worst", "scenario"),
            ]
        )
        ranked = [
            fact
            for fact in sorted(self.facts)
            if fact.startswith(begins) and fact.endswith(f"_{kind}")
        ]
        fact = next(of for of in ranked if self.facts[of]["rank"] == 1)
        named = self.random.choice(
            [said for said in self.facts[fact]["said_as"] if said not in (*_NO_NOUNS, noun)]
        )
        return f"{self.about(fact)} is the {word} {noun}, with a {named} of {{{{{fact}}}}}."

    def side(self) -> str:
        """Return a sentence about the side of a position."""
        fact = self.random.choice([fact for fact in sorted(self.facts) if fact.endswith("_side")])
        return f"{self.about(fact)} is a {self.values[fact]} position."

    def past(self) -> str:
        """Return a sentence in the past tense."""
        if self.random.random() < 0.5:
            fact = self.random.choice(_OVER)
            return f"The {self.name(fact)} was {{{{{fact}}}}}."
        fact = self.random.choice(sorted(fact for fact in self.facts if not self.about(fact)))
        return f"On {self.day} the {self.name(fact)} was {{{{{fact}}}}}."

    def part(self) -> str:
        """Return a sentence about a position's contribution to volatility."""
        shares = [
            fact for fact in sorted(self.facts) if fact.endswith("_share") and self.about(fact)
        ]
        adding = [fact for fact in shares if self.values[fact] > 0 and self._shows(fact)]
        if not adding:
            return self.plain()
        fact = self.random.choice(adding)
        return f"{self.about(fact)} accounts for {{{{{fact}.size}}}} of the portfolio's volatility."

    def true(self) -> str:
        """Return a random true sentence."""
        forms = (
            self.plain,
            self.plain,
            self.two,
            self.compared,
            self.compared,
            self.moved,
            self.signed,
            self.first,
            self.side,
        )
        forms += (self.past, self.part)
        return self.random.choice(forms)()

    def _shows(self, fact: str) -> bool:
        return any(digit in self.facts[fact]["shown_as"] for digit in "123456789")

    def false(self) -> Iterator[tuple[str, str]]:
        """Yield all applicable falsifications of a sentence, with the mutation."""
        text = self.true()
        ways = (
            self._direction,
            self._unit,
            self._sign,
            self._id,
            self._another,
            self._swap,
            self._entity,
            self._time,
            self._quantifier,
        )
        for way in (*ways, self._negation, self._tense):
            changed = way(text)
            if changed is not None and changed != text:
                yield way.__name__.strip("_"), changed

    def _direction(self, text: str) -> str | None:
        swaps = {
            **dict.fromkeys((*_UP[:4],), "below"),
            **dict.fromkeys((*_DOWN[:3],), "above"),
            "within": "at or beyond",
            "at or beyond": "within",
            "at or above": "at or below",
            "at or below": "at or above",
            **dict.fromkeys(_MOVED[True], "fell"),
            **dict.fromkeys(_MOVED[False], "rose"),
            "would lose": "would gain",
            "would gain": "would lose",
            "overweight": "underweight",
            "underweight": "overweight",
            "net long": "net short",
            "net short": "net long",
            " gained ": " lost ",
            " lost ": " gained ",
            "a long position": "a short position",
            "a short position": "a long position",
        }
        for word in sorted(swaps, key=len, reverse=True):
            if (
                f" {word.strip()} " in text
                or f" {word.strip()}." in text
                or f" {word.strip()}," in text
            ):
                return text.replace(word, swaps[word], 1)
        return None

    def _unit(self, text: str) -> str | None:
        units = (
            "%",
            " percent",
            " dollars",
            "bp",
            "x",
            " basis points",
            " million",
            "k",
            " USD",
            " EUR",
            " sessions",
            " years",
            "0",
            ".5",
        )
        return text.replace("}}", "}}" + self.random.choice(units), 1) if "}}" in text else None

    def _sign(self, text: str) -> str | None:
        if "{{" not in text:
            return None
        before = self.random.choice(
            ("-", "−", "minus ", "plus ", "+", "a loss of ", "a negative ", "less ", "~", "<")
        )
        return text.replace("{{", before + "{{", 1)

    def _id(self, text: str) -> str | None:
        """Replace a figure by one of another or an unknown type."""
        if "{{" not in text:
            return None
        at = text.index("{{") + 2
        fact = text[at : text.index("}}")]
        said = set(self.facts[fact.removesuffix(".size")]["said_as"])
        others = [
            of
            for of in sorted(self.facts)
            if not said & {*self.facts[of]["said_as"]} and not self._same_change(fact, of)
        ]
        return (
            text[:at]
            + self.random.choice([*others, "gamma", "volatility", "beta_252d"])
            + text[text.index("}}") :]
        )

    def _another(self, text: str) -> str | None:
        """Replace a figure by that of another entity."""
        for fact in sorted(self.facts, key=len, reverse=True):
            if f"{{{{{fact}" in text and self.about(fact):
                kind = fact[len(str(self.about(fact))) :]
                others = [
                    of
                    for of in sorted(self.facts)
                    if self.about(of) and of.endswith(kind) and of[:3] == fact[:3] and of != fact
                ]
                return text.replace(fact, self.random.choice(others))
        return None

    def _swap(self, text: str) -> str | None:
        """Swap two figures."""
        one, other = (
            re.findall(r"\{\{([a-z0-9_]+)\}\}", text)[:2]
            if text.count("}}") == 2 and ".size" not in text
            else ("", "")
        )
        if not one or {*self.facts[one]["said_as"]} & {*self.facts[other]["said_as"]}:
            return None
        return (
            text.replace(f"{{{{{one}}}}}", "{{?}}")
            .replace(f"{{{{{other}}}}}", f"{{{{{one}}}}}")
            .replace("{{?}}", f"{{{{{other}}}}}")
        )

    def _negation(self, text: str) -> str | None:
        """Reverse the statement."""
        contrary = self.random.choice(
            ("is not", "is no longer", "is hardly", "is neither", "was never", "is anything but")
        )
        said = text.replace(" was {{", " is {{")
        return (
            said.replace(" is ", f" {contrary} ", 1)
            if " is {{" in said
            else text.replace(" has ", " lacks ", 1)
        )

    def _tense(self, text: str) -> str | None:
        """Use the past tense where it is wrong."""
        present = [
            of
            for of in re.findall(r"\{\{(\w+)", text)
            if of not in (*_OVER, "daily_pnl") and not of.endswith("_change")
        ]
        return text.replace(" is ", " was ", 1) if present and self.day not in text else None

    def _same_change(self, fact: str, other: str) -> bool:
        return fact.removesuffix(".size").removesuffix("_change") == other.removesuffix("_change")

    def _entity(self, text: str) -> str | None:
        """Replace the entity by another one, or exchange entity and portfolio."""
        mentioned = [alias for alias in self.aliases if alias in text]
        if mentioned:
            sides = {self.values.get(f"{alias.lower()}_side") for alias in mentioned}
            others = [
                of
                for of in self.aliases
                if of not in mentioned
                and ("{{" in text or self.values.get(f"{of.lower()}_side") not in sides)
            ]
            return text.replace(
                mentioned[0], self.random.choice([*others, "POS_77", "Apple", "the market"])
            )
        if "The portfolio" in text:
            return text.replace(
                "The portfolio",
                self.random.choice([*self.aliases, "Tesla", "The benchmark", "The S&P"]),
            )
        return (
            text.replace(
                " is ",
                f" of {self.random.choice([*self.aliases, 'Tesla', 'gold', 'cash alone'])} is ",
                1,
            )
            if " is {{" in text
            else None
        )

    def _time(self, text: str) -> str | None:
        if self.random.random() < 0.3:
            for one, other in (
                ("21 sessions", "63 sessions"),
                ("63 sessions", "21 sessions"),
                (self.day, "2022-12-27"),
            ):
                if one in text and "volatility over 21" not in text.replace(one, other) * (
                    one == other
                ):
                    return text.replace(one, other)
        when = (
            "yesterday",
            "last week",
            "in January",
            "over the past year",
            "over 252 sessions",
            "in 2021",
            "tomorrow",
            "since last month",
        )
        later = (
            "for three days",
            "next year",
            "on 2022-12-27",
            "historically",
            "recently",
            "since the close",
            "overnight",
            "by Friday",
        )
        return f"{text[:-1]} {self.random.choice((*when, *later))}."

    def _quantifier(self, text: str) -> str | None:
        words = (
            "about",
            "nearly",
            "over",
            "roughly",
            "half of",
            "twice",
            "at least",
            "up to",
            "almost",
            "only",
            "some",
            "two times",
            "not",
        )
        if "{{" in text and self.random.random() < 0.5:
            return text.replace("{{", f"{self.random.choice(words)} {{{{", 1)
        starts = (
            "Every position shows that",
            "Most of the time",
            "All positions agree:",
            "None of this holds:",
            "Several times",
            "Never",
        )
        return (
            f"{self.random.choice(starts)}"
            f" {text[0].lower() if text.startswith('The') else text[0]}{text[1:]}"
        )


def generate_sentences(sheet: Sheet, count: int, random: Random) -> list[Sentence]:
    """Return ``count`` sentences about a sheet, half of them true."""
    author = Author(sheet, {fact.id: fact.value for fact in sheet.facts.values()}, random)
    found = [Sentence(author.true(), True, "") for _ in range(count // 2)]
    while len(found) < count:
        found += [Sentence(text, False, way) for way, text in author.false()][: count - len(found)]
    return found
