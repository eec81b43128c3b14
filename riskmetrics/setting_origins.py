"""Origins of the values of settings: the environment, ``.env`` or a default."""

from typing import NamedTuple

from pydantic import AliasChoices
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from riskmetrics.settings import Settings


class SettingOrigin(NamedTuple):
    """Origin of the value of a setting."""

    name: str
    """Environment variable."""
    field: str
    source: str
    """One of environment, .env and default."""
    is_secret: bool


def setting_origins() -> list[SettingOrigin]:
    """Return the origin of every setting, without validating values."""
    values_by_source = {
        "environment": EnvSettingsSource(Settings)(),
        ".env": DotEnvSettingsSource(Settings)(),
    }
    found = []
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        name = str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias)
        source = next(
            (where for where, values in values_by_source.items() if name in values), "default"
        )
        found.append(SettingOrigin(name, field, source, "SecretStr" in str(info.annotation)))
    return found
