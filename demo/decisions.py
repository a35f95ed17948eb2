"""What the made-up patients decided in the past year, in realistic shares. Pure.

Here events are only invented; what they amount to is asked of `consent.rules.state_from`.
"""

import datetime
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from consent.codes import EventKind, Preference, Source
from demo import occasions
from demo.chance import a_uuid
from demo.occasions import Occasion
from demo.people import Person
from demo.places import Place

# Of those who decided, how many had decided otherwise before; and had it entered wrongly first.
CHANGED_MIND = 0.07
ENTERED_WRONGLY = 0.02
# Of the whole list: decided and took it back, or one entry and its undoing; contradicting entries.
BACK_TO_NONE = 0.004
UNDONE = 0.004
CONFLICTING = 0.0004

OTHERS = {
    Preference.EXPRESS_CORE: [Preference.EXPRESS_ADDITIONAL, Preference.EXPRESS_DISSENT],
    Preference.EXPRESS_ADDITIONAL: [Preference.EXPRESS_CORE, Preference.EXPRESS_CORE],
    Preference.EXPRESS_DISSENT: [Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL],
}


@dataclass(eq=False)
class Draft:
    """One event to be stored; `id` is given once all of them are in the order of recording."""

    person: Person
    kind: EventKind
    recorded_at: datetime.datetime
    recorded_by: int
    occasion: Occasion | None = None
    reverses: "Draft | None" = None
    supersedes: "Draft | None" = None
    public_id: uuid.UUID | None = None
    id: int = 0


Story = Callable[[Person, random.Random, datetime.date], list[Draft]]


def drafts_of(
    people: Sequence[Person], place: Place, *, rng: random.Random, today: datetime.date
) -> list[Draft]:
    """The events of a practice's patients. Shares are exact, whoever happens to be drawn."""
    drawn = rng.sample(range(len(people)), len(people))
    taken = iter(drawn)
    drafts: list[Draft] = []
    for story, count in _stories(place, len(people)):
        for person in _next(people, taken, count, today):
            drafts += story(person, rng, today)
    for draft in drafts:
        draft.public_id = a_uuid(rng)
    return drafts


def _stories(place: Place, size: int) -> list[tuple[Story, int]]:
    return [
        (_conflict, max(1, round(size * CONFLICTING))),
        (partial(_decided, Preference.EXPRESS_DISSENT), round(size * place.dissent)),
        (partial(_decided, Preference.EXPRESS_ADDITIONAL), round(size * place.additional)),
        (partial(_decided, Preference.EXPRESS_CORE), round(size * place.core)),
        (_back_to_none, round(size * BACK_TO_NONE)),
        (_undone, round(size * UNDONE)),
    ]


def _next(
    people: Sequence[Person], taken: Iterator[int], count: int, today: datetime.date
) -> Iterator[Person]:
    """The next so many of the drawn order who were registered long enough to have decided."""
    while count and (index := next(taken, None)) is not None:
        person = people[index]
        if occasions.has_time(person, today):
            count -= 1
            yield person


def _decided(preference: Preference, person: Person, rng: random.Random, today: datetime.date) -> list[Draft]:
    """One decision; some had decided otherwise before, some had it entered wrongly first."""
    lot = rng.random()
    if lot < CHANGED_MIND:
        first, second = occasions.two_days(person, rng, today)
        before = _entry(rng.choice(OTHERS[preference]), person, first, rng)
        return [before, _entry(preference, person, second, rng, supersedes=before)]
    day = occasions.one_day(person, rng, today)
    if lot < CHANGED_MIND + ENTERED_WRONGLY:
        wrong = _entry(rng.choice(OTHERS[preference]), person, day, rng)
        undoing = _undoing(wrong, rng)
        right = _entry(preference, person, day, rng)
        right.recorded_at = undoing.recorded_at + datetime.timedelta(minutes=rng.randint(1, 4))
        return [wrong, undoing, right]
    return [_entry(preference, person, day, rng)]


def _back_to_none(person: Person, rng: random.Random, today: datetime.date) -> list[Draft]:
    first, second = occasions.two_days(person, rng, today)
    before = _entry(Preference.EXPRESS_CORE, person, first, rng)
    return [before, _entry(Preference.NONE, person, second, rng, supersedes=before)]


def _undone(person: Person, rng: random.Random, today: datetime.date) -> list[Draft]:
    entry = _entry(
        rng.choice([Preference.EXPRESS_CORE, Preference.EXPRESS_DISSENT]),
        person,
        occasions.one_day(person, rng, today),
        rng,
    )
    return [entry, _undoing(entry, rng)]


def _conflict(person: Person, rng: random.Random, today: datetime.date) -> list[Draft]:
    """A word at the desk and a form of the same day, entered without sight of each other."""
    day = occasions.one_day(person, rng, today)
    spoken = _entry(Preference.EXPRESS_CORE, person, day, rng, source=Source.IN_PERSON)
    form = _entry(Preference.EXPRESS_DISSENT, person, day, rng, source=Source.FORM, decided_on=day)
    form.recorded_at = spoken.recorded_at + datetime.timedelta(minutes=rng.randint(30, 300))
    return [spoken, form]


def _entry(
    preference: Preference,
    person: Person,
    day: datetime.date,
    rng: random.Random,
    *,
    supersedes: Draft | None = None,
    source: Source | None = None,
    decided_on: datetime.date | None = None,
) -> Draft:
    occasion = occasions.of(preference, person, day, rng, source=source, decided_on=decided_on)
    if supersedes and supersedes.occasion and occasion.decided_on < supersedes.occasion.decided_on:
        occasion = occasion.on(supersedes.occasion.decided_on)
    return Draft(
        person=person,
        kind=EventKind.DECISION,
        recorded_at=occasions.working_time(day, rng),
        recorded_by=rng.getrandbits(16),
        occasion=occasion,
        supersedes=supersedes,
    )


def _undoing(entry: Draft, rng: random.Random) -> Draft:
    """The recorder sees the slip some minutes later."""
    return Draft(
        person=entry.person,
        kind=EventKind.REVERSAL,
        recorded_at=entry.recorded_at + datetime.timedelta(minutes=rng.randint(1, 12)),
        recorded_by=entry.recorded_by,
        reverses=entry,
    )
