"""What the pages and the API show of a change of policy: what it says, what it would do, what may be done."""

import datetime
from dataclasses import dataclass, field

from boycott.change_states import UNSETTLED, ChangeState, Step, allows
from boycott.dossier import Dossier, base_of, places
from boycott.figures import Figures, differing
from boycott.findings import Found, findings
from boycott.measured_change import examined_with, revisions_as_if_now
from boycott.models import PositionRevision
from boycott.positions import Phrase
from boycott.queries import holding_changes, rows_of, standing_revisions
from boycott.rules import Revision, phrase_for
from carerecords.models import Quieted, User
from carerecords.permissions import Permission, Role
from carerecords.quiet import Told, told_of
from spine.policy.effect import figures_of
from spine.policy.impact import PositionImpact, impact_of
from spine.policy.impact_chart import BarChart, region_chart

# Each figure in words, in the order in which they are read.
FIGURES = {
    "practices": "Practices bound: they follow, or gave no answer",
    "patients": "Patients with consent",
    "stop": "Patients whose uploads stop",
    "start": "Patients whose uploads start",
    "shrink": "Patients whose uploads shrink to the core",
    "widen": "Patients whose uploads gain additional information",
    "held": "Uploads that wait now and would be held",
    "released": "Uploads held now that would go",
    "in_flight": "Uploads being sent now, which cannot be recalled",
    "copies": "Summaries on the Spine that go out of date",
}
# Why the figures are as they are during an emergency stop.
WHILE_STOPPED = (
    "All uploads are stopped, so no upload would stop or start now: the figures of uploads, and of summaries "
    "on the Spine, are 0 for as long as the stop lasts. A change approved meanwhile counts for every upload "
    "once uploads resume; how many those are is not counted here."
)
# What most changes leave at nothing is shown only where it is something.
SELDOM = {"shrink", "widen", "released"}


@dataclass(frozen=True)
class FigureLine:
    """One figure now, and as it was when it was sent (None: not sent)."""

    code: str
    words: str
    now: int
    sent: int | None
    differs: bool

    @property
    def tells(self) -> bool:
        """Whether people want to read it."""
        return bool(self.code not in SELDOM or self.now or self.sent)


@dataclass(frozen=True)
class Effect:
    """What it would do if it started now."""

    impact: PositionImpact
    chart: BarChart
    lines: list[FigureLine]
    phrase: Phrase | None
    starts_boycott: bool
    ends_boycott: bool
    findings: list[Found]

    @property
    def caution(self) -> str:
        """What to know before reading the figures; most often nothing."""
        return WHILE_STOPPED if self.impact.stopped else ""


@dataclass(frozen=True)
class ChangePage:
    """A change as one person sees it."""

    dossier: Dossier
    state: ChangeState
    base: PositionRevision | None
    # Whether its position is in force now.
    holds: bool
    at: datetime.datetime
    effect: Effect | None = None
    may: frozenset[Step] = field(default_factory=frozenset)
    is_author: bool = False
    # Once it took effect: when uploads were quiet.
    quiet: Told | None = None


def change_page(found: Dossier, user: User, role: Role | None, at: datetime.datetime) -> ChangePage:
    """Reads and measures all of it. About twenty queries, one of which counts patients with consent."""
    state = found.state(at)
    standing = standing_revisions()
    begins = found.content.starts_at or at
    base = base_of(found.change.line, standing, begins)
    return ChangePage(
        dossier=found,
        state=state,
        base=next(iter(rows_of([base])), None) if base and state in UNSETTLED else None,
        holds=found.change.pk in holding_changes(at),
        at=at,
        effect=effect_of(found, base, at) if state in UNSETTLED else None,
        may=_may(found, state, user, role),
        is_author=user.pk in found.authors,
        quiet=told_of(Quieted.Kind.CHANGE, found.change.pk, None),
    )


def effect_of(found: Dossier, base: Revision | None, at: datetime.datetime) -> Effect:
    """What it would do, in figures and against the other positions."""
    impact = impact_of(revisions_as_if_now(found, at), at)
    then, examined = examined_with(found, at)
    phrase = phrase_for(base, then, places())
    return Effect(
        impact=impact,
        chart=region_chart(impact.regions),
        lines=_lines(figures_of(impact), found),
        phrase=phrase,
        starts_boycott=phrase is Phrase.START,
        ends_boycott=phrase is Phrase.END,
        findings=findings(examined.clashes, examined.idle, then),
    )


def _lines(now: Figures, found: Dossier) -> list[FigureLine]:
    sent = None
    if found.submission is not None:
        sent = Figures.from_json(found.submission.figures or {})
    marked = differing(sent, now) if sent else frozenset()
    return [
        FigureLine(name, words, getattr(now, name), getattr(sent, name) if sent else None, name in marked)
        for name, words in FIGURES.items()
    ]


def _may(found: Dossier, state: ChangeState, user: User, role: Role | None) -> frozenset[Step]:
    """The steps that this person could take; the verbs have the last word."""
    held = role.rule.permissions if role else frozenset()
    steps = set()
    if Permission.CHANGE_POSITION in held:
        steps |= {Step.WRITTEN, Step.SUBMITTED, Step.CANCELLED}
    if Permission.APPROVE_POSITION in held and user.pk not in found.authors:
        steps |= {Step.APPROVED, Step.REJECTED}
    return frozenset(step for step in steps if allows(state, step))
