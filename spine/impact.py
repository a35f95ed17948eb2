"""What a change would do, before it is made: the gate's own answer, counted.

The facts of all patients who may be uploaded are grouped, the gate is asked once for each distinct
combination as things are and once as they would be, and the answers are multiplied by the counts.
So what is predicted is what the gate will do. Cost: one grouped query over the patients with
consent; a practice of 12,000 takes a tenth of a second.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from boycott.models import StanceRevision
from boycott.positions import GpStance, Position, Stance
from boycott.queries import NATIONAL_LINE, practices_by_answer, standing_revisions
from boycott.rules import Revision, as_if
from carerecords.models import Patient, Practice, User
from consent.codes import PERMITTING, ConsentModel, ConsentState
from spine.facts import FACT_FIELDS, Nation, annotate, as_facts, load_nation
from spine.gate import Facts, Kind, Outcome, decide
from spine.models import StoreCopy
from spine.queries import uploads_under_way

# Who can be uploaded without an express decision, where the nation's model lets silence count.
SILENT = (ConsentState.NONE, ConsentState.IMPLIED_CORE)


@dataclass(frozen=True)
class Effect:
    """Patients with consent, and for how many of them uploads would stop, or start again."""

    patients: int = 0
    stop: int = 0
    start: int = 0

    def __add__(self, other: "Effect") -> "Effect":
        return Effect(self.patients + other.patients, self.stop + other.stop, self.start + other.start)


@dataclass(frozen=True)
class AnswerEffect:
    """The practices that gave one answer (`None`: no answer), and what the change does there."""

    answer: Stance | None
    practices: int
    effect: Effect

    @property
    def follows(self) -> bool:
        return self.answer in {None, Stance.FOLLOW}


@dataclass(frozen=True)
class PositionImpact:
    """What a change of the national position would do at a moment."""

    answers: list[AnswerEffect]
    waiting: int
    in_flight: int
    copies: int

    @property
    def practices(self) -> int:
        """Those that would be bound: they follow, or gave no answer."""
        return sum(one.practices for one in self.answers if one.follows)

    @property
    def effect(self) -> Effect:
        return sum((one.effect for one in self.answers), Effect())


Group = tuple[Mapping[str, Any], Facts]


def impact_of_position(position: Position, at: datetime.datetime) -> PositionImpact:
    """The national position becomes another one."""
    return impact_of(as_if(standing_revisions(), NATIONAL_LINE, position, at), at)


def impact_of(revisions: Sequence[Revision], at: datetime.datetime) -> PositionImpact:
    """Other revisions stand, as of now, than those that do."""
    nation = load_nation(at)
    then = replace(nation, revisions=tuple(revisions))
    found: dict[Stance | None, Effect] = {}
    for row, facts in _groups(Patient.objects.all(), nation):
        answer = Stance(row["fact_stance"]) if row["answered"] else None
        changed = as_facts(row, then, kind=Kind.UPLOAD, undo_window_open=False)
        found[answer] = found.get(answer, Effect()) + _effect(facts, changed, row["patients"])
    jobs = uploads_under_way()
    return PositionImpact(
        answers=[
            AnswerEffect(answer, practices, found.get(answer, Effect()))
            for answer, practices in practices_by_answer().items()
        ],
        waiting=jobs.waiting,
        in_flight=jobs.in_flight,
        copies=StoreCopy.objects.filter(is_blank=False, accepted_at__isnull=False).count(),
    )


def uploads_allowed_under(
    at: datetime.datetime, *, model: ConsentModel | None = None, letter_weeks: int | None = None
) -> int:
    """How many patients the gate lets go, under the nation's consent model as it is or another one."""
    nation = load_nation(at)
    if model is not None:
        nation = replace(nation, consent_model=model, letter_weeks=letter_weeks or nation.letter_weeks)
    found = _groups(Patient.objects.all(), nation)
    return sum(row["patients"] for row, facts in found if decide(facts).outcome is Outcome.SEND)


def impact_of_stance(practice: Practice, stance: Stance, at: datetime.datetime) -> Effect:
    """A practice gives another answer."""
    return _total(Patient.objects.of(practice), at, lambda facts: replace(facts, stance=stance))


def impact_of_gp_stance(gp: User, stance: GpStance, at: datetime.datetime) -> Effect:
    """A GP gives another answer for their own patients, at whatever practice."""
    holds = stance is GpStance.HOLD
    patients = Patient.objects.filter(usual_gp=gp)
    return _total(patients, at, lambda facts: replace(facts, gp_holds=holds))


def _total(patients: QuerySet[Patient], at: datetime.datetime, change: Callable[[Facts], Facts]) -> Effect:
    groups = _groups(patients, load_nation(at))
    return sum((_effect(facts, change(facts), row["patients"]) for row, facts in groups), Effect())


def _effect(now: Facts, then: Facts, patients: int) -> Effect:
    goes, will_go = (decide(facts).outcome is Outcome.SEND for facts in (now, then))
    return Effect(
        patients=patients,
        stop=patients if goes and not will_go else 0,
        start=patients if will_go and not goes else 0,
    )


def _groups(patients: QuerySet[Patient], nation: Nation) -> Iterator[Group]:
    """The distinct facts of those who may be uploaded, with how many patients share them."""
    states = [ConsentState(preference.value) for preference in PERMITTING]
    if nation.consent_model is not ConsentModel.EXPLICIT:
        states += SILENT
    gone = Q(left_on__lte=nation.today) | Q(died_on__lte=nation.today)
    rows = (
        annotate(patients.filter(~gone, consent_state__in=states), nation)
        .annotate(answered=Exists(StanceRevision.objects.filter(practice=OuterRef("practice"))))
        .values(*FACT_FIELDS, "answered")
        .annotate(patients=Count("pk"))
        .order_by()
    )
    for row in rows:
        yield row, as_facts(row, nation, kind=Kind.UPLOAD, undo_window_open=False)
