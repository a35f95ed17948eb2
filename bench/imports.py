"""Decisions from a CSV file, beside a loop of get and save, beside the bare writing of what they leave, and
beside COPY of the same text. Ratios are of processor time.

The loop leaves the same events, states and jobs, which is compared. It keeps no rows of the file, no list for
undoing, and commits each row.
"""

import csv
import datetime
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from bench.decision_files import decided_on, decisions, fill, nhs_numbers, people
from bench.harness import Cost, Ratio, cost, middle

ROWS = 20_000
# One after another is measured on so many, and counted per row.
ONE_BY_ONE = 300
ROUNDS = 3

_TEXT = """CREATE TEMPORARY TABLE text_only (nhs_number text, born text, decision text, day text, source text,
    reference text)"""

# What every decision has to leave behind, by itself: without file, rules, locks, frozen rows or undo.
_BARE = """
UPDATE carerecords_uploadjob SET state = 'CANCELLED', finished_at = %(at)s, due_at = NULL
WHERE practice_id = %(practice)s AND state IN ('WAITING', 'HELD');
INSERT INTO consent_consentevent (public_id, patient_id, practice_id, kind, preference, source, decided_on,
    effective_from, reference, note, representative_name, representative_authority, supersedes_id, recorded_at,
    recorded_by_id)
SELECT gen_random_uuid(), id, practice_id, 'DECISION', 'EXPRESS_CORE', 'FORM', %(day)s, %(day)s, 'F 1', '', '', '',
    consent_event_id, %(at)s, %(by)s
FROM carerecords_patient WHERE practice_id = %(practice)s;
UPDATE carerecords_patient AS patient SET consent_state = event.preference, consent_source = event.source,
    consent_decided_on = event.decided_on, consent_event_id = event.id
FROM consent_consentevent AS event
WHERE event.patient_id = patient.id AND event.practice_id = %(practice)s AND event.decided_on = %(day)s;
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, requested_at,
    requested_by_id, due_at, reasons, headline)
SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', 'WAITING', 'DECISION', %(at)s, %(by)s, %(at)s, '{}', ''
FROM carerecords_patient WHERE practice_id = %(practice)s;
"""
# One line for each kind of end that patients came to by decisions of a day, whoever they are.
_LEFT = """
SELECT patient.consent_state, patient.consent_source, patient.consent_decided_on = event.decided_on,
    patient.consent_changes_on, patient.consent_event_id = event.id, event.kind, event.preference, event.source,
    event.effective_from = event.decided_on, event.reference LIKE 'F %%', event.note, event.representative_name,
    event.supersedes_id IS NOT NULL, event.practice_id = patient.practice_id, job.kind, job.state, job.cause,
    job.due_at = job.requested_at, job.reasons, job.headline, count(*)
FROM carerecords_patient AS patient
JOIN consent_consentevent AS event ON event.patient_id = patient.id AND event.decided_on = %s
JOIN LATERAL (SELECT * FROM carerecords_uploadjob WHERE patient_id = patient.id ORDER BY id DESC LIMIT 1) AS job
    ON true
WHERE patient.nhs_number = ANY(%s) GROUP BY {columns}
""".format(columns=", ".join(str(column) for column in range(1, 21)))


def run() -> Iterator[Ratio]:
    from carerecords.models import Practice

    practice = Practice.objects.filter(patients__isnull=True).order_by("-pk")[0]
    staff, manager = people(practice, "speed")
    numbers = list(islice(nhs_numbers(begin=910_000_000), ROWS))
    fill(practice, numbers)
    yield from _told(_measured(practice, staff, manager, numbers))


def _measured(practice: Any, staff: Any, manager: Any, numbers: list[str]) -> dict[str, Cost]:
    """What each way took for a row."""
    from django.db import connection, transaction
    from django.utils import timezone

    day = 0
    file = io.BytesIO()

    def checked() -> None:
        cancelled(staged(practice, staff, file), staff)

    def by_file() -> None:
        applied(staged(practice, staff, file), manager)

    def by_copy() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_TEXT)
            with cursor.copy("COPY text_only FROM STDIN WITH (FORMAT csv, HEADER)") as copy:
                file.seek(0)
                while block := file.read(1 << 16):
                    copy.write(block)
            cursor.execute("DROP TABLE text_only")

    def bare() -> None:
        values = {"at": timezone.now(), "practice": practice.pk, "by": manager.pk, "day": decided_on(day)}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_BARE, values)

    def one_by_one() -> None:
        file.seek(0)
        text = io.TextIOWrapper(io.BytesIO(file.read()))
        save_one_by_one(islice(csv.DictReader(text), ONE_BY_ONE), manager)

    ways: list[Callable[[], None]] = [checked, by_file, one_by_one, by_copy, bare]
    taken: dict[str, list[Cost]] = {way.__name__: [] for way in ways}
    left = []
    for count in range(ROUNDS + 1):
        for way in ways:
            # Every row changes a decision: files refuse, and what comes after them consents again.
            day += 1
            what = "refuse" if way in {checked, by_file} else "consent"
            file = io.BytesIO(decisions(numbers, day, what).encode())
            took = cost(way)
            if count:
                taken[way.__name__].append(took)
            if way is by_file and count:
                left.append(left_behind(numbers[:ONE_BY_ONE], day))
    day += 1
    file = io.BytesIO(decisions(numbers, day, "refuse").encode())
    one_by_one()
    left.append(left_behind(numbers[:ONE_BY_ONE], day))
    if any(end != left[0] for end in left):
        raise AssertionError(f"The file and the loop do not leave the same: {left}")
    sizes = {name: ONE_BY_ONE if name == "one_by_one" else ROWS for name in taken}
    each = {name: middle(costs) for name, costs in taken.items()}
    return {name: Cost(one.clock / sizes[name], one.processor / sizes[name]) for name, one in each.items()}


