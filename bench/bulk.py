"""A whole practice's refusal in bulk, beside the same work one patient after another, and beside bare statements.

Every way begins with patients of its own who never decided, commits as it would, and leaves the same behind:
event, state, removal job and row of the run, compared afterwards. Ratios are of processor time.
"""

import datetime
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from bench.harness import Cost, Ratio, cost, middle, seconds, sql

PATIENTS = 10_000
# One after another is measured on so many, and counted per patient.
ONE_BY_ONE = 500
ROUNDS = 3

_FILL = """
INSERT INTO carerecords_patient
  (public_id, practice_id, nhs_number, title, given_name, family_name, preferred_name, born_on, gender, address,
   postcode, identity, is_sensitive, registered_on, consent_state, consent_source)
SELECT gen_random_uuid(), %(practice)s, (%(first)s + n)::text, '', 'Given' || n %% 300, 'Fam' || n %% 4000, '',
       DATE '1950-01-01' + n %% 20000, 'FEMALE', '', '', 'VERIFIED', false, DATE '2015-03-02', 'NONE', ''
FROM generate_series(1, %(count)s) n
"""
# Nothing but the writing: the same rows in four statements, without lock, rule or chunk.
_FOUR = """
INSERT INTO consent_consentevent (public_id, patient_id, practice_id, kind, preference, source, decided_on,
    effective_from, reference, note, representative_name, representative_authority, recorded_at, recorded_by_id,
    run_id)
SELECT gen_random_uuid(), id, practice_id, 'DECISION', 'EXPRESS_DISSENT', 'LETTER', %(day)s, %(day)s, 'B 1',
    'Came back with the letter of March', '', '', %(at)s, %(by)s, %(run)s
FROM carerecords_patient WHERE practice_id = %(practice)s;
UPDATE carerecords_patient AS patient SET consent_state = event.preference, consent_source = event.source,
    consent_decided_on = event.decided_on, consent_event_id = event.id
FROM consent_consentevent AS event WHERE event.run_id = %(run)s AND event.patient_id = patient.id;
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, requested_at,
    requested_by_id, due_at, reasons, headline)
SELECT gen_random_uuid(), id, practice_id, 'WITHDRAWAL', 'WAITING', 'DECISION', %(at)s, %(by)s, %(at)s, '{}', ''
FROM carerecords_patient WHERE practice_id = %(practice)s;
UPDATE consent_bulkrow SET result = 'CHANGED' WHERE run_id = %(run)s;
"""
_UPDATE = """
UPDATE carerecords_patient SET consent_state = 'EXPRESS_DISSENT', consent_source = 'LETTER',
    consent_decided_on = %(day)s, consent_event_id = id WHERE practice_id = %(practice)s
"""
# One line for each kind of end that patients of a run came to, whoever they are.
_LEFT = """
SELECT row.result, row.why, patient.consent_state, patient.consent_source, patient.consent_decided_on,
    patient.consent_changes_on, patient.consent_event_id = event.id, event.kind, event.preference, event.source,
    event.decided_on, event.effective_from, event.reference, event.note, event.representative_name,
    event.representative_authority, event.supersedes_id, event.recorded_at, event.recorded_by_id,
    event.run_id = row.run_id, event.practice_id = patient.practice_id, job.kind, job.state, job.cause,
    job.requested_at, job.requested_by_id, job.due_at, job.reasons, job.headline,
    job.practice_id = patient.practice_id, count(*)
FROM consent_bulkrow AS row JOIN carerecords_patient AS patient ON patient.id = row.patient_id
LEFT JOIN consent_consentevent AS event ON event.patient_id = patient.id
LEFT JOIN carerecords_uploadjob AS job ON job.patient_id = patient.id
WHERE row.run_id = %s GROUP BY {columns}
""".format(columns=", ".join(str(column) for column in range(1, 31)))


