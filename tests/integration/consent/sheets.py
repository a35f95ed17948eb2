"""What the tests of the consent sheet share: a sheet, its form as a page draws it, and its addresses."""

import re
import uuid
from html import unescape

from django.utils import timezone

from consent.models import Sheet, SheetRow
from consent.sheet import choosing, rows, saving
from tests.factories import make_patient

START = "/consent/sheet/"
CORE, NO = "EXPRESS_CORE", "EXPRESS_DISSENT"


def make_people(practice, number, **fields):
    """Adults of a practice without a decision, in the order in which a sheet asks for them."""
    return [make_patient(practice, family_name=f"Person{n:03}", **fields) for n in range(1, number + 1)]


def make_sheet(user, patients, at=None):
    """A frozen sheet of these patients."""
    practice = patients[0].practice
    choice = choosing.Choice(patients, "Chosen by a test")
    return rows.freeze(
        practice=practice, choice=choice, by=user, at=at or timezone.now(), public_id=uuid.uuid4()
    )


def page_of(sheet):
    return f"{START}{sheet.public_id}/"


def row_url(row):
    return f"{page_of(row.sheet)}rows/{row.public_id}/"


def row_of(sheet, patient):
    return SheetRow.objects.select_related("sheet", "patient", "event").get(sheet=sheet, patient=patient)


def top(**changes):
    """How the patients told, as the top of the sheet posts it."""
    today = timezone.localdate()
    date = {"decided_on_day": today.day, "decided_on_month": today.month, "decided_on_year": today.year}
    return {"source": "IN_PERSON", "reference": "", **date} | changes


def answers(sheet, chosen):
    """{patient: answer} as the sheet's form names them."""
    return {saving.name_of(row_of(sheet, patient)): answer for patient, answer in chosen.items()}


def drawn(page):
    """The names of the answers that a page offers, in order, as a browser would post them."""
    found = re.findall(
        r'<input class="nhsuk-radios__input" type="radio" name="(answer-[^"]+)"', page.content.decode()
    )
    return list(dict.fromkeys(found))


def chosen_on(page):
    """The answers that a page shows as chosen."""
    inputs = re.findall(r'name="(answer-[^"]+)" id="[^"]+" value="(\w+)" checked', page.content.decode())
    return {name: unescape(value) for name, value in inputs}


def states(sheet):
    """How each row's patient stands, in the order of the sheet."""
    return list(
        Sheet.objects.get(pk=sheet.pk)
        .rows.order_by("position")
        .values_list("patient__consent_state", flat=True)
    )
