"""Reading runs: whose they are, and how the uploads of one stand."""

import uuid

from django.db.models import QuerySet

from carerecords.models import JobKind, JobState, Practice, UploadJob
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from spine.runs.codes import TRANSITIONS, UNDER_WAY, RunState, RunStep
from spine.runs.models import SendingRun, SendingShare
from spine.uploads.queries import not_asked_again

PAGE = 50
# Of these it is not known yet whether they will be at the store soon; what is held waits for others.
UNSETTLED = (JobState.WAITING, JobState.SENDING, JobState.IN_DOUBT)


def runs_of(practice: Practice | None) -> QuerySet[SendingRun]:
    """The runs of a practice, or the programme's own."""
    return SendingRun.objects.filter(practice=practice).select_related("made_by", "practice")


def run_of(practice: Practice | None, public_id: uuid.UUID) -> SendingRun | None:
    """One of those runs."""
    return runs_of(practice).filter(public_id=public_id).first()


def programme_runs_for(practice: Practice) -> QuerySet[SendingRun]:
    """The programme's runs that include a practice and were started, the newest first."""
    theirs = SendingShare.objects.filter(practice=practice, run__practice=None).exclude(
        run__state=RunState.DRAFT
    )
    return SendingRun.objects.filter(pk__in=theirs.values("run")).order_by("-pk")


def running() -> list[uuid.UUID]:
    """The runs that have to be fed."""
    return list(SendingRun.objects.filter(state=RunState.RUNNING).values_list("public_id", flat=True))


def under_way() -> QuerySet[SendingRun]:
    """All that run or are paused, the newest first."""
    return SendingRun.objects.filter(state__in=UNDER_WAY).select_related("practice").order_by("-pk")


def jobs_of(run: SendingRun) -> QuerySet[UploadJob]:
    """The uploads and removals that the run asked for."""
    return UploadJob.objects.filter(sending_row__run=run)


def failed_of(run: SendingRun) -> QuerySet[UploadJob]:
    """Those that failed and were not asked for again since."""
    return not_asked_again(jobs_of(run).filter(state=JobState.FAILED))


def has_open(run: SendingRun) -> bool:
    """Whether an upload or notice of it may still leave. Removals do not count: nothing ends them."""
    not_over = [*OPEN_STATES, *BUSY_STATES]
    return jobs_of(run).exclude(kind=JobKind.WITHDRAWAL).filter(state__in=not_over).exists()


def steps_open(run: SendingRun) -> set[RunStep]:
    """What can be done with a run now. One that has finished is cancelled while something of it is held."""
    steps = set(TRANSITIONS[RunState(run.state)])
    if run.state == RunState.FINISHED and not has_open(run):
        steps.discard(RunStep.CANCELLED)
    return steps
