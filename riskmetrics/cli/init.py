"""`riskmetrics init`: settings, holdings, data and a first run for a new user."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer

from riskmetrics.cli.database import find_session, read_transaction
from riskmetrics.cli.output import echo_err
from riskmetrics.errors import PARTIAL_EXIT_CODE, RiskmetricsError, SourceError, UsageError

_KEY_SETTINGS = {"fmp": "FMP_API_KEY", "tiingo": "RISKMETRICS_TIINGO_API_KEY"}
"""Setting of the key of each source that needs one."""
_KEY_FIELDS = {"FMP_API_KEY": "fmp_api_key", "RISKMETRICS_TIINGO_API_KEY": "tiingo_api_key"}
_FOLDERS = {"RISKMETRICS_HOME": "home_directory", "DAGSTER_HOME": "dagster_directory"}
"""Directories of the environment that are written to .env: a scheduler does not see a shell's."""
_DEFAULT_NAME = "Portfolio"
"""Name of the portfolio of a file that names no account."""
_SOURCES = """\
Data sources of prices:
  yahoo   no key; for personal use, without a guarantee (needs pip install -e '.[yahoo]')
  tiingo  free key from https://www.tiingo.com: prices only
  fmp     key from https://financialmodelingprep.com: prices, profiles and benchmark
  none    you import files"""

_Source = Annotated[
    str | None, typer.Option(help="yahoo, tiingo, fmp, none, or several such as tiingo,yahoo.")
]
_Key = Annotated[
    str | None,
    typer.Option(
        help=(
            "API key of the source. Other users of the machine can see it while the command runs:"
            " without it, it is taken from the environment, or asked for."
        )
    ),
]
_Holdings = Annotated[
    Path | None, typer.Option(help="Holdings file of your broker, or a table of your own.")
]
_Name = Annotated[
    str,
    typer.Option(
        help=(
            "Name of the portfolio in the holdings file. Default: the account named in the file,"
            f" else {_DEFAULT_NAME}."
        )
    ),
]
_Equity = Annotated[
    float | None,
    typer.Option(help="Equity (net value plus cash) in USD. Default: as stated in the file."),
]
_Schedule = Annotated[
    bool | None,
    typer.Option("--schedule/--no-schedule", help="Compute every evening while `ui` runs."),
]
_Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace settings in an existing .env without asking.")
]


class _Answers(NamedTuple):
    """What the user chose, by options or when asked."""

    source: str
    keys: dict[str, str]
    """Keys of the sources by setting, without those that are set already."""
    holdings: Path | None
    is_scheduled: bool


def init(
    source: _Source = None,
    key: _Key = None,
    holdings: _Holdings = None,
    name: _Name = "",
    equity: _Equity = None,
    schedule: _Schedule = None,
    overwrite: _Overwrite = False,
) -> None:
    """Set up a data source, import holdings, compute a first session.

    Asks for what no option says. Writes the settings to .env in the current directory, which only
    you may read, with RISKMETRICS_HOME and DAGSTER_HOME if they are set. Then imports the holdings,
    fetches their prices and prints the results.

    Example: riskmetrics init

    riskmetrics init --source yahoo --holdings positions.csv --schedule
    """
    answers = _collect_answers(source, key, holdings, schedule)
    _write_settings(answers, is_overwrite_allowed=overwrite)
    needs_prices = answers.source == "none"
    if answers.holdings is None:
        _print_next(_NEXT_PRICES if needs_prices else _NEXT_RUN, answers, _hint_holdings())
        return
    from riskmetrics.cli import import_portfolio, run

    name = name or ("" if import_portfolio.names_accounts(answers.holdings) else _DEFAULT_NAME)
    code = _complete(
        partial(import_portfolio.portfolio, answers.holdings, name=name, equity=equity)
    )
    if needs_prices:
        _print_next(_NEXT_PRICES, answers)
    else:
        try:
            code = _complete(run.run) or code
        except (SourceError, typer.Exit):
            _print_next(_NEXT_WITHOUT_ANSWER, answers)
            raise
        _print_results()
        _print_next(_NEXT, answers)
    if code:
        raise typer.Exit(code)


