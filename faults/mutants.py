"""Faults planted into the product's own source, one at a time, to see that the fault run finds each.

A planted fault is one or more edits of the source of a module, made while it is imported and in that
process only; a text that is no longer there, or is there twice, is an error, so that no edit goes stale
in silence. Whoever changes such a line changes the edit with it.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

PROJECT = Path(__file__).resolve().parent.parent


class Stale(Exception):
    """The text that a planted fault changes is not in the source as it is now."""


@dataclass(frozen=True)
class Edit:
    """Replaces `old`, which must be there once, by `new`. `more` is put at the end of the module."""

    module: str
    old: str
    new: str
    more: str = ""

    def of(self, source: str) -> str:
        """The source with the fault; raises `Stale`."""
        if source.count(self.old) != 1:
            raise Stale(f"{self.module} has {source.count(self.old)} times, not once: {self.old}")
        return source.replace(self.old, self.new) + self.more


@dataclass(frozen=True)
class Mutant:
    """One planted fault: what was done, and the scenario that has to find it."""

    words: str
    found_by: str
    edits: tuple[Edit, ...]


def _instead(module: str, definition: str, more: str) -> Edit:
    """A function of that module, as its first line has it, is replaced after it was defined."""
    return Edit(module, definition, definition, "\n\n" + more)


# Nobody looks whether the fence's session has ended: else that alone would make up for these.
_UNLOOKED = Edit("spine.sending.pipeline", "in_time() and held.stands()", "in_time()")

MUTANTS = {
    "no-fence": Mutant(
        "senders take no fence",
        "F6",
        (
            Edit("carerecords.fence", "pg_advisory_xact_lock_shared(%s, %s)", "%s::int, %s::int"),
            Edit("carerecords.fence", "pg_advisory_xact_lock_shared(%s, practice)", "%s::int, practice"),
        ),
    ),
    "cached-policy": Mutant(
        "the nation's facts are kept for a second",
        "F6",
        (
            _instead(
                "spine.facts",
                "def load_nation(",
                "import time\n_load_nation, _kept = load_nation, {}\n"
                "def load_nation(at, known_at=None):\n"
                "    if known_at is None and time.monotonic() - _kept.get('at', -9) < 1: return _kept['nation']\n"
                "    _kept.update(nation=_load_nation(at, known_at), at=time.monotonic())\n"
                "    return _kept['nation']\n",
            ),
        ),
    ),
    "row-share": Mutant(
        "a row lock that senders share, in place of the fence",
        "F6",
        (
            Edit(
                "carerecords.fence",
                "SELECT pg_advisory_xact_lock_shared(%s, %s)",
                "SELECT 1 FROM carerecords_factclock WHERE scope = %s * 0 + %s FOR SHARE",
            ),
        ),
    ),
    "fence-released-early": Mutant(
        "the fence is let go before the sends",
        "F6",
        (
            Edit("spine.sending.pipeline", "sent = store.send(", "held.release(); sent = store.send("),
            _UNLOOKED,
        ),
    ),
    "no-intent": Mutant(
        "no intent is written before a send",
        "F1",
        (
            _instead(
                "spine.sending.proof", "def write_intents(", "def write_intents(going, *, at): return None\n"
            ),
        ),
    ),
    "new-key": Mutant(
        "a message gets new keys when it is tried again",
        "F5",
        (
            Edit(
                "spine.sending.contents",
                '{job.public_id} {digest}"',
                '{job.public_id} {digest} {job.attempt}"',
            ),
        ),
    ),
    "no-attempt-compare": Mutant(
        "a late write does not compare the attempt",
        "F2",
        (
            Edit("spine.sending.settling", "AND job.attempt = new.attempt", ""),
            Edit("spine.sending.claims", "AND job.attempt = mine.attempt", ""),
        ),
    ),
    "no-deadline": Mutant(
        "the right to begin a send does not end, by time or with its fence",
        "F2",
        (
            _instead("spine.sending.pipeline", "def _until(", "def _until(end): return lambda: True\n"),
            _UNLOOKED,
        ),
    ),
    "duplicate-refused": Mutant(
        "PSIS-30134 of our own message counts as refused",
        "F5",
        (
            Edit(
                "spine.sending.answers",
                "AnswerKind.DUPLICATE if ours else AnswerKind.UNKNOWN",
                "AnswerKind.REFUSED",
            ),
        ),
    ),
    "403-retried": Mutant(
        "403 is tried again",
        "F5",
        (Edit("spine.sending.answers", "403: AnswerKind.CONSENT_DIFFERS", "403: AnswerKind.TRANSIENT"),),
    ),
    "session-fence": Mutant(
        "the fence is a lock of the session, which ends with its connection",
        "F13",
        (
            Edit(
                "carerecords.fence",
                "SELECT pg_advisory_xact_lock_shared(%s, %s)",
                "SELECT pg_advisory_lock_shared(%s, %s)",
            ),
            Edit(
                "carerecords.fence",
                "SELECT pg_advisory_xact_lock_shared(%s, practice)",
                "SELECT pg_advisory_lock_shared(%s, practice)",
            ),
        ),
    ),
    "consent-not-locked": Mutant(
        "patients' decisions are not kept still",
        "F7",
        (Edit("carerecords.fence", "ORDER BY id FOR KEY SHARE", "ORDER BY id"),),
    ),
    "receipt-first": Mutant(
        "the receipt is written before the answer came",
        "F1",
        (
            Edit(
                "spine.sending.pipeline",
                "sent = store.send(",
                "_write([Sent(one, Answer(AnswerKind.ACCEPTED, 201), timezone.now(), began=True) for one in batch.going])"
                "; sent = store.send(",
            ),
        ),
    ),
}


def source_of(module: str) -> str:
    """The module's source as it stands in the project."""
    return (PROJECT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def planted(name: str) -> dict[str, str]:
    """For each module that a planted fault changes, its source with the fault; raises `Stale`."""
    found: dict[str, str] = {}
    for edit in MUTANTS[name].edits:
        found[edit.module] = edit.of(found.get(edit.module) or source_of(edit.module))
    return found


def plant(name: str) -> None:
    """From here on this process imports the product with that fault. Raises `Stale`."""
    sources = planted(name)
    if too_late := set(sources) & set(sys.modules):
        raise AssertionError(f"Imported before the fault was planted: {too_late}")
    sys.meta_path.insert(0, _Finder(sources))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._sources:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self._sources[name])
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        # Past the cache of compiled files, for reading and for writing.
        return compile(self._source, self.path, "exec")
