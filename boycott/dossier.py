"""Changes of policy with their steps, read whole: two queries each, or two for all that are on the way."""

import datetime
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Max, OuterRef, QuerySet, Subquery

from boycott import guidance
from boycott.change_states import LEAVE_ON_THE_WAY, ON_THE_WAY, ChangeState, Step
from boycott.content import fingerprint
from boycott.models import (
    ChangeContent,
    ChangeStep,
    GuidanceRevision,
    MotionRevision,
    PolicyChange,
    PositionRevision,
    PositionWithdrawal,
)
from boycott.positions import DataScope, Position
from boycott.rules import Place, Revision, in_force
from carerecords.models import Practice


@dataclass
class Dossier:
    """One change with every step, oldest first. The first step wrote it."""

    change: PolicyChange
    steps: list[ChangeStep]

    @property
    def last(self) -> ChangeStep:
        return self.steps[-1]

    @property
    def content(self) -> ChangeContent:
        """What it says now."""
        return self.last.content

    def state(self, at: datetime.datetime) -> ChangeState:
        return self.last.state(at)

    @cached_property
    def guidance(self) -> GuidanceRevision | None:
        """The guidance that goes with it: drafted, or published with it before."""
        return guidance.draft_of(self.change) or guidance.published_with(self.change)

    @property
    def authors(self) -> set[int]:
        """Everybody who wrote or sent any of it, its guidance included: none of them may approve it."""
        wrote = {step.made_by_id for step in self._of(Step.WRITTEN, Step.SUBMITTED) if step.made_by_id}
        return wrote | ({self.guidance.made_by_id} if self.guidance else set())

    @property
    def submission(self) -> ChangeStep | None:
        """How it was sent, if nothing was written since."""
        return self._since_written(Step.SUBMITTED)

    @property
    def approval(self) -> ChangeStep | None:
        """Its approval, if nothing was written since."""
        return self._since_written(Step.APPROVED)

    @property
    def answerable(self) -> set[int]:
        """Who must go on holding their roles for it to take effect: authors, sender and approver."""
        return self.authors | (
            {self.approval.made_by_id} if self.approval and self.approval.made_by_id else set()
        )

    def last_shown_to(self, user_id: int) -> ChangeStep | None:
        """The figures this person was last asked to look at, else those it was sent with."""
        asked = [step for step in self._current(Step.ASKED_AGAIN) if step.made_by_id == user_id]
        return asked[-1] if asked else self.submission

    @property
    def fingerprint(self) -> str:
        """Of everything that would take effect as it stands now."""
        facts = _facts(self.change, self.content)
        return fingerprint(
            facts | {"guidance": guidance.fingerprint(self.guidance) if self.guidance else None}
        )

    def _of(self, *kinds: Step) -> list[ChangeStep]:
        return [step for step in self.steps if step.kind in kinds]

    def _current(self, kind: Step) -> list[ChangeStep]:
        """Steps of a kind since it was last written or sent; a later sending voids an approval too."""
        voids = {Step.WRITTEN} if kind is Step.SUBMITTED else {Step.WRITTEN, Step.SUBMITTED}
        begun = max(step.number for step in self.steps if step.kind in voids)
        return [step for step in self.steps if step.kind == kind and step.number > begun]

    def _since_written(self, kind: Step) -> ChangeStep | None:
        found = self._current(kind)
        return found[-1] if found else None


def dossier(change: PolicyChange) -> Dossier:
    """The change with its steps as they stand."""
    return Dossier(change, list(_steps().filter(change=change).order_by("number")))


def dossier_of(public_id: uuid.UUID) -> Dossier | None:
    """The change of that id, if there is one."""
    change = PolicyChange.objects.select_related("made_by").filter(public_id=public_id).first()
    return dossier(change) if change else None


def newest_steps() -> list[ChangeStep]:
    """The last step of every change, the change touched last first."""
    last = _steps().order_by("change", "-number").distinct("change")
    return sorted(last, key=lambda step: -step.pk)


