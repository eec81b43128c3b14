"""What pages name exists, and so do the pages that code names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
PYTHON_FILES = [
    f"/{file.relative_to(ROOT).as_posix()}"
    for folder in ("benchmarks", "docs", "riskmetrics", "tests")
    for file in (ROOT / folder).rglob("*.py")
]
TESTS = {
    test
    for file in (ROOT / "tests").rglob("test_*.py")
    for test in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_and_modules_named_in_pages_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
    for test in re.findall(r"`(test_\w+)`", text):
        assert test in TESTS
    for name in re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", text):
        assert any(file.endswith(f"/{name}") for file in PYTHON_FILES)


def test_pages_named_in_code_exist() -> None:
    files = [*(ROOT / "riskmetrics").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    files += [ROOT / name for name in ("Dockerfile", "Makefile", "docker-compose.yml")]
    named = {
        page
        for file in files
        for page in re.findall(r"\bdocs/[\w/-]+\.md", file.read_text(encoding="utf-8"))
    }
    assert "docs/how-to/data.md" in named
    assert {page for page in named if not (ROOT / page).is_file()} == set()


def test_a_link_to_a_page_of_the_site_only_has_a_dagger_that_the_page_explains() -> None:
    n_found = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^):#\s]+\.md)(?:#[\w-]+)?\)( †)?", text)
        absent = [
            (target, dagger) for target, dagger in links if not (page.parent / target).exists()
        ]
        assert [target for target, dagger in absent if not dagger] == [], page
        assert bool(absent) == ("\n† Made from the code by `make docs`" in text), page
        n_found += len(absent)
    assert n_found > 15
