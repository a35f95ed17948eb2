"""The pages tell what is so: settings, links and commands are compared with the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SETTINGS_PAGE = (ROOT / "docs" / "how-to" / "settings.md").read_text()
STORE_PAGE = (ROOT / "docs" / "how-to" / "local-store.md").read_text()
READ = re.compile(
    r'(?:env\.(?:text|flag|number|words)|environ(?:ment)?\.get|pick_port)\((?:"[^"]*",)??\s*"([A-Z][A-Z_]+)"'
)
# Those that are given together or not at all.
TOGETHER = re.compile(r"env\.together\(([^)]*)\)")
# Django's own, and what the launcher hands from one of its processes to another.
NOT_FOR_PEOPLE = {"DJANGO_SETTINGS_MODULE", "LOCALSTORE_PAGE"}


def variables_read():
    files = [*ROOT.glob("config/**/*.py"), *ROOT.glob("spine/**/*.py"), *ROOT.glob("demo/**/*.py")]
    texts = [file.read_text() for file in files]
    names = {name for text in texts for name in READ.findall(text)}
    names |= {
        name for text in texts for each in TOGETHER.findall(text) for name in re.findall(r'"(\w+)"', each)
    }
    return names - NOT_FOR_PEOPLE


@pytest.mark.parametrize("name", sorted(variables_read()))
def test_every_variable_that_is_read_is_described(name):
    assert f"`{name}`" in SETTINGS_PAGE + STORE_PAGE


def test_no_variable_is_described_that_nobody_reads():
    rows = [line.split("|")[1] for line in SETTINGS_PAGE.splitlines() if line.startswith("| `")]
    described = {name for cell in rows for name in re.findall(r"`([A-Z_]+)`", cell)}
    by_make_and_tests = {"PYTHON_BASE", "BROWSER"}
    assert described <= variables_read() | by_make_and_tests


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_every_picture_is_shown_and_all_together_are_small():
    pictures = {f"screens/{file.name}": file.stat().st_size for file in (ROOT / "docs/screens").iterdir()}
    shown = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "docs/screens.md").read_text()))
    assert shown == set(pictures)
    assert sum(pictures.values()) < 1_500_000


def test_each_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
