"""Reading uploads, and the GPs of a practice with what they answer."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from boycott.models import GpStanceRevision
from boycott.positions import GpStance
from carerecords.models import JobKind, JobState, Patient, Practice, RoleAssignment, UploadJob, User
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from carerecords.permissions import Role
from spine.models import GateDecision, Receipt, UploadAttempt, UploadStep
from spine.reasons import Reason
from spine.sending.answers import AnswerKind
from spine.uploads.endings import Ending, jobs_ended

PAGE = 50
# What `spine.sending.proof` writes where the store was asked after a message: it may have left.
ASKED_AFTER = ("FOUND", "NOT_THERE", "NOT_TOLD", "ASKED_IN_VAIN")
# What the list may be narrowed to by when uploads were asked for, in days.
PERIODS = {"1": "In the last 24 hours", "7": "In the last 7 days", "30": "In the last 30 days"}


@dataclass(frozen=True)
class UploadFilters:
    """What to show of a practice's uploads; empty: everything. Unknown values count as empty.

    `reason` is the headline, as the list shows it; `latest` leaves out what was asked for again; `run` is
    the public id of the run of uploads that asked for them; `days`: asked for in so many days until now;
    `ended` narrows what was cancelled (`spine.uploads.endings`), and counts with that state only.
    """

    state: str = ""
    kind: str = ""
    reason: str = ""
    latest: str = ""
    run: str = ""
    days: str = ""
    ended: str = ""

    @classmethod
    def of(
        cls,
        state: str,
        kind: str,
        reason: str,
        latest: str,
        run: str = "",
        days: str = "",
        ended: str = "",
    ) -> "UploadFilters":
        known = {one.code for one in Reason}
        return cls(
            state if state in JobState.values else "",
            kind if kind in JobKind.values else "",
            reason if reason in known else "",
            "yes" if latest == "yes" else "",
            run if _is_uuid(run) else "",
            days if days in PERIODS else "",
            ended if ended in list(Ending) and state == JobState.CANCELLED else "",
        )

    def as_query(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class UploadPage:
    """One page of uploads, newest first. `before` is the address of the next older page."""

    jobs: Sequence[UploadJob]
    total: int
    before: uuid.UUID | None


def uploads_page(practice: Practice, filters: UploadFilters, before: uuid.UUID | None) -> UploadPage:
    """Three queries whatever the number of rows: a count, the page by keyset, its receipts."""
    jobs = _filtered(UploadJob.objects.filter(practice=practice), filters)
    total = jobs.count()
    if before is not None:
        jobs = jobs.filter(pk__lt=UploadJob.objects.filter(practice=practice, public_id=before).values("pk"))
    last = Receipt.objects.filter(job=OuterRef("pk")).order_by("-pk")
    page = list(
        jobs.select_related("patient")
        .annotate(
            sends=_SENDS,
            last_check=Subquery(
                GateDecision.objects.filter(job=OuterRef("pk")).order_by("-pk").values("outcome")[:1]
            ),
            receipt_kind=Subquery(last.values("kind")[:1]),
            receipt_at=Subquery(last.values("at")[:1]),
            receipt_id=Subquery(last.values("composition_id")[:1]),
        )
        .order_by("-pk")[: PAGE + 1]
    )
    more = len(page) > PAGE
    return UploadPage(page[:PAGE], total, page[PAGE - 1].public_id if more else None)


def _is_uuid(text: str) -> bool:
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def is_upload_of(practice: Practice, public_id: uuid.UUID) -> bool:
    return UploadJob.objects.filter(practice=practice, public_id=public_id).exists()


def _filtered(jobs: QuerySet[UploadJob], filters: UploadFilters) -> QuerySet[UploadJob]:
    if filters.state:
        jobs = jobs.filter(state=filters.state)
    if filters.kind:
        jobs = jobs.filter(kind=filters.kind)
    if filters.reason:
        jobs = jobs.filter(reasons__0=filters.reason)
    if filters.run:
        jobs = jobs.filter(sending_row__run__public_id=filters.run)
    if filters.ended:
        jobs = jobs.filter(jobs_ended(Ending(filters.ended)))
    if filters.days:
        since = timezone.now() - datetime.timedelta(days=int(filters.days))
        jobs = jobs.filter(requested_at__gte=since)
    return not_asked_again(jobs) if filters.latest else jobs


def not_asked_again(jobs: QuerySet[UploadJob]) -> QuerySet[UploadJob]:
    """The newest job of each patient: what failed before a later request needs nobody."""
    later = UploadJob.objects.filter(patient=OuterRef("patient"), pk__gt=OuterRef("pk"))
    return jobs.filter(~Exists(later))


# Of these attempts nothing reached the store, though their intent was recorded: the question before was all
# that went, or the time to begin was over. A message that was found there later had left.
_NEVER_LEFT = Q(body_sha256="") & ~Q(kind__in=ASKED_AFTER) | Q(
    kind__in=[AnswerKind.NOT_SENT, AnswerKind.UNREACHABLE, AnswerKind.NOT_WRITTEN]
)
_LEFT = ~Exists(Receipt.objects.filter(_NEVER_LEFT, job=OuterRef("job"), attempt=OuterRef("attempt")))
# How often something left for the store, or may have; neither a claim that the gate held nor an intent is a send.
_SENDS = Coalesce(
    Subquery(
        UploadAttempt.objects.filter(_LEFT, job=OuterRef("pk"))
        .order_by()
        .values("job")
        .annotate(n=Count("pk"))
        .values("n")
    ),
    0,
)


@dataclass(frozen=True)
class UploadRecord:
    """One upload with all that became of it. `left`: the numbers of the attempts that left, or may have."""

    job: UploadJob
    decisions: list[GateDecision]
    attempts: list[UploadAttempt]
    receipts: list[Receipt]
    steps: list[UploadStep]
    left: frozenset[int]


def upload_record(practice: Practice, public_id: uuid.UUID) -> UploadRecord | None:
    """An upload of the practice's own patients; None for anybody else's."""
    jobs = UploadJob.objects.filter(practice=practice, public_id=public_id)
    job = jobs.select_related("patient", "requested_by").first()
    if job is None:
        return None
    return UploadRecord(
        job,
        list(GateDecision.objects.filter(job=job).order_by("pk")),
        list(UploadAttempt.objects.filter(job=job).order_by("pk")),
        list(Receipt.objects.filter(job=job).order_by("pk")),
        list(UploadStep.objects.filter(job=job).select_related("made_by").order_by("pk")),
        frozenset(UploadAttempt.objects.filter(_LEFT, job=job).values_list("attempt", flat=True)),
    )


def last_receipt_at(practice: Practice) -> datetime.datetime | None:
    """When the store last answered for this practice."""
    last = Receipt.objects.filter(job__practice=practice).order_by("-pk").values_list("at", flat=True)
    return last.first()


@dataclass(frozen=True)
class UnderWay:
    """Uploads of the whole country that are not over."""

    waiting: int
    in_flight: int


def uploads_under_way() -> UnderWay:
    """One count along the partial indexes over jobs that are not over."""
    jobs = UploadJob.objects.filter(kind=JobKind.UPLOAD, state__in=[*OPEN_STATES, *BUSY_STATES])
    counted = dict(jobs.values_list("state").annotate(jobs=Count("pk")).order_by())
    return UnderWay(
        waiting=sum(counted.get(state, 0) for state in OPEN_STATES),
        in_flight=sum(counted.get(state, 0) for state in BUSY_STATES),
    )


def patients_of_gp(practice: Practice, gp: User) -> int:
    """Living, registered patients whose usual GP this is."""
    return _here(Patient.objects.of(practice)).filter(usual_gp=gp).count()


@dataclass(frozen=True)
class GpAnswer:
    """One GP of a practice, what they answer for their own patients, since when, and how many those are."""

    gp: User
    stance: GpStance
    since: datetime.datetime | None
    patients: int


def gps_of(practice: Practice) -> list[GpAnswer]:
    """The GPs of a practice by name; two queries."""
    now = timezone.now()
    answers = GpStanceRevision.objects.filter(gp=OuterRef("user")).order_by("-pk")
    in_force = Q(ends_at__isnull=True) | Q(ends_at__gt=now)
    roles = (
        RoleAssignment.objects.filter(in_force, practice=practice, role=Role.GP, starts_at__lte=now)
        .select_related("user")
        .annotate(
            stance=Subquery(answers.values("stance")[:1]), since=Subquery(answers.values("made_at")[:1])
        )
        .order_by("user__family_name", "user__given_name")
    )
    counts = (
        _here(Patient.objects.of(practice)).values_list("usual_gp").annotate(patients=Count("pk")).order_by()
    )
    counted = dict(counts)
    return [
        GpAnswer(
            one.user, GpStance(one.stance or GpStance.USE_PRACTICE), one.since, counted.get(one.user_id, 0)
        )
        for one in roles
    ]


def _here(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    return patients.filter(left_on__isnull=True, died_on__isnull=True)
