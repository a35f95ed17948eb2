"""What changed between two versions of a text, line by line and word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from carerecords.vocabulary import Term

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# Below this likeness a line counts as another line and not as the same one changed.
ALIKE = 0.5


class Mark(Term):
    """What became of a piece of text."""

    SAME = "SAME", "Unchanged"
    ADDED = "ADDED", "Added"
    REMOVED = "REMOVED", "Removed"


@dataclass(frozen=True)
class Piece:
    """Some text of one line."""

    mark: Mark
    text: str


Line = tuple[Piece, ...]


def differences(before: str, after: str) -> list[Line]:
    """Every line of both, in reading order. Without the removed pieces it reads as `after`, without the
    added ones as `before`."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found += [(Piece(Mark.SAME, line),) for line in old[i:j]]
        else:
            found += _changed(old[i:j], new[k:m])
    return found


def is_changed(line: Line) -> bool:
    return any(piece.mark is not Mark.SAME for piece in line)


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Lines that stand in each other's place are compared word by word if they are alike."""
    for index in range(max(len(old), len(new))):
        before = old[index] if index < len(old) else None
        after = new[index] if index < len(new) else None
        if before is not None and after is not None and _alike(before, after):
            yield tuple(_words(before, after))
            continue
        if before is not None:
            yield (Piece(Mark.REMOVED, before),)
        if after is not None:
            yield (Piece(Mark.ADDED, after),)


def _alike(before: str, after: str) -> bool:
    return SequenceMatcher(None, WORDS.findall(before), WORDS.findall(after)).ratio() >= ALIKE


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            yield Piece(Mark.SAME, "".join(old[i:j]))
            continue
        if i < j:
            yield Piece(Mark.REMOVED, "".join(old[i:j]))
        if k < m:
            yield Piece(Mark.ADDED, "".join(new[k:m]))
