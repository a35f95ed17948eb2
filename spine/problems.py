"""Uploads of a practice that went wrong or are not settled, grouped by cause, the riskiest first."""

import datetime
from dataclasses import dataclass

from django.db.models import Count, F, Min, Q

from carerecords.models import JobKind, JobState, Practice, UploadJob
from spine.queries import not_asked_again
from spine.reasons import Actor, Reason
from spine.upload_steps import PUT_OFF


@dataclass(frozen=True)
class Cause:
    """One way to go wrong: what it is called, who acts, and what they can do."""

    state: JobState
    kind: JobKind | None
    reason: Reason
    title: str
    actor: Actor
    advice: str


WITHDRAWAL = Cause(
    JobState.FAILED,
    JobKind.WITHDRAWAL,
    Reason.TECH_WITHDRAWAL,
    "Removal from the Spine failed",
    Actor.MANAGER,
    "The record is still at the Spine. Try again. If the Spine says that the patient opted out, the GP or "
    "the privacy officer sets its permission first.",
)
DIFFERS = Cause(
    JobState.HELD,
    None,
    Reason.CONSENT_DIFFERS,
    "The Spine holds a different decision",
    Actor.PRIVACY_OFFICER,
    "Ask the patient which is right. The GP or the privacy officer sets the permission at the Spine.",
)
CAUSES = (
    WITHDRAWAL,
    DIFFERS,
    Cause(
        JobState.FAILED,
        None,
        Reason.TECH_FAILED,
        "Sending failed 7 times",
        Actor.MANAGER,
        "Try again when the Spine works.",
    ),
    Cause(
        JobState.FAILED,
        None,
        Reason.TECH_REFUSED,
        "The Spine refused the message",
        Actor.MANAGER,
        "Look at the upload: its answer says what the Spine found wrong. Mend the record, then try again.",
    ),
    Cause(
        JobState.FAILED,
        None,
        Reason.TECH_TOO_LARGE,
        "Message too large",
        Actor.MANAGER,
        "Shorten the record in your clinical system, then try again.",
    ),
    Cause(
        JobState.IN_DOUBT,
        None,
        Reason.TECH_DOUBT,
        "The answer was lost",
        Actor.NOBODY,
        "The Spine is asked before anything is sent again.",
    ),
    Cause(
        JobState.WAITING,
        None,
        Reason.TECH_RETRY,
        "The Spine could not take it",
        Actor.NOBODY,
        "It is tried again by itself, or at once if you open it and say so.",
    ),
    Cause(
        JobState.WAITING,
        None,
        Reason.TECH_ACCESS,
        "The Spine did not let this service in",
        Actor.NATIONAL,
        "It is tried again by itself. The programme knows.",
    ),
)


@dataclass(frozen=True)
class Group:
    """The uploads of one cause: how many, since when, and when the next is looked at by itself."""

    cause: Cause
    number: int
    oldest: datetime.datetime
    next_at: datetime.datetime | None

    @property
    def can_be_tried(self) -> bool:
        return self.cause.state is JobState.FAILED


def problems_of(practice: Practice) -> list[Group]:
    """One query. A failure that was followed by a later request needs nobody."""
    jobs = UploadJob.objects.filter(practice=practice)
    unsettled = Q(state=JobState.IN_DOUBT) | Q(state=JobState.HELD, reasons__0=Reason.CONSENT_DIFFERS.code)
    unsettled |= Q(state=JobState.WAITING, reasons__0__in=PUT_OFF)
    rows = (
        (not_asked_again(jobs.filter(state=JobState.FAILED)) | jobs.filter(unsettled))
        .order_by()
        .annotate(cause_code=F("reasons__0"))
        .values_list("state", "cause_code")
        .annotate(number=Count("pk"), oldest=Min("requested_at"), next_at=Min("due_at"))
    )
    found = {(state, code): (number, oldest, next_at) for state, code, number, oldest, next_at in rows}
    return [
        Group(cause, *found[cause.state, cause.reason.code])
        for cause in CAUSES
        if (cause.state, cause.reason.code) in found
    ]


def cause_of(code: str) -> Cause | None:
    """The cause that can be tried again, by the code of its reason; None for any other."""
    return next((one for one in CAUSES if one.reason.code == code and one.state is JobState.FAILED), None)
