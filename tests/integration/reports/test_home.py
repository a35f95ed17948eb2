"""Home: what needs doing, by role, in counts that open their lists."""

import pytest
from django.utils import timezone

from boycott.positions import Stance
from carerecords.formats import plural
from carerecords.models import JobState, Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import ConsentState, Preference, Source
from consent.deferrals import defer
from consent.imports.actions import cancel
from reports.home import home_of
from spine.models import StoreCopy
from spine.permission import mismatches
from spine.policy.actions import stop_uploads
from tests.factories import decide, make_patient, make_practice, make_user
from tests.integration.consent.importing import csv_of, decision, staged
from tests.integration.consent.sheets import make_people, make_sheet
from tests.policy_factories import REASON, answer, rival_position, start_boycott

pytestmark = pytest.mark.django_db


def page(client, person):
    client.force_login(person)
    return client.get("/").content.decode()


def home(person):
    assignment = person.assignments.get()
    return home_of(Role(assignment.role), assignment.practice, person, timezone.now())


def cards(person):
    return [(card.number, card.label, card.url) for card in home(person).todo]


def put(job, state, *codes):
    finished = timezone.now() if state == JobState.FAILED else None
    UploadJob.objects.filter(pk=job.pk).update(state=state, reasons=list(codes), finished_at=finished)


@pytest.fixture
def busy(practice):
    """One of everything that can need doing, and the like next door."""
    for one in (practice, make_practice()):
        make_patient(one)
        for code in ("policy.bma", "policy.bma", "rollout.closed", "consent.differs"):
            put(decide(make_patient(one)).job, JobState.HELD, code)
        differs = Patient.objects.filter(practice=one, upload_jobs__reasons=["consent.differs"]).get()
        StoreCopy.objects.create(patient=differs, permission="No")
        mismatches.review([differs.pk], at=timezone.now())
        put(decide(make_patient(one)).job, JobState.HELD, "rollout.closed", "policy.bma")
        put(decide(make_patient(one)).job, JobState.FAILED, "tech.failed")
        conflicting = make_patient(one)
        Patient.objects.filter(pk=conflicting.pk).update(consent_state=ConsentState.CONFLICT)


@pytest.mark.parametrize("who", ["gp", "staff", "manager"])
def test_practice(client, request, busy, who):
    person = request.getfixturevalue(who)
    html = page(client, person)
    assert "Patient whose decisions disagree" in html and "This practice has not joined yet." in html
    assert cards(person) == [
        (1, "Patient whose decisions disagree", "/patients/?decision=CONFLICT"),
        (
            1,
            "Patient of whom the Spine holds a different decision",
            "/uploads/differences/",
        ),
        (1, "Upload that failed", "/uploads/?state=FAILED&latest=yes"),
        (2, "Uploads blocked", "/uploads/?state=HELD&reason=policy.bma"),
        (2, "Uploads blocked", "/uploads/?state=HELD&reason=rollout.closed"),
        (1, "Patient without a decision", "/patients/?decision=NONE"),
    ]


def test_privacy_officer(busy, privacy_officer):
    labels = [label for _, label, _ in cards(privacy_officer)]
    assert labels == [
        "Patient whose decisions disagree",
        "Patient of whom the Spine holds a different decision",
    ]


def test_a_gp_sees_their_own_patients_first(client, practice, gp):
    for one in (gp, gp, make_user(Role.GP, practice)):
        make_patient(practice, usual_gp=one)
    own, everybody = cards(gp)
    assert (own[0], everybody[0]) == (2, 3)
    client.force_login(gp)
    for number, _, url in (own, everybody):
        assert f"{number} of 3 patients. Decision: No decision." in client.get(url).content.decode()


@pytest.mark.parametrize(("who", "told"), [("gp", True), ("manager", True), ("staff", False)])
def test_imports_wait_for_those_who_may_approve(client, request, practice, manager, who, told):
    patients = [make_patient(practice) for _ in range(2)]
    for patient in patients:
        staged(practice, manager, csv_of([decision(patient)]))
    dropped = staged(practice, manager, csv_of([decision(make_patient(practice))]))
    cancel(made=dropped, by=manager, at=timezone.now())
    person = request.getfixturevalue(who)
    wanted = (2, "Imports to check", "/imports/?show=ready")
    assert (wanted in cards(person)) is told
    client.force_login(person)
    html = client.get(wanted[2]).content.decode()
    assert html.count("Ready to check</strong>") == 2 and "Cancelled" not in html


