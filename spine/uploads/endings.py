"""Why uploads ended without being sent, as pages count and list them: the state alone says "Cancelled" of all."""

from django.db.models import Q

from carerecords.models import JobState
from carerecords.models.upload_job import NEEDLESS, NEEDLESS_REASON
from carerecords.vocabulary import Term
from spine.reasons import Reason


class Ending(Term):
    """What a cancelled upload ended by."""

    NEEDLESS = "NEEDLESS", NEEDLESS
    WITH_RUN = "WITH_RUN", "Stopped by cancelling the run"
    OTHERWISE = "OTHERWISE", "Cancelled"


# The store was asked, and holds what it should.
_NEEDLESS = [reason.code for reason in Reason if reason.code.startswith(NEEDLESS_REASON)]
_WITH_RUN = Reason.JOB_RUN_CANCELLED.code
_CANCELLED = Q(state=JobState.CANCELLED)
_JOBS = {
    Ending.NEEDLESS: _CANCELLED & Q(reasons__0__in=_NEEDLESS),
    Ending.WITH_RUN: _CANCELLED & Q(reasons__0=_WITH_RUN),
    # Also those without any reason: a comparison with nothing is neither true nor false.
    Ending.OTHERWISE: _CANCELLED & (Q(reasons__len=0) | ~Q(reasons__0__in=[*_NEEDLESS, _WITH_RUN])),
}


def ending_of(code: str | None) -> Ending:
    """By a cancelled upload's first reason."""
    if code in _NEEDLESS:
        return Ending.NEEDLESS
    return Ending.WITH_RUN if code == _WITH_RUN else Ending.OTHERWISE


def jobs_ended(ending: Ending) -> Q:
    """The condition for jobs that ended so: those of which `ending_of` says it."""
    return _JOBS[ending]
