"""Notice letters sent and returned, and decisions put off. Each function is one transaction."""

import datetime
from collections.abc import Sequence

from django.db import connection, transaction

from carerecords import upload_queue
from carerecords.models import User
from consent import many
from consent.codes import LetterEvent
from consent.models import NoticeLetter

_SENT = """
INSERT INTO consent_noticeletter (public_id, patient_id, practice_id, kind, sent_on, reference, run_id,
    recorded_at, recorded_by_id)
SELECT gen_random_uuid(), id, practice_id, %(kind)s, %(sent_on)s, %(reference)s, %(run)s, %(at)s, %(by)s
FROM carerecords_patient WHERE id = ANY(%(patients)s) ORDER BY id
"""

_SENT_AS_SAID = """
INSERT INTO consent_noticeletter (public_id, patient_id, practice_id, kind, sent_on, reference, run_id,
    recorded_at, recorded_by_id)
SELECT gen_random_uuid(), patient.id, patient.practice_id, %(kind)s, said.sent_on, said.reference, %(run)s, %(at)s,
    %(by)s
FROM unnest(%(patients)s::bigint[], %(days)s::date[], %(references)s::text[]) AS said (id, sent_on, reference)
JOIN carerecords_patient AS patient ON patient.id = said.id ORDER BY patient.id
"""

_ANSWERED = """
INSERT INTO consent_noticeletter (public_id, patient_id, practice_id, kind, reference, about_id, run_id,
    recorded_at, recorded_by_id)
SELECT gen_random_uuid(), letter.patient_id, letter.practice_id, %(kind)s, '', letter.id, %(run)s, %(at)s, %(by)s
FROM consent_noticeletter AS letter
WHERE letter.id = ANY(%(letters)s) AND letter.kind = 'SENT'
  AND NOT EXISTS (SELECT 1 FROM consent_noticeletter AS answer WHERE answer.about_id = letter.id)
RETURNING patient_id
"""

_DERIVE = """
UPDATE carerecords_patient AS patient SET letter_sent_on = (
    SELECT max(letter.sent_on) FROM consent_noticeletter AS letter
    WHERE letter.patient_id = patient.id AND letter.kind = 'SENT'
      AND NOT EXISTS (SELECT 1 FROM consent_noticeletter AS answer WHERE answer.about_id = letter.id))
WHERE patient.id = ANY(%s)
"""


class LetterRefused(Exception):
    """The letter cannot be noted so; the message says why."""


@transaction.atomic
def letters_sent(
    *,
    patient_ids: Sequence[int],
    sent_on: datetime.date,
    reference: str,
    by: User,
    at: datetime.datetime,
    run_id: int | None = None,
) -> None:
    """Notes a letter to each patient; the time to object runs from the last that did not come back."""
    ids = list(patient_ids)
    many.lock(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _SENT,
            {
                "kind": LetterEvent.SENT.value,
                "sent_on": sent_on,
                "reference": reference,
                "run": run_id,
                "at": at,
                "by": by.pk,
                "patients": ids,
            },
        )
    _derive(ids, at)


@transaction.atomic
def letters_sent_as_said(
    *,
    said: Sequence[tuple[int, datetime.date, str]],
    by: User,
    at: datetime.datetime,
    run_id: int | None = None,
) -> None:
    """`letters_sent` where each patient has a day and a reference of their own."""
    ids, days, references = ([one[place] for one in said] for place in range(3))
    many.lock([one[0] for one in said])
    with connection.cursor() as cursor:
        cursor.execute(
            _SENT_AS_SAID,
            {
                "kind": LetterEvent.SENT.value,
                "patients": ids,
                "days": days,
                "references": references,
                "run": run_id,
                "at": at,
                "by": by.pk,
            },
        )
    _derive([one[0] for one in said], at)


@transaction.atomic
def letters_answered(
    *,
    letter_ids: Sequence[int],
    kind: LetterEvent,
    by: User,
    at: datetime.datetime,
    run_id: int | None = None,
) -> set[int]:
    """Notes that letters came back undelivered, or were noted by mistake; returns their patients.

    A letter that was answered before is left alone.
    """
    patients = set(NoticeLetter.objects.filter(pk__in=list(letter_ids)).values_list("patient", flat=True))
    many.lock(sorted(patients))
    with connection.cursor() as cursor:
        cursor.execute(
            _ANSWERED,
            {"kind": kind.value, "letters": list(letter_ids), "run": run_id, "at": at, "by": by.pk},
        )
        changed = {patient for (patient,) in cursor.fetchall()}
    _derive(sorted(changed), at)
    return changed


def letter_returned(*, letter: NoticeLetter, by: User, at: datetime.datetime) -> None:
    """Notes that one letter came back undelivered. Raises `LetterRefused` when it was answered before."""
    if not letters_answered(letter_ids=[letter.pk], kind=LetterEvent.RETURNED, by=by, at=at):
        raise LetterRefused("This letter was already noted as returned or taken back")


def _derive(patient_ids: Sequence[int], at: datetime.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DERIVE, [list(patient_ids)])
    upload_queue.ask_again_many(patient_ids, at=at)
