"""Messages that took so long to write that their time to begin was over: kept, so that the next time they can go.

A batch begins sends for a quarter of a second, and at the store's rate each message has less. On a slow machine
a long record takes longer to write than that, each time anew, and would be put back for ever. So what was
written too slowly is kept in this process, and goes as it is if the next attempt would say the same: the gate is
asked and the record is read again under the fence as for any other.

Used in one thread, the event loop's.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from spine.sending.outgoing import Outgoing

# Nobody who writes as quickly as this is late because of it: half of the least that a slot forgives.
SLOW_SECONDS = 0.02
# How many are kept: a batch leaves one, and others may be another process's by now.
MOST = 8


@dataclass(frozen=True)
class Replaces:
    """What the store holds, which a message replaces: its id, and the copy itself where a notice is put on it."""

    composition_id: str
    copy: bytes | None = None


@dataclass(frozen=True)
class _Kept:
    body: bytes
    # All that the bytes follow from.
    origin: tuple[object, ...]


class LateMessages:
    """What was written too slowly, by job."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    def groups(self, going: Sequence[Outgoing], leaving: Sequence[int]) -> list[list[int]]:
        """Places of the messages that are to leave: first of those that are kept, then of the others.

        The others may take long to write too, and nothing else leaves meanwhile.
        """
        late = [place for place in leaving if going[place].job_id in self._kept]
        others = [place for place in leaving if going[place].job_id not in self._kept]
        return [group for group in (late, others) if group]

    def write(self, one: Outgoing, replaces: Replaces) -> bytes:
        """The message's bytes: as kept, where they would be the same. Raises what writing it raises."""
        kept = self._kept.pop(one.job_id, None)
        if kept is None or kept.origin != _origin(one, replaces):
            began = time.monotonic()
            body = _write(one, replaces)
            if time.monotonic() - began < SLOW_SECONDS:
                return body
            kept = _Kept(body, _origin(one, replaces))
        self._kept[one.job_id] = kept
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return kept.body

    def left(self, one: Outgoing) -> None:
        """The message has left, so its bytes are done with."""
        self._kept.pop(one.job_id, None)


def _origin(one: Outgoing, replaces: Replaces) -> tuple[object, ...]:
    return one.says, one.composition_id, one.authored_at, replaces


def _write(one: Outgoing, replaces: Replaces) -> bytes:
    """The message, in place of what the store holds; a notice also on it."""
    if one.build_on:
        return one.build_on(replaces.composition_id, replaces.copy or b"")
    return one.build(replaces.composition_id or None)
