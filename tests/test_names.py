"""The rules of docs/reference/naming.md that a program can check."""

import ast
import re
from collections import Counter
from pathlib import Path

import riskmetrics

PACKAGE = Path(riskmetrics.__file__).parent
NOUNS = {"heading", "listing", "finding", "setting", "bookkeeping", "netting", "underlying"}
"""Names that end like a participle, and are nouns of the field, options or commands."""
VERBS = {"feed"}
BARE = re.compile(
    "_*(?:[a-z]+(?:ed|ing)|about|above|across|after|along|among|apart|around|as|at|before|behind|below"
    "|between|beyond|both|by|during|for|from|further|held|in|into|known|left|lost|made|of|off|on|once"
    "|others?|over|past|per|shown|since|sold|through|to|together|under|until|up|with|within|without)_*"
)


def test_a_name_is_that_of_one_module() -> None:
    by_subject = {PACKAGE / "catalog", PACKAGE / "insights" / "forms"}
    names = Counter(
        path.stem
        for path in PACKAGE.rglob("*.py")
        if path.parent not in by_subject and path.stem != "__init__"
    )
    assert {name for name, count in names.items() if count > 1} == set()


def test_no_function_is_named_by_a_bare_preposition_or_participle() -> None:
    bare = {
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and BARE.fullmatch(node.name)
    }
    assert {name.strip("_") for name in bare} - NOUNS - VERBS == set()
