"""What each staged row would do, found out for all rows at once: by NHS number and date of birth, never
by the number alone, and never telling who exists in another practice.

Every verdict is one SQL expression; its sentences are those the page shows.
"""

import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from carerecords.formats import count
from consent.codes import PERMITTING, ImportKind, ImportState
from consent.imports import registering
from consent.imports.sentences import (
    CONFLICTING,
    GONE,
    NO_GP,
    NOT_FOUND,
    NOT_TO_REGISTER,
    SAME_DAY,
    WRONG_BIRTH,
)
from consent.models import Import, ImportRow

# A file of which fewer patients than this are found is another practice's, or of another kind.
FOUND_AT_LEAST = 0.9
TOO_FEW_TO_JUDGE = 10
# Fewer rows are found by the index quickly enough, whatever the planner thinks of the table.
KNOWN_BY_INDEX = 2000

# Materialized: else, before the planner knows the file, it counts the file anew for each row.
_REPEATED = """
WITH twice AS MATERIALIZED (
    SELECT nhs_number, min(number) AS first, array_agg(number ORDER BY number) AS numbers,
        count(DISTINCT (born_on, preference, source, day, reference, note, representative_name,
                        representative_authority, returned, person)) = 1 AS alike
    FROM consent_importrow WHERE belongs_to_id = %(import)s AND verdict = 'PENDING'
    GROUP BY nhs_number HAVING count(*) > 1)
UPDATE consent_importrow AS row
SET verdict = CASE WHEN twice.alike THEN 'REPEAT' ELSE 'BAD' END,
    problem = CASE WHEN twice.alike THEN '' ELSE
        'Rows ' || array_to_string(twice.numbers[1:least(cardinality(twice.numbers) - 1, 5)], ', ')
        || CASE WHEN cardinality(twice.numbers) > 6
                THEN ' and ' || cardinality(twice.numbers) - 5 || ' more'
                ELSE ' and ' || twice.numbers[cardinality(twice.numbers)] END
        || ' are the same patient, with different answers.' END
FROM twice
WHERE row.belongs_to_id = %(import)s AND row.verdict = 'PENDING' AND row.nhs_number = twice.nhs_number
  AND NOT (twice.alike AND row.number = twice.first)
"""

_NOT_HERE = """
    WHEN patient.id IS NULL THEN 'BAD:' || %(not_found)s
    WHEN patient.born_on <> row.born_on THEN 'BAD:' || %(wrong_birth)s
    WHEN patient.left_on <= %(today)s OR patient.died_on <= %(today)s THEN 'BAD:' || %(gone)s"""

_DECISION = f"""CASE{_NOT_HERE}
    WHEN patient.consent_event_id IS NULL THEN 'NEW:'
    WHEN EXISTS (SELECT 1 FROM consent_consentevent AS event
                 WHERE event.patient_id = patient.id AND event.kind = 'DECISION'
                   AND event.preference = row.preference AND event.decided_on = row.day
                   AND NOT EXISTS (SELECT 1 FROM consent_consentevent AS back
                                   WHERE back.reverses_id = event.id)) THEN 'SAME:'
    WHEN patient.consent_decided_on = row.day THEN 'BAD:' || %(same_day)s
    WHEN patient.consent_state = 'CONFLICT' THEN 'BAD:' || %(conflicting)s
    WHEN patient.consent_decided_on > row.day OR patient.consent_state = row.preference THEN 'HISTORY:'
    ELSE 'CHANGED:' END"""

_STANDING_LETTER = """SELECT 1 FROM consent_noticeletter AS letter
    LEFT JOIN consent_noticeletter AS answer ON answer.about_id = letter.id
    WHERE letter.patient_id = patient.id AND letter.kind = 'SENT' AND letter.sent_on = row.day
      AND letter.reference = row.reference AND answer.kind IS DISTINCT FROM 'REVERSAL'"""

_LETTER = f"""CASE{_NOT_HERE}
    WHEN EXISTS ({_STANDING_LETTER} AND (NOT row.returned OR answer.id IS NOT NULL)) THEN 'SAME:'
    WHEN EXISTS ({_STANDING_LETTER}) THEN 'CHANGED:'
    ELSE 'NEW:' END"""

_GP_IS_HERE = """EXISTS (SELECT 1 FROM carerecords_user AS gp
    JOIN carerecords_roleassignment AS post ON post.user_id = gp.id
    WHERE gp.gmc_number = row.person->>'gmc' AND post.practice_id = %(practice)s AND post.role = 'GP'
      AND post.starts_at <= %(at)s AND (post.ends_at IS NULL OR post.ends_at > %(at)s))"""

# Of who is known elsewhere nothing is told apart: not found, died, born on another day, still registered.
_PATIENT = f"""CASE
    WHEN row.person->>'gmc' <> '' AND NOT {_GP_IS_HERE} THEN 'BAD:' || %(no_gp)s
    WHEN patient.id IS NULL THEN 'NEW:'
    WHEN patient.practice_id = %(practice)s AND patient.left_on IS NULL AND patient.died_on IS NULL
        THEN CASE WHEN patient.born_on = row.born_on THEN 'SAME:' ELSE 'BAD:' || %(wrong_birth)s END
    WHEN {registering.MAY_MOVE} THEN 'CHANGED:'
    ELSE 'BAD:' || %(not_to_register)s END"""

