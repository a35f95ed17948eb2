"""What a scenario is made of: dated facts of groups of patients. Pure values."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from boycott.positions import UNANSWERED, DataScope, Position, Stance
from boycott.rules import Place, Revision
from consent.codes import ConsentModel, ConsentState

Value = TypeVar("Value")
# Each value holds from its day until the day of the next.
Turns = Sequence[tuple[datetime.date, Value]]
Decisions = Mapping[ConsentState, int]

# A replay looks back, so every position is known from the outset; it counts from its day.
_BEFORE_ALL = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
LINE = uuid.UUID("00000000-0000-4000-8000-000000000007")


@dataclass(frozen=True)
class Group:
    """Patients of practices that do alike: how they decided, what the practice answered, when it joined.

    `letters`: the day of the notice letters, if there were any. `code` is a label, of no real practice.
    """

    name: str
    code: str
    patients: Turns[Decisions]
    stance: Turns[Stance] = ()
    joined: datetime.date | None = None
    letters: datetime.date | None = None

    @property
    def place(self) -> Place:
        return Place(self.code, "", "")

    @property
    def size(self) -> int:
        return sum(self.patients[0][1].values())

    def answer(self, day: datetime.date) -> Stance:
        return in_force(self.stance, day) or UNANSWERED


@dataclass(frozen=True)
class Scenario:
    """One piece of history. `assumed` names what the sources do not say and a replay has to take for granted."""

    slug: str
    title: str
    told: str
    source: str
    assumed: str
    first: datetime.date
    months: int
    models: Turns[tuple[ConsentModel, int]]
    positions: Sequence[Revision]
    groups: Sequence[Group]


def in_force(turns: Turns[Value], day: datetime.date) -> Value | None:
    """The value of the last turn that has come by a day."""
    return next((value for begins, value in reversed(turns) if begins <= day), None)


def adopted(
    number: int,
    position: Position,
    day: datetime.date,
    *,
    about: DataScope = DataScope.ALL,
    exempt: Sequence[str] = (),
) -> Revision:
    """A revision of the national position, in force from the beginning of a day."""
    begins = datetime.datetime.combine(day, datetime.time.min, datetime.UTC)
    return Revision(
        id=number,
        line=LINE,
        number=number,
        position=position,
        data_scope=about,
        effective_from=begins,
        effective_to=None,
        made_at=_BEFORE_ALL,
        exempt_ods_codes=frozenset(exempt),
    )
