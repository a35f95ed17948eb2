"""What an approved import does with a chunk of its rows. Undoing is that of other bulk runs."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from consent import letters, many, verdicts
from consent.codes import ImportKind, LetterEvent, RowResult
from consent.many import Outcome
from consent.models import BulkRun, ChunkRow, Import

# A row of the run stands for the row of the file with its number: looked up one by one, since of neither
# table the planner knows yet how many rows there are, and it has compared each with each.
_SAID = """
JOIN LATERAL (SELECT * FROM consent_importrow WHERE belongs_to_id = %(import)s AND number = row.position
    OFFSET 0) AS said ON true
"""
_AS_SAID = f"""
SELECT row.id, row.patient_id, said.preference, said.source, said.day, said.reference, said.note,
    said.representative_name, said.representative_authority, true, row.seen_event
FROM consent_bulkrow AS row {_SAID}
WHERE row.run_id = %(run)s AND row.result = 'PENDING' AND row.position BETWEEN %(first)s AND %(last)s
"""

_LETTERS = f"""
SELECT row.id, row.patient_id, said.day, said.reference, said.returned, letter.id,
    CASE WHEN patient.practice_id <> %(practice)s THEN 'SKIPPED:MOVED'
         WHEN patient.left_on <= %(today)s OR patient.died_on <= %(today)s THEN 'SKIPPED:GONE'
         WHEN letter.id IS NOT NULL AND (letter.answered OR NOT said.returned) THEN 'ALREADY:'
         ELSE 'CHANGED:' END
FROM consent_bulkrow AS row {_SAID}
JOIN carerecords_patient AS patient ON patient.id = row.patient_id
LEFT JOIN LATERAL (
    SELECT sent.id, answer.id IS NOT NULL AS answered FROM consent_noticeletter AS sent
    LEFT JOIN consent_noticeletter AS answer ON answer.about_id = sent.id
    WHERE sent.patient_id = row.patient_id AND sent.kind = 'SENT' AND sent.sent_on = said.day
      AND sent.reference = said.reference AND answer.kind IS DISTINCT FROM 'REVERSAL'
    ORDER BY sent.id DESC LIMIT 1) AS letter ON true
WHERE row.id = ANY(%(rows)s) ORDER BY row.id
"""

_SENT_BY_RUN = """
SELECT letter.id FROM consent_noticeletter AS letter
WHERE letter.run_id = %(run)s AND letter.kind = 'SENT' AND letter.patient_id = ANY(%(patients)s)
"""


def of(run: BulkRun) -> Import:
    """The import that a run applies."""
    return Import.objects.get(run=run)


def do(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    """Applies the rows of the file that belong to these rows of the run."""
    made = of(run)
    if made.kind == ImportKind.LETTERS:
        return _note_letters(made, run, rows, at)
    return many.record_many(
        _AS_SAID,
        {
            "import": made.pk,
            "run": run.pk,
            "first": rows[0].position,
            "last": rows[-1].position,
        },
        practice_id=run.practice_id,
        run_id=run.pk,
        by=run.created_by,
        at=at,
        # The same decision of another day is a decision too, and stays in the history.
        same_is_enough=False,
    )


@dataclass(frozen=True)
class _Said:
    """A letter as a row of the file has it; `letter` is the one that is noted already."""

    row: int
    patient: int
    day: datetime.date
    reference: str
    returned: bool
    letter: int | None
    verdict: str

    @property
    def changes(self) -> bool:
        return verdicts.read(self.verdict)[0] is RowResult.CHANGED


def _note_letters(
    made: Import, run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime
) -> list[Outcome]:
    many.lock([row.patient_id for row in rows])
    found = _read_letters(made, run, rows, at)
    changes = [one for one in found if one.changes]
    new = [one for one in changes if one.letter is None]
    letters.letters_sent_as_said(
        said=[(one.patient, one.day, one.reference) for one in new], by=run.created_by, at=at, run_id=run.pk
    )
    came_back = [one.letter for one in changes if one.returned and one.letter]
    came_back += _sent_by(run, [one.patient for one in new if one.returned])
    letters.letters_answered(
        letter_ids=came_back, kind=LetterEvent.RETURNED, by=run.created_by, at=at, run_id=run.pk
    )
    return [Outcome(one.row, *verdicts.read(one.verdict)) for one in found]


def _read_letters(made: Import, run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[_Said]:
    params: dict[str, Any] = {
        "import": made.pk,
        "practice": run.practice_id,
        "today": timezone.localdate(at),
        "rows": [row.pk for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_LETTERS, params)
        return [_Said(*row) for row in cursor.fetchall()]


def _sent_by(run: BulkRun, patients: list[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_SENT_BY_RUN, {"run": run.pk, "patients": patients})
        return [letter for (letter,) in cursor.fetchall()]
