"""Uploads that went wrong or are not settled, grouped by cause, the riskiest first: of a practice, or of all."""

import datetime
from dataclasses import dataclass

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Min, Q

from carerecords.formats import nhs_datetime
from carerecords.models import JobKind, JobState, Practice, UploadJob
from spine.reasons import Actor, Reason
from spine.runs.cancelled import OF_CANCELLED_RUN
from spine.uploads.queries import not_asked_again
from spine.uploads.steps import PUT_OFF


@dataclass(frozen=True)
class Cause:
    """One way to go wrong: what it is called, who acts, and what they can do. No kind: of either kind."""

    state: JobState
    kind: JobKind | None
    reason: Reason
    title: str
    actor: Actor
    advice: str

    def holds(self, state: str, kind: str, code: str | None) -> bool:
        """Whether a job of this state and kind, with this first reason, went wrong in this way."""
        return (self.state, self.reason.code) == (state, code) and self.kind in (None, kind)

    @property
    def can_be_tried(self) -> bool:
        """Whether all of it can be tried again at once."""
        return self.state is JobState.FAILED

    def next_words(self, next_at: datetime.datetime | None, at: datetime.datetime) -> str:
        """When the next of them goes on by itself, seen from a moment; nothing where none does."""
        verb = _BY_ITSELF.get(self.state)
        if verb is None or next_at is None:
            return ""
        when = f"on {nhs_datetime(next_at)}" if next_at > at else "now"
        return f"The next is due to be {verb} {when}."


# Of what is held `due_at` is a day on which a fact changes, which lets nothing of these causes go.
_BY_ITSELF = {JobState.WAITING: "tried again", JobState.IN_DOUBT: "asked about"}

