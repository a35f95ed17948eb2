"""The uploads list and what one upload's page tells."""

import datetime
import html
import re
import uuid

import pytest
from django.utils import timezone

from carerecords.formats import nhs_datetime
from carerecords.models import AccessEvent, JobState, UploadJob
from consent.codes import Preference
from spine.gate import ENGINE
from spine.models import GateDecision, Receipt, UploadAttempt
from spine.sending.answers import AnswerKind
from spine.uploads.queries import ASKED_AFTER, UploadFilters, upload_record, uploads_page
from spine.uploads.timeline import receipt_words
from tests.factories import decide, make_patient, make_practice

pytestmark = pytest.mark.django_db
LIST = "/uploads/"


def held(patient, *codes):
    job = decide(patient).job
    headline = "No decision" if not codes else f"Because of {codes[0]}"
    UploadJob.objects.filter(pk=job.pk).update(state=JobState.HELD, reasons=list(codes), headline=headline)
    return job


@pytest.fixture
def three(practice):
    return [
        held(make_patient(practice, family_name="Adeyemi"), "policy.bma"),
        held(make_patient(practice, family_name="Brown"), "rollout.closed", "policy.bma"),
        decide(make_patient(practice, family_name="Clarke")).job,
    ]


def test_list(client, gp, three):
    held(make_patient(make_practice(), family_name="Stranger"), "policy.bma")
    client.force_login(gp)
    page = client.get(LIST).content.decode()
    assert page.index("CLARKE") < page.index("BROWN") < page.index("ADEYEMI"), "Newest first."
    assert "STRANGER" not in page and "3 uploads. Newest first." in page
    assert "Because of policy.bma" in page
    listed = AccessEvent.objects.get(kind=AccessEvent.Kind.LISTED)
    assert (listed.user, listed.rows) == (gp, 3)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=HELD", {"ADEYEMI", "BROWN"}),
        ("state=WAITING", {"CLARKE"}),
        ("reason=policy.bma", {"ADEYEMI"}),
        ("latest=yes", {"ADEYEMI", "BROWN", "CLARKE"}),
        ("state=HELD&reason=rollout.closed", {"BROWN"}),
        ("kind=WITHDRAWAL", set()),
        ("state=NONSENSE&reason=x&before=y", {"ADEYEMI", "BROWN", "CLARKE"}),
    ],
)
def test_filters(client, gp, three, query, names):
    client.force_login(gp)
    page = client.get(f"{LIST}?{query}").content.decode()
    assert {name for name in ("ADEYEMI", "BROWN", "CLARKE") if name in page} == names


def test_by_when_it_was_asked_for(client, gp, three):
    UploadJob.objects.filter(pk=three[0].pk).update(requested_at=timezone.now() - datetime.timedelta(days=9))
    client.force_login(gp)
    for days, shown in (("7", False), ("30", True), ("nonsense", True)):
        page = client.get(f"{LIST}?days={days}").content.decode()
        assert ("ADEYEMI" in page) is shown and "BROWN" in page
    assert "Created: in the last 7 days" in client.get(f"{LIST}?days=7").content.decode()


def test_empty(client, gp, three):
    client.force_login(gp)
    assert "No uploads match." in client.get(f"{LIST}?kind=WITHDRAWAL").content.decode()
    UploadJob.objects.all().delete()
    assert "Nothing queued." in client.get(LIST).content.decode()


