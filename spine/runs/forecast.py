"""What a run would ask for if it went through now: the gate's own answers, counted.

The facts of its patients are grouped (`spine.fact_groups`) and the gate is asked once for each distinct
combination, so the check page costs two passes over the patients and five small queries.
"""

import datetime
from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from carerecords.models import JobKind, Patient, Practice, UploadJob
from consent.codes import ConsentState
from spine.fact_codes import facts_of
from spine.fact_groups import Verdicts, groups, homes, side_of
from spine.facts import load_nation
from spine.gate import Outcome
from spine.reasons import Reason
from spine.runs.asking import asked_for, asks_for, kind_asked, notice_asked, requests_a_patient
from spine.runs.codes import RunKind
from spine.runs.models import SendingRun
from spine.runs.selection import patients_of


@dataclass(frozen=True)
class Forecast:
    """Patients by what the run would do: send, remove, ask for and see held, or leave out.

    `go`: the gate lets them go. Of an update only those are sent whose record has changed since: that is not
    known before the record is read.
    """

    practices: int
    patients: int
    go: int
    removals: int
    # Reasons with how many patients each, the most frequent first.
    held: list[tuple[Reason, int]]
    left_out: list[tuple[Reason, int]]

    @property
    def all_held(self) -> int:
        return sum(number for _, number in self.held)

    @property
    def all_left_out(self) -> int:
        return sum(number for _, number in self.left_out)

    @property
    def asked(self) -> int:
        """How many jobs there would be."""
        return self.go + self.removals + self.all_held


def forecast(run: SendingRun, at: datetime.datetime) -> Forecast:
    """The run's patients as things stand."""
    practices = Practice.objects.filter(pk__in=run.shares.values("practice"))
    nation = load_nation(at)
    kind = RunKind(run.kind)
    where, verdicts = homes(practices, nation.today), Verdicts(nation, kind_asked(kind), notice_asked(kind))
    sides = {home.id: side_of(home, nation, nation.revisions) for home in where.values()}
    go = removals = 0
    held: Counter[Reason] = Counter()
    left_out: Counter[Reason] = Counter()
    patients = patients_of(run, Patient.objects.filter(practice__in=practices), at)
    open_or_busy = Exists(UploadJob.objects.filter(asked_for(kind), patient=OuterRef("pk")))
    left_out[Reason.JOB_OPEN] = patients.filter(open_or_busy).count()
    for group in groups(patients.filter(~open_or_busy), nation):
        number = group.patients
        decision = verdicts.of(group.own, sides[group.home_id])
        consent = ConsentState(facts_of(group.own)["consent_state"])
        asks = asks_for(kind, consent, decision)
        if isinstance(asks, Reason):
            left_out[asks] += number
        elif asks is JobKind.WITHDRAWAL:
            removals += number
        elif decision.outcome is Outcome.SEND:
            go += number
        else:
            held[decision.reasons[0]] += number
    whole = go + removals + held.total() + left_out.total()
    return Forecast(len(where), whole, go, removals, _most(held), _most(left_out))


def _most(counter: Counter[Reason]) -> list[tuple[Reason, int]]:
    return [(reason, number) for reason, number in counter.most_common() if number]


def expected_end(run: SendingRun, patients: int, at: datetime.datetime) -> datetime.datetime | None:
    """When so many patients' messages would have left at the store's rate, in the run's hours.

    None where there is no limit, or no end within a year. Others' uploads take their turns too, so it may
    be later.
    """
    rate = settings.SPINE_REQUESTS_PER_SECOND
    if not rate:
        return None
    work = datetime.timedelta(seconds=patients * requests_a_patient(RunKind(run.kind)) / rate)
    return run.sending_hours.end_of(work, timezone.localtime(at))
