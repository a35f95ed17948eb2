"""A whole practice's refusal, beside one patient after another, and beside a bare UPDATE of the same columns."""

import datetime
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from bench.harness import Ratio, seconds, sql

PATIENTS = 10_000
# One after another is measured on so many, and counted per patient.
ONE_BY_ONE = 500
ROUNDS = 5

_FILL = """
INSERT INTO carerecords_patient
  (public_id, practice_id, nhs_number, title, given_name, family_name, preferred_name, born_on, gender, address,
   postcode, identity, is_sensitive, registered_on, consent_state, consent_source)
SELECT gen_random_uuid(), %(practice)s, (8000000000 + n)::text, '', 'Given' || n %% 300, 'Fam' || n %% 4000, '',
       DATE '1950-01-01' + n %% 20000, 'FEMALE', '', '', 'VERIFIED', false, DATE '2015-03-02', 'NONE', ''
FROM generate_series(1, %(count)s) n
"""
# Nothing but the writing: the same rows in four statements, without lock, rule or chunk.
_BARE_ALL = """
INSERT INTO consent_consentevent (public_id, patient_id, practice_id, kind, preference, source, decided_on,
    effective_from, reference, note, representative_name, representative_authority, recorded_at, recorded_by_id,
    run_id)
SELECT gen_random_uuid(), id, practice_id, 'DECISION', 'EXPRESS_DISSENT', 'LETTER', %(day)s, %(day)s, 'B 1',
    'Came back with the letter of March', '', '', %(at)s, %(by)s, %(run)s
FROM carerecords_patient WHERE practice_id = %(practice)s;
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, requested_at,
    requested_by_id, due_at, reasons, headline)
SELECT gen_random_uuid(), id, practice_id, 'WITHDRAWAL', 'WAITING', 'DECISION', %(at)s, %(by)s, %(at)s, '{}', ''
FROM carerecords_patient WHERE practice_id = %(practice)s;
UPDATE consent_bulkrow SET result = 'CHANGED' WHERE run_id = %(run)s;
"""
_BARE = """
UPDATE carerecords_patient SET consent_state = 'EXPRESS_DISSENT', consent_source = 'LETTER',
    consent_decided_on = %(day)s, consent_event_id = id WHERE practice_id = %(practice)s
"""


def run() -> Iterator[Ratio]:
    from django.utils import timezone

    from carerecords.models import Patient, Practice, User
    from consent import bulk_runs
    from consent.codes import BulkKind, EventKind, Preference, RunState, Source
    from consent.models import ConsentEvent

    practice = Practice.objects.filter(patients__isnull=True).order_by("pk")[0]
    user, at = User.objects.order_by("pk")[0], timezone.now()
    today = timezone.localdate(at)
    sql(_FILL, practice=practice.pk, count=PATIENTS)
    patients = list(Patient.objects.of(practice).values_list("pk", flat=True))

    def freeze() -> Any:
        return bulk_runs.freeze(
            practice=practice,
            kind=BulkKind.REFUSAL,
            patients=Patient.objects.order_by("family_name", "given_name", "pk"),
            by=user,
            at=at,
            preference=Preference.EXPRESS_DISSENT,
            source=Source.LETTER,
            day=today,
            reference="B 1",
            note="Came back with the letter of March",
        )

    frozen = freeze()

    def in_bulk() -> None:
        frozen.state = RunState.CHECK
        bulk_runs.start(run=frozen, at=at)
        bulk_runs.work(frozen.public_id, lambda: at)

    def one_by_one() -> None:
        for pk in patients[:ONE_BY_ONE]:
            one = Patient.objects.get(pk=pk)
            event = ConsentEvent.objects.create(
                patient=one,
                practice_id=one.practice_id,
                kind=EventKind.DECISION,
                preference=Preference.EXPRESS_DISSENT,
                source=Source.LETTER,
                decided_on=today,
                effective_from=today,
                reference="B 1",
                note="Came back with the letter of March",
                recorded_at=at,
                recorded_by=user,
            )
            one.consent_state, one.consent_source = "EXPRESS_DISSENT", "LETTER"
            one.consent_decided_on, one.consent_event_id = today, event.pk
            one.save()

    def bare() -> None:
        sql(_BARE, practice=practice.pk, day=today)

    def bare_all() -> None:
        sql(_BARE_ALL + _BARE, practice=practice.pk, day=today, at=at, by=user.pk, run=frozen.pk)

    bulk, single, update, writing = in_turn(in_bulk, one_by_one, bare, bare_all)
    each = single / ONE_BY_ONE
    yield Ratio(
        "a practice's refusals in bulk",
        "times one patient after another",
        each * PATIENTS / bulk,
        goal=100,
        note=f"{PATIENTS:,} patients in {bulk:.2f} s with event, removal job and result of each "
        f"({bulk / PATIENTS * 1e6:.0f} µs a patient); ORM get, event and save: {each * 1e6:,.0f} µs",
    )
    yield Ratio(
        "a practice's refusals in bulk",
        "of the speed of a bare UPDATE of the same columns",
        update / bulk,
        goal=0.5,
        note=f"the UPDATE alone: {update:.2f} s; it writes no event, no job and no result",
    )
    yield Ratio(
        "a practice's refusals in bulk",
        "of the speed of four bare statements that write the same rows",
        writing / bulk,
        goal=0.5,
        note=f"those four: {writing:.2f} s",
    )
    yield as_used(freeze, at)


def in_turn(*ways: Callable[[], None]) -> list[float]:
    """Median seconds; each is rolled back, and the dead rows it leaves are swept before the next."""
    from django.db import transaction

    taken: list[list[float]] = [[] for _ in ways]
    for turn in range(ROUNDS + 1):
        for times, way in zip(taken, ways, strict=True):
            sweep()
            with transaction.atomic():
                spent = seconds(way) + seconds(look_up_keys)
                transaction.set_rollback(True)
            if turn:
                times.append(spent)
    return [median(times) for times in taken]


def look_up_keys() -> None:
    """Foreign keys are looked up when a transaction commits; here at the end of each way."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")


def as_used(freeze: Callable[[], Any], at: datetime.datetime) -> Ratio:
    """Once as the product does it, every chunk committed to the disk."""
    from consent import bulk_runs, bulk_work

    sweep()
    made: list[Any] = []
    list_taken = seconds(lambda: made.append(freeze()))
    forecast = seconds(lambda: bulk_work.forecast(made[0], at, named=20))
    run = made[0]

    def do() -> None:
        bulk_runs.start(run=run, at=at)
        bulk_runs.work(run.public_id, lambda: at)

    def take_back() -> None:
        bulk_runs.undo(run=run, by=run.created_by, at=at)
        bulk_runs.work(run.public_id, lambda: at)

    done, undone = seconds(do), seconds(take_back)
    run.refresh_from_db()
    if (run.changed, run.taken_back) != (PATIENTS, PATIENTS):
        raise AssertionError("not everybody was changed and taken back")
    return Ratio(
        "the same with every chunk committed",
        "seconds",
        done,
        goal=20 * PATIENTS / 1_000,
        at_most=True,
        note=f"list made in {list_taken:.2f} s, forecast in {forecast:.2f} s, done in {done:.2f} s, "
        f"taken back in {undone:.2f} s",
    )


def sweep() -> None:
    for table in ("carerecords_patient", "carerecords_uploadjob", "consent_consentevent", "consent_bulkrow"):
        sql(f"VACUUM ANALYZE {table}")