WITHDRAWAL = Cause(
    JobState.FAILED,
    JobKind.WITHDRAWAL,
    Reason.TECH_WITHDRAWAL,
    "Removal from the Spine failed",
    Actor.MANAGER,
    'The record is still at the Spine. If the Spine\'s answer was that it holds "No" for this patient, it takes '
    "no message, not even a removal: a GP or the privacy officer then sets the permission from the patient's page, "
    "which asks for the removal again. Otherwise try again.",
)
DIFFERS = Cause(
    JobState.HELD,
    None,
    Reason.CONSENT_DIFFERS,
    "The Spine holds a different decision",
    Actor.GP_OR_PRIVACY_OFFICER,
    "Ask the patient which is right, and record it: that asks for a new upload. A GP or the privacy "
    "officer sets the permission at the Spine from the patient's page.",
)
_REFUSED = (
    "Open the upload: its answer tells what the Spine's codes mean. Mend that in your clinical system, then try again. "
    "Where the record is right, give the message's number, which is there too, to whoever runs this service."
)
_UNWRITTEN = (
    "Most often the patient has no usual GP, who signs it. Name one in your clinical system, then try again."
)
CAUSES = (
    WITHDRAWAL,
    Cause(
        JobState.FAILED,
        JobKind.WITHDRAWAL,
        Reason.TECH_FAILED,
        "Removal from the Spine failed 8 times",
        Actor.MANAGER,
        "The record is still at the Spine. Try again when the Spine works.",
    ),
    DIFFERS,
    Cause(
        JobState.FAILED,
        JobKind.UPLOAD,
        Reason.TECH_FAILED,
        "Sending failed 8 times",
        Actor.MANAGER,
        "Try again when the Spine works.",
    ),
    Cause(
        JobState.FAILED,
        JobKind.UPLOAD,
        Reason.TECH_REFUSED,
        "The Spine refused it",
        Actor.MANAGER,
        _REFUSED,
    ),
    Cause(
        JobState.FAILED,
        JobKind.UPLOAD,
        Reason.TECH_UNWRITTEN,
        "The message could not be written",
        Actor.MANAGER,
        _UNWRITTEN,
    ),
    Cause(
        JobState.FAILED,
        JobKind.UPLOAD,
        Reason.TECH_TOO_LARGE,
        "Message too large",
        Actor.MANAGER,
        "Shorten the record in your clinical system, then try again.",
    ),
    *(
        Cause(
            JobState.FAILED,
            JobKind.NOTICE,
            reason,
            "A notice could not be put on a copy",
            Actor.MANAGER,
            advice,
        )
        for reason, advice in (
            (Reason.TECH_FAILED, "Try again when the Spine works."),
            (
                Reason.TECH_REFUSED,
                "Open the notice: its answer tells what the Spine's codes mean. Give the message's number, which is "
                "there too, to whoever runs this service, then try again.",
            ),
            (
                Reason.TECH_UNWRITTEN,
                "Most often nobody at the practice could sign it, or the copy could not be read. Name a GP with a "
                "smartcard, then try again.",
            ),
            (Reason.TECH_TOO_LARGE, "The Spine takes no larger message. Its copy stays as it is."),
        )
    ),
    *(
        Cause(
            JobState.FAILED,
            kind,
            Reason.TECH_UNSUPPORTED,
            "The Spine could not read what this service sent",
            Actor.NATIONAL,
            "The Spine's address is set wrong here, or the Spine has changed. Whoever runs this service mends that. "
            "Then try again.",
        )
        for kind in (JobKind.UPLOAD, JobKind.NOTICE)
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
        JobState.IN_DOUBT,
        None,
        Reason.TECH_UNTOLD,
        "The answer was lost, and the Spine refuses to say what it holds",
        Actor.NATIONAL,
        "Nothing is sent again before the Spine has said what it holds. Its answer to the question is with each upload: "
        "this service's access or address is set wrong, or the Spine has changed. Whoever runs this service mends that; "
        "the rest goes by itself.",
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
    """The uploads of one cause: how many, of whom, since when, and when the next is looked at by itself.

    `of_cancelled_runs`: so many of them cannot be tried again (`spine.uploads.steps`).
    """

    number: int
    of_cancelled_runs: int
    oldest: datetime.datetime
    next_at: datetime.datetime | None
    practices: frozenset[int]

    @property
    def to_try(self) -> int:
        return self.number - self.of_cancelled_runs


def problems_of(practice: Practice | None) -> list[tuple[Cause, Group]]:
    """One query, along the indexes of what is open or failed. A failure that was followed by a later
    request needs nobody.

    Of all practices together (None) without what differs at the Spine: that is between a patient and their
    practice, and each practice is shown its own.
    """
    jobs = UploadJob.objects.all() if practice is None else UploadJob.objects.filter(practice=practice)
    unsettled = Q(state=JobState.IN_DOUBT)
    unsettled |= Q(state=JobState.WAITING, due_at__isnull=False, reasons__0__in=PUT_OFF)
    if practice is not None:
        unsettled |= Q(state=JobState.HELD, reasons__0=Reason.CONSENT_DIFFERS.code)
    rows = (
        (not_asked_again(jobs.filter(state=JobState.FAILED)) | jobs.filter(unsettled))
        .order_by()
        .annotate(code=F("reasons__0"))
        .values_list("state", "kind", "code")
        .annotate(
            number=Count("pk"),
            of_cancelled_runs=Count("pk", filter=OF_CANCELLED_RUN),
            oldest=Min("requested_at"),
            next_at=Min("due_at"),
            practices=ArrayAgg("practice", distinct=True),
        )
    )
    counted = [
        ((state, kind, code), Group(number, over, oldest, next_at, frozenset(practices)))
        for state, kind, code, number, over, oldest, next_at, practices in rows
    ]
    found = ((cause, [group for key, group in counted if cause.holds(*key)]) for cause in CAUSES)
    return [(cause, _together(groups)) for cause, groups in found if groups]


def _together(groups: list[Group]) -> Group:
    due = [group.next_at for group in groups if group.next_at]
    return Group(
        sum(group.number for group in groups),
        sum(group.of_cancelled_runs for group in groups),
        min(group.oldest for group in groups),
        min(due, default=None),
        frozenset().union(*(group.practices for group in groups)),
    )


def cause_of(code: str, kind: str) -> Cause | None:
    """The cause that can be tried again, by its reason's code and its kind; None for any other."""
    return next((one for one in CAUSES if one.can_be_tried and one.holds(JobState.FAILED, kind, code)), None)
