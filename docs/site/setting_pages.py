"""Reference of the settings, from `riskmetrics.settings.Settings`."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import AliasChoices, SecretStr
from pydantic_core import PydanticUndefined

from docs.site.markdown import as_code, build_table, escape_cell
from riskmetrics.setting_origins import setting_origins
from riskmetrics.settings import Settings

_INTRODUCTION = """# Settings

After reading this page you know every setting, its default and where its value comes from.

A setting is an environment variable. Its value comes from the first of these that has one:

1. the environment of the process;
2. the file `.env` in the current directory;
3. for the market index, the rate index and the benchmark: the value stored in the database with
   `riskmetrics db setting`;
4. the default.

An empty value counts as unset. `riskmetrics doctor` names the origin of each setting that is set,
and never prints a secret.

"""


class Setting(NamedTuple):
    """Name and other accepted names, default, meaning of a setting, and whether it is secret."""

    names: tuple[str, ...]
    default: object
    meaning: str
    is_secret: bool


def iterate_settings() -> Iterator[Setting]:
    """Yield every setting in the order of the code."""
    secrets = {origin.field for origin in setting_origins() if origin.is_secret}
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [alias]
        yield Setting(
            tuple(map(str, names)), info.default, info.description or "", field in secrets
        )


def build_settings_page() -> str:
    """Return the page: a table of all settings."""
    rows = [
        (" or ".join(map(as_code, setting.names)), _describe(setting))
        for setting in iterate_settings()
    ]
    return _INTRODUCTION + build_table(("setting", "meaning"), rows)


def _describe(setting: Setting) -> str:
    default = _format_default(setting.default)
    parts = [escape_cell(setting.meaning), "Secret." if setting.is_secret else ""]
    parts.append(f"Default: {as_code(default)}." if default else "")
    return " ".join(filter(None, parts))


def _format_default(default: object) -> str:
    if default is None or default is PydanticUndefined or isinstance(default, SecretStr):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)
