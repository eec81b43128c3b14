"""Help texts: every command in one group, on one line of a narrow terminal, with an example."""

from collections import Counter
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from riskmetrics.cli.main import _COMMANDS, app
from tests.commands import invoke

LARGE = 6
"""Commands from which on a group is divided."""


def iterate_groups(
    group: TyperGroup, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperGroup]]:
    """Yield a group and the groups in it, with their names."""
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from iterate_groups(command, (*path, name))


GROUPS = dict(iterate_groups(typer.main.get_command(app)))


def read_panels(path: tuple[str, ...], width: int) -> dict[str, list[str]]:
    """Return the lines of each panel of a help page, by its title."""
    result = invoke(*path, "--help", env={"COLUMNS": str(width)})
    panels: dict[str, list[str]] = {}
    for line in result.output.splitlines():
        assert len(line) <= width
        if line.startswith("╭─ "):
            lines = panels.setdefault(line.strip("╭─╮ "), [])
        elif line.startswith("│"):
            lines.append(line.strip("│ "))
    return panels


def test_every_command_belongs_to_one_task() -> None:
    names = Counter(name for commands in _COMMANDS.values() for name in commands)
    assert set(names.values()) == {1}
    assert set(names) == set(GROUPS[()].commands)


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "riskmetrics")
def test_each_command_takes_one_line_of_80_columns(path: tuple[str, ...]) -> None:
    panels = read_panels(path, 80)
    panels.pop("Options")
    shown = [line.split()[0] for lines in panels.values() for line in lines]
    assert sorted(shown) == sorted(GROUPS[path].commands)
    assert all(line.endswith(".") for lines in panels.values() for line in lines)


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "riskmetrics")
def test_large_groups_are_divided_by_task(path: tuple[str, ...]) -> None:
    panels = read_panels(path, 80)
    is_divided = "Commands" not in panels
    assert is_divided == (len(GROUPS[path].commands) >= LARGE)
    if is_divided:
        assert len(panels) > 2
