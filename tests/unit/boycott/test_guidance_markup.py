"""Guidance's markup: what it makes of good text, and that nothing else ever comes out."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boycott.guidance.markup import CLASSES, TAGS, html_of, steps_in

CASES = {
    "# Before": '<h2 class="nhsuk-heading-m">Before</h2>',
    "### Before": '<h4 class="nhsuk-heading-xs">Before</h4>',
    "###### Before": '<h4 class="nhsuk-heading-xs">Before</h4>',
    "*one* and **two**": "<p><em>one</em> and <strong>two</strong></p>",
    "- a\n- b": '<ul class="nhsuk-list nhsuk-list--bullet">\n<li>a</li>\n<li>b</li>\n</ul>',
    "3. a": '<ol start="3" class="nhsuk-list nhsuk-list--number">\n<li>a</li>\n</ol>',
    "- [ ] Tell them": '<ul class="nhsuk-list care-steps">\n<li class="care-step">Tell them</li>\n</ul>',
    "[policy](/policy/)": '<p><a href="/policy/" rel="noopener noreferrer">policy</a></p>',
    "[us](mailto:a@b.example)": '<p><a href="mailto:a@b.example" rel="noopener noreferrer">us</a></p>',
    # What is no part of it stays as it was typed.
    "<b>x</b>": "<p>&lt;b&gt;x&lt;/b&gt;</p>",
    "`93C3`": "<p>`93C3`</p>",
    "[x](javascript:alert(1))": "<p>[x](javascript:alert(1))</p>",
    "[x](//elsewhere.example)": "<p>[x](//elsewhere.example)</p>",
    "[x](data:text/html,hello)": "<p>[x](data:text/html,hello)</p>",
    "1. [ ] a": '<ol class="nhsuk-list nhsuk-list--number">\n<li>[ ] a</li>\n</ol>',
}


@pytest.mark.parametrize("text", CASES)
def test_what_becomes_of_it(text):
    assert html_of(text).strip() == CASES[text]


def test_steps_are_counted():
    assert steps_in("- [ ] a\n- b\n- [ ] c\n\n1. [ ] d") == 2


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


PIECES = [
    "<",
    ">",
    '"',
    "'",
    "[",
    "](",
    ")",
    "javascript:",
    "&#106;",
    "- [ ] ",
    "# ",
    "\n",
    "*",
    "<img src=x ",
]
PIECES += [
    "onerror=alert(1)",
    "</ul>",
    "http://a.example",
    "\\",
    "`",
    "style=",
    "![",
    "<!--",
    "\x00",
    "\u2028",
    "é",
    " ",
    "a",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_nothing_else_ever_comes_out(text):
    reader = _Reader()
    reader.feed(html_of(text))
    for tag, attributes in reader.seen:
        assert tag in TAGS
        assert set(attributes) <= {"href", "rel", "class", "start", "title"}
        assert set(attributes.get("class", "").split()) <= CLASSES.get(tag, set())
        href = attributes.get("href", "/").strip().lower()
        # An empty one is the page itself.
        assert not href or href.startswith(("http://", "https://", "mailto:", "tel:", "/", "#"))
        assert not href.startswith("//")