def test_a_sheet_is_to_finish_until_nobody_is_left_to_ask(practice, gp, staff):
    people = make_people(practice, 3)
    sheet = make_sheet(gp, people)
    wanted = (1, "Consent sheet to finish", "/consent/sheet/")
    assert wanted in cards(gp) and wanted not in cards(staff), "it is the GP's own"
    decide(people[0], by=staff)
    defer(
        patient_ids=[people[1].pk],
        until=timezone.localdate() + timezone.timedelta(days=9),
        reason="",
        by=gp,
        at=timezone.now(),
    )
    assert wanted in cards(gp)
    Patient.objects.filter(pk=people[2].pk).update(is_sensitive=True)
    assert wanted not in cards(gp)
    Patient.objects.filter(pk=people[2].pk).update(is_sensitive=False)
    type(sheet).objects.update(touched_at=timezone.now() - timezone.timedelta(hours=21))
    assert wanted not in cards(gp), "it is kept no more"


@pytest.mark.parametrize(
    ("who", "told"), [("gp", True), ("manager", True), ("privacy_officer", True), ("staff", False)]
)
def test_refusals_that_look_like_policy(request, practice, staff, who, told):
    began = timezone.now() - timezone.timedelta(days=9)
    for step in range(25):
        patient = make_patient(practice, family_name=f"Person{step:02}")
        at = began + timezone.timedelta(seconds=step)
        decide(patient, Preference.EXPRESS_DISSENT, by=staff, at=at, source=Source.LETTER, reference="BMA")
    wanted = (1, "Group of refusals that looks like policy", "/reports/refusals/")
    assert (wanted in cards(request.getfixturevalue(who))) is told


def test_each_count_opens_a_list_of_that_many(client, busy, gp):
    client.force_login(gp)
    for number, _, url in cards(gp):
        if url.startswith("/uploads/"):
            what = "difference" if url.endswith("/differences/") else "upload"
            assert f"{plural(number, what)}. Newest first." in client.get(url).content.decode(), url


def test_a_failed_upload_asked_for_again_is_no_longer_to_do(practice, gp):
    patient = make_patient(practice)
    first = decide(patient)
    put(first.job, JobState.FAILED, "tech.failed")
    UploadJob.objects.create(
        patient=patient, practice=practice, kind="UPLOAD", cause="UPDATE", requested_at=timezone.now()
    )
    assert cards(gp) == []


def test_what_only_nations_have_to_do(policy_admin, national_admin):
    start_boycott()
    rival_position()
    assert cards(policy_admin) == [(2, "Positions in force that disagree", "/policy/")]
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    assert cards(national_admin) == [(1, "Stop in force", "/policy/stop/")]


def test_nothing_to_do(client, gp):
    assert "Nothing needs doing. Last checked " in page(client, gp)


def test_policy_admin(client, policy_admin):
    answer(make_practice(), Stance.HOLD)
    answer(make_practice())
    make_practice()
    start_boycott(policy_admin)
    assert [card.number for card in home(policy_admin).standing] == [0, 1, 1, 1]
    assert "Do not co-operate: no upload, since" in page(client, policy_admin)


def test_national_admin_sees_counts_and_no_patient(client, busy, national_admin):
    assert cards(national_admin) == [(2, "Uploads that failed", "/uploads/problems/")]
    assert (10, JobState.HELD) in [(card.number, card.state) for card in home(national_admin).standing]
    html = page(client, national_admin)
    assert "Cancelled or nothing to send" in html
    assert not any(patient.family_name.upper() in html for patient in Patient.objects.all())


def test_the_programme_is_told_when_the_spine_does_not_let_the_service_in(
    client, gp, patient, national_admin
):
    put(decide(patient).job, JobState.WAITING, "tech.access")
    assert cards(national_admin) == [(1, "Uploads that the Spine did not let in", "/uploads/problems/")]
    assert cards(gp) == []
    client.force_login(national_admin)
    assert 'href="/uploads/problems/"' in client.get("/reports/").content.decode()
    client.force_login(gp)
    assert 'href="/uploads/problems/"' not in client.get("/reports/").content.decode()


def test_the_programme_is_not_told_of_a_failure_that_was_asked_for_again(patient, national_admin):
    first = decide(patient)
    put(first.job, JobState.FAILED, "tech.failed")
    assert cards(national_admin) == [(1, "Uploads that failed", "/uploads/problems/")]
    decide(patient, Preference.EXPRESS_ADDITIONAL, seen=first.event.pk)
    assert cards(national_admin) == []


def test_auditor_sees_recent_changes(client, auditor, national_admin):
    practice = make_practice(name="The Market Surgery")
    start_boycott()
    answer(practice)
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    titles = [one.title for one in home(auditor).recent]
    assert titles[0] == "All uploads stopped" and titles[1].startswith("The Market Surgery")
    assert REASON in page(client, auditor)


@pytest.mark.parametrize(
    "who", ["gp", "manager", "privacy_officer", "policy_admin", "national_admin", "auditor"]
)
def test_twelve_queries_at_most(client, request, busy, who, django_assert_max_num_queries):
    start_boycott()
    client.force_login(request.getfixturevalue(who))
    with django_assert_max_num_queries(12):
        client.get("/")


@pytest.mark.parametrize("address", ["/help/", "/accessibility/", "/privacy/"])
def test_pages_for_everybody(client, address):
    assert client.get(address).status_code == 200