def last_steps(kinds: Collection[Step]) -> QuerySet[ChangeStep]:
    """The last step of each change whose last is of one of these kinds, the change touched last first."""
    last = ChangeStep.objects.filter(change=OuterRef("change")).order_by("-number").values("pk")[:1]
    return _steps().filter(kind__in=kinds, pk=Subquery(last)).order_by("-pk")


def on_the_way(at: datetime.datetime) -> list[Dossier]:
    """Every change that can still take effect without being written again; two queries."""
    changes = [step.change for step in last_steps(LEAVE_ON_THE_WAY) if step.state(at) in ON_THE_WAY]
    steps = _steps().filter(change__in=changes).order_by("number")
    found: dict[int, list[ChangeStep]] = {change.pk: [] for change in changes}
    for step in steps:
        found[step.change_id].append(step)
    return [Dossier(change, found[change.pk]) for change in changes]


def _steps() -> QuerySet[ChangeStep]:
    return ChangeStep.objects.select_related("content__motion", "made_by", "change__made_by")


def _facts(change: PolicyChange, content: ChangeContent) -> dict[str, object]:
    return {
        "line": change.line,
        "line_version": content.line_version,
        "motion": content.motion.motion,
        "motion_number": content.motion.number,
        "body": content.motion.body,
        "position": content.position,
        "strength": content.strength,
        "data_scope": content.data_scope,
        "region_codes": frozenset(content.region_codes),
        "icb_codes": frozenset(content.icb_codes),
        "ods_codes": frozenset(content.ods_codes),
        "exempt_ods_codes": frozenset(content.exempt_ods_codes),
        "text": content.text,
        "starts_at": content.starts_at,
        "ends_at": content.ends_at,
        "end_condition": content.end_condition,
        "review_on": content.review_on,
        "reason": content.reason,
    }


def line_version(line: uuid.UUID) -> int:
    """How often a line changed: revisions and withdrawals. It only grows."""
    revisions = PositionRevision.objects.filter(line=line).aggregate(last=Max("number"))["last"] or 0
    return revisions + PositionWithdrawal.objects.filter(revision__line=line).count()


def latest_motion(motion: uuid.UUID) -> MotionRevision | None:
    """The revision of a motion that stands."""
    return MotionRevision.objects.filter(motion=motion).order_by("-number").first()


def places() -> list[Place]:
    """Where each active practice lies: the cells of the check. One query, a row a practice."""
    rows = Practice.objects.filter(status=Practice.Status.ACTIVE)
    return [Place(*row) for row in rows.values_list("ods_code", "region_code", "icb_code")]


def as_revision(found: Dossier, at: datetime.datetime) -> Revision:
    """The revision that the change would append, as rules see it."""
    content = found.content
    number = (
        PositionRevision.objects.filter(line=found.change.line).aggregate(last=Max("number"))["last"] or 0
    )
    return Revision(
        id=0,
        line=found.change.line,
        number=number + 1,
        position=Position(content.position),
        data_scope=DataScope(content.data_scope),
        effective_from=content.starts_at or at,
        effective_to=content.ends_at,
        made_at=at,
        region_codes=frozenset(content.region_codes),
        icb_codes=frozenset(content.icb_codes),
        ods_codes=frozenset(content.ods_codes),
        exempt_ods_codes=frozenset(content.exempt_ods_codes),
    )


def base_of(line: uuid.UUID, standing: Iterable[Revision], moment: datetime.datetime) -> Revision | None:
    """What the line says at a moment: where a change that starts then would lead from."""
    return next((one for one in in_force(standing, moment) if one.line == line), None)


def revision_of(found: Dossier) -> PositionRevision | None:
    """The revision that the change put into force or scheduled last, unless it was taken back."""
    return (
        PositionRevision.objects.filter(change=found.change, withdrawal__isnull=True)
        .order_by("-number")
        .first()
    )
