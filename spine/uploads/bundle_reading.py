"""Reads a message that we built back into sections, so that what a page shows is what goes. Pure.

The page of an upload's contents is drawn from the bytes of the message and from nothing else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from defusedxml.ElementTree import fromstring

from spine.messages.narrative import NOTHING, XHTML

_IN = f"{{{XHTML}}}"


@dataclass(frozen=True)
class Section:
    """One section as a clinician elsewhere reads it: sentences, then at most one table."""

    code: str
    title: str
    sentences: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def is_clinical(self) -> bool:
        """All but the first, which says what the summary is and who made it."""
        return self.code != "Title"


@dataclass(frozen=True)
class Message:
    """What a message says. `replaces` is the id of the store's copy that it takes the place of."""

    sections: tuple[Section, ...]
    replaces: str | None

    @property
    def entries(self) -> int:
        """How many rows the clinical sections have in all."""
        return sum(len(section.rows) for section in self.sections)


def read_message(body: bytes) -> Message:
    """The sections of a document Bundle of ours, in their order."""
    composition = json.loads(body)["entry"][0]["resource"]
    relates = composition.get("relatesTo") or [{}]
    replaces = relates[0].get("targetIdentifier", {}).get("value")
    return Message(tuple(map(_section, composition["section"])), replaces)


def _section(section: dict[str, Any]) -> Section:
    root = fromstring(section["text"]["div"])
    sentences = tuple(_words(part) for part in root.iter() if part.tag in {f"{_IN}p", f"{_IN}h3"})
    rows = tuple(_rows(root))
    return Section(
        code=section["code"]["coding"][0]["code"],
        title=section["title"],
        sentences=sentences,
        heads=tuple(_words(head) for head in root.iter(f"{_IN}th")),
        rows=() if rows == ((NOTHING,),) else rows,
    )


def _rows(root: Any) -> Iterator[tuple[str, ...]]:
    for row in root.iter(f"{_IN}tr"):
        if cells := tuple(_words(cell) for cell in row.iter(f"{_IN}td")):
            yield cells


def _words(part: Any) -> str:
    return "".join(part.itertext())
