"""Draw charts as SVG with vl-convert, and keep what was drawn.

One chart takes 25 ms and the libraries for the browser take a second: a report of the same results
is written without drawing anything again.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

from riskmetrics.charts.chart import Layer
from riskmetrics.folders import create_home

_REMOVED = re.compile(
    r' (?:class|role|aria-[a-z]+|pointer-events|font-family|xmlns:xlink|version)="[^"]*"'
    r'| opacity="1"| stroke-width="0"| stroke-miterlimit="10"'
    r'|<path[^>]* d=""[^>]*/>|<path[^>]*d="M0,0h0v0h0Z"[^>]*/>'
    r'|<path class="(?:background|foreground)"[^>]*/>'
)
_EMPTY_GROUP = re.compile(r"<g(?: transform=\"translate\(0,0\)\")?>((?:(?!<g|</g>).)*)</g>")
_TAG = re.compile(r"<[^>]*>")
_DECIMALS = re.compile(r'(opacity="0\.\d\d|(?<!opacity=")-?\d+\.\d)\d+')
"""Digits that cannot be seen: those of coordinates after one decimal, of opacities after two."""
_SIZE = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)" viewBox="([^"]*)">')

_SNIPPET = "window.vegaEmbed = vegaEmbed;"
"""What a page uses of the libraries for the browser."""


class ChartRenderer:
    """Draw charts, and keep the drawings in a folder by the digest of their specification.

    The folder is a cache: it may be deleted, and only what the last report used stays in it.
    """

    def __init__(self, folder: Path | None) -> None:
        """Use a folder, which is created when something is drawn; None: keep nothing."""
        self._folder = folder
        self._used: set[str] = set()

    def draw(self, specification: Layer) -> str:
        """Return the SVG of a specification, without class names, roles and needless digits.

        It has a view box and no size, no title and no font: the page adds them.
        """
        text = json.dumps(specification, sort_keys=True)
        return self._keep("svg", text, lambda: convert(specification))

    def browser_bundle(self) -> str:
        """Return the script with Vega, Vega-Lite and Vega-Embed that makes charts interactive."""
        return self._keep("js", _SNIPPET, bundle)

    def compressed_bundle(self) -> str:
        """Return the same script as a page embeds it: gzip in base64, a third of its size."""
        script = self.browser_bundle()
        return self._keep("gz", _SNIPPET, lambda: compress(script))

    def remove_unused(self) -> None:
        """Remove the drawings that this object has neither drawn nor read."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name not in self._used:
                with suppress(OSError):
                    path.unlink()

    def _keep(self, kind: str, text: str, draw: Callable[[], str]) -> str:
        digest = hashlib.sha256(f"{_code_version()} {kind} {text}".encode()).hexdigest()
        name = f"{digest[:32]}.{kind}"
        self._used.add(name)
        if self._folder is None:
            return draw()
        path = self._folder / name
        with suppress(OSError):
            return path.read_text(encoding="utf-8")
        drawn = draw()
        with suppress(OSError):  # a full disk or a folder of another account costs only time
            create_home(self._folder)
            with NamedTemporaryFile("w", encoding="utf-8", dir=self._folder, delete=False) as file:
                file.write(drawn)
            Path(file.name).replace(path)
        return drawn


def convert(specification: Layer) -> str:
    """Draw a specification, and return its compact SVG."""
    import vl_convert  # slow to import

    return compact(vl_convert.vegalite_to_svg(specification))


def bundle() -> str:
    """Return the script with the libraries for the browser."""
    import vl_convert  # slow to import

    return vl_convert.javascript_bundle(_SNIPPET)


def compress(text: str) -> str:
    """Return a text as base64 of its gzip.

    Examples
    --------
    >>> gzip.decompress(base64.b64decode(compress("vega")))
    b'vega'
    """
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def compact(svg: str) -> str:
    """Return an SVG of Vega without what only Vega's own styles and scripts need.

    Examples
    --------
    >>> compact(
    ...     '<svg class="marks" width="4" height="2" viewBox="0 0 4 2"><g class="mark-group">'
    ...     '<path d="M0.123,1.0004L2,3" stroke="#000"/></g></svg>'
    ... )
    '<svg viewBox="0 0 4 2"><path d="M0.1,1.0L2,3" stroke="#000"/></svg>'
    """
    found = _REMOVED.sub("", svg)
    found = _SIZE.sub(r'<svg viewBox="\3">', found)
    found = _TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), found)  # labels keep their digits
    while (smaller := _EMPTY_GROUP.sub(r"\1", found)) != found:
        found = smaller
    return found


def to_file(svg: str, font: str) -> str:
    """Return a drawing as a file of its own, with what a page adds: namespace and font.

    Examples
    --------
    >>> to_file('<svg viewBox="0 0 4 2"></svg>', "Arial")
    '<svg xmlns="http://www.w3.org/2000/svg" font-family="Arial" viewBox="0 0 4 2"></svg>'
    """
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" font-family="{font}"'
    return svg.replace("<svg", opening, 1)


@cache
def _code_version() -> str:
    """Return what drawings depend on apart from their specification."""
    source = Path(__file__).read_bytes()
    return f"{version('vl-convert-python')} {hashlib.sha256(source).hexdigest()}"
