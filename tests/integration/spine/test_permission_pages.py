"""The pages about the Spine's permission: what each role sees and may do, strangers, cost."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from carerecords.models import AccessEvent, JobState, Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.models import PermissionCall, PermissionMismatch, StoreCopy
from spine.permission import mismatches
from tests.contracts.calls import Calls
from tests.factories import decide, make_patient, make_practice, make_user
from tests.localstore_process import fresh_nhs_number, localstore  # noqa: F401 - a fixture

LIST = "/uploads/differences/"
REFUSES, ALLOWS = Preference.EXPRESS_CORE, Preference.EXPRESS_DISSENT


def differing(practice, preference=REFUSES, **fields):
    """A patient of whom the Spine is known to hold the opposite."""
    patient = make_patient(practice, nhs_number=fresh_nhs_number(), **fields)
    decide(patient, preference)
    permission = "No" if preference is REFUSES else "Ask"
    StoreCopy.objects.create(patient=patient, permission=permission, read_at=timezone.now())
    UploadJob.objects.filter(patient=patient).update(state=JobState.CANCELLED, finished_at=timezone.now())
    mismatches.review([patient.pk], at=timezone.now())
    return patient


def page_of(patient):
    return reverse("spine:permission", args=[patient.public_id])


def text(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["gp", "privacy_officer"])
def test_who_may_set_it_gets_the_one_button(client, request, practice, who):
    client.force_login(request.getfixturevalue(who))
    page = text(client, page_of(differing(practice)))
    assert (
        "Set the Spine to Ask" in page and "Set the Spine to No" not in page and "Ask the Spine now" in page
    )
    assert "The Spine says No, and the patient consents here." in page
    page = text(client, page_of(differing(practice, ALLOWS)))
    assert "Set the Spine to No" in page and "Set the Spine to Ask" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["manager", "staff"])
def test_others_read_who_may(client, request, practice, who):
    patient = differing(practice)
    client.force_login(request.getfixturevalue(who))
    page = text(client, page_of(patient))
    assert "cannot set it. GP and Privacy officer can." in page and "Ask the Spine now" not in page
    assert client.post(page_of(patient), {"do": "set", "code": "Ask"}).status_code == 403
    assert not PermissionCall.objects.exists()
    assert AccessEvent.objects.filter(kind="REFUSED", patient=patient).exists()


@pytest.mark.django_db
def test_the_list_is_of_the_own_practice(client, practice, gp):
    mine = differing(practice, family_name="Adeyemi")
    differing(make_practice(), family_name="Stranger")
    client.force_login(gp)
    page = text(client, LIST)
    assert "ADEYEMI" in page and "STRANGER" not in page and "1 difference. Newest first." in page
    assert page_of(mine) in page
    stranger = Patient.objects.get(family_name="Stranger")
    assert client.get(page_of(stranger)).status_code == 404
    assert client.post(page_of(stranger), {"do": "read"}).status_code == 404
    assert not PermissionCall.objects.exists()


@pytest.mark.django_db
def test_what_is_over_is_kept(client, practice, gp):
    patient = differing(practice, family_name="Adeyemi")
    StoreCopy.objects.update(permission="Ask")
    mismatches.sweep(at=timezone.now())
    client.force_login(gp)
    assert "No differences." in text(client, LIST)
    page = text(client, f"{LIST}?show=ended")
    assert "ADEYEMI" in page and "The decision here or the record at the Spine changed" in page
    assert "Found to differ" in text(client, page_of(patient))


@pytest.mark.django_db
def test_pages_of_the_list_cost_the_same(client, practice, gp, django_assert_max_num_queries):
    for _ in range(60):
        differing(practice)
    client.force_login(gp)
    text(client, LIST)
    with django_assert_max_num_queries(12):
        page = text(client, LIST)
    assert "60 differences. Newest first." in page and page.count('/permission/"') == 50
    oldest = PermissionMismatch.objects.order_by("-pk")[49]
    assert text(client, f"{LIST}?before={oldest.public_id}").count('/permission/"') == 10
    assert text(client, f"{LIST}?before=nonsense").count('/permission/"') == 50


@pytest.mark.django_db
def test_a_sensitive_record_asks_why_first(client, practice, gp, staff):
    patient = differing(practice, is_sensitive=True)
    client.force_login(gp)
    assert client.get(page_of(patient)).url == reverse("consent:reason", args=[patient.public_id])
    client.force_login(staff)
    assert client.get(page_of(patient)).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_asking_and_setting_by_the_page(client, practice, gp, settings, localstore):
    settings.SPINE_BASE_URL, settings.SPINE_READ_TIMEOUT_SECONDS = localstore.fhir_url, 5
    patient = differing(practice, usual_gp=gp)
    Calls(localstore).set_permission(patient.nhs_number, "No")
    client.force_login(gp)
    said = client.post(page_of(patient), {"do": "read", "form_key": uuid.uuid4()}, follow=True)
    assert "The Spine says No." in said.content.decode()
    key = uuid.uuid4()
    for words in ("The permission at the Spine is set to Ask.", "The Spine agrees with the decision here."):
        said = client.post(page_of(patient), {"do": "set", "code": "Ask", "form_key": key}, follow=True)
        assert words in said.content.decode()
    assert PermissionCall.objects.filter(act="SET").count() == 1
    page = text(client, page_of(patient))
    assert "Set to Ask at the Spine" in page and gp.short_name in page
    for odd in ({"do": "set", "code": "Yes"}, {"do": "set", "code": "No"}, {"do": "set"}):
        client.post(page_of(patient), odd)
    assert PermissionCall.objects.filter(act="SET").count() == 1
    permissions = [line for line in localstore.ledger() if line["nhs_number"] == patient.nhs_number]
    assert [line["permission"] for line in permissions if line["kind"] == "permission"] == ["No", "Ask"]


@pytest.mark.django_db
def test_the_patient_page_tells_it(client, practice, gp):
    patient = differing(practice)
    client.force_login(gp)
    page = text(client, reverse("consent:patient", args=[patient.public_id]))
    assert "No: the patient opted out (as of" in page and page_of(patient) in page
    other = make_patient(practice)
    assert "Not asked yet" in text(client, reverse("consent:patient", args=[other.public_id]))


@pytest.mark.django_db
def test_a_gp_without_a_role_at_the_spine_is_told(client, practice):
    gp = make_user(Role.GP, practice, sds_role_profile_id="")
    client.force_login(gp)
    page = text(client, page_of(differing(practice)))
    assert "Your role at the Spine is not stored here" in page and "Set the Spine to Ask" not in page
