"""Formulas in LaTeX as MathML, which browsers render without a script or a font."""

import re
from typing import Any

import griffe
from latex2mathml.converter import convert

_BLOCK = re.compile(r"^( *)```math\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"\$`([^`]+)`\$")
_ROLE = re.compile(r":math:`([^`]+)`")
_DIRECTIVE = re.compile(r"^( *)\.\. math::\n\n((?:\1 +.*\n?|\n)+)", re.MULTILINE)


def convert_formulas(page: str) -> str:
    """Convert the formulas of a Markdown page: blocks of ``math``, and $`…`$ as on GitHub."""
    page = _BLOCK.sub(lambda found: f"{_to_block(found[2])}\n", page)
    return _INLINE.sub(lambda found: _to_inline(found[1]), page)


def convert_docstring_formulas(docstring: str) -> str:
    """Convert the formulas of a docstring, written as Sphinx does: ``:math:`` and ``.. math::``."""
    docstring = _DIRECTIVE.sub(lambda found: f"{found[1]}{_to_block(found[2])}\n\n", docstring)
    return _ROLE.sub(lambda found: _to_inline(found[1]), docstring)


class FormulaExtension(griffe.Extension):
    """Extension of griffe that converts the formulas of all docstrings."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Convert the docstring of a loaded object."""
        if obj.docstring:
            obj.docstring.value = convert_docstring_formulas(obj.docstring.value)


def _to_block(latex: str) -> str:
    return f'<div class="formula">{_to_mathml(latex, display="block")}</div>'


def _to_inline(latex: str) -> str:
    """Return a formula in a span: Markdown takes ``math`` at the start of a line for a block."""
    return f"<span>{_to_mathml(latex)}</span>"


def _to_mathml(latex: str, display: str = "inline") -> str:
    """Return MathML on one line, without characters that have a meaning in Markdown."""
    mathml = convert(" ".join(latex.split()), display=display)
    for character in "*_`|\\":
        mathml = mathml.replace(character, f"&#{ord(character)};")
    return mathml
