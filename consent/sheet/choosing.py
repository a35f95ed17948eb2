"""Which patients a sheet is made of. Each way to choose gives a list, in words, and who was left out."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from carerecords.ages import age_in_years
from carerecords.formats import nhs_date, plural
from carerecords.identifiers import BadNhsNumber
from carerecords.models import Patient, Practice
from carerecords.models.patient import PatientQuerySet
from carerecords.search import BadSearch, Wanted, parse
from consent import deferrals
from consent.codes import ADULT, ConsentState
from consent.usual_gps import UsualGp
from consent.verdicts import years_before

SIZES = (25, 50, 100)
# Nobody asked them yet: nothing that the patient said stands.
UNDECIDED = [ConsentState.NONE.value, ConsentState.IMPLIED_CORE.value]


class BadLine(ValueError):
    """A line of the list that cannot be a patient's; the message names it and says how to mend it."""


@dataclass(frozen=True)
class Choice:
    """The patients in the order of the sheet; how they were chosen, and who was left out, in words."""

    patients: Sequence[Patient]
    words: str
    left_out: str = ""


def waiting(practice: Practice, today: datetime.date) -> PatientQuerySet:
    """Patients whom a sheet asks: alive, here, undecided, adult, not sensitive, not put off."""
    found = practice.patients.here().filter(
        consent_state__in=UNDECIDED, is_sensitive=False, born_on__lte=years_before(today, ADULT)
    )
    asked: PatientQuerySet = found.exclude(pk__in=deferrals.running(practice, today).values("patient"))
    return asked


def oldest(practice: Practice, size: int, today: datetime.date) -> Choice:
    """Those who have been registered longest without a decision."""
    return Choice(_first(waiting(practice, today), size), "Registered longest without a decision")


def of_gp(practice: Practice, gp: UsualGp, size: int, today: datetime.date) -> Choice:
    """Patients of one usual GP."""
    found = waiting(practice, today).filter(usual_gp=gp.pk)
    return Choice(_first(found, size), f"Patients of {gp.short_name}, registered longest first")


def of_letters(practice: Practice, sent_on: datetime.date, size: int, today: datetime.date) -> Choice:
    """Patients whose notice letter was sent on a day."""
    found = waiting(practice, today).filter(letter_sent_on=sent_on)
    return Choice(_first(found, size), f"Letters sent on {nhs_date(sent_on)}")


def of_lines(practice: Practice, text: str, today: datetime.date) -> Choice:
    """The patients of a list typed or pasted, a line each; raises `BadLine` for the first that is wrong."""
    wanted = list(_wanted(text, today))
    if not wanted:
        raise BadLine("Enter the NHS number and date of birth of each patient")
    if len(wanted) > SIZES[-1]:
        raise BadLine(f"Enter {SIZES[-1]} patients or fewer. This list has {len(wanted):,}")
    found = practice.patients.filter(nhs_number__in=[one.nhs_number for _, one in wanted])
    by_number = {patient.nhs_number: patient for patient in found}
    patients = []
    for line, one in wanted:
        patient = by_number.get(one.nhs_number)
        # Never by the number alone: a mistyped one may be somebody else's.
        if patient is None or patient.born_on != one.born_on:
            raise BadLine(f"Line {line}: no patient of your practice has this NHS number and date of birth")
        patients.append(patient)
    return _asked(practice, list(dict.fromkeys(patients)), today)


def letter_days(practice: Practice, today: datetime.date) -> list[tuple[datetime.date, int]]:
    """The last 20 days on which letters were sent, with how many still wait."""
    found = waiting(practice, today).filter(letter_sent_on__isnull=False).values("letter_sent_on")
    days = (
        found.annotate(number=Count("pk"))
        .order_by("-letter_sent_on")
        .values_list("letter_sent_on", "number")[:20]
    )
    return [(sent_on, number) for sent_on, number in days if sent_on]


def _wanted(text: str, today: datetime.date) -> Iterable[tuple[int, Wanted]]:
    """Number and content of each line that is not blank."""
    for line, typed in enumerate(text.splitlines(), start=1):
        if not typed.strip():
            continue
        try:
            one = parse(typed, today)
        except (BadSearch, BadNhsNumber) as fault:
            raise BadLine(f"Line {line}: {fault}") from None
        if not (one.nhs_number and one.born_on):
            raise BadLine(f"Line {line} must have an NHS number and a date of birth")
        yield line, one


def _asked(practice: Practice, patients: Sequence[Patient], today: datetime.date) -> Choice:
    """Those whom a sheet asks, and in words the rest of them."""
    put_off = set(
        deferrals.running(practice, today)
        .filter(patient__in=[patient.pk for patient in patients])
        .values_list("patient", flat=True)
    )
    why = {patient.pk: _left_out(patient, put_off, today) for patient in patients}
    counted = Counter(reason for reason in why.values() if reason)
    words = ", ".join(f"{number} {reason}" for reason, number in counted.items())
    left_out = f"Left out of {plural(len(patients), 'patient')}: {words}." if words else ""
    return Choice([patient for patient in patients if not why[patient.pk]], "Today’s surgery list", left_out)


def _left_out(patient: Patient, put_off: set[int], today: datetime.date) -> str:
    if not patient.is_here_on(today):
        return "died or left"
    if patient.is_sensitive:
        return "with a sensitive record"
    if patient.consent_state not in UNDECIDED:
        return "with a decision already"
    if age_in_years(patient.born_on, today) < ADULT:
        return "under 16"
    return "deferred until later" if patient.pk in put_off else ""


def _first(patients: PatientQuerySet, size: int) -> list[Patient]:
    return list(patients.order_by("registered_on", "pk")[:size])
