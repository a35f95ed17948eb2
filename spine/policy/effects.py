"""What a change makes of each patient's upload, counted by practice: the gate's answer before and after."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntEnum

from django.db.models import Q, QuerySet

from carerecords.models import Patient
from consent.codes import PERMITTING, ConsentModel, ConsentState
from spine.fact_groups import Group, Side, Verdicts, groups
from spine.facts import Nation
from spine.gate import Decision, Outcome, Scope

# Who can be uploaded without an express decision, where the nation's model lets silence count.
SILENT = (ConsentState.NONE, ConsentState.IMPLIED_CORE)


@dataclass(frozen=True)
class Effect:
    """What a change does, in patients and uploads. Effects of different patients add up."""

    # Who may be uploaded as far as they themselves are concerned.
    patients: int = 0
    # Of them: those whose uploads stop, start, shrink to the core, or widen from it.
    stop: int = 0
    start: int = 0
    shrink: int = 0
    widen: int = 0
    # Uploads that wait now and would be held, or are held now and would go.
    held: int = 0
    released: int = 0
    # Of patients whose uploads stop: on their way now, and summaries at the store that go out of date.
    in_flight: int = 0
    copies: int = 0

    def __add__(self, other: "Effect") -> "Effect":
        return Effect(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    @property
    def changed(self) -> int:
        """Patients for whom anything would be otherwise."""
        return self.stop + self.start + self.shrink + self.widen


_NAMES = tuple(each.name for each in fields(Effect))


@dataclass(frozen=True)
class Sides:
    """One practice before the change and after it."""

    now: Side
    then: Side


def effects_of(patients: QuerySet[Patient], nation: Nation, sides: dict[int, Sides]) -> dict[int, Effect]:
    """By practice."""
    change_of, found = _Changes(nation, sides), dict[int, _Tally]()
    for group in groups(who_may_go(patients, nation), nation):
        if (tally := found.get(group.home_id)) is None:
            tally = found[group.home_id] = _Tally()
        tally.add(group, change_of(group))
    return {home_id: tally.effect for home_id, tally in found.items()}


def who_may_go(patients: QuerySet[Patient], nation: Nation) -> QuerySet[Patient]:
    """Those for whom the gate may say yes, whatever anybody but themselves does."""
    states = [ConsentState(preference.value) for preference in PERMITTING]
    if nation.consent_model is not ConsentModel.EXPLICIT:
        states += SILENT
    gone = Q(left_on__lte=nation.today) | Q(died_on__lte=nation.today)
    return patients.filter(~gone, consent_state__in=states)


class _Change(IntEnum):
    """What a change makes of one upload."""

    NONE = 0
    STOP = 1
    START = 2
    SHRINK = 3
    WIDEN = 4


class _Changes:
    """What the change makes of each group's uploads; the gate is asked once a distinct combination."""

    def __init__(self, nation: Nation, sides: dict[int, Sides]) -> None:
        self._verdicts = Verdicts(nation)
        # Few practices differ in what they bring, and a number is a quicker key than all that.
        self._kinds = list(dict.fromkeys(sides.values()))
        numbers = {each: number for number, each in enumerate(self._kinds)}
        self._kind_of = {home_id: numbers[each] for home_id, each in sides.items()}
        self._known: dict[tuple[int, int], _Change] = {}

    def __call__(self, group: Group) -> _Change:
        key = group.own, self._kind_of[group.home_id]
        found = self._known.get(key)
        if found is None:
            sides = self._kinds[key[1]]
            now, then = (self._verdicts.of(group.own, side) for side in (sides.now, sides.then))
            found = self._known[key] = _change(now, then)
        return found


def _change(now: Decision, then: Decision) -> _Change:
    goes, will_go = now.outcome is Outcome.SEND, then.outcome is Outcome.SEND
    if goes is not will_go:
        return _Change.STOP if goes else _Change.START
    if (now.scope, then.scope) == (Scope.CORE_ADDITIONAL, Scope.CORE):
        return _Change.SHRINK
    return _Change.WIDEN if (now.scope, then.scope) == (Scope.CORE, Scope.CORE_ADDITIONAL) else _Change.NONE


class _Tally:
    """An effect while it is counted."""

    def __init__(self) -> None:
        self._patients = [0] * len(_Change)
        self._held = self._released = self._in_flight = self._copies = 0

    def add(self, group: Group, change: _Change) -> None:
        self._patients[change] += group.patients
        if change is _Change.STOP:
            self._held += group.waiting
            self._in_flight += group.in_flight
            self._copies += group.copies
        elif change is _Change.START:
            self._released += group.waiting

    @property
    def effect(self) -> Effect:
        return Effect(
            patients=sum(self._patients),
            stop=self._patients[_Change.STOP],
            start=self._patients[_Change.START],
            shrink=self._patients[_Change.SHRINK],
            widen=self._patients[_Change.WIDEN],
            held=self._held,
            released=self._released,
            in_flight=self._in_flight,
            copies=self._copies,
        )


def total(effects: Iterable[Effect]) -> Effect:
    """One effect of several."""
    return sum(effects, Effect())
