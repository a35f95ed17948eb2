"""Uploads whose run was cancelled: nothing of it opens again. A removal is none of them: nothing may end it."""

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from carerecords.many_rows import integers
from carerecords.models import JobKind
from spine.runs.codes import RunState

# As a filter of jobs.
OF_CANCELLED_RUN = ~Q(kind=JobKind.WITHDRAWAL) & Q(sending_row__run__state=RunState.CANCELLED)

# The lock makes whoever cancels one of these runs wait until the transaction is over and then find what it opened;
# or the row as they left it comes back. It waits for nobody else: feeding locks a run without its key.
_RUNS = """
SELECT row.job_id, run.state FROM spine_sendingrow AS row JOIN spine_sendingrun AS run ON run.id = row.run_id
JOIN carerecords_uploadjob AS job ON job.id = row.job_id
WHERE row.job_id = ANY(%s::bigint[]) AND job.kind <> 'WITHDRAWAL' ORDER BY run.id FOR KEY SHARE OF run
"""


def keep_runs(cursor: CursorWrapper, job_ids: Iterable[int]) -> set[int]:
    """Lets no run of these jobs be cancelled until the caller's transaction is over; returns those of the jobs whose
    run is cancelled already."""
    cursor.execute(_RUNS, [integers(job_ids)])
    return {job_id for job_id, state in cursor.fetchall() if state == RunState.CANCELLED}
