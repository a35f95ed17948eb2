"""Our own style sheets are whole: a brace left open would hide all that follows from browsers."""

from pathlib import Path

import pytest

SHEETS = sorted((Path(__file__).parents[3] / "static" / "care").glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_brace_is_closed_where_rules_end(sheet):
    depth = 0
    for number, line in enumerate(sheet.read_text().splitlines(), 1):
        begins_rule = line.rstrip().endswith("{") and not line.startswith((" ", "@"))
        assert not (begins_rule and depth), f"{sheet.name}:{number} begins inside another rule"
        depth += line.count("{") - line.count("}")
        assert depth >= 0, f"{sheet.name}:{number} closes what is not open"
    assert depth == 0, f"{sheet.name} ends inside a rule"
