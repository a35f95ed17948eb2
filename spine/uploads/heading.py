"""What becomes of a patient's summary, in one line: for the patient page, the preview, the API and commands. Pure."""

import datetime

from carerecords.formats import nhs_datetime, nhs_time_seen_from
from carerecords.models import JobKind, JobState, UploadJob
from carerecords.models.upload_job import OPEN_STATES
from spine.models import StoreCopy
from spine.reasons import Reason
from spine.runs.codes import RunState

_PUT_OFF = {reason.code: reason for reason in (Reason.TECH_RETRY, Reason.TECH_ACCESS)}


def heading(job: UploadJob | None, goes: bool, copy: StoreCopy | None, at: datetime.datetime) -> str:
    """How it stands with the newest job and with what the Spine holds. Without a full stop.

    `goes`: whether the gate lets an upload go, or will once the decision can no longer be undone. The job's
    `sending_row` with its run is read, so load it with the job.
    """
    if job and (words := _under_way(job, at)):
        return words
    if goes and job and _is_to_come(job):
        return _waits(job, at) or f"Will be uploaded {_when(job, at)}"
    if copy and copy.accepted_at and not copy.is_blank:
        when = nhs_datetime(copy.accepted_at)
        return f"Uploaded on {when}" if goes else f"Uploaded on {when}. Changes will not be uploaded"
    if copy and copy.accepted_at:
        return f"Removed from the Spine on {nhs_datetime(copy.accepted_at)}"
    return "Will not be uploaded"


def is_promised(job: UploadJob | None) -> bool:
    """Whether an upload that the gate lets go will leave without anybody doing anything more."""
    return job is not None and _is_to_come(job) and not _is_paused(job)


def _is_to_come(job: UploadJob) -> bool:
    return job.kind == JobKind.UPLOAD and job.state in OPEN_STATES


def _is_paused(job: UploadJob) -> bool:
    """Whether its run is, also where no worker has come to lay it aside yet (`spine.runs.resting`)."""
    laid_aside = job.state == JobState.WAITING and job.due_at is None
    row = getattr(job, "sending_row", None)
    return laid_aside or (row is not None and row.run.state == RunState.PAUSED)


def _waits(job: UploadJob, at: datetime.datetime) -> str:
    """The job's own reason to wait, where that is more than its turn; else nothing."""
    if _is_paused(job):
        return _words(Reason.JOB_PAUSED)
    first = job.reasons[0] if job.reasons else ""
    if first == Reason.JOB_HOURS.code and _is_later(job, at):
        return f"{_words(Reason.JOB_HOURS)}, from {nhs_time_seen_from(job.due_at, at)}"
    if reason := _PUT_OFF.get(first):
        return f"{_words(reason)} {_when(job, at)}"
    return ""


def _words(reason: Reason) -> str:
    return reason.sentence.removesuffix(".")


def _when(job: UploadJob, at: datetime.datetime) -> str:
    return f"after {nhs_time_seen_from(job.due_at, at)}" if _is_later(job, at) else "in the next minutes"


def _is_later(job: UploadJob, at: datetime.datetime) -> bool:
    """Of what is held `due_at` is the day on which the hold would end by itself: not when it goes."""
    return job.state == JobState.WAITING and job.due_at is not None and job.due_at > at


def _under_way(job: UploadJob, at: datetime.datetime) -> str:
    """What is happening to the newest job, where that is the headline whatever the gate says."""
    if job.kind == JobKind.WITHDRAWAL and job.state in {JobState.WAITING, JobState.HELD, JobState.SENDING}:
        return f"Removal asked for at {nhs_time_seen_from(job.requested_at, at)}"
    if job.kind == JobKind.NOTICE and job.state in {JobState.WAITING, JobState.SENDING}:
        waits = _waits(job, at) if job.state == JobState.WAITING else ""
        return waits or "A notice is being put on the Spine's copy: it is not kept up to date"
    return {
        JobState.SENDING: "Being sent now",
        JobState.IN_DOUBT: "Sent, and the Spine is being asked whether it arrived",
        JobState.FAILED: "Sending failed",
    }.get(JobState(job.state), "")
