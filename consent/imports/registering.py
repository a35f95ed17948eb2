"""Registering the patients of an approved list. Consent follows the patient: who moves here keeps the
history and what holds, and is the same row as before.

All of the list in one transaction: a list half registered would be sent in again as it is.
"""

import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from carerecords import upload_queue
from carerecords.models import Cause
from consent import derivation, many
from consent.codes import ConsentState, ImportKind, ImportState
from consent.models import Import

# An earlier registration has ended, here or elsewhere, before this one begins.
MAY_MOVE = """(patient.born_on = row.born_on AND patient.died_on IS NULL
    AND patient.left_on <= %(today)s AND patient.left_on <= row.day)"""

# Asked again under the lock: somebody may have been registered since the file was checked.
_LOCK = (
    """
SELECT patient.id, patient.consent_state FROM carerecords_patient AS patient
JOIN consent_importrow AS row ON row.patient_id = patient.id
WHERE row.belongs_to_id = %(import)s AND row.verdict = 'CHANGED' AND """
    + MAY_MOVE
    + """
ORDER BY patient.id FOR UPDATE OF patient
"""
)

_WANTED = """
SELECT row.*, person.*, gp.id AS gp_id FROM consent_importrow AS row
CROSS JOIN LATERAL jsonb_to_record(row.person) AS person (title text, family_name text, given_name text,
    gender text, address text, postcode text, gmc text)
LEFT JOIN carerecords_user AS gp ON gp.gmc_number = NULLIF(person.gmc, '')
WHERE row.belongs_to_id = %(import)s
"""

_ADD = f"""
WITH wanted AS ({_WANTED} AND row.verdict = 'NEW'),
added AS (
    INSERT INTO carerecords_patient (public_id, practice_id, usual_gp_id, nhs_number, title, given_name,
        family_name, preferred_name, born_on, gender, address, postcode, identity, is_sensitive, registered_on)
    SELECT gen_random_uuid(), %(practice)s, gp_id, nhs_number, title, given_name, family_name, '', born_on, gender,
        address, postcode, 'UNVERIFIED', false, day
    FROM wanted ORDER BY number
    ON CONFLICT (nhs_number) DO NOTHING
    RETURNING id, registered_on)
INSERT INTO carerecords_registration (patient_id, practice_id, registered_on)
SELECT id, %(practice)s, registered_on FROM added
"""

# What the former practice never closed, it closes with the day that it gave for leaving.
_CLOSE = """
UPDATE carerecords_registration AS stay SET left_on = patient.left_on
FROM carerecords_patient AS patient
WHERE stay.patient_id = patient.id AND stay.left_on IS NULL AND patient.id = ANY(%(moving)s)
"""

_MOVE = f"""
WITH wanted AS ({_WANTED} AND row.verdict = 'CHANGED' AND row.patient_id = ANY(%(moving)s)),
moved AS (
    UPDATE carerecords_patient AS patient
    SET practice_id = %(practice)s, usual_gp_id = wanted.gp_id, title = wanted.title,
        given_name = wanted.given_name, family_name = wanted.family_name, gender = wanted.gender,
        address = wanted.address, postcode = wanted.postcode, registered_on = wanted.day, left_on = NULL
    FROM wanted WHERE wanted.patient_id = patient.id
    RETURNING patient.id, patient.registered_on)
INSERT INTO carerecords_registration (patient_id, practice_id, registered_on)
SELECT id, %(practice)s, registered_on FROM moved
"""


@transaction.atomic
def register(*, import_id: int, at: datetime.datetime) -> None:
    """Registers the list. Does nothing if it was done, or is being done by somebody else."""
    made = Import.objects.select_for_update(skip_locked=True).filter(pk=import_id).first()
    if made is None or made.kind != ImportKind.PATIENTS or made.state != ImportState.APPLYING:
        return
    params: dict[str, Any] = {
        "import": made.pk,
        "practice": made.practice_id,
        "today": timezone.localdate(at),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, params)
        states = {patient: ConsentState(state) for patient, state in cursor.fetchall()}
        cursor.execute(_ADD, params)
        made.registered = cursor.rowcount
        params["moving"] = list(states)
        cursor.execute(_CLOSE, params)
        cursor.execute(_MOVE, params)
        made.registered += cursor.rowcount
    # What is open was asked for by the former practice: this one asks anew where consent stands.
    upload_queue.cancel_of_former_practice(list(states), at=at)
    asking = {patient: state for patient, state in states.items() if derivation.calls_for(state) == "upload"}
    many.ask_many(asking, cause=Cause.UPDATE, by=made.approved_by, at=at)
    made.skipped = made.new + made.changed - made.registered
    made.state, made.finished_at, made.moved_at = ImportState.DONE, at, at
    made.save()
