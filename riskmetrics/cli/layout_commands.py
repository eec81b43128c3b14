"""`riskmetrics layouts`: list the layouts of holdings files, and check a file against all."""

from typing import TYPE_CHECKING

import typer

from riskmetrics.cli.output import print_frame, print_json
from riskmetrics.cli.shared_options import AsJson, File

if TYPE_CHECKING:
    from riskmetrics.sources.layout_checks import FileCheck

app = typer.Typer(
    help="List the layouts of files that are read, and check a file.",
    no_args_is_help=True,
)


@app.command("list")
def list_layouts(as_json: AsJson = False) -> None:
    """List the layouts of holdings files, and how to export each.

    Your own layouts are TOML files in the directory of RISKMETRICS_LAYOUTS.

    Example: riskmetrics layouts list
    """
    import pandas as pd

    from riskmetrics import settings
    from riskmetrics.sources.layouts import load_layouts

    library = load_layouts(settings.load().layouts)
    rows = [
        {"layout": one.name, "export": one.export, "left_out": one.left_out}
        for one in (*library.layouts, *library.unsupported)
        if one.export
    ]
    print_frame(pd.DataFrame(rows), as_json=as_json)


@app.command()
def check(file: File, as_json: AsJson = False) -> None:
    """Print what a file is, and what each of its columns means.

    Nothing is stored. For each line of a file of holdings, use `import portfolio --dry-run`.

    Example: riskmetrics layouts check positions.csv
    """
    from riskmetrics import settings
    from riskmetrics.sources.layout_checks import check_file
    from riskmetrics.sources.layouts import load_layouts

    configured = settings.load()
    found = check_file(file, configured.limits, load_layouts(configured.layouts))
    if as_json:
        print_json(
            {
                "kind": found.kind.kinds,
                "alternatives": found.kind.alternatives,
                "commands": found.commands,
                "evidence": found.kind.evidence,
                "format": found.file_format,
                "layouts": [one._asdict() for one in found.layouts],
                "columns": [one._asdict() for one in found.columns],
            }
        )
        return
    _print_check(found)


def _print_check(found: "FileCheck") -> None:
    import pandas as pd

    typer.echo(f"{found.kind.describe()}, {found.file_format}")
    for command in found.commands:
        typer.echo(f"Import it with `{command}`.")
    if found.layouts:
        print_frame(
            pd.DataFrame(found.layouts),
            as_json=False,
            formats={"matches": lambda value: "yes" if value else "no"},
            title="Layouts",
        )
    if found.columns:
        typer.echo()
        print_frame(
            pd.DataFrame(found.columns), as_json=False, title=f"Columns, line {found.header_line}"
        )
