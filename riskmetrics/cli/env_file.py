"""Settings in the file ``.env`` of the current directory: merge and write them privately."""

import io
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from riskmetrics import folders
from riskmetrics.errors import ConfigurationError

ENV_FILE = Path(".env")
_MODE = 0o600


def merge_settings(text: str, values: Mapping[str, str]) -> str:
    """Return the text of an environment file with settings added or replaced.

    Other lines, comments included, are kept.
    """
    from dotenv.parser import parse_stream

    kept = "".join(
        binding.original.string
        for binding in parse_stream(io.StringIO(text))
        if binding.key not in values
    )
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(f"{name}={_quote(value)}\n" for name, value in values.items())


def list_settings(text: str) -> set[str]:
    """Return the names of the settings in the text of an environment file."""
    from dotenv.parser import parse_stream

    return {binding.key for binding in parse_stream(io.StringIO(text)) if binding.key}


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def read_env_file() -> str:
    """Return the text of the file, "" if there is none.

    Raises
    ------
    ConfigurationError
        If it is a link or no regular file, belongs to another account, or cannot be read.
    """
    folders.refuse_untrusted_file(ENV_FILE)
    folders.refuse_foreign_owner_as_root(ENV_FILE)
    if ENV_FILE.is_symlink() or (ENV_FILE.exists() and not ENV_FILE.is_file()):
        raise ConfigurationError(
            f"{ENV_FILE} is a link or no regular file. Write the settings into its target yourself"
        )
    try:
        return ENV_FILE.read_text(encoding="utf-8") if ENV_FILE.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read {ENV_FILE}: {error}. Make it a readable text file, or remove it"
        ) from None


def write_env_file(text: str) -> None:
    """Replace the file atomically by one that only its owner may read (mode 0600).

    Raises
    ------
    ConfigurationError
        If it cannot be written.
    """
    unfinished = ENV_FILE.with_name(f".env-{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(unfinished, flags, _MODE), "w", encoding="utf-8") as file:
            file.write(text)
        unfinished.replace(ENV_FILE)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ConfigurationError(
            f"cannot write {ENV_FILE.absolute()}: {error.strerror}. Run init in a directory that"
            " you may write to"
        ) from None
