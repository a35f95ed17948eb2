"""Runs a scenario month by month through the gate. Pure: the rule that decides is the product's own.

Each month is asked at its end, of every group and every decision in it; a year of ten groups costs some
hundred decisions, whatever the number of patients.
"""

import calendar
import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from boycott.positions import Stance
from boycott.rules import Revision, in_force, positions_for, standing
from consent.codes import ConsentModel, ConsentState
from reports.replays.scenario import Group, Scenario
from reports.replays.scenario import in_force as of_day
from spine.gate import Decision, Facts, Kind, Letter, Outcome, Scope, decide
from spine.reasons import Reason

Answers = Callable[[Group, datetime.date], Stance]


@dataclass(frozen=True)
class World:
    """One way in which it could have gone: which positions there were, and who follows them."""

    name: str
    positions: bool
    answer: Answers


def _as_answered(group: Group, day: datetime.date) -> Stance:
    return group.answer(day)


def _everybody_follows(group: Group, day: datetime.date) -> Stance:
    return Stance.HOLD if group.answer(day) is Stance.HOLD else Stance.FOLLOW


AS_IT_WAS = World("As it was", True, _as_answered)
NOTHING_ASKED = World("Had the BMA asked nothing", False, _as_answered)
ALL_FOLLOWED = World("Had every practice followed", True, _everybody_follows)
WORLDS = (AS_IT_WAS, NOTHING_ASKED, ALL_FOLLOWED)


@dataclass(frozen=True)
class Sent:
    """Of how many patients a summary may go, and of how many of these with additional information."""

    summaries: int
    additional: int


@dataclass(frozen=True)
class Month:
    """The end of one month. `held`: by headline, of all who were not sent as it was."""

    day: datetime.date
    position: str
    model: ConsentModel
    patients: int
    sent: dict[str, Sent]
    held: list[tuple[Reason, int]]
    groups: list[tuple[str, Sent, int]]


def replay(scenario: Scenario) -> list[Month]:
    """Every month of a scenario, the first first."""
    return [_month(scenario, _end(scenario.first, number)) for number in range(scenario.months)]


def decision(
    scenario: Scenario, world: World, group: Group, state: ConsentState, day: datetime.date
) -> Decision:
    """The gate's answer for the patients of one group with one decision, at the end of a day."""
    model, weeks = of_day(scenario.models, day) or (ConsentModel.EXPLICIT, 0)
    revisions = standing(scenario.positions) if world.positions else []
    covering = positions_for(group.place, revisions, _moment(day))
    return decide(
        Facts(
            Kind.UPLOAD,
            consent=state,
            consent_model=model,
            letter=_letter(group, day, weeks),
            undo_window_open=False,
            positions=frozenset((one.position, one.data_scope) for one in covering),
            stance=world.answer(group, day),
            gp_holds=False,
            rollout_open=group.joined is not None and group.joined <= day,
            identity_verified=True,
            sensitive=False,
            stopped=False,
            consent_is_current=True,
            complete=True,
        )
    )


def _month(scenario: Scenario, day: datetime.date) -> Month:
    decided = {world.name: list(_decided(scenario, world, day)) for world in WORLDS}
    was = decided[AS_IT_WAS.name]
    held: Counter[Reason] = Counter()
    for _, answer, patients in was:
        if answer.headline is not None:
            held[answer.headline] += patients
    model, _ = of_day(scenario.models, day) or (ConsentModel.EXPLICIT, 0)
    return Month(
        day=day,
        position=_position(in_force(standing(scenario.positions), _moment(day))),
        model=model,
        patients=sum(patients for _, _, patients in was),
        sent={name: _sent(lines) for name, lines in decided.items()},
        held=held.most_common(),
        groups=[
            (group.name, _sent([one for one in was if one[0] is group]), group.size)
            for group in scenario.groups
        ],
    )


def _decided(scenario: Scenario, world: World, day: datetime.date) -> Iterator[tuple[Group, Decision, int]]:
    for group in scenario.groups:
        for state, patients in (of_day(group.patients, day) or {}).items():
            yield group, decision(scenario, world, group, state, day), patients


def _sent(lines: Sequence[tuple[Group, Decision, int]]) -> Sent:
    go = [(answer.scope, patients) for _, answer, patients in lines if answer.outcome is Outcome.SEND]
    return Sent(
        sum(patients for _, patients in go),
        sum(patients for scope, patients in go if scope is Scope.CORE_ADDITIONAL),
    )


def _position(found: Sequence[Revision]) -> str:
    said = [
        f"{one.position.label} ({one.data_scope.label.lower()}{', with exemptions' if one.exempt_ods_codes else ''})"
        for one in found
    ]
    return "; ".join(said) or "None"


def _letter(group: Group, day: datetime.date, weeks: int) -> Letter:
    if group.letters is None or group.letters > day:
        return Letter.NOT_SENT
    over = group.letters + datetime.timedelta(weeks=weeks) <= day
    return Letter.WINDOW_PASSED if over else Letter.WINDOW_OPEN


def _end(first: datetime.date, number: int) -> datetime.date:
    """The last day of the month so many months after the first."""
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    return datetime.date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _moment(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.max, datetime.UTC)
