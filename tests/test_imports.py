"""Imports that a contract between modules cannot express."""

import re
from pathlib import Path

import riskmetrics

PACKAGE = Path(riskmetrics.__file__).parent
PRIVATE = re.compile(r"(?:from|import) (?:dagster\._|dagster_shared|dagster_[a-z]+\._)")


def test_only_two_modules_import_what_dagster_does_not_export() -> None:
    found = {path.name for path in PACKAGE.rglob("*.py") if PRIVATE.search(path.read_text())}
    assert found == {"dagster_private.py", "dagster_private_storage.py"}
