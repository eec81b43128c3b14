"""Checks of `riskmetrics doctor` on settings whose mistakes would be seen late."""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from riskmetrics.cli.findings import Check
from riskmetrics.errors import ConfigurationError
from riskmetrics.text import describe_extra, suggest_name

if TYPE_CHECKING:
    from riskmetrics.settings import Settings

_PREFIX = "RISKMETRICS_"
_CONNECT_SECONDS = 3.0
"""Seconds within which a Dask scheduler must accept a connection."""


def _check_values(configured: "Settings") -> Iterator[tuple[str, ...]]:
    """List all settings with their origins."""
    from riskmetrics.db.engine import normalize_url, redact_url
    from riskmetrics.setting_origins import setting_origins

    for name, field, origin, is_secret in setting_origins():
        value = getattr(configured, field)
        shown = (
            "not set"
            if value is None
            else "set, value hidden"
            if is_secret
            else _redact_login(str(value))
        )
        if field == "database_url" and value is not None:
            try:
                shown = redact_url(normalize_url(value.get_secret_value()))
            except ConfigurationError as error:
                yield "fail", f"{name}: {error}"
                continue
        yield "ok", f"{name} = {shown}  ({origin})"


def _redact_login(text: str) -> str:
    """Return a text without the user and password of a URL, which a proxy may need."""
    return re.sub(r"(?<=://)[^/?#]*@", "[hidden]@", text)


def _check_names(_configured: "Settings") -> Iterator[tuple[str, ...]]:
    """Find variables that are no setting: a misspelled one leaves the default in force."""
    from dotenv import dotenv_values

    from riskmetrics.setting_origins import setting_origins

    known = [origin.name for origin in setting_origins()]
    for where, names in (("the environment", os.environ), (".env", dotenv_values(".env"))):
        for name in sorted(names):
            if name.upper().startswith(_PREFIX) and name.upper() not in known:
                near = suggest_name(name, known)
                yield "warn", f"{name} in {where} is not a setting, and has no effect{near}"


def _check_layouts(configured: "Settings") -> Iterator[tuple[str, ...]]:
    """Read the user's layouts of holdings files."""
    from riskmetrics.sources.layouts import load_layouts

    if configured.layouts is None:
        return
    try:
        load_layouts(configured.layouts)
    except ConfigurationError as error:
        yield "fail", str(error)


def _check_first_session(configured: "Settings") -> Iterator[tuple[str, ...]]:
    from riskmetrics import trading_calendar

    first, last = configured.first_session, trading_calendar.last_completed_session()
    if first is not None and first > last:
        text = f"RISKMETRICS_FIRST_SESSION is {first}, after the latest ended session, {last}"
        yield "fail", text


def _check_dask(configured: "Settings") -> Iterator[tuple[str, ...]]:
    from importlib.util import find_spec

    if configured.dask_scheduler is not None and find_spec("distributed") is None:
        text = "RISKMETRICS_DASK_SCHEDULER is set, but Dask is not installed"
        yield "fail", text, describe_extra("dask")


def _check_scheduler(configured: "Settings") -> Iterator[tuple[str, ...]]:
    """Connect to the Dask scheduler."""
    import socket

    if configured.dask_scheduler is None:
        return
    name = f"RISKMETRICS_DASK_SCHEDULER is {configured.dask_scheduler}"
    address = urlsplit(configured.dask_scheduler)
    try:
        with closing(socket.create_connection((address.hostname, address.port), _CONNECT_SECONDS)):
            yield "ok", f"{name}: it accepts connections"
    except (OSError, ValueError) as error:
        yield "fail", f"{name}, but nothing answers there: {error}"


SETTING_CHECKS = (
    Check(
        "settings",
        _check_values,
        "correct it: postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    ),
    Check("settings", _check_names, "correct the name, or remove it"),
    Check("settings", _check_layouts, "correct the file, or set RISKMETRICS_LAYOUTS"),
    Check("settings", _check_first_session, "choose an earlier one, or remove the setting"),
    Check("settings", _check_dask),
)
ONLINE_CHECKS = (
    Check("settings", _check_scheduler, "start it, or correct the address, or remove the setting"),
)
