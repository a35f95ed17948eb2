"""How long the queue is, and how fast it moves, for the nation and for one practice.

The pace is read from receipts, of a time in which something was due throughout: since the longest due
job was due and the last fact changed that may have held it, an hour at the most. A quiet hour before
says nothing of how fast the store takes messages.

Cost, none of which grows with what is done or held:
- the pace: the newest receipts by primary key, `MOST_RECEIPTS` at the most, so the time looked at grows
  shorter as the pace grows;
- a practice's place: along the partial index over open jobs, the messages that go before its last one;
- the nation: one grouped query over the patients whose upload is due (`spine.fact_groups`).
"""

import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q, QuerySet

from carerecords.models import FactClock, JobKind, JobState, Patient, Practice, UploadJob
from carerecords.models.fact_clock import NATIONAL
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from spine.fact_groups import Verdicts, groups, homes, side_of
from spine.facts import load_nation
from spine.gate import Outcome
from spine.sending.answers import AnswerKind
from spine.uploads.outlook import PARTS, Outlook, Pace, Queue, most_a_minute, outlook

LOOK_BACK = datetime.timedelta(hours=1)
MOST_RECEIPTS = 5000
# A message that left the queue for good; what was found without sending is named by `spine.sending.proof`.
DONE = (
    AnswerKind.ACCEPTED.value,
    AnswerKind.DUPLICATE.value,
    AnswerKind.CONSENT_DIFFERS.value,
    AnswerKind.REFUSED.value,
    AnswerKind.TOO_LARGE.value,
    AnswerKind.UNSUPPORTED.value,
    AnswerKind.NOT_WRITTEN.value,
    "FOUND",
    "UNCHANGED",
    "NOTHING_THERE",
    "OTHERS",
)

# The newest receipts stand at the end of the primary key.
_PACE = """
WITH newest AS MATERIALIZED (SELECT at, kind FROM spine_receipt ORDER BY id DESC LIMIT %(most)s),
looked AS (SELECT least(%(until)s::timestamptz - interval '1 millisecond', greatest(%(since)s::timestamptz,
    CASE WHEN count(*) = %(most)s THEN min(at) END)) AS since FROM newest)
SELECT looked.since, width_bucket(extract(epoch FROM newest.at)::float, extract(epoch FROM looked.since)::float,
    extract(epoch FROM %(until)s::timestamptz)::float, %(parts)s) AS part, count(*)
FROM looked LEFT JOIN newest ON newest.at >= looked.since AND newest.at < %(until)s AND kind = ANY(%(done)s)
GROUP BY 1, 2
"""
_DUE = "state IN ('WAITING', 'HELD') AND due_at IS NOT NULL"
# Each practice with something to come, and when its first was due: a step along the index for each.
_OPENED = f"""
WITH RECURSIVE opened AS (
    (SELECT practice_id, due_at FROM carerecords_uploadjob
     WHERE {_DUE} AND kind = 'UPLOAD' ORDER BY practice_id, due_at LIMIT 1)
    UNION ALL
    SELECT next.practice_id, next.due_at FROM opened CROSS JOIN LATERAL
        (SELECT practice_id, due_at FROM carerecords_uploadjob
         WHERE {_DUE} AND kind = 'UPLOAD' AND practice_id > opened.practice_id
         ORDER BY practice_id, due_at LIMIT 1) AS next),
removals AS (
    SELECT count(*) AS number, min(due_at) AS oldest FROM carerecords_uploadjob
    WHERE {_DUE} AND kind = 'WITHDRAWAL' AND due_at <= %(now)s)"""
# Null where nothing is due: `greatest` and `least` pass over nulls. What was held is due from when it was asked for, and could not go before the hold ended.
_SINCE = """
(SELECT CASE WHEN due.oldest IS NOT NULL THEN
        greatest((SELECT changed_at FROM carerecords_factclock WHERE scope = 0), due.oldest) END
 FROM (SELECT least((SELECT oldest FROM removals), (
        SELECT min(greatest(opened.due_at, clock.changed_at)) FROM opened
        LEFT JOIN carerecords_factclock AS clock ON clock.scope = opened.practice_id
        WHERE opened.due_at <= %(now)s)) AS oldest) AS due)
"""
_BUSY_SINCE = f"{_OPENED} SELECT {_SINCE}"
# As jobs are claimed (`spine.sending.claims`): removals first, then practices in turn. So when the last one of a
# practice's n goes, each other practice had n turns, or as many as it has jobs.
_PLACE = f"""
{_OPENED}
SELECT (SELECT number FROM removals) + coalesce(sum(turns.taken), 0), {_SINCE}
FROM opened CROSS JOIN LATERAL (
    SELECT count(*) AS taken FROM (
        SELECT FROM carerecords_uploadjob WHERE {_DUE} AND kind = 'UPLOAD'
        AND practice_id = opened.practice_id AND due_at <= %(now)s ORDER BY due_at LIMIT %(own)s) AS job) AS turns
WHERE opened.due_at <= %(now)s
"""