def test_pages_by_key(client, gp, practice, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr("spine.uploads.queries.PAGE", 2)
    for name in "ABCDE":
        decide(make_patient(practice, family_name=f"Name{name}"))
    client.force_login(gp)
    seen, address = [], LIST
    while address:
        with django_assert_max_num_queries(12):
            page = client.get(address).content.decode()
        seen += re.findall("NAME[A-E]", page)
        links = re.findall(r'href="(/uploads/\?before=[^"]+)"', page)
        address = next((link for link in links if link != address), None)
    assert seen == [f"NAME{name}" for name in "EDCBA"]


def test_detail_tells_everything(client, gp, patient):
    job = decide(patient, by=gp).job
    composition, at = uuid.uuid4(), timezone.now()
    GateDecision.objects.create(
        job=job,
        attempt=1,
        at=at,
        outcome="HOLD",
        reasons=["policy.bma", "rollout.closed"],
        evidence={"consent_event": 71, "positions": [5, 6], "stance": None},
        engine=ENGINE,
    )
    GateDecision.objects.create(
        job=job, attempt=2, at=at, outcome="SEND", scope="CORE", evidence={"consent_event": 71}, engine=ENGINE
    )
    UploadAttempt.objects.create(
        job=job,
        attempt=2,
        at=at,
        request_id=uuid.uuid4(),
        composition_id=composition,
        content_hash="0" * 64,
        scope="CORE",
        authored_at=at,
    )
    Receipt.objects.create(
        job=job,
        attempt=2,
        at=at,
        kind="ACCEPTED",
        http_status=201,
        composition_id=composition,
        replaced_id="AN-OLDER-COPY",
        body_sha256="ab" * 32,
    )
    client.force_login(gp)
    page = client.get(f"{LIST}{job.public_id}/").content.decode()
    for words in (
        "BMA boycott in force and this practice follows it.",
        "This practice has not joined yet.",
        "consent event 71, policy revision 5, policy revision 6",
        "Checked: allowed to go",
        "The Spine accepted it",
        str(composition),
        "HTTP status 201.",
        "The Spine held AN-OLDER-COPY.",
        f"SHA-256 of what was sent: {'ab' * 32}.",
        f"Version {ENGINE} of the rules.",
        gp.short_name,
    ):
        assert words in page, words
    assert AccessEvent.objects.get(kind=AccessEvent.Kind.VIEWED).patient == patient
    listed = client.get(LIST).content.decode()
    assert "The Spine accepted it" in listed
    assert f"Receipt {str(composition)[:8]}" in listed and "Allowed" in listed


def test_a_refusal_is_told_in_words(client, gp, practice):
    job = held(make_patient(practice), "tech.refused")
    UploadJob.objects.filter(pk=job.pk).update(due_at=timezone.now() - datetime.timedelta(minutes=1))
    Receipt.objects.create(
        job=job, attempt=1, at=timezone.now(), kind="REFUSED", http_status=400, detail="value"
    )
    client.force_login(gp)
    page = html.unescape(client.get(f"{LIST}{job.public_id}/").content.decode())
    assert "The Spine answered with HTTP status 400 and the code 'value': something in the message" in page
    assert "Due now" in page


def test_the_work_list_tells_no_moment_at_which_nothing_happens(client, manager, practice):
    now, day = timezone.now(), datetime.timedelta(days=1)
    differs, put_off, doubt = (held(make_patient(practice), "consent.differs") for _ in range(3))
    jobs = UploadJob.objects
    jobs.filter(pk=differs.pk).update(due_at=now + 40 * day)
    client.force_login(manager)
    page = client.get(f"{LIST}problems/").content.decode()
    assert "See what differs" in page and "The next is due" not in page
    jobs.filter(pk=put_off.pk).update(state=JobState.WAITING, reasons=["tech.retry"], due_at=now - day)
    jobs.filter(pk=doubt.pk).update(state=JobState.IN_DOUBT, reasons=["tech.doubt"], due_at=now + day)
    page = client.get(f"{LIST}problems/").content.decode()
    assert "The next is due to be tried again now." in page
    assert f"The next is due to be asked about on {nhs_datetime(now + day)}." in page


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ([], True),  # It may be on its way just now.
        ([("ACCEPTED", "ab")], True),
        ([("UNKNOWN", "ab")], True),
        ([("UNKNOWN", "ab"), ("FOUND", "")], True),
        ([("FOUND", "")], True),  # The worker died, and the store was asked.
        ([("NOT_THERE", "")], True),
        ([("UNKNOWN", "ab"), ("NOT_TOLD", "")], True),
        ([("UNAUTHORISED", "ab")], True),
        ([("UNCHANGED", "")], False),
        ([("NOTHING_THERE", "")], False),
        ([("TRANSIENT", "")], False),  # To the question before.
        ([("CONSENT_DIFFERS", "")], False),
        ([("NOT_SENT", "ab")], False),
        ([("UNREACHABLE", "ab")], False),
    ],
)
def test_only_what_left_is_said_to_be_sent(client, gp, patient, answers, left):
    job, at = decide(patient, by=gp).job, timezone.now()
    UploadAttempt.objects.create(
        job=job,
        attempt=1,
        at=at,
        request_id=uuid.uuid4(),
        composition_id=uuid.uuid4(),
        content_hash="0" * 64,
        scope="CORE",
        authored_at=at,
    )
    for kind, body in answers:
        Receipt.objects.create(job=job, attempt=1, at=at, kind=kind, body_sha256=body)
    client.force_login(gp)
    page = client.get(f"{LIST}{job.public_id}/").content.decode()
    assert ("Sent to the Spine" in page, "Made ready, and not sent" in page) == (left, not left)
    assert upload_record(patient.practice, job.public_id).left == ({1} if left else set())
    assert [one.sends for one in uploads_page(patient.practice, UploadFilters(), None).jobs] == [int(left)]


def test_strangers_find_nothing(client, stranger, patient):
    job = decide(patient).job
    client.force_login(stranger)
    assert client.get(f"{LIST}{job.public_id}/").status_code == 404
    assert not AccessEvent.objects.filter(kind=AccessEvent.Kind.VIEWED).exists()


@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_national_roles_see_no_uploads(client, request, patient, who):
    job = decide(patient, Preference.EXPRESS_CORE).job
    client.force_login(request.getfixturevalue(who))
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}{job.public_id}/").status_code == 403


def test_the_upload_of_a_sensitive_record_needs_a_right_and_a_reason(client, practice, gp, staff):
    patient = make_patient(practice, is_sensitive=True)
    job = held(patient, "patient.sensitive")
    pages = [f"{LIST}{job.public_id}/", f"/api/v1/uploads/{job.public_id}/"]
    client.force_login(staff)
    assert [client.get(page).status_code for page in pages] == [403, 403]
    refused = AccessEvent.objects.filter(kind=AccessEvent.Kind.REFUSED, patient=patient, user=staff)
    assert refused.count() == 2
    client.force_login(gp)
    assert client.get(pages[0]).url == f"/patients/{patient.public_id}/reason/"
    assert client.get(pages[1]).status_code == 403
    client.post(f"/patients/{patient.public_id}/reason/", {"reason": "DIRECT_CARE"})
    assert [client.get(page).status_code for page in pages] == [200, 200]


@pytest.mark.parametrize("kind", [*AnswerKind, *ASKED_AFTER, "UNCHANGED", "OTHERS", "NOTHING_THERE"])
def test_every_answer_has_words(kind):
    assert receipt_words(kind) != kind
