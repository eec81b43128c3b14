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
    """Return the page: the tasks, and below each a section for each of its commands."""
    root = typer.main.get_command(app)
    parts = [_INTRODUCTION, _build_section("riskmetrics", root)]
    for task, commands in _group_by_panel(root).items():
        parts.append(f"## {task}\n")
        for part, command in commands.items():
            for name, subcommand in _walk(f"riskmetrics {part}", command):
                parts.append(_build_section(name, subcommand))
    return "\n".join(parts)


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for commands in _group_by_panel(command).values():
        for part, subcommand in commands.items():
            yield from _walk(f"{name} {part}", subcommand)


def _group_by_panel(group: Any) -> dict[str, dict[str, Any]]:
    """Return the visible commands of a group by the panel of `--help` that shows them."""
    panels: dict[str, dict[str, Any]] = {}
    for name in group.list_commands(None) if hasattr(group, "commands") else ():
        command = group.commands[name]
        if not command.hidden:
            panels.setdefault(command.rich_help_panel or "Commands", {})[name] = command
    return panels


def _build_section(name: str, command: Any) -> str:
    level = min(len(name.split()) + 1, 4)
    panels = _group_by_panel(command)
    first, *more = (command.help or "").split("\n\n")
    parts = [f"{'#' * level} {name}\n", _format_paragraph(first)]
    if not panels:
        parts.append(f"```text\n{_build_usage(name, command)}\n```\n")
    parts += map(_format_paragraph, more)
    rows = [_build_row(parameter, command) for parameter in command.params if not parameter.hidden]
    if rows:
        parts.append(build_table(("argument or option", "meaning"), rows))
    if panels:
        table = (
            (task, ", ".join(_link(name, part) for part in commands))
            for task, commands in panels.items()
        )
        parts.append(build_table(("task", "commands"), table))
    return "\n".join(parts)


def _link(group: str, name: str) -> str:
    return f"[{as_code(name)}](#{f'{group} {name}'.replace(' ', '-')})"


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
    """Return the kind of a value as `--help` prints it."""
    shown: str = parameter.metavar or parameter.display_type(typer.Context(command))
    return shown.strip("<>").replace("str", "text")