def _told(took: dict[str, Cost]) -> Iterator[Ratio]:
    each = {name: one.processor for name, one in took.items()}
    clock = {name: one.clock for name, one in took.items()}

    def micro(name: str) -> str:
        return f"{each[name] * 1e6:,.0f} µs"

    yield Ratio(
        "a file read and held against patients",
        "times the loop of get and save",
        each["one_by_one"] / each["checked"],
        goal=80,
        note=f"{micro('checked')} of processor a row, {each['by_copy'] / each['checked']:.3f} of COPY; "
        f"{clock['one_by_one'] / clock['checked']:.0f} times by the clock",
    )
    name = "a file read, held against patients and applied"
    yield Ratio(
        name,
        "times the loop of get and save",
        each["one_by_one"] / each["by_file"],
        goal=300,
        note=f"{micro('by_file')} and {micro('one_by_one')} of processor a row; "
        f"{clock['one_by_one'] / clock['by_file']:.0f} times by the clock",
    )
    yield Ratio(
        name,
        "of COPY of the same text",
        each["by_copy"] / each["by_file"],
        goal=0.12,
        note=f"COPY {micro('by_copy')} a row; the bare writing of what a decision leaves is itself "
        f"{each['by_copy'] / each['bare']:.3f} of it, and {each['one_by_one'] / each['bare']:.0f} times the loop",
    )
    yield Ratio(
        name,
        "of the bare writing of what it leaves",
        each["bare"] / each["by_file"],
        goal=0.4,
        note=f"that {micro('bare')} a row, without file, rules, locks, rows of the run and undoing",
    )


def left_behind(numbers: list[str], day: int) -> list[tuple[Any, ...]]:
    """The kinds of end that these patients came to, with how many came to each."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [decided_on(day), numbers])
        ends = cursor.fetchall()
    if sum(end[-1] for end in ends) != len(numbers):
        raise AssertionError(f"not everybody was decided for: {ends}")
    return sorted(ends, key=str)


def staged(practice: Any, staff: Any, file: io.BytesIO) -> Any:
    from django.utils import timezone

    from consent.codes import ImportKind
    from consent.imports.checking import check
    from consent.imports.files import BY_COMMAND
    from consent.imports.staging import stage

    at = timezone.now()
    made = stage(
        practice=practice,
        kind=ImportKind.DECISIONS,
        file=file,
        name="decisions.csv",
        limits=BY_COMMAND,
        by=staff,
        at=at,
    )
    check(import_id=made.pk, at=at)
    made.refresh_from_db()
    if made.changed + made.new != ROWS:
        raise AssertionError(f"{made.changed + made.new} of {ROWS} rows would change a decision")
    return made


def cancelled(made: Any, by: Any) -> None:
    from django.utils import timezone

    from consent.imports.actions import cancel

    cancel(made=made, by=by, at=timezone.now())


def applied(made: Any, manager: Any) -> None:
    from django.utils import timezone

    from carerecords.permissions import Role
    from consent import bulk_runs
    from consent.imports.actions import approve

    may = Role.PRACTICE_MANAGER.rule.permissions
    run = approve(made=made, by=manager, may=may, at=timezone.now()).run
    assert run is not None
    bulk_runs.work(run.public_id, timezone.now)
    run.refresh_from_db()
    if run.changed != ROWS:
        raise AssertionError(f"{run.changed} of {ROWS} rows were recorded")


def save_one_by_one(rows: Iterator[dict[str, str]], by: Any) -> None:
    """As it is written first: each row is looked up, judged and saved by itself, with what follows from it."""
    from django.db import transaction
    from django.utils import timezone

    from carerecords.models import JobKind, Patient, UploadJob
    from carerecords.models.upload_job import OPEN_STATES
    from consent.models import ConsentEvent

    at = timezone.now()
    for row in rows:
        with transaction.atomic():
            patient = Patient.objects.get(
                nhs_number=row["NHS_NUMBER"], born_on=datetime.date.fromisoformat(row["DATE_OF_BIRTH"])
            )
            day = datetime.date.fromisoformat(row["DECISION_DATE"])
            refuses = row["DECISION"] == "refuse"
            preference = "EXPRESS_DISSENT" if refuses else "EXPRESS_CORE"
            event, made = ConsentEvent.objects.get_or_create(
                patient=patient,
                kind="DECISION",
                preference=preference,
                decided_on=day,
                defaults={
                    "practice_id": patient.practice_id,
                    "source": "FORM",
                    "effective_from": day,
                    "reference": row["EVIDENCE_REF"],
                    "supersedes_id": patient.consent_event_id,
                    "recorded_at": at,
                    "recorded_by": by,
                },
            )
            if not made:
                continue
            patient.consent_state, patient.consent_source = preference, "FORM"
            patient.consent_decided_on, patient.consent_event_id = day, event.pk
            patient.save()
            for job in UploadJob.objects.filter(patient=patient, state__in=OPEN_STATES):
                job.state, job.finished_at, job.due_at = "CANCELLED", at, None
                job.save()
            UploadJob.objects.create(
                patient=patient,
                practice_id=patient.practice_id,
                kind=JobKind.WITHDRAWAL if refuses else JobKind.UPLOAD,
                cause="DECISION",
                requested_at=at,
                requested_by=by,
                due_at=at,
            )
