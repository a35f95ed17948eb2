"""Which uploads left, or may have left, while a change waited for the fence.

No clock is compared, so machines whose clocks differ count alike: one statement before the fence is
asked for sees the jobs being sent and the newest receipt; one behind it sees the receipts since.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection

from carerecords.models.fact_clock import NATIONAL
from spine.sending.answers import Answer, AnswerKind

# A job whose intent is not committed has sent nothing yet. Along the partial index over jobs being sent.
_BEING_SENT = """
SELECT job.id FROM carerecords_uploadjob AS job
JOIN spine_uploadattempt AS intent ON intent.job_id = job.id AND intent.attempt = job.attempt
WHERE job.state = 'SENDING' AND job.kind <> 'WITHDRAWAL' AND (%(nation)s OR job.practice_id = %(scope)s)
"""
# Of one snapshot: whoever writes an older receipt afterwards has its job among those being sent.
_BEFORE = f"SELECT ARRAY({_BEING_SENT}), (SELECT coalesce(max(id), 0) FROM spine_receipt)"
# A receipt without a hash is of a question only, and what did not begin has not left.
_AFTER = f"""
SELECT ARRAY({_BEING_SENT}),
       coalesce(array_agg(receipt.job_id) FILTER (WHERE NOT receipt.gone), '{{}}'),
       coalesce(array_agg(receipt.job_id) FILTER (WHERE receipt.gone), '{{}}')
FROM (
    SELECT receipt.job_id, receipt.kind <> ALL(%(never)s) AND receipt.body_sha256 <> '' AS gone
    FROM spine_receipt AS receipt JOIN carerecords_uploadjob AS job ON job.id = receipt.job_id
    WHERE receipt.id > %(mark)s AND job.kind <> 'WITHDRAWAL' AND (%(nation)s OR job.practice_id = %(scope)s)
) AS receipt
"""


def watch(scope: int) -> Callable[[], set[int]]:
    """Call it before the fence of `scope` is asked for, and what it returns behind the fence.

    That gives the ids of the jobs whose upload was on its way meanwhile. One that has no answer yet
    counts, as nobody knows whether it will be accepted. Two queries, whatever waits in the queue.
    """
    never = [kind.value for kind in AnswerKind if not Answer(kind).was_sent]
    asked = {"scope": scope, "nation": scope == NATIONAL, "never": never}
    before, mark = _row(_BEFORE, asked)

    def met() -> set[int]:
        sending, kept_back, gone = _row(_AFTER, asked | {"mark": mark})
        return (set(before) - set(kept_back)) | set(gone) | set(sending)

    return met


def _row(text: str, params: dict[str, Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