def measure(since: datetime.datetime | None, at: datetime.datetime) -> Pace | None:
    """The pace since a moment from which on there was always something due; None: since when is not known."""
    if since is None or since >= at:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            _PACE,
            {
                "since": max(since, at - LOOK_BACK),
                "until": at,
                "parts": PARTS,
                "done": list(DONE),
                "most": MOST_RECEIPTS,
            },
        )
        rows = cursor.fetchall()
    counted = {part: number for _, part, number in rows if part is not None}
    return Pace(rows[0][0], at, [counted.get(part, 0) for part in range(1, PARTS + 1)])


def pace_now(at: datetime.datetime) -> Pace | None:
    """The pace of the whole queue; None where nothing is due, or too little was sent to tell."""
    pace = measure(_row(_BUSY_SINCE, {"now": at})[0], at)
    return pace if pace and pace.is_telling and pace.done else None


def most_now() -> float | None:
    """Messages a minute that the configured limit allows; None: no limit is set."""
    return most_a_minute(settings.SPINE_REQUESTS_PER_SECOND)


def outlook_of(practice: Practice, at: datetime.datetime) -> tuple[Queue, Outlook]:
    """A practice's own queue, and when it will be done by turns with the others. Three queries at most."""
    found = _counted(UploadJob.objects.filter(practice=practice), at)
    uploads, removals = found.pop("uploads"), found.pop("removals")
    # Notices go when nobody's upload is due any more; none of them keeps a record from anybody.
    del found["notices"]
    if not uploads + removals:
        queue = Queue(**found)
        return queue, outlook(queue, None, None, at)
    before, since = _row(_PLACE, {"own": uploads, "now": at})
    queue = Queue(uploads + removals, int(before), **found)
    return queue, outlook(queue, measure(since, at), most_now(), at)


def outlook_if_released(number: int, at: datetime.datetime) -> Outlook:
    """When so many held uploads of one practice would be done if they were released now, by turns with
    what is due of others. Two queries; of no upload, none."""
    if not number:
        return outlook(Queue(), None, None, at)
    before, since = _row(_PLACE, {"own": number, "now": at})
    return outlook(Queue(number, int(before) + number), measure(since, at), most_now(), at)


def outlook_of_nation(at: datetime.datetime) -> tuple[Queue, Pace | None, Outlook]:
    """The whole queue, its pace in the last hour, and when it will be done as things stand."""
    found = _counted(UploadJob.objects.all(), at)
    due = may_go(at) + found.pop("removals") + found.pop("notices")
    queue = Queue(due, due, **{name: found[name] for name in ("later", "next_at", "held", "paused")})
    pace = measure(_row(_BUSY_SINCE, {"now": at})[0], at)
    return queue, pace or measure(at - LOOK_BACK, at), outlook(queue, pace, most_now(), at)


def may_go(at: datetime.datetime) -> int:
    """Uploads that are due, or will be asked about again since a fact changed, and that the gate lets go."""
    nation = load_nation(at)
    clock = FactClock.objects.filter(scope=NATIONAL).values_list("number", flat=True).first() or 0
    due = Q(state__in=OPEN_STATES, due_at__lte=at) | Q(state=JobState.HELD, clock_seen__lt=clock)
    jobs = UploadJob.objects.filter(due, kind=JobKind.UPLOAD)
    sides = {
        home.id: side_of(home, nation, nation.revisions)
        for home in homes(Practice.objects.all(), nation.today).values()
    }
    verdicts = Verdicts(nation)
    return sum(
        group.patients
        for group in groups(Patient.objects.filter(pk__in=jobs.values("patient")), nation)
        if verdicts.of(group.own, sides[group.home_id]).outcome is Outcome.SEND
    )


def by_state(jobs: QuerySet[UploadJob]) -> dict[JobState, int]:
    """Jobs that are not over, by state: one count along the partial indexes."""
    counted = dict(
        jobs.filter(state__in=[*OPEN_STATES, *BUSY_STATES])
        .values_list("state")
        .annotate(jobs=Count("pk"))
        .order_by()
    )
    return {state: counted.get(state, 0) for state in [*OPEN_STATES, *BUSY_STATES]}


def _counted(jobs: QuerySet[UploadJob], at: datetime.datetime) -> dict[str, Any]:
    """Of jobs that have not begun: uploads and removals that are due, what is due later, and what is held.

    What waits for no time at all was laid aside for its paused run (`spine.runs.resting`).
    """
    due, later = Q(due_at__lte=at), Q(state=JobState.WAITING, due_at__gt=at)
    return jobs.filter(state__in=OPEN_STATES).aggregate(
        uploads=Count("pk", filter=due & Q(kind=JobKind.UPLOAD)),
        removals=Count("pk", filter=due & Q(kind=JobKind.WITHDRAWAL)),
        notices=Count("pk", filter=due & Q(kind=JobKind.NOTICE)),
        later=Count("pk", filter=later),
        next_at=Min("due_at", filter=later),
        held=Count("pk", filter=Q(state=JobState.HELD)),
        paused=Count("pk", filter=Q(state=JobState.WAITING, due_at=None)),
    )


def _row(query: str, values: dict[str, Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
