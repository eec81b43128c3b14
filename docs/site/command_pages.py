"""Reference of the command line, from its help texts."""

from collections.abc import Iterator
from typing import Any

import typer

from docs.site.markdown import as_code, build_table, escape_cell
from riskmetrics.cli.main import app

_INTRODUCTION = """# Commands

After reading this page you know every command of `riskmetrics`, its arguments and its options.
`riskmetrics COMMAND --help` prints the same. [Errors and exit codes](errors.md) lists the exit
codes, [Settings](settings.md) the environment variables.

"""


def iterate_commands() -> Iterator[tuple[str, Any]]:
    """Yield every command and command group with its full name, groups before their commands."""
    yield from _walk("riskmetrics", typer.main.get_command(app))


def build_commands_page() -> str:
    """Return the page: one section for each command, below the one of its group."""
    return _INTRODUCTION + "\n".join(
        _build_section(name, command) for name, command in iterate_commands()
    )


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for part, subcommand in getattr(command, "commands", {}).items():
        if not subcommand.hidden:
            yield from _walk(f"{name} {part}", subcommand)


def _build_section(name: str, command: Any) -> str:
    level = min(max(len(name.split()), 2), 3)
    subcommands = getattr(command, "commands", {})
    first, *more = (command.help or "").split("\n\n")
    parts = [f"{'#' * level} {name}\n", _format_paragraph(first)]
    if not subcommands:
        parts.append(f"```text\n{_build_usage(name, command)}\n```\n")
    parts += map(_format_paragraph, more)
    rows = [_build_row(parameter, command) for parameter in command.params if not parameter.hidden]
    if rows:
        parts.append(build_table(("argument or option", "meaning"), rows))
    if subcommands:
        links = (
            f"[{as_code(part)}](#{f'{name} {part}'.replace(' ', '-')})"
            for part, subcommand in subcommands.items()
            if not subcommand.hidden
        )
        parts.append(f"Commands: {', '.join(links)}.\n")
    return "\n".join(parts)


def _format_paragraph(text: str) -> str:
    """Return a paragraph of a help text; an example becomes a code block."""
    plain = " ".join(text.split())
    example = plain.removeprefix("Example: ")
    if example != plain or plain.startswith("riskmetrics "):
        return f"```sh\n{example}\n```\n"
    return escape_cell(plain) + "\n"


def _build_usage(name: str, command: Any) -> str:
    arguments = [
        parameter for parameter in command.params if parameter.param_type_name == "argument"
    ]
    has_options = len(arguments) < len(command.params)
    words = [name, *(["[OPTIONS]"] if has_options else [])]
    words += [
        argument.name.upper() if argument.required else f"[{argument.name.upper()}]"
        for argument in arguments
    ]
    return " ".join(words)


def _build_row(parameter: Any, command: Any) -> tuple[str, str]:
    """Return an argument or option with the kind of its value, and its meaning and default."""
    is_switch = getattr(parameter, "is_flag", False)
    if parameter.param_type_name == "argument":
        names = [parameter.name.upper()]
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
    kind = "" if is_switch else f" {escape_cell(_name_type(parameter, command))}"
    meaning = escape_cell(parameter.help or "")
    if parameter.required:
        meaning += " Required."
    if not is_switch and not callable(parameter.default) and parameter.default not in (None, ""):
        meaning += f" Default: {as_code(str(parameter.default))}."
    return ", ".join(map(as_code, names)) + kind, meaning


def _name_type(parameter: Any, command: Any) -> str:
    """Return the kind of a value as `--help` prints it, with dates as people write them."""
    shown: str = parameter.display_type(typer.Context(command)).strip("<>")
    for code, part in (("%Y", "YYYY"), ("%m", "MM"), ("%d", "DD"), ("str", "text")):
        shown = shown.replace(code, part)
    return shown
