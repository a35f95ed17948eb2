"""What a made-up patient's summary is made of: more with age, dated so that windows matter. Pure.

Terms are as the NHS dictionary of medicines and SNOMED CT write them. Ids stand in the tables only
where they are certain; everywhere else the code is blank, because a wrong one would be a clinical
safety fault even in a demo.
"""

import datetime
import random
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from carerecords.summary_codes import EntryKind
from demo.chance import Lot, a_day
from demo.people import Person
from demo.tables import rows

MOST_ITEMS = 12
YEAR = datetime.timedelta(days=365)
# Of the records that gain an entry, how many gain an allergy; the others a repeat medicine.
ALLERGY_SHARE = 0.3


@dataclass(frozen=True)
class Item:
    """One entry of a record."""

    kind: EntryKind
    code: str
    term: str
    detail: str
    recorded_on: datetime.date
    ended_on: datetime.date | None = None
    is_sensitive: bool = False


@dataclass(frozen=True)
class _Condition:
    kind: EntryKind
    code: str
    term: str
    from_age: int
    at_40: float
    at_80: float
    sensitive: bool
    repeats: tuple[str, ...]

    def chance(self, age: int) -> float:
        """Grows or falls in a straight line between 40 and 80; children have a share of it."""
        if age < self.from_age:
            return 0
        slope = (self.at_80 - self.at_40) / 40
        return max(self.at_40 + slope * (age - 40), min(self.at_40, self.at_80) / 2)


def items_of(person: Person, rng: random.Random, today: datetime.date) -> list[Item]:
    """Up to twelve entries of one patient's record."""
    items = _allergies(person, rng, today)
    for condition in _conditions():
        if rng.random() < condition.chance(person.age):
            items += _with_repeats(condition, person, rng, today)
    for _ in range(rng.choices([0, 1, 2, 3], [70, 20, 8, 2])[0]):
        items.append(_acute(person, rng, today))
    return items[:MOST_ITEMS]


def gained(rng: random.Random, today: datetime.date, known: Collection[str]) -> Item:
    """What a record gains today: an allergy, or a repeat medicine; neither again that is `known` by its term."""
    if rng.random() < ALLERGY_SHARE:
        new = [row for row in rows("allergies") if row["term"] not in known]
        if new:
            row = Lot(new, [int(row["weight"]) for row in new]).draw(rng)
            return Item(EntryKind[row["kind"]], row["code"], row["term"], row["detail"], today)
    repeats = sorted({term for condition in _conditions() for term in condition.repeats} - set(known))
    term = rng.choice(repeats)
    return Item(EntryKind.REPEAT_MEDICATION, "", term, _dose(term), today)


def _allergies(person: Person, rng: random.Random, today: datetime.date) -> list[Item]:
    if rng.random() > 0.05 + min(person.age, 80) * 0.003:
        return []
    drawn = [_allergy_lot().draw(rng) for _ in range(rng.choices([1, 2, 3], [80, 16, 4])[0])]
    different = {row["term"]: row for row in drawn}
    return [
        Item(
            EntryKind[row["kind"]], row["code"], row["term"], row["detail"], _in_life(person, rng, today, 20)
        )
        for row in different.values()
    ]


def _with_repeats(
    condition: _Condition, person: Person, rng: random.Random, today: datetime.date
) -> list[Item]:
    found = _in_life(person, rng, today, 15)
    items = [
        Item(condition.kind, condition.code, condition.term, "", found, is_sensitive=condition.sensitive)
    ]
    for rank, term in enumerate(condition.repeats):
        if rng.random() < 0.8 / (rank + 1):
            items.append(_repeat(term, found, rng, today))
    return items


def _repeat(term: str, since: datetime.date, rng: random.Random, today: datetime.date) -> Item:
    """A repeat, last issued within two months; or one stopped in the last year or so."""
    if rng.random() < 0.15:
        stopped = a_day(rng, max(since, today - YEAR), today)
        return Item(EntryKind.STOPPED_REPEAT_MEDICATION, "", term, _dose(term), min(since, stopped), stopped)
    issued = a_day(rng, max(since, today - datetime.timedelta(days=60)), today)
    return Item(EntryKind.REPEAT_MEDICATION, "", term, _dose(term), issued)


def _acute(person: Person, rng: random.Random, today: datetime.date) -> Item:
    """Half of them older than the twelve months that a summary shows."""
    term = _acute_lot().draw(rng)
    return Item(EntryKind.ACUTE_MEDICATION, "", term, _dose(term), _in_life(person, rng, today, 2))


def _in_life(person: Person, rng: random.Random, today: datetime.date, years: int) -> datetime.date:
    last = person.gone_on or today
    return a_day(rng, max(person.born_on, last - years * YEAR), last)


@cache
def _conditions() -> tuple[_Condition, ...]:
    return tuple(
        _Condition(
            kind=EntryKind[row["kind"]],
            code=row["code"],
            term=row["term"],
            from_age=int(row["from_age"]),
            at_40=int(row["per_thousand_at_40"]) / 1000,
            at_80=int(row["per_thousand_at_80"]) / 1000,
            sensitive=row["sensitive"] == "1",
            repeats=tuple(row["repeats"].split("|")) if row["repeats"] else (),
        )
        for row in rows("conditions")
    )


@cache
def _allergy_lot() -> Lot[dict[str, str]]:
    return Lot(rows("allergies"), [int(row["weight"]) for row in rows("allergies")])


@cache
def _acute_lot() -> Lot[str]:
    weighted = [(row["term"], int(row["acute_weight"])) for row in rows("medicines")]
    return Lot([term for term, _ in weighted], [weight for _, weight in weighted])


@cache
def _dose(term: str) -> str:
    return next(row["dose"] for row in rows("medicines") if row["term"] == term)