# Refusals that would end are counted from what was just written: a later join would be planned by
# statistics of rows that all still wait, and has taken minutes.
_JUDGE = """
WITH judged AS (
    SELECT row.id, patient.id AS patient_id, patient.consent_event_id AS seen_event,
        patient.consent_state AS stands, {verdict} AS said
    FROM consent_importrow AS row
    LEFT JOIN carerecords_patient AS patient ON patient.nhs_number = row.nhs_number {only_here}
    WHERE row.belongs_to_id = %(import)s AND row.verdict = 'PENDING'),
written AS (
    UPDATE consent_importrow AS row
    SET verdict = split_part(judged.said, ':', 1), problem = split_part(judged.said, ':', 2),
        patient_id = judged.patient_id, seen_event = judged.seen_event
    FROM judged WHERE row.id = judged.id
    RETURNING row.verdict, row.preference, judged.stands)
SELECT count(*) FROM written
WHERE verdict = 'CHANGED' AND preference = ANY(%(permitting)s) AND stands = 'EXPRESS_DISSENT'
"""
_ONLY_HERE = "AND patient.practice_id = %(practice)s"

_COUNT = """
SELECT count(*) FILTER (WHERE verdict = 'NEW') AS new, count(*) FILTER (WHERE verdict = 'CHANGED') AS changed,
    count(*) FILTER (WHERE verdict = 'HISTORY') AS history, count(*) FILTER (WHERE verdict = 'SAME') AS same,
    count(*) FILTER (WHERE verdict = 'REPEAT') AS repeated, count(*) FILTER (WHERE verdict = 'BAD') AS bad,
    count(*) FILTER (WHERE preference = ANY(%(permitting)s) AND verdict IN ('NEW', 'CHANGED', 'HISTORY'))
        AS consents,
    count(*) FILTER (WHERE preference = 'EXPRESS_ADDITIONAL' AND verdict IN ('NEW', 'CHANGED', 'HISTORY'))
        AS additional,
    count(*) FILTER (WHERE problem = ANY(%(lost)s)) AS lost
FROM consent_importrow WHERE belongs_to_id = %(import)s
"""


def check(*, import_id: int, at: datetime.datetime) -> None:
    """Gives every staged row its verdict, or stops the import whole. Does nothing if it was done, or is
    being done by somebody else."""
    total = Import.objects.filter(pk=import_id, state=ImportState.CHECKING).values_list("total", flat=True)
    if any(rows > KNOWN_BY_INDEX for rows in total):
        # Not in the check's transaction: its lock would keep other checks waiting for this one.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE consent_importrow")
    _check(import_id, at)


@transaction.atomic
def _check(import_id: int, at: datetime.datetime) -> None:
    made = Import.objects.select_for_update(skip_locked=True).filter(pk=import_id).first()
    if made is None or made.state != ImportState.CHECKING:
        return
    verdict = {ImportKind.DECISIONS: _DECISION, ImportKind.LETTERS: _LETTER, ImportKind.PATIENTS: _PATIENT}
    kind = ImportKind(made.kind)
    only_here = "" if kind is ImportKind.PATIENTS else _ONLY_HERE
    params = _params(made, at)
    with connection.cursor() as cursor:
        cursor.execute(_REPEATED, params)
        cursor.execute(_JUDGE.format(verdict=verdict[kind], only_here=only_here), params)
        (ends_refusal,) = cursor.fetchone() or (0,)
        cursor.execute(_COUNT, params)
        names = [column.name for column in cursor.description or []]
        counts = dict(zip(names, cursor.fetchone() or [], strict=True))
    counts["ends_refusal"] = ends_refusal
    _settle(made, kind, counts, at)


def _settle(made: Import, kind: ImportKind, counts: dict[str, int], at: datetime.datetime) -> None:
    lost = counts.pop("lost")
    asked = lost + sum(counts[name] for name in ("new", "changed", "history", "same"))
    made.moved_at = at
    if asked >= TOO_FEW_TO_JUDGE and asked - lost < asked * FOUND_AT_LEAST:
        what = (
            "cannot be registered in your practice"
            if kind is ImportKind.PATIENTS
            else ("were not found in your practice list")
        )
        made.state = ImportState.STOPPED
        made.problem = f"{count(lost)} of {count(asked)} rows {what}. Check you have the right practice."
        # Whoever they are, they are not this practice's to keep.
        ImportRow.objects.filter(belongs_to=made).delete()
    else:
        made.state = ImportState.READY
        for name, number in counts.items():
            setattr(made, name, number)
    made.save()


def _params(made: Import, at: datetime.datetime) -> dict[str, Any]:
    return {
        "import": made.pk,
        "practice": made.practice_id,
        "today": timezone.localdate(at),
        "at": at,
        "permitting": [preference.value for preference in PERMITTING],
        "lost": [NOT_FOUND, WRONG_BIRTH, NOT_TO_REGISTER],
        "not_found": NOT_FOUND,
        "wrong_birth": WRONG_BIRTH,
        "gone": GONE,
        "same_day": SAME_DAY,
        "conflicting": CONFLICTING,
        "no_gp": NO_GP,
        "not_to_register": NOT_TO_REGISTER,
    }
