"""The markup of guidance, and the HTML it becomes. Pure.

A small part of CommonMark: headings, paragraphs, bullet and numbered lists, links, emphasis, and
steps to tick (`- [ ] Tell the partners`). Everything else stays the text that was typed. Markup
is read with HTML switched off, and what comes out passes a sanitiser that knows only the tags,
classes and addresses below: either alone would do, and neither is trusted alone.
"""

import re

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

# The page's own title is its first heading, so the text begins at the second.
DEEPEST_HEADING = 4
STEP = re.compile(r"\[ \] +")
BULLETS, NUMBERS, STEPS = (
    "nhsuk-list nhsuk-list--bullet",
    "nhsuk-list nhsuk-list--number",
    "nhsuk-list care-steps",
)
HEADING_CLASSES = {"h2": "nhsuk-heading-m", "h3": "nhsuk-heading-s", "h4": "nhsuk-heading-xs"}
ADDRESS = re.compile(r"(https?://|mailto:|tel:|/(?!/)|#)", re.IGNORECASE)

TAGS = {"a", "br", "em", "li", "ol", "p", "strong", "ul", *HEADING_CLASSES}
CLASSES = {
    "ul": set(f"{BULLETS} {STEPS}".split()),
    "ol": set(NUMBERS.split()),
    "li": {"care-step"},
    **{tag: {name} for tag, name in HEADING_CLASSES.items()},
}
SCHEMES = {"http", "https", "mailto", "tel"}


def html_of(text: str) -> Markup:
    """The page's HTML for what was written; safe whatever was written."""
    drawn = _READER.render(text)
    clean = nh3.clean(
        drawn,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        allowed_classes=CLASSES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704 - it has just passed the sanitiser


def steps_in(text: str) -> int:
    """How many steps there are to tick."""
    tokens = _READER.parse(text)
    return sum(1 for token in tokens if token.type == "list_item_open" and token.attrGet("class"))


def _dress(state: StateCore) -> None:
    """Gives lists and headings the design system's classes, and finds the steps to tick."""
    lists = []
    for index, token in enumerate(state.tokens):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, DEEPEST_HEADING)}"
            if token.nesting == 1:
                token.attrSet("class", HEADING_CLASSES[token.tag])
        elif token.type in {"bullet_list_open", "ordered_list_open"}:
            token.attrSet("class", BULLETS if token.type == "bullet_list_open" else NUMBERS)
            lists.append(token)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists.pop()
        elif token.type == "list_item_open" and lists[-1].tag == "ul":
            first = state.tokens[index + 2] if index + 2 < len(state.tokens) else token
            if first.type == "inline" and (mark := STEP.match(first.content)):
                first.content = first.content[mark.end() :]
                token.attrSet("class", "care-step")
                lists[-1].attrSet("class", STEPS)


def _reader() -> MarkdownIt:
    reader = MarkdownIt("zero", {"html": False}).enable(
        ["heading", "list", "link", "emphasis", "escape", "newline"]
    )
    reader.validateLink = lambda url: bool(ADDRESS.match(url))  # type: ignore[method-assign]
    reader.core.ruler.before("inline", "dress", _dress)
    return reader


_READER = _reader()
