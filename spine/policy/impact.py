"""What a change would do, before it is made: the gate's own answer, counted.

The facts of all patients who may be uploaded are grouped (`spine.fact_groups`), the gate is asked once
for each distinct combination as things are and once as they would be (`spine.policy.effects`), and the answers
are multiplied by the counts. So what is predicted is what the gate will do. Cost: that of the groups;
what is done with them here grows with the number of groups only.
"""

import datetime
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from boycott.positions import GpStance, Position, Stance
from boycott.queries import NATIONAL_LINE, standing_revisions
from boycott.rules import Revision, as_if
from carerecords.models import Patient, Practice, User
from consent.codes import ConsentModel
from spine.fact_groups import Home, Side, Verdicts, groups, homes, side_of
from spine.facts import Nation, asked_of, load_nation
from spine.gate import Outcome
from spine.policy.effects import Effect, Sides, effects_of, total, who_may_go


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
class PracticeEffect:
    """What the change does in one practice."""

    practice: Home
    effect: Effect


@dataclass(frozen=True)
class RegionEffect:
    """What the change does in one region. `practices`: those of it that it is about."""

    code: str
    name: str
    practices: int
    effect: Effect


@dataclass(frozen=True)
class PositionImpact:
    """What a change of the positions in force would do at a moment.

    It is about the practices for which other positions would be in force than are: `answers` and
    `regions` count those, and `elsewhere` the practices that it leaves as they are. Practices count that
    are active or have patients who may go.
    """

    answers: list[AnswerEffect]
    regions: list[RegionEffect]
    # Every practice where anything changes, the largest effect first.
    by_practice: list[PracticeEffect]
    elsewhere: int
    effect: Effect
    # All uploads are stopped: then no change stops or starts any.
    stopped: bool

    @property
    def practices(self) -> int:
        """Those that would be bound: it is about them, and they follow or gave no answer."""
        return sum(one.practices for one in self.answers if one.follows)


def impact_of_position(position: Position, at: datetime.datetime) -> PositionImpact:
    """The national position becomes another one."""
    return impact_of(as_if(standing_revisions(), NATIONAL_LINE, position, at), at)


def impact_of(then: Sequence[Revision], at: datetime.datetime) -> PositionImpact:
    """Other revisions stand, as of now, than those that do. Six queries, whatever there is."""
    nation = load_nation(at)
    everywhere = homes(Practice.objects.all(), nation.today)
    sides = {home.id: _sides(home, nation, then) for home in everywhere.values()}
    effects = effects_of(Patient.objects.all(), nation, sides)
    living = [home for home in everywhere.values() if home.is_active or home.id in effects]
    about = [home for home in living if _differs(sides[home.id])]
    return PositionImpact(
        answers=_by_answer(about, effects),
        regions=_by_region(about, effects),
        by_practice=_by_practice(everywhere.values(), effects),
        elsewhere=len(living) - len(about),
        effect=_sum_of(about, effects),
        stopped=nation.stopped,
    )


def uploads_allowed_under(
    at: datetime.datetime, *, model: ConsentModel | None = None, letter_weeks: int | None = None
) -> int:
    """How many patients the gate lets go, under the nation's consent model as it is or another one."""
    nation = load_nation(at)
    if model is not None:
        nation = replace(nation, consent_model=model, letter_weeks=letter_weeks or nation.letter_weeks)
    where = homes(Practice.objects.all(), nation.today)
    sides = {home.id: side_of(home, nation, nation.revisions) for home in where.values()}
    verdicts = Verdicts(nation)
    return sum(
        group.patients
        for group in groups(who_may_go(Patient.objects.all(), nation), nation)
        if verdicts.of(group.own, sides[group.home_id]).outcome is Outcome.SEND
    )


def impact_of_stance(practice: Practice, stance: Stance, at: datetime.datetime) -> Effect:
    """A practice gives another answer."""
    return _total(Patient.objects.of(practice), at, lambda side: side._replace(stance=stance))


def impact_of_gp_stance(gp: User, stance: GpStance, at: datetime.datetime) -> Effect:
    """A GP gives another answer for their own patients, at whatever practice."""
    holds = stance is GpStance.HOLD
    return _total(Patient.objects.filter(usual_gp=gp), at, lambda side: side._replace(gp_holds=holds))


def _total(patients: QuerySet[Patient], at: datetime.datetime, change: Callable[[Side], Side]) -> Effect:
    nation = load_nation(at)
    where = homes(Practice.objects.filter(pk__in=patients.values("practice")), nation.today)
    now = {home.id: side_of(home, nation, nation.revisions) for home in where.values()}
    sides = {home_id: Sides(side, change(side)) for home_id, side in now.items()}
    return total(effects_of(patients, nation, sides).values())


def _sides(home: Home, nation: Nation, then: Sequence[Revision]) -> Sides:
    now = side_of(home, nation, nation.revisions)
    return Sides(now, now._replace(asked=asked_of(home.place, then, nation.at)))


def _differs(sides: Sides) -> bool:
    return sides.now != sides.then


def _by_answer(about: Collection[Home], effects: dict[int, Effect]) -> list[AnswerEffect]:
    return [
        AnswerEffect(answer, len(those), _sum_of(those, effects))
        for answer in (Stance.FOLLOW, None, Stance.DO_NOT_FOLLOW, Stance.HOLD)
        for those in [[home for home in about if home.answer is answer]]
    ]


def _by_region(about: Collection[Home], effects: dict[int, Effect]) -> list[RegionEffect]:
    """By name, so that two readings compare line by line."""
    regions = sorted({(home.region_name, home.place.region_code) for home in about})
    return [
        RegionEffect(code, name, len(those), _sum_of(those, effects))
        for name, code in regions
        for those in [[home for home in about if home.place.region_code == code]]
    ]


def _by_practice(all_homes: Iterable[Home], effects: dict[int, Effect]) -> list[PracticeEffect]:
    found = [
        PracticeEffect(home, effects[home.id])
        for home in all_homes
        if home.id in effects and effects[home.id].changed
    ]
    return sorted(found, key=lambda one: (-one.effect.changed, one.practice.place.ods_code))


def _sum_of(those: Iterable[Home], effects: dict[int, Effect]) -> Effect:
    return total(effects[home.id] for home in those if home.id in effects)
