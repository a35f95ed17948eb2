"""What would be sent if a hold ended now: how many uploads, whose, in which order, and what else became of them.

The gate is asked about every upload that has not begun, as things are and as they would be, once for each
distinct combination of facts (`spine.fact_groups`). So what is planned is what the pipeline will do, and
consent is asked again here as it will be then: whoever refuses by now is not among those released.
Cost: the grouped query over patients with an open upload, and one look-up a practice in the log of decisions.
"""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.db import connection
from django.db.models import Q, QuerySet

from boycott.rules import Revision
from carerecords.models import JobKind, JobState, Patient, Practice, UploadJob
from consent.codes import PERMITTING
from spine.fact_groups import Group, Home, Verdicts, groups, homes, side_of
from spine.facts import Nation, load_nation
from spine.gate import Outcome
from spine.policy.draining import Turns
from spine.reasons import Reason

# Of patients who had decided before, and whose upload was held and ended for a new decision.
_DECIDED_ANEW = """
SELECT patient.consent_state = ANY(%(permitting)s) AS consents, count(*)
FROM (SELECT DISTINCT event.patient_id FROM carerecords_practice AS practice CROSS JOIN LATERAL (
        SELECT patient_id FROM consent_consentevent
        WHERE practice_id = practice.id AND recorded_at >= %(since)s) AS event) AS anew
JOIN carerecords_patient AS patient ON patient.id = anew.patient_id
WHERE EXISTS (
    SELECT FROM carerecords_uploadjob AS job WHERE job.patient_id = patient.id AND job.kind = 'UPLOAD'
    AND job.state = 'CANCELLED' AND job.attempt > 0 AND job.finished_at >= %(since)s)
GROUP BY 1
"""


@dataclass
class PracticePlan:
    """One practice: uploads that go anyway, those that the end of the hold lets go, and those it does not."""

    home: Home
    going: int = 0
    released: int = 0
    kept: int = 0
    over: int = 0

    @property
    def queue(self) -> int:
        return self.going + self.released


@dataclass(frozen=True)
class RegionPlan:
    """A region of the plan. `until`: messages of all England that have left when its last has."""

    name: str
    practices: int
    released: int
    until: int


@dataclass(frozen=True)
class DecidedAnew:
    """Patients whose upload was held and ended since, because they decided again."""

    consent: int = 0
    refuse: int = 0

    @property
    def all(self) -> int:
        return self.consent + self.refuse


@dataclass(frozen=True)
class Plan:
    """What would be sent. `by_practice`: the largest queue first; `kept` and `over`: by headline reason."""

    by_practice: list[PracticePlan]
    turns: Turns
    kept: list[tuple[Reason, int]]
    over: list[tuple[Reason, int]]
    anew: DecidedAnew = field(default_factory=DecidedAnew)

    @property
    def released(self) -> int:
        return sum(one.released for one in self.by_practice)

    @property
    def going(self) -> int:
        return sum(one.going for one in self.by_practice)

    def until(self, one: PracticePlan) -> int:
        """Messages of all England that leave until this practice's last has left."""
        return self.turns.until(one.queue)

    @property
    def regions(self) -> list[RegionPlan]:
        """By name; those with practices that have uploads released."""
        names = sorted({one.home.region_name for one in self.by_practice if one.released})
        return [
            RegionPlan(name, len(those), sum(one.released for one in those), max(map(self.until, those)))
            for name in names
            for those in [[one for one in self.by_practice if one.released and one.home.region_name == name]]
        ]


def if_resumed(at: datetime.datetime, *, since: datetime.datetime | None = None) -> Plan:
    """The emergency stop ends. `since`: when it was made."""
    nation = load_nation(at)
    return _plan(nation, replace(nation, stopped=False, stop_id=None), since)


def if_revised(
    then: Sequence[Revision], at: datetime.datetime, *, since: datetime.datetime | None = None
) -> Plan:
    """Other revisions of the positions stand than do. `since`: when what ends was in force from."""
    nation = load_nation(at)
    return _plan(nation, replace(nation, revisions=tuple(then)), since)


def _plan(now: Nation, then: Nation, since: datetime.datetime | None) -> Plan:
    where = homes(Practice.objects.all(), now.today)
    sides_now = {pk: side_of(home, now, now.revisions) for pk, home in where.items()}
    sides_then = {pk: side_of(home, then, then.revisions) for pk, home in where.items()}
    asked_now, asked_then = Verdicts(now), Verdicts(then)
    plans: dict[int, PracticePlan] = {}
    kept, over = Counter[Reason](), Counter[Reason]()
    for group in groups(_with_an_upload(), now):
        plan = plans.setdefault(group.home_id, PracticePlan(where[group.home_id]))
        before = asked_now.of(group.own, sides_now[group.home_id])
        after = asked_then.of(group.own, sides_then[group.home_id])
        _count(plan, group, before.outcome, after.outcome)
        if after.outcome is not Outcome.SEND:
            (kept if after.outcome is Outcome.HOLD else over)[after.reasons[0]] += group.patients
    by_practice = sorted(plans.values(), key=lambda one: (-one.queue, one.home.place.ods_code))
    return Plan(
        by_practice=by_practice,
        turns=Turns(one.queue for one in by_practice),
        kept=kept.most_common(),
        over=over.most_common(),
        anew=_decided_anew(since) if since else DecidedAnew(),
    )


def _count(plan: PracticePlan, group: Group, before: Outcome, after: Outcome) -> None:
    if after is Outcome.CANCEL:
        plan.over += group.patients
    elif after is Outcome.HOLD:
        plan.kept += group.patients
    elif before is Outcome.SEND:
        plan.going += group.patients
    else:
        plan.released += group.patients


def _with_an_upload() -> QuerySet[Patient]:
    """Patients whose upload has not begun: one at most each. What a paused run keeps back is left out."""
    jobs = UploadJob.objects.filter(
        Q(state=JobState.HELD) | Q(state=JobState.WAITING, due_at__isnull=False), kind=JobKind.UPLOAD
    )
    return Patient.objects.filter(pk__in=jobs.values("patient"))


def _decided_anew(since: datetime.datetime) -> DecidedAnew:
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED_ANEW, {"since": since, "permitting": [one.value for one in PERMITTING]})
        counted = dict(cursor.fetchall())
    return DecidedAnew(counted.get(True, 0), counted.get(False, 0))
