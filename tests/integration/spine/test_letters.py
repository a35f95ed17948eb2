"""Letters to patients as pages and as PDF: what they say, who may print them, what is logged."""

import datetime
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from carerecords.models import AccessEvent, Patient
from consent.actions import Evidence
from consent.codes import BulkKind, Preference, RowResult, Source
from consent.models import BulkRow, BulkRun
from tests.factories import decide, make_patient
from tests.integration.consent.looking import text
from tests.policy_factories import start_boycott

pytestmark = pytest.mark.django_db


def letter_of(patient):
    return f"/patients/{patient.public_id}/letter/"


def read(response):
    assert response["Content-Type"] == "application/pdf"
    return PdfReader(BytesIO(response.content))


def words(pdf):
    return " ".join(" ".join(page.extract_text().split()) for page in pdf.pages)


@pytest.fixture
def run(practice, manager):
    """`run(patients)`: a finished bulk run that noted a letter to each."""

    def make(patients, **fields):
        made = BulkRun.objects.create(
            **{
                "practice": practice,
                "kind": BulkKind.LETTER,
                "created_at": timezone.now(),
                "created_by": manager,
            }
            | fields
        )
        BulkRow.objects.bulk_create(
            BulkRow(run=made, patient=one, position=number, result=RowResult.CHANGED)
            for number, one in enumerate(patients)
        )
        return f"/consent/bulk/{made.public_id}/letters/"

    return make


def test_page_and_pdf_say_the_same(client, gp, patient, policy_admin):
    decide(patient, by=gp)
    start_boycott(policy_admin, timezone.now())
    client.force_login(gp)
    page = text(client.get(letter_of(patient)))
    pdf = words(read(client.get(letter_of(patient) + "pdf/")))
    for said in (
        f"Dear Ms {patient.family_name}",
        "You said yes. We may share medicines, allergies and bad reactions to medicines.",
        "when you came in",
        "It has asked surgeries not to send records for now.",
        "How to change your mind",
    ):
        assert said in page and said in pdf, said
    looks = AccessEvent.objects.filter(kind="PRINTED", patient=patient, user=gp)
    assert list(looks.order_by("pk").values_list("detail", flat=True)) == ["letter", "letter as PDF"]


def test_the_pdf_has_title_language_text_and_tags_in_reading_order(client, gp, practice):
    patient = make_patient(practice, usual_gp=gp, given_name="Grażyna", family_name="Łukasiewicz <b>")
    client.force_login(gp)
    answer = client.get(letter_of(patient) + "pdf/")
    pdf = read(answer)
    root = pdf.trailer["/Root"]
    assert pdf.metadata.title == "Your Summary Care Record" and root["/Lang"] == "en-GB"
    assert root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    elements = [one.get_object() for one in root["/StructTreeRoot"]["/K"]["/K"]]
    tags = [one["/S"] for one in elements]
    assert tags.count("/H1") == 1 and tags.count("/H2") >= 4 and tags.index("/H1") < tags.index("/H2")
    # Each element names its mark on the page, and the page has no more marks than elements.
    assert [one["/K"] for one in elements] == list(range(len(elements)))
    assert pdf.pages[0].get_contents().get_data().count(b"BDC") == len(elements)
    assert "Grażyna Łukasiewicz <b>" in words(pdf)
    fonts = pdf.pages[0]["/Resources"]["/Font"].values()
    used = [one.get_object() for one in fonts]
    assert all("/FontFile2" in one["/FontDescriptor"] for one in used if "DejaVu" in one["/BaseFont"])
    assert patient.public_id.hex not in answer["Content-Disposition"] == 'attachment; filename="letter.pdf"'


