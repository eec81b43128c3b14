"""Reference of errors and exit codes, from `riskmetrics.errors`."""

from collections.abc import Iterator

from docs.site.markdown import as_code, build_table, escape_cell
from riskmetrics.errors import PARTIAL_EXIT_CODE, RiskmetricsError

_INTRODUCTION = """# Errors and exit codes

After reading this page you can act on the exit code of a command, and on each error.

A command prints an error as one line on stderr: what happened, where, and what to do.

"""

_CODES_WITHOUT_ERROR = {
    0: "Done. Warnings do not change this.",
    1: "Something else failed, such as the operating system refusing a file.",
    PARTIAL_EXIT_CODE: "Done, but some of the input could not be fetched, or is outdated.",
    130: "Interrupted with Ctrl-C; results stored so far are kept.",
}
"""Meaning of the exit codes that no class of errors explains."""


def iterate_errors(
    root: type[RiskmetricsError] = RiskmetricsError,
) -> Iterator[type[RiskmetricsError]]:
    """Yield every error class, each before its subclasses."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == root.__module__:
            yield from iterate_errors(child)


def build_errors_page() -> str:
    """Return the page: a table of exit codes, and one of error classes."""
    errors = list(iterate_errors())
    codes = sorted({error.exit_code for error in errors} | set(_CODES_WITHOUT_ERROR))
    code_rows = [(str(code), _describe_code(code, errors)) for code in codes]
    error_rows = [
        (
            as_code(error.__name__),
            as_code(error.__mro__[1].__name__),
            str(error.exit_code),
            _describe(error),
        )
        for error in errors
    ]
    return (
        _INTRODUCTION
        + "## Exit codes\n\n"
        + build_table(("code", "meaning"), code_rows)
        + "\n## Errors\n\nAll are in `riskmetrics.errors`.\n\n"
        + build_table(("error", "derives from", "exit code", "meaning"), error_rows)
    )


def _describe_code(code: int, errors: list[type[RiskmetricsError]]) -> str:
    """Return the meaning of an exit code: that of the main classes of errors with it."""
    if code in _CODES_WITHOUT_ERROR:
        return _CODES_WITHOUT_ERROR[code]
    main = [error for error in errors if error.__mro__[1] is RiskmetricsError]
    clauses = [_describe(error).split(";")[0] for error in main if error.exit_code == code]
    return " ".join(f"{clause.rstrip('.')}." for clause in clauses)


def _describe(error: type[RiskmetricsError]) -> str:
    return escape_cell((error.__doc__ or "").split("\n\n")[0])