def run() -> Iterator[Ratio]:
    from django.utils import timezone

    from consent import bulk_runs

    at, practices = timezone.now(), empty_practices()
    by, day = next(practices)[1], timezone.localdate(at)

    def in_bulk(frozen: Any) -> None:
        bulk_runs.start(run=frozen, at=at)
        bulk_runs.work(frozen.public_id, lambda: at)

    def update(frozen: Any) -> None:
        sql(_UPDATE, practice=frozen.practice_id, day=day)

    def four(frozen: Any) -> None:
        sql(_FOUR, practice=frozen.practice_id, day=day, at=at, by=by.pk, run=frozen.pk)

    def one_by_one(frozen: Any) -> None:
        refuse_one_by_one(frozen, at)

    ways: dict[Callable[[Any], None], int] = {
        in_bulk: PATIENTS,
        one_by_one: ONE_BY_ONE,
        four: PATIENTS,
        update: PATIENTS,
    }
    costs = in_turn(ways, practices, by, at)
    each = {way: costs[way].processor / size for way, size in ways.items()}
    clock = {way: costs[way].clock / size for way, size in ways.items()}
    name = "a practice's refusals in bulk"
    yield Ratio(
        name,
        "times the same work one patient after another",
        each[one_by_one] / each[in_bulk],
        goal=100,
        note=f"{each[in_bulk] * 1e6:.0f} and {each[one_by_one] * 1e6:,.0f} µs of processor a patient; "
        f"{clock[one_by_one] / clock[in_bulk]:.1f} times by the clock ({PATIENTS:,} in {costs[in_bulk].clock:.2f} s). "
        f"The four bare statements themselves are {each[one_by_one] / each[four]:.1f} times as fast",
    )
    yield Ratio(
        name,
        "of the speed of four bare statements that leave the same",
        each[four] / each[in_bulk],
        goal=0.5,
        note=f"those: {each[four] * 1e6:.0f} µs a patient",
    )
    yield Ratio(
        name,
        "of the speed of a bare UPDATE of the patients alone",
        each[update] / each[in_bulk],
        goal=0.5,
        note=f"the UPDATE: {each[update] * 1e6:.0f} µs a patient, without event, job and row of the run",
    )
    yield from as_seen(practices, at)


def in_turn(
    ways: dict[Callable[[Any], None], int], practices: Iterator[tuple[Any, Any]], by: Any, at: Any
) -> dict[Callable[[Any], None], Cost]:
    """What each way took, the middle of the rounds; a round first that does not count."""
    taken: dict[Callable[[Any], None], list[Cost]] = {way: [] for way in ways}
    left: dict[str, Any] = {}
    for number in range(ROUNDS + 1):
        for way, size in ways.items():
            practice, _ = next(practices)
            frozen = freeze(practice, size, by, at)
            spent = cost(partial(way, frozen))
            if way.__name__ != "update":
                left[way.__name__] = left_behind(frozen, size)
            if number:
                taken[way].append(spent)
    if len(set(left.values())) != 1:
        raise AssertionError(f"The ways do not leave the same behind: {left}")
    return {way: middle(costs) for way, costs in taken.items()}


def refuse_one_by_one(frozen: Any, at: datetime.datetime) -> None:
    """As it is written first: each patient is read, changed and saved by itself, with what follows from it."""
    from django.db import transaction

    from carerecords.models import Patient, UploadJob
    from carerecords.models.upload_job import OPEN_STATES
    from consent.models import ConsentEvent

    for row in frozen.rows.filter(result="PENDING").order_by("position"):
        with transaction.atomic():
            patient = Patient.objects.select_for_update().get(pk=row.patient_id)
            event = ConsentEvent.objects.create(
                patient=patient,
                practice_id=patient.practice_id,
                kind="DECISION",
                preference=frozen.preference,
                source=frozen.source,
                decided_on=frozen.day,
                effective_from=frozen.day,
                reference=frozen.reference,
                note=frozen.note,
                supersedes_id=patient.consent_event_id,
                recorded_at=at,
                recorded_by=frozen.created_by,
                run=frozen,
            )
            patient.consent_state, patient.consent_source = frozen.preference, frozen.source
            patient.consent_decided_on, patient.consent_event_id = frozen.day, event.pk
            patient.save()
            for job in UploadJob.objects.filter(patient=patient, state__in=OPEN_STATES):
                job.state, job.finished_at, job.due_at = "CANCELLED", at, None
                job.save()
            UploadJob.objects.create(
                patient=patient,
                practice_id=patient.practice_id,
                kind="WITHDRAWAL",
                cause="DECISION",
                requested_at=at,
                requested_by=frozen.created_by,
                due_at=at,
            )
            row.result = "CHANGED"
            row.save()