def test_a_sensitive_address_is_nowhere(client, gp, privacy_officer, patient):
    Patient.objects.filter(pk=patient.pk).update(is_sensitive=True)
    client.force_login(privacy_officer)
    page = client.get(letter_of(patient))
    pdf = words(read(client.get(letter_of(patient) + "pdf/")))
    assert "Hand it to the patient" in text(page)
    assert "Mill Lane" not in text(page) + pdf and patient.postcode not in text(page) + pdf
    client.force_login(gp)
    assert client.get(letter_of(patient)).url.endswith("/reason/")
    assert client.get(letter_of(patient) + "pdf/").url.endswith("/reason/")


def test_nobody_writes_to_a_patient_who_died(client, gp, practice):
    patient = make_patient(practice, died_on=datetime.date(2026, 1, 4))
    client.force_login(gp)
    said = text(client.get(letter_of(patient)))
    assert "Died on 4 January 2026. There is no letter." in said and "Dear" not in said
    assert client.get(letter_of(patient) + "pdf/").url == letter_of(patient)
    assert not AccessEvent.objects.filter(kind="PRINTED").exists()


@pytest.mark.parametrize("alone", [True, False])
def test_a_child_who_decided_alone_is_written_to(client, gp, practice, alone):
    child = make_patient(practice, usual_gp=gp, born_on=timezone.localdate() - datetime.timedelta(days=4800))
    by_parent = Evidence(Source.REPRESENTATIVE, "", "", "Ann Carter", "Parental responsibility")
    decide(child, by=gp, evidence=Evidence(Source.IN_PERSON) if alone else by_parent)
    client.force_login(gp)
    said = text(client.get(letter_of(child)))
    assert ("Dear parent or carer" in said) is not alone
    assert ("Ann Carter chose for Grace." in said) is not alone


@pytest.mark.parametrize(("persona", "status"), [("stranger", 404), ("auditor", 403)])
@pytest.mark.parametrize("end", ["", "pdf/"])
def test_nobody_else(client, request, patient, persona, status, end):
    client.force_login(request.getfixturevalue(persona))
    assert client.get(letter_of(patient) + end).status_code == status
    assert not AccessEvent.objects.filter(kind="PRINTED").exists()


# --- Many ----------------------------------------------------------------------------------------


def test_the_letters_of_a_run_are_one_file_in_its_order(client, manager, practice, gp, run):
    people = [make_patient(practice, usual_gp=gp) for _ in range(3)]
    decide(people[1], Preference.EXPRESS_DISSENT, by=gp)
    left_out = [
        make_patient(practice, is_sensitive=True),
        make_patient(practice, died_on=datetime.date(2026, 1, 4)),
        make_patient(),
    ]
    address = run([*people, *left_out])
    client.force_login(manager)
    pdf = read(client.get(address))
    assert len(pdf.pages) == 3
    for page, one in zip(pdf.pages, people, strict=True):
        assert f"Dear Ms {one.family_name}" in page.extract_text()
    assert "You said no." in pdf.pages[1].extract_text()
    look = AccessEvent.objects.get(kind="PRINTED")
    assert (look.user, look.rows, look.patient) == (manager, 3, None)
    assert client.get(address, {"part": "2"}).status_code == 404


def test_the_cost_of_a_run_does_not_grow(client, manager, practice, gp, run):
    def cost(count):
        address = run([make_patient(practice, usual_gp=gp) for _ in range(count)])
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return len(found)

    client.force_login(manager)
    client.get(run([make_patient(practice)]))
    assert cost(1) == cost(6) <= 20


@pytest.mark.parametrize(("persona", "status"), [("stranger", 404), ("staff", 403), ("auditor", 403)])
def test_a_run_is_its_practices_own(client, request, patient, run, persona, status):
    address = run([patient])
    client.force_login(request.getfixturevalue(persona))
    assert client.get(address).status_code == status
    assert not AccessEvent.objects.filter(kind="PRINTED").exists()


def test_only_runs_of_letters(client, manager, patient, run):
    client.force_login(manager)
    assert client.get(run([patient], kind=BulkKind.REFUSAL)).status_code == 404
