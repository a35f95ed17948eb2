"""What holds for a patient, from the events alone. Pure: days and times are passed in."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
_PERMITTING = frozenset(ConsentState(preference.value) for preference in PERMITTING)


def state_from(
    events: Iterable[Event],
    at: datetime.date,
    known_at: datetime.datetime | None = None,
) -> Derived:
    """What was decided as of day `at`, by what was recorded up to `known_at` (default: all).

    Before the first event the answer is no decision, never yes. Among decisions in effect the
    one effective latest wins. Two of one day that disagree are a conflict, unless one was
    recorded in knowledge of the other (`supersedes`): then the patient changed their mind. Silence
    that was recorded as implied consent gives way to anything the patient said, whenever it came in.
    """
    standing = _standing(events, known_at)
    upcoming = min((_day(event) for event in standing if _day(event) > at), default=None)
    in_effect = _spoken([event for event in standing if _day(event) <= at])
    if in_effect:
        return _on_day(in_effect, max(_day(event) for event in in_effect), upcoming)
    if upcoming is None:
        return NOTHING
    then = _on_day(standing, upcoming, upcoming)
    later = permits_upload(then.state)
    return replace(then, state=ConsentState.LATER) if later else replace(NOTHING, changes_on=upcoming)


def rivals(events: Iterable[Event], at: datetime.date) -> list[Event]:
    """The decisions between which a conflict stands on a day; none where they agree."""
    in_effect = _spoken([event for event in _standing(events, None) if _day(event) <= at])
    if not in_effect:
        return []
    last = max(_day(event) for event in in_effect)
    sides = _not_superseded([event for event in in_effect if _day(event) == last])
    sides.sort(key=lambda event: event.sequence)
    return sides if len({event.preference for event in sides}) > 1 else []


def permits_upload(state: ConsentState) -> bool:
    """Whether the patient's own express decision asks for an upload."""
    return state in _PERMITTING


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


def _spoken(events: Sequence[Event]) -> list[Event]:
    """What the patient said; what was made of their silence only where they said nothing."""
    said = [event for event in events if event.preference is not Preference.IMPLIED_CORE]
    return said or list(events)


def _on_day(standing: Sequence[Event], day: datetime.date, changes_on: datetime.date | None) -> Derived:
    """What the decisions of one day amount to."""
    rivals = _not_superseded(_spoken([event for event in standing if _day(event) == day]))
    last = max(rivals, key=lambda event: event.sequence)
    if len({event.preference for event in rivals}) > 1:
        return Derived(ConsentState.CONFLICT, last, changes_on)
    assert last.preference is not None
    return Derived(ConsentState(last.preference.value), last, changes_on)


def _not_superseded(events: Sequence[Event]) -> list[Event]:
    """The events that none of the others was recorded in knowledge of. Never empty.

    Who saw one event had all before it in view: also the other side of a conflict, and what an
    event replaced that was taken back since.
    """
    seen = max((event.supersedes for event in events if event.supersedes is not None), default=None)
    return [event for event in events if seen is None or event.sequence > seen]


def _day(event: Event) -> datetime.date:
    assert event.effective_from is not None
    return event.effective_from
