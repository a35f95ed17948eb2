"""What makes a burst of refusals look like policy and not like patients. Pure.

In 2007 and after, practices that agreed with the union's policy wrote it into their patients' records
as refusals; nobody could tell them from real ones later (product page, "Traps"). Nothing here proves
it: each signal is shown with its figures, and a person decides.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from carerecords.formats import nhs_date

# A burst is refusals with never more than this between two of them, and at least so many.
GAP = datetime.timedelta(minutes=15)
FEWEST = 20
# Ours: a person who asks a patient and notes the answer does not do it in less.
FASTEST_BY_HAND_SECONDS = 20
IN_ORDER = 0.9
# Nationally about 1.2% refused; 20% was the most seen in a practice (product page 8).
LARGE_SHARE = 0.1
NEAR_POLICY = datetime.timedelta(days=60)
ENOUGH_SIGNALS = 3


@dataclass(frozen=True)
class Burst:
    """Refusals recorded one close upon another, as counted."""

    # Names the burst: the public id of its first refusal.
    public_id: uuid.UUID
    first_event: int
    last_event: int
    began_at: datetime.datetime
    ended_at: datetime.datetime
    refusals: int
    # Those on which their patient's present state still rests.
    standing: int
    recorders: int
    # Different pairs of source and reference.
    evidence: int
    # Share of neighbours in the order of family names: half by chance, all when a list is worked through.
    in_order: float
    by_run: bool
    # Refusals a month at this practice outside the burst.
    usual_a_month: float
    patients: int
    # From when a position against uploads applied, if it began within `NEAR_POLICY` before or after.
    policy_from: datetime.date | None

    @property
    def seconds_each(self) -> float:
        """Seconds between two refusals, on average."""
        return (self.ended_at - self.began_at).total_seconds() / max(self.refusals - 1, 1)

    @property
    def share(self) -> float:
        return self.refusals / self.patients if self.patients else 0.0


@dataclass(frozen=True)
class Signal:
    """One thing that speaks for policy, with its figure."""

    code: str
    sentence: str


def signals_of(burst: Burst) -> list[Signal]:
    """Every signal that the burst gives."""
    return [Signal(code, sentence) for code, tell in SIGNALS if (sentence := tell(burst))]


def looks_like_policy(burst: Burst) -> bool:
    """Whether enough signals speak for it."""
    return len(signals_of(burst)) >= ENOUGH_SIGNALS


def worth_asking(bursts: Iterable[Burst]) -> list[Burst]:
    """The bursts that look like policy and of which something still stands, largest first."""
    found = [burst for burst in bursts if burst.standing and looks_like_policy(burst)]
    return sorted(found, key=lambda burst: burst.refusals, reverse=True)


def _many(burst: Burst) -> str:
    if burst.refusals < 5 * max(burst.usual_a_month, 1):
        return ""
    usual = "fewer than 1" if burst.usual_a_month < 1 else f"{burst.usual_a_month:.0f}"
    return f"{burst.refusals:,} refusals in one go. Otherwise the practice records {usual} a month."


def _fast(burst: Burst) -> str:
    if burst.seconds_each >= FASTEST_BY_HAND_SECONDS:
        return ""
    pace = "at the same moment" if burst.seconds_each < 1 else f"every {burst.seconds_each:.0f} seconds"
    return f"One was recorded {pace}: too fast to have asked each patient."


def _one_hand(burst: Burst) -> str:
    return "All were recorded by the same person." if burst.recorders == 1 else ""


def _same_evidence(burst: Burst) -> str:
    return "All name the same source and reference." if burst.evidence == 1 else ""


def _in_order(burst: Burst) -> str:
    if burst.in_order < IN_ORDER:
        return ""
    part = "All" if burst.in_order == 1 else f"{int(burst.in_order * 100)}%"
    return f"{part} follow the order of family names, as when a list is worked through."


def _large(burst: Burst) -> str:
    if burst.share < LARGE_SHARE:
        return ""
    return f"They are {burst.share:.0%} of the practice's patients. Nationally about 1 in 80 refused."


def _near_policy(burst: Burst) -> str:
    if burst.policy_from is None:
        return ""
    return f"A BMA position against uploads applied from {nhs_date(burst.policy_from)}."


SIGNALS: list[tuple[str, Callable[[Burst], str]]] = [
    ("many", _many),
    ("fast", _fast),
    ("one_hand", _one_hand),
    ("same_evidence", _same_evidence),
    ("in_order", _in_order),
    ("large", _large),
    ("near_policy", _near_policy),
]
