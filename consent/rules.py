"""What holds for a patient, from the events alone. Pure: days and times are passed in."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consent.codes import PERMITTING, ConsentState, Preference, Source


@dataclass(frozen=True)
class Event:
    """The fields of a consent event that rules look at. `sequence` orders events as recorded."""

    sequence: int
    preference: Preference | None
    source: Source | None
    decided_on: datetime.date | None
    effective_from: datetime.date | None
    recorded_at: datetime.datetime
    reverses: int | None = None
    supersedes: int | None = None


@dataclass(frozen=True)
class Derived:
    """The state of one patient on one day, with the event it rests on.

    `changes_on` is the first later day on which the same events give another answer, or None.
    """

    state: ConsentState
    event: Event | None = None
    changes_on: datetime.date | None = None


NOTHING = Derived(ConsentState.NONE)


def state_from(
    events: Iterable[Event],
    at: datetime.date,
    known_at: datetime.datetime | None = None,
) -> Derived:
    """What was decided as of day `at`, by what was recorded up to `known_at` (default: all).

    Before the first event the answer is no decision, never yes. Among decisions in effect the
    one effective latest wins. Two of one day that disagree are a conflict, unless one was
    recorded in knowledge of the other (`supersedes`): then the patient changed their mind.
    """
    standing = _standing(events, known_at)
    in_effect = [event for event in standing if _day(event) <= at]
    upcoming = min((_day(event) for event in standing if _day(event) > at), default=None)
    if not in_effect:
        return _only_later(standing, upcoming)
    latest_day = max(_day(event) for event in in_effect)
    rivals = _not_superseded([event for event in in_effect if _day(event) == latest_day])
    last = max(rivals, key=lambda event: event.sequence)
    if len({event.preference for event in rivals}) > 1:
        return Derived(ConsentState.CONFLICT, last, upcoming)
    return Derived(_state_of(last), last, upcoming)


def permits_upload(state: ConsentState) -> bool:
    """Whether the patient's own express decision asks for an upload."""
    return state in {ConsentState(preference.value) for preference in PERMITTING}


def _standing(events: Iterable[Event], known_at: datetime.datetime | None) -> list[Event]:
    """Decisions known at a time that no reversal known by then takes back.

    A reversal may itself be reversed, so the newest are read first.
    """
    known = [event for event in events if known_at is None or event.recorded_at <= known_at]
    taken_back: set[int] = set()
    for event in sorted(known, key=lambda event: event.sequence, reverse=True):
        if event.reverses is not None and event.sequence not in taken_back:
            taken_back.add(event.reverses)
    return [event for event in known if event.reverses is None and event.sequence not in taken_back]


def _not_superseded(events: Sequence[Event]) -> list[Event]:
    """The events that none of the others was recorded in knowledge of. Never empty."""
    superseded = {event.supersedes for event in events}
    return [event for event in events if event.sequence not in superseded]


def _only_later(standing: Sequence[Event], upcoming: datetime.date | None) -> Derived:
    if upcoming is None:
        return NOTHING
    first = min(standing, key=lambda event: (_day(event), event.sequence))
    if first.preference in PERMITTING:
        return Derived(ConsentState.LATER, first, upcoming)
    return Derived(ConsentState.NONE, None, upcoming)


def _state_of(event: Event) -> ConsentState:
    assert event.preference is not None
    return ConsentState(event.preference.value)


def _day(event: Event) -> datetime.date:
    assert event.effective_from is not None
    return event.effective_from
