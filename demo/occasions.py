"""When, how and by whom a made-up decision was given. Pure."""

import datetime
import random
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from carerecords.permissions import Role
from consent.codes import NEEDS_REFERENCE, Preference, Source
from demo.chance import Lot, a_day
from demo.people import Person

LONDON = ZoneInfo("Europe/London")
A_YEAR = datetime.timedelta(days=365)
# Below this age a parent decides for the child.
DECIDES_ALONE = 16

_CONSENT = Lot([Source.IN_PERSON, Source.FORM, Source.LETTER, Source.PHONE, Source.ONLINE], [50, 30, 8, 7, 5])
_REFUSAL = Lot(
    [Source.LETTER, Source.FORM, Source.IN_PERSON, Source.PHONE, Source.ONLINE], [40, 35, 10, 10, 5]
)


@dataclass(frozen=True)
class Occasion:
    """What a decision's entry says beside the patient and the time of recording."""

    preference: Preference
    source: Source
    decided_on: datetime.date
    # The role that may record this (`carerecords.permissions`).
    role: Role
    reference: str = ""
    representative_name: str = ""
    representative_authority: str = ""

    def on(self, day: datetime.date) -> "Occasion":
        return replace(self, decided_on=day)


def has_time(person: Person, today: datetime.date) -> bool:
    """Whether the patient was here long enough to decide, and to change their mind."""
    first, last = _window(person, today)
    return (last - first).days >= 6


def one_day(person: Person, rng: random.Random, today: datetime.date) -> datetime.date:
    return _weekday(rng, *_window(person, today))


def two_days(person: Person, rng: random.Random, today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """Two days in order, the second later."""
    first, last = _window(person, today)
    middle = first + (last - first) / 2
    return _weekday(rng, first, middle), _weekday(rng, middle + datetime.timedelta(days=1), last)


def working_time(day: datetime.date, rng: random.Random) -> datetime.datetime:
    """Between half past eight and one o'clock, so that what follows is of the same day."""
    minutes = rng.randint(8 * 60 + 30, 13 * 60)
    clock = datetime.time(minutes // 60, minutes % 60, rng.randint(0, 59))
    return datetime.datetime.combine(day, clock, tzinfo=LONDON)


def of(
    preference: Preference,
    person: Person,
    day: datetime.date,
    rng: random.Random,
    *,
    source: Source | None = None,
    decided_on: datetime.date | None = None,
) -> Occasion:
    """How a decision came to the practice, within what the rules and permissions ask."""
    if person.age < DECIDES_ALONE:
        source = source if source in NEEDS_REFERENCE else Source.REPRESENTATIVE
    source = source or (_REFUSAL if preference is Preference.EXPRESS_DISSENT else _CONSENT).draw(rng)
    parent = source is Source.REPRESENTATIVE
    return Occasion(
        preference=preference,
        source=source,
        decided_on=decided_on or _decided(source, person, day, rng),
        role=_role(preference, source),
        reference=_reference(source, day, rng),
        representative_name=f"{rng.choice(['Mrs', 'Mr'])} {person.family_name}" if parent else "",
        representative_authority="Parental responsibility" if parent else "",
    )


def _weekday(rng: random.Random, first: datetime.date, last: datetime.date) -> datetime.date:
    """A working day between two that are at least two days apart."""
    day = a_day(rng, first, last)
    if day.weekday() < 5:
        return day
    friday = day - datetime.timedelta(days=day.weekday() - 4)
    return friday if friday >= first else day + datetime.timedelta(days=7 - day.weekday())


def _window(person: Person, today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """From registration, or a year ago, until yesterday or the day before the patient went."""
    first = max(today - A_YEAR, person.registered_on)
    return first, (person.gone_on or today) - datetime.timedelta(days=1)


def _decided(source: Source, person: Person, day: datetime.date, rng: random.Random) -> datetime.date:
    """A letter or form is some days old when it is entered."""
    if source not in NEEDS_REFERENCE:
        return day
    return max(day - datetime.timedelta(days=rng.randint(1, 9)), person.registered_on)


def _reference(source: Source, day: datetime.date, rng: random.Random) -> str:
    return f"{source.value[0]}{day:%y%m}-{rng.randint(0, 9999):04}" if source in NEEDS_REFERENCE else ""


def _role(preference: Preference, source: Source) -> Role:
    """A receptionist enters refusals, and consent to core with paper to show for it."""
    if preference is Preference.EXPRESS_ADDITIONAL:
        return Role.GP
    if preference is Preference.EXPRESS_CORE and source not in NEEDS_REFERENCE:
        return Role.GP
    return Role.STAFF