def left_behind(frozen: Any, size: int) -> tuple[Any, ...]:
    """The end that all patients of the run came to; raises if it is not the same for all."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [frozen.pk])
        ends = cursor.fetchall()
    if len(ends) != 1 or ends[0][-1] != size:
        raise AssertionError(f"not one end for all: {ends}")
    return tuple(str(value) for value in ends[0][:-1])


def as_seen(practices: Iterator[tuple[Any, Any]], at: datetime.datetime) -> Iterator[Ratio]:
    """What the browser waits for, and how long the rest takes in the background."""
    from django.test import Client
    from django.utils import timezone

    from bench import serving
    from consent import bulk_runs

    practice, manager = next(practices)
    made: list[Any] = []
    listed = seconds(lambda: made.append(freeze(practice, PATIENTS, manager, at)))
    frozen = made[0]
    client = Client(headers={"cookie": serving.session_of(manager), "X-CSRFToken": serving.SECRET})
    path = f"/consent/bulk/{frozen.public_id}/check/"
    checked = seconds(lambda: answered(client.get(path), 200))
    confirmed = seconds(
        lambda: answered(client.post(path, {"as_at": timezone.now().isoformat(), "confirm": ""}), 302)
    )
    work = seconds(lambda: bulk_runs.work(frozen.public_id, timezone.now))
    frozen.refresh_from_db()
    bulk_runs.undo(run=frozen, by=manager, at=timezone.now())
    undone = seconds(lambda: bulk_runs.work(frozen.public_id, timezone.now))
    frozen.refresh_from_db()
    if (frozen.changed, frozen.taken_back) != (PATIENTS, PATIENTS):
        raise AssertionError("not everybody was changed and taken back")
    yield Ratio(
        f"confirming {PATIENTS:,} refusals",
        "seconds until the browser is answered",
        confirmed,
        goal=0.3,
        at_most=True,
        note=f"patients made and frozen in {listed:.2f} s, check page in {checked:.2f} s; in the background done in "
        f"{work:.2f} s, taken back in {undone:.2f} s",
    )


def answered(response: Any, status: int) -> None:
    if response.status_code != status:
        raise AssertionError(f"{response.status_code}: {response.content[:500]!r}")


def empty_practices() -> Iterator[tuple[Any, Any]]:
    """Practices in which nobody is registered yet, each with a manager."""
    from django.utils import timezone

    from carerecords import staffing
    from carerecords.models import Practice
    from carerecords.permissions import Role

    for number in count():
        practice = Practice.objects.filter(patients__isnull=True).order_by("pk")[0]
        given = staffing.give_role(
            email=f"bench.bulk{number}@test.example",
            role=Role.PRACTICE_MANAGER,
            ods_code=practice.ods_code,
            at=timezone.now(),
            given_name="Bench",
            family_name="Bulk",
        )
        yield practice, given.user


_NUMBERS = count(8_000_000_000, PATIENTS)


def freeze(practice: Any, size: int, by: Any, at: datetime.datetime) -> Any:
    """So many new patients of a practice, all of them on the list of a refusal that is not yet confirmed."""
    from django.utils import timezone

    from carerecords.models import Patient
    from consent import bulk_runs
    from consent.codes import BulkKind, Preference, Source

    sql(_FILL, practice=practice.pk, count=size, first=next(_NUMBERS))
    frozen = bulk_runs.freeze(
        practice=practice,
        kind=BulkKind.REFUSAL,
        patients=Patient.objects.order_by("family_name", "given_name", "pk"),
        by=by,
        at=at,
        preference=Preference.EXPRESS_DISSENT,
        source=Source.LETTER,
        day=timezone.localdate(at),
        reference="B 1",
        note="Came back with the letter of March",
    )
    for table in ("carerecords_patient", "carerecords_uploadjob", "consent_consentevent", "consent_bulkrow"):
        sql(f"VACUUM ANALYZE {table}")
    return frozen