def _collect_answers(
    source: str | None, key: str | None, holdings: Path | None, schedule: bool | None
) -> _Answers:
    """Return the options, and the answers to questions about those that are missing.

    Raises UsageError if an option is invalid, or missing without a terminal to ask on.
    """
    can_ask = sys.stdin.isatty()
    if source is None:
        if not can_ask:
            raise UsageError("cannot ask without a terminal: pass --source")
        echo_err(_SOURCES)
        source = str(typer.prompt("Data source", default="yahoo", err=True))
    source = source.strip().lower()
    keys = _collect_keys(source, key, can_ask=can_ask)
    if holdings is None and can_ask:
        text = typer.prompt(
            "Holdings file (empty: later)", default="", show_default=False, err=True
        )
        holdings = Path(text).expanduser() if text else None
    if holdings is not None and not holdings.is_file():
        raise UsageError(f"{holdings} is not a file: pass the holdings file of your broker")
    if schedule is None:
        schedule = can_ask and typer.confirm("Compute every evening?", default=True, err=True)
    return _Answers(source, keys, holdings, schedule)


def _collect_keys(source: str, key: str | None, *, can_ask: bool) -> dict[str, str]:
    """Return the keys to write: the option, or the answer to a question for each that is unset."""
    from riskmetrics import settings

    names = [part.strip() for part in source.split(",")]
    needed = [_KEY_SETTINGS[name] for name in names if name in _KEY_SETTINGS]
    if key is not None:
        if len(needed) != 1:
            raise UsageError(
                f"--key is for one source that needs a key, and {source} has"
                f" {len(needed) or 'none'}. Set keys by their environment variables"
            )
        return {needed[0]: key}
    configured = settings.load()
    missing = [name for name in needed if getattr(configured, _KEY_FIELDS[name]) is None]
    if missing and not can_ask:
        raise UsageError(f"{missing[0]} is not set: set it in the environment, or pass --key")
    return {name: str(typer.prompt(name, hide_input=True, err=True)) for name in missing}


def _write_settings(answers: _Answers, *, is_overwrite_allowed: bool) -> None:
    """Write the settings to .env, after a question if it exists; restore it if they are invalid.

    Raises UsageError if the file exists and nobody confirms. Raises ConfigurationError if the
    settings are invalid, or the source cannot be used.
    """
    from riskmetrics import settings
    from riskmetrics.cli import env_file
    from riskmetrics.sources.source_registry import configured_definitions

    values = {
        "RISKMETRICS_SOURCE": answers.source,
        **answers.keys,
        **_collect_folders(),
        "RISKMETRICS_NIGHTLY": str(answers.is_scheduled).lower(),
    }
    before = env_file.read_env_file()
    text = env_file.merge_settings(before, values)
    if before and text != before and not is_overwrite_allowed:
        question = f".env exists. Set {', '.join(values)} in it? Other lines stay"
        if not sys.stdin.isatty():
            raise UsageError(".env exists: pass --overwrite to set values in it; other lines stay")
        typer.confirm(question, abort=True, err=True)
    env_file.write_env_file(text)
    try:
        configured_definitions(settings.load())
    except RiskmetricsError:
        if before:
            env_file.write_env_file(before)
        else:
            env_file.ENV_FILE.unlink()
        raise
    echo_err(f"wrote {env_file.ENV_FILE.absolute()} (mode 0600)")
    for name, value in values.items():
        if os.environ.get(name) not in (None, "", value):
            echo_err(f"note: {name} in the environment takes precedence over .env")
    written = env_file.list_settings(text)
    for name in sorted(os.environ.keys() - written):
        if name.startswith("RISKMETRICS_") or name in (*_KEY_FIELDS, "ANTHROPIC_API_KEY"):
            echo_err(f"note: {name} is only in the environment: a crontab needs it in .env")


def _collect_folders() -> dict[str, str]:
    """Return the absolute directories that the environment names, by setting."""
    from riskmetrics import settings

    named = [name for name in _FOLDERS if os.environ.get(name)]
    configured = settings.load() if named else None
    return {name: str(getattr(configured, _FOLDERS[name])) for name in named}


