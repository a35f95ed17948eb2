"""Made-up practices and patients, and what they decide, in the numbers that a scenario asks for.

Every patient's family name begins with `MARKER`, and every NHS number is of the test range 999: what a log,
an address or a message of the broker must never hold, and what is looked for there.
"""

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

MARKER = "Quxleaf"
LONG_AGO = datetime.datetime(2020, 1, 6, 9, tzinfo=datetime.UTC)
PATIENCE_SECONDS = 60
Found = TypeVar("Found")
_emails, _changes = count(1), count(1)
# SNOMED CT: allergy to penicillin.
_PENICILLIN = "91936005"


def nhs_numbers(first: int = 0) -> Iterator[str]:
    """Valid numbers of the test range, each once."""
    from carerecords.identifiers import check_digit

    for number in range(first, 1_000_000):
        nine = f"999{number:06}"
        if (digit := check_digit(nine)) is not None:
            yield f"{nine}{digit}"


@dataclass(frozen=True)
class Surgery:
    """A practice with a GP, a manager and patients who have decided nothing."""

    practice: Any
    gp: Any
    manager: Any
    patients: list[int]


def surgeries(number: int, patients: int) -> list[Surgery]:
    """So many practices with so many patients each, all of whom could be uploaded if they consented."""
    numbers = nhs_numbers()
    return [_surgery(place, patients, numbers) for place in range(number)]


def _surgery(place: int, patients: int, numbers: Iterator[str]) -> Surgery:
    from carerecords.models import Practice
    from carerecords.permissions import Role

    practice = Practice.objects.create(
        ods_code=f"Q{place:05}",
        name=f"Fault Surgery {place}",
        address=f"{place} High Street, Dorchester, Dorset",
        postcode="DT1 1AA",
        region_code="Y58",
        region_name="South West",
        icb_code="QVV",
        sub_icb_code="11J",
        status=Practice.Status.ACTIVE,
        list_size=patients,
        goes_live_on=LONG_AGO.date(),
    )
    gp, manager = user(Role.GP, practice), user(Role.PRACTICE_MANAGER, practice)
    return Surgery(practice, gp, manager, _patients(practice, gp, patients, numbers))


def user(role: Any, practice: Any = None) -> Any:
    """A user who holds one role; nobody logs in as them."""
    from carerecords.models import RoleAssignment, User

    number = next(_emails)
    made = User.objects.create_user(
        email=f"faults.{role.value.lower()}.{number}@test.example",
        given_name="Fault",
        family_name=f"Tester{number}",
        gmc_number=f"{7_000_000 + number}" if role.value == "GP" else None,
        sds_user_id=f"{555_000_000_000 + number}",
        sds_role_profile_id=f"{100_000_000_000 + number}",
    )
    RoleAssignment.objects.create(user=made, practice=practice, role=role, starts_at=LONG_AGO)
    return made


def _patients(practice: Any, gp: Any, number: int, numbers: Iterator[str]) -> list[int]:
    from carerecords.models import Patient, Registration

    made = Patient.objects.bulk_create(
        [
            Patient(
                practice=practice,
                usual_gp=gp,
                nhs_number=next(numbers),
                title="Ms",
                given_name="Grace",
                family_name=f"{MARKER}{place:05}",
                born_on=datetime.date(1970, 6, 12),
                gender=Patient.Gender.FEMALE,
                address=f"{place} Mill Lane, Dorchester",
                postcode="DT1 2BB",
                identity=Patient.Identity.VERIFIED,
                registered_on=datetime.date(2015, 3, 2),
            )
            for place in range(number)
        ]
    )
    Registration.objects.bulk_create(
        [Registration(patient=one, practice=practice, registered_on=one.registered_on) for one in made]
    )
    ids = [one.pk for one in made]
    _begin_records(ids)
    return ids


def change_records(patients: Sequence[int]) -> None:
    """Other words in each record: an upload that is asked for then says something new, and is no longer than before."""
    from carerecords.models import SummaryItem

    changed = SummaryItem.objects.filter(patient__in=patients, code=_PENICILLIN)
    changed.update(detail=f"Change {next(_changes)}")


def _begin_records(patients: Sequence[int]) -> None:
    from django.utils import timezone

    from carerecords.models import SummaryItem

    today = timezone.localdate()
    SummaryItem.objects.bulk_create(
        [
            SummaryItem(
                patient_id=patient,
                kind="ALLERGY",
                code=_PENICILLIN,
                term="Allergy to penicillin",
                recorded_on=today - datetime.timedelta(days=10),
            )
            for patient in patients
        ]
    )


def fatten(patient: int, entries: int) -> None:
    """A record with so many entries of half a kilobyte each."""
    from django.utils import timezone

    from carerecords.models import SummaryItem

    today = timezone.localdate()
    SummaryItem.objects.bulk_create(
        [
            SummaryItem(
                patient_id=patient,
                kind="ALLERGY",
                code="91936005",
                term=f"Allergy {number} ".ljust(200, "a"),
                detail="b" * 300,
                recorded_on=today,
            )
            for number in range(entries)
        ]
    )


def decide(surgery: Surgery, patients: Sequence[int], *, consent: bool) -> None:
    """All of them consent, or dissent, in one transaction, as a bulk run records it."""
    from django.db import transaction
    from django.utils import timezone

    from consent import many

    at = timezone.now()
    with transaction.atomic():
        many.record_many(
            _DECISIONS,
            {
                "patients": list(patients),
                "preference": "EXPRESS_CORE" if consent else "EXPRESS_DISSENT",
                "day": timezone.localdate(at),
            },
            practice_id=surgery.practice.pk,
            run_id=None,
            by=surgery.gp,
            at=at,
            same_is_enough=True,
        )


_DECISIONS = """
SELECT id, id, %(preference)s, 'IN_PERSON', %(day)s::date, '', '', '', '', false, NULL::bigint
FROM unnest(%(patients)s::bigint[]) AS asked (id)
"""


def ask_for_updates(surgery: Surgery, patients: Sequence[int]) -> None:
    """Their records changed, and each is to be uploaded again."""
    from django.db import transaction
    from django.utils import timezone

    from carerecords import upload_queue
    from carerecords.models import Cause
    from consent import many

    at = timezone.now()
    with transaction.atomic():
        many.lock(list(patients))
        change_records(patients)
        upload_queue.request_uploads(list(patients), cause=Cause.UPDATE, by=None, at=at, not_before=at)


def open_jobs() -> int:
    """Jobs that are not over."""
    from carerecords.models import UploadJob

    return UploadJob.objects.filter(finished_at=None).count()


def insist(work: Callable[[], Found]) -> Found:
    """What a person does while the database is away: it is tried again until it is taken. Returns what came of it."""
    from django.db import InterfaceError, OperationalError, connection

    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
