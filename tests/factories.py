"""Rows for tests: plain functions, each with defaults under which an upload would leave."""

import datetime
import itertools

from django.utils import timezone

from carerecords.identifiers import check_digit
from carerecords.models import Patient, Practice, Registration, RoleAssignment, SummaryItem, User
from carerecords.permissions import Role
from consent.actions import Evidence, Recorded, record_decision
from consent.codes import Preference, Source

LONG_AGO = datetime.datetime(2020, 1, 6, 9, tzinfo=datetime.UTC)

_numbers = itertools.count(1)
_nine_digits = itertools.count(999_000_000)


def nhs_number() -> str:
    """The next valid number of the test range 999, unique in this process."""
    for nine in _nine_digits:
        digit = check_digit(str(nine))
        if digit is not None:
            return f"{nine}{digit}"
    raise AssertionError("endless")


def make_practice(**fields) -> Practice:
    """A practice that has gone live. No real ODS code of a practice begins with Q."""
    number = next(_numbers)
    defaults = {
        "ods_code": f"Q{number:05}",
        "name": f"Test Surgery {number}",
        "address": f"{number} High Street, Dorchester, Dorset",
        "postcode": "DT1 1AA",
        "region_code": "Y58",
        "region_name": "South West",
        "icb_code": "QVV",
        "sub_icb_code": "11J",
        "status": Practice.Status.ACTIVE,
        "list_size": 8_000,
        "goes_live_on": datetime.date(2020, 1, 6),
    }
    return Practice.objects.create(**defaults | fields)


def make_user(role: Role, practice: Practice | None = None, **fields) -> User:
    """A user who holds one role; a practice role without a practice gets one made for it.

    They have no password: log in with `client.force_login`.
    """
    number = next(_numbers)
    if role.rule.of_practice:
        practice = practice or make_practice()
    is_gp = role is Role.GP
    defaults = {
        "email": f"{role.value.lower()}.{number}@test.example",
        "title": "Dr" if is_gp else "",
        "given_name": "Amina",
        "family_name": f"Tester{number}",
        "gmc_number": f"{7_000_000 + number}" if is_gp else None,
        "sds_user_id": f"{555_000_000_000 + number}",
        "sds_role_profile_id": f"{100_000_000_000 + number}",
    }
    user = User.objects.create_user(**defaults | fields)
    RoleAssignment.objects.create(user=user, practice=practice, role=role, starts_at=LONG_AGO)
    return user


def make_patient(practice: Practice | None = None, **fields) -> Patient:
    """A living, registered patient with a verified identity, who has decided nothing."""
    practice = practice or make_practice()
    number = next(_numbers)
    defaults = {
        "nhs_number": nhs_number(),
        "title": "Ms",
        "given_name": "Grace",
        "family_name": f"Patient{number}",
        "born_on": datetime.date(1970, 6, 12),
        "gender": Patient.Gender.FEMALE,
        "address": f"{number} Mill Lane, Dorchester",
        "postcode": "DT1 2BB",
        "identity": Patient.Identity.VERIFIED,
        "registered_on": datetime.date(2015, 3, 2),
    }
    patient = Patient.objects.create(practice=practice, **defaults | fields)
    Registration.objects.create(
        patient=patient,
        practice=practice,
        registered_on=patient.registered_on,
        left_on=patient.left_on,
    )
    return patient


def make_list(practice: Practice, number: int, **fields) -> list[Patient]:
    """A long list of patients like `make_patient`'s, in two statements, each with a family name of its own."""
    defaults = {
        "given_name": "Grace",
        "title": "Ms",
        "born_on": datetime.date(1970, 6, 12),
        "gender": Patient.Gender.FEMALE,
        "identity": Patient.Identity.VERIFIED,
        "registered_on": datetime.date(2015, 3, 2),
    }
    patients = Patient.objects.bulk_create(
        Patient(
            practice=practice,
            nhs_number=nhs_number(),
            **defaults | {"family_name": f"Person{place:04}"} | fields,
        )
        for place in range(1, number + 1)
    )
    Registration.objects.bulk_create(
        Registration(patient=patient, practice=practice, registered_on=patient.registered_on)
        for patient in patients
    )
    return patients


def make_item(patient: Patient, **fields) -> SummaryItem:
    """An allergy of the patient, recorded ten days ago."""
    defaults = {
        "kind": "ALLERGY",
        "code": "91936005",
        "term": "Allergy to penicillin",
        "recorded_on": timezone.localdate() - datetime.timedelta(days=10),
    }
    return SummaryItem.objects.create(patient=patient, **defaults | fields)


def decide(
    patient: Patient,
    preference: Preference = Preference.EXPRESS_CORE,
    *,
    by: User | None = None,
    at: datetime.datetime | None = None,
    decided_on: datetime.date | None = None,
    source: Source = Source.IN_PERSON,
    reference: str = "",
    **more,
) -> Recorded:
    """Records a decision as the product does, job included; by a GP of the practice if not said.

    `more` goes to `record_decision` (`seen`); for a representative pass `evidence` whole.
    """
    at = at or timezone.now()
    return record_decision(
        patient=patient,
        preference=preference,
        evidence=more.pop("evidence", Evidence(source, reference=reference)),
        decided_on=decided_on or timezone.localdate(at),
        by=by or make_user(Role.GP, patient.practice),
        at=at,
        **more,
    )