def _hint_holdings() -> str:
    """Return how to store holdings, or nothing if some are stored."""
    import sqlalchemy as sa

    from riskmetrics import settings
    from riskmetrics.db import embedded, input_queries

    configured = settings.load()
    if configured.database_url is None and not embedded.has_cluster(configured.home_directory):
        return _HOLDINGS_STEPS
    try:
        with read_transaction() as connection:
            return _HOLDINGS_STEPS if input_queries.read_portfolios(connection).empty else ""
    except sa.exc.OperationalError:
        return _HOLDINGS_STEPS


def _print_next(steps: str, answers: _Answers, before: str = "") -> None:
    """Print the next steps, and how to compute every evening with this directory's settings."""
    steps = f"\nNext:\n{before}{steps}{_NEXT_SCHEDULED if answers.is_scheduled else ''}"
    begin = "Instead of ui, you can" if answers.is_scheduled else "To compute every evening,"
    from riskmetrics import settings

    configured = settings.load()
    command = shutil.which("riskmetrics") or "riskmetrics"
    folder, command = (shlex.quote(text) for text in (str(Path.cwd()), command))
    fetch = f"{command} import prices FILE; " if answers.source == "none" else ""
    compute = f"{command} catch-up"
    if configured.alert_webhook or configured.alert_email:
        compute = f'{{ {compute} || {command} alert "the nightly run failed"; }}'
    minute, hour, days = _find_evening()
    typer.echo(
        f"{steps}\n\n{begin} add to your crontab (18:30 in New York is at the latest"
        f" {hour:02}:{minute:02} in this machine's time zone):"
        f"\n  {minute} {hour} * * {days}  cd {folder} && {fetch}{compute}"
    )


def _find_evening() -> tuple[int, int, str]:
    """Return minute, hour and weekdays here of 18:30 in New York, the latest of the year."""
    zone, year = ZoneInfo("America/New_York"), date.today().year
    evenings = [datetime(year, month, 15, 18, 30, tzinfo=zone) for month in range(1, 13)]
    pairs = [(evening.astimezone(), evening) for evening in evenings]
    here, evening = max(pairs, key=lambda pair: (pair[0].date() - pair[1].date(), pair[0].time()))
    return here.minute, here.hour, "1-5" if here.date() == evening.date() else "2-6"


def _complete(command: Callable[[], None]) -> int:
    """Run a command, and return its exit code, which may be that of missing input."""
    try:
        command()
    except typer.Exit as done:
        if done.exit_code != PARTIAL_EXIT_CODE:
            raise
        return done.exit_code
    return 0


def _print_results() -> None:
    """Print the summaries of all portfolios for the latest session with results."""
    from riskmetrics.cli.summary import print_summaries
    from riskmetrics.db import input_queries

    with read_transaction() as connection:
        session: date = find_session(connection, None)
        names = list(input_queries.read_portfolios(connection)["name"])
    print_summaries(session, names)


_HOLDINGS_STEPS = """\
  riskmetrics import portfolio positions.csv       what you hold
  riskmetrics portfolio add Growth AAPL=10 MSFT=5  the same without a file
"""

_NEXT_RUN = """\
  riskmetrics run"""

_NEXT_PRICES = """\
  riskmetrics import prices FILE           closes of the holdings and of the market index, SPY
  riskmetrics db setting market_index QQQ  if another index has the closes
  riskmetrics import profiles FILE         names and sectors
  riskmetrics run"""

_NEXT_WITHOUT_ANSWER = """\
  riskmetrics run                          again: .env and the holdings are stored
  riskmetrics import prices FILE           or prices from files, then
  riskmetrics run --offline                without the data source"""

_NEXT = """\
  riskmetrics report                       the results as a web page, report.html
  riskmetrics show betas                   betas of all positions, with standard errors
  riskmetrics doctor                       what is missing or outdated"""

_NEXT_SCHEDULED = """
  riskmetrics ui                           keep it running: it computes every evening"""
