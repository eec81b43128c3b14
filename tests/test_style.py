"""Rules of docs/reference/naming.md, and sizes of modules and functions."""

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

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
"""Without the docstring."""
MODULES = {
    path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))
}
FUNCTIONS = [
    (path, node)
    for path, module in MODULES.items()
    for node in ast.walk(module)
    if isinstance(node, ast.FunctionDef)
]


def test_a_name_is_that_of_one_module() -> None:
    by_subject = {PACKAGE / "catalog", PACKAGE / "insights" / "forms"}
    names = Counter(
        path.stem for path in MODULES if path.parent not in by_subject and path.stem != "__init__"
    )
    assert {name for name, count in names.items() if count > 1} == set()


def test_no_function_is_named_by_a_bare_preposition_or_participle() -> None:
    bare = {node.name.strip("_") for _, node in FUNCTIONS if BARE.fullmatch(node.name)}
    assert bare - NOUNS - VERBS == set()


def test_modules_and_functions_are_short() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert [path for path, n_lines in lines.items() if n_lines > MAX_MODULE_LINES] == []
    assert [
        (path, node.name) for path, node in FUNCTIONS if _code_lines(node) > MAX_FUNCTION_LINES
    ] == []


def _code_lines(function: ast.FunctionDef) -> int:
    """Return the number of lines of the body without its docstring."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function) is not None
    start = (first.end_lineno or 0) + 1 if has_docstring else first.lineno
    return (function.end_lineno or 0) - start + 1
