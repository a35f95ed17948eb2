"""Decisions from a CSV file, beside a loop of get and save, beside the bare writing of what they leave, and
beside COPY of the same text; and the memory of a large file.

The design hoped for 300 times the loop and 0.12 of COPY, from a prototype with one table of consents. Here
a decision also leaves an event with its evidence, a changed patient in the list's indexes, an upload job and
a row of the run; their bare writing alone costs some 190 times COPY, so the goals are shares of that.
"""

import csv
import datetime
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.harness import Ratio, seconds

ROWS = 20_000
# One after another is measured on so many, and counted per row.
ONE_BY_ONE = 300
ROUNDS = 4
SMALL, LARGE = 10_000, 1_000_000
BORN = datetime.date(1970, 6, 12)

_FILL = """
INSERT INTO carerecords_patient (public_id, practice_id, nhs_number, title, given_name, family_name, preferred_name,
    born_on, gender, address, postcode, identity, is_sensitive, registered_on)
SELECT gen_random_uuid(), %s, number, '', 'Given', 'Family' || right(number, 4), '', %s, 'FEMALE', '', '', 'VERIFIED',
    false, DATE '2005-03-02'
FROM incoming
"""
_TEXT = """CREATE TEMPORARY TABLE text_only (nhs_number text, born text, decision text, day text, source text,
    reference text)"""

# The command, which tells at its end the most memory that it had (VmHWM: since it began, not its parent's).
_MEASURED = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "import_decisions", *sys.argv[1:]])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("peak kB", status["VmHWM"].split()[0])
"""
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


def run() -> Iterator[Ratio]:
    from carerecords.models import Practice

    practice = Practice.objects.filter(patients__isnull=True).order_by("-pk")[0]
    staff, manager = people(practice)
    numbers = nhs_numbers()
    some = list(islice(numbers, ROWS))
    fill(practice, some)
    yield from speed(practice, staff, manager, some)
    yield from memory(practice, staff, manager, some[:SMALL], numbers)


def speed(practice: Any, staff: Any, manager: Any, numbers: list[str]) -> Iterator[Ratio]:
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

    taken: dict[Callable[[], None], list[float]] = {
        way: [] for way in (checked, by_file, one_by_one, by_copy, bare)
    }
    for count in range(ROUNDS + 1):
        for way, times in taken.items():
            # Every row changes a decision: files refuse, and what comes after them consents again.
            day += 1
            what = "refuse" if way in {checked, by_file} else "consent"
            file = io.BytesIO(decisions(numbers, day, what).encode())
            took = seconds(way)
            if count:
                times.append(took / (ONE_BY_ONE if way is one_by_one else ROWS))
    each = {way: median(times) for way, times in taken.items()}
    loop = each[one_by_one]
    yield Ratio(
        "a file read and held against patients",
        "times the loop of get and save",
        loop / each[checked],
        goal=80,
        note=f"{1 / each[checked]:,.0f} rows/s; COPY of the same text {1 / each[by_copy]:,.0f} rows/s, "
        f"a share of {each[by_copy] / each[checked]:.3f}; the loop {1 / loop:,.0f} rows/s",
    )
    yield Ratio(
        "a file read, held against patients and applied",
        "times the loop of get and save",
        loop / each[by_file],
        goal=15,
        note=f"{1 / each[by_file]:,.0f} rows/s, {each[by_copy] / each[by_file]:.4f} of COPY",
    )
    yield Ratio(
        "a file read, held against patients and applied",
        "of the bare writing of what it leaves",
        each[bare] / each[by_file],
        goal=0.4,
        note=f"bare writing {1 / each[bare]:,.0f} rows/s, {each[by_copy] / each[bare]:.4f} of COPY",
    )


def memory(
    practice: Any, staff: Any, manager: Any, few: list[str], numbers: Iterator[str]
) -> Iterator[Ratio]:
    """Two processes of the command, and the most memory that each ever had."""
    many = list(islice(numbers, LARGE))
    fill(practice, many)
    peaks, took = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, chosen in (("few", few), ("many", many)):
            path = Path(folder) / f"{name}.csv"
            path.write_text(decisions(chosen, 1500, "consent"))
            command = [
                sys.executable,
                "manage.py",
                "import_decisions",
                str(path),
                "--practice",
                practice.ods_code,
            ]
            command += ["--by", staff.email, "--approved-by", manager.email]
            told = ""

            def importing(command: Sequence[str] = command) -> None:
                nonlocal told
                told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

            took.append(seconds(importing))
            if "0 left alone" not in told:
                raise AssertionError(f"The import failed: {told}")
            peaks.append(int(told.rpartition("peak kB ")[2]))
    yield Ratio(
        "memory of an import",
        f"times for {LARGE:,} rows what {SMALL:,} need",
        peaks[1] / peaks[0],
        goal=1.2,
        at_most=True,
        note=f"{peaks[0] / 1024:,.0f} and {peaks[1] / 1024:,.0f} MiB; {took[1]:,.0f} s for {LARGE:,} rows, applied",
    )


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


def decisions(numbers: list[str], day: int, what: str) -> str:
    """A file whose decision no file of another day has."""
    decided = decided_on(day)
    lines = [f"{number},{BORN},{what},{decided},form,F {place}" for place, number in enumerate(numbers)]
    return "\n".join(["NHS_NUMBER,DATE_OF_BIRTH,DECISION,DECISION_DATE,SOURCE,EVIDENCE_REF", *lines])


def decided_on(day: int) -> datetime.date:
    return datetime.date(2010, 1, 1) + datetime.timedelta(days=day)


def people(practice: Any) -> tuple[Any, Any]:
    """Who sends in, and who approves: more than 500 consents need two."""
    from django.utils import timezone

    from carerecords import staffing
    from carerecords.permissions import Role

    made = []
    for name, role in (("staff", Role.STAFF), ("manager", Role.PRACTICE_MANAGER)):
        given = staffing.give_role(
            email=f"bench.{name}@test.example",
            role=role,
            ods_code=practice.ods_code,
            at=timezone.now(),
            given_name="Bench",
            family_name=name.title(),
        )
        made.append(given.user)
    return made[0], made[1]


def nhs_numbers() -> Iterator[str]:
    """Valid numbers that were never given out, and that no demo patient has."""
    from carerecords.identifiers import check_digit

    for nine in range(910_000_000, 990_000_000):
        digit = check_digit(str(nine))
        if digit is not None:
            yield f"{nine}{digit}"


def fill(practice: Any, numbers: list[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE incoming (number text)")
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            copy.write("".join(f"{number}\n" for number in numbers))
        cursor.execute(_FILL, [practice.pk, BORN])
        cursor.execute("DROP TABLE incoming")
        cursor.execute("ANALYZE carerecords_patient")
