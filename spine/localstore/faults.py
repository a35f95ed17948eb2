"""Faults the store can be told to show: which there are, and when each strikes. Pure.

A fault strikes requests of one kind with a probability, up to a number of times. Its chance comes
from a seed, so that the same requests in the same order meet the same faults.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from spine.localstore import arrivals as a

ANY: Final = "any"
TARGETS: Final = (ANY, a.UPLOAD, a.FIND, a.FETCH, a.PERMISSION, a.ALERT, a.TOKEN)
LARGEST_BODY: Final = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number of an order may be, and what it is where none was given."""

    label: str
    default: float
    words: str
    least: float
    most: float
    is_whole: bool = True

    def allow(self, value: float) -> bool:
        return self.least <= value <= self.most and (value.is_integer() or not self.is_whole)


# Where no number of times was given there is no end: 0.
NUMBERS: Final = {
    "probability": Bounds("Chance", 1.0, "a number above 0, at most 1", 1e-9, 1.0, is_whole=False),
    "times": Bounds("How many times", 0, "a whole number from 1 to 1,000,000,000", 1, 1_000_000_000),
    "seconds": Bounds(
        "Seconds", 1.0, "a number from 0 to 86,400, which is a day", 0, 24 * 3600, is_whole=False
    ),
    "seed": Bounds("Seed", 1, "a whole number from 0 to 1,000,000,000", 0, 1_000_000_000),
    "size": Bounds("Size", LARGEST_BODY, f"a whole number from 1 to {LARGEST_BODY:,}", 1, LARGEST_BODY),
}


class FaultKind(Enum):
    """What the store does instead of answering properly: code, and words for the page."""

    DELAY = ("delay", "Answers properly, but later")
    ERROR_BEFORE = ("error_before", "Answers 500, and has stored nothing")
    ERROR_AFTER = ("error_after", "Stores it, then answers 500")
    TIMEOUT_BEFORE = ("timeout_before", "Answers 504, and has stored nothing")
    TIMEOUT_AFTER = ("timeout_after", "Stores it, then answers 504")
    SILENCE_BEFORE = ("silence_before", "Stores nothing, says nothing, then cuts the connection")
    LOST_ANSWER = ("lost_answer", "Stores it, says nothing, then cuts the connection")
    TOO_MANY = ("too_many", "Answers 429 with Retry-After, and has stored nothing")
    ANSWERED_TWICE = ("answered_twice", "Stores it, then sends the same answer twice")
    FOREIGN_ANSWER = ("foreign_answer", "Answers 201 to another request's id, and has stored nothing")
    GARBAGE = ("garbage", "Answers 200 with nonsense, and has stored nothing")
    HTML_503 = ("html_503", "Answers 503 with a web page, and has stored nothing")
    HUGE_BODY = ("huge_body", "Stores it, then answers with a body without end")
    SLOW_ANSWER = ("slow_answer", "Stores it, then answers byte by byte")
    REDIRECT = ("redirect", "Sends the caller elsewhere, and has stored nothing")
    DUPLICATE = ("duplicate", "Stores it, then says that it had it already (PSIS-30134)")
    DUPLICATE_OF_OTHER = ("duplicate_of_other", "Stores nothing, and says that it has another summary")
    BAD_REQUEST = ("bad_request", "Answers 400, and has stored nothing")
    TOO_LARGE = ("too_large", "Answers 413 as to too large a body, and has stored nothing")
    WRONG_TYPE = ("wrong_type", "Answers 415 as to a body of another type, and has stored nothing")
    UNAUTHORISED = ("unauthorised", "Answers 401 as to a bad token, and has stored nothing")
    FORBIDDEN = ("forbidden", "Answers 403 (PSIS-30418), and has stored nothing")

    def __init__(self, code: str, words: str) -> None:
        self.code = code
        self.words = words


KINDS: Final = {kind.code: kind for kind in FaultKind}


class FaultRefused(Exception):
    """A fault that cannot be set; `problems` says for each field to mend what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(". ".join(problems.values()))
        self.problems = problems


@dataclass(slots=True)
class Fault:
    """One fault as it was ordered, and how often it struck.

    `seconds` is the length of a delay, silence or slow answer; `retry_after` the header's text
    (`date` stands for an HTTP date `seconds` ahead); `size` the bytes of a huge body.
    """

    number: int
    kind: FaultKind
    target: str = ANY
    probability: float = 1.0
    times: int | None = None
    seed: int = 1
    seconds: float = 1.0
    retry_after: str = "1"
    size: int = LARGEST_BODY
    struck: int = 0
    chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.struck >= self.times

    def strikes(self, kind: str) -> bool:
        """Say whether a request of this kind meets the fault; counts it when it does."""
        if self.is_spent or self.target not in (ANY, kind):
            return False
        if self.probability < 1.0 and self.chance.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults in force, in the order in which they were ordered. The first that strikes counts."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self._last = 0

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._ordered)

    def order(self, wanted: Mapping[str, str]) -> Fault:
        """Put a fault in force; raise FaultRefused where the order cannot be understood."""
        fault = read_order(self._last + 1, wanted)
        self._last += 1
        self._ordered.append(fault)
        return fault

    def clear(self) -> int:
        """Take all faults away; return how many there were."""
        cleared = len(self._ordered)
        self._ordered.clear()
        return cleared

    def meet(self, kind: str) -> Fault | None:
        """Return the fault that a request of this kind meets, or None."""
        return next((fault for fault in self._ordered if fault.strikes(kind)), None)


def read_order(number: int, wanted: Mapping[str, str]) -> Fault:
    """Return the fault that texts describe (as a form or a command gives them); empty means the default.

    Raises FaultRefused with all that is wrong, in the order of the form.
    """
    given = {name: value.strip() for name, value in wanted.items() if value.strip()}
    problems: dict[str, str] = {}
    kind = KINDS.get(given.get("kind", ""))
    if kind is None:
        problems["kind"] = f"Select a fault: {', '.join(KINDS)}"
    target = given.get("target", ANY)
    if target not in TARGETS:
        problems["target"] = f"Select which requests meet it: {', '.join(TARGETS)}"
    numbers = {name: _number(given, name, bounds, problems) for name, bounds in NUMBERS.items()}
    retry_after = given.get("retry_after", "1")
    if not (retry_after.isascii() and retry_after.isprintable() and len(retry_after) <= 100):
        problems["retry_after"] = "Retry-After must be up to 100 plain characters"
    if problems or kind is None:
        raise FaultRefused(problems)
    return Fault(
        number,
        kind,
        target,
        probability=numbers["probability"],
        times=int(numbers["times"]) or None,
        seed=int(numbers["seed"]),
        seconds=numbers["seconds"],
        retry_after=retry_after,
        size=int(numbers["size"]),
    )


def _number(given: Mapping[str, str], name: str, bounds: Bounds, problems: dict[str, str]) -> float:
    """Return the number that was given, or the default; notes a problem where it is none that may be."""
    if name not in given:
        return bounds.default
    try:
        value = float(given[name])
    except ValueError:
        value = float("nan")
    if not bounds.allow(value):
        problems[name] = f"{bounds.label} must be {bounds.words}"
    return value
