"""The text of a summary's section as HTML that is safe to show.

The text was sent by somebody else. Only the elements named here are kept, and of their attributes
only colspan and rowspan; anything else is dropped, its words kept.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markupsafe import Markup, escape

_TEXT = {"p", "br", "ul", "ol", "li", "dl", "dt", "dd", "strong", "b", "em", "i", "sub", "sup"}
_TABLE = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
_KEPT = frozenset(_TEXT | _TABLE)
_VOID = frozenset({"br"})
# Headings inside a section would break the order of the page's own; shown as paragraphs.
_AS_PARAGRAPH = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "div"})
_DROPPED_WITH_CONTENT = frozenset({"script", "style"})


def _spans(attrs: list[tuple[str, str | None]]) -> str:
    kept = [(n, v) for n, v in attrs if n in ("colspan", "rowspan") and v and re.fullmatch("[0-9]{1,2}", v)]
    return "".join(f' {name}="{value}"' for name, value in kept)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WITH_CONTENT:
            self._hidden += 1
        tag = "p" if tag in _AS_PARAGRAPH else tag
        if tag in _KEPT:
            self.parts.append(f"<{tag}{_spans(attrs)}>")
            if tag not in _VOID:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED_WITH_CONTENT:
            self._hidden = max(0, self._hidden - 1)
        tag = "p" if tag in _AS_PARAGRAPH else tag
        if tag in self._open:
            while self._open:
                last = self._open.pop()
                self.parts.append(f"</{last}>")
                if last == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(str(escape(data)))

    def finish(self) -> str:
        self.close()
        while self._open:
            self.parts.append(f"</{self._open.pop()}>")
        return "".join(self.parts)


def readable(div: str) -> Markup:
    """Return the section text `div` (XHTML, its outer div included) as safe HTML."""
    inner = div.partition(">")[2].rpartition("</")[0]
    cleaner = _Cleaner()
    cleaner.feed(inner)
    return Markup(cleaner.finish())  # noqa: S704 - every part has been escaped
