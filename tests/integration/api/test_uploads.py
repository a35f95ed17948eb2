"""Uploads and explanations by the API: the reasons, the sends, the answers, the evidence."""

import datetime
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent, JobState, UploadJob
from consent.codes import Preference
from spine.models import GateDecision, Receipt, UploadAttempt
from spine.reasons import Reason
from spine.runs.actions import pause
from tests.factories import decide, make_patient
from tests.integration.spine.running import started
from tests.policy_factories import end_boycott, start_boycott

pytestmark = pytest.mark.django_db
LIST = "/api/v1/uploads/"


def explain(patient):
    return f"/api/v1/patients/{patient.public_id}/explain/"


def sent(job, *, event=None, reference=None):
    """A job that was allowed, sent and accepted."""
    at, reference = timezone.now(), reference or uuid.uuid4()
    evidence = {"consent_event": event.pk if event else None, "positions": []}
    GateDecision.objects.create(job=job, attempt=1, at=at, outcome="SEND", scope="CORE", evidence=evidence)
    UploadAttempt.objects.create(
        job=job,
        attempt=1,
        at=at,
        request_id=uuid.uuid4(),
        composition_id=reference,
        content_hash="0" * 64,
        authored_at=at,
        scope="CORE",
    )
    Receipt.objects.create(
        job=job, attempt=1, at=at, kind="ACCEPTED", composition_id=reference, body_sha256="ab" * 32
    )
    fields = {"state": JobState.ACCEPTED, "finished_at": at, "due_at": None, "reasons": []}
    UploadJob.objects.filter(pk=job.pk).update(**fields)
    return reference


def hold(job, *reasons):
    fields = {"state": JobState.HELD, "reasons": [one.code for one in reasons], "due_at": None}
    UploadJob.objects.filter(pk=job.pk).update(**fields, headline=reasons[0].sentence)


def test_a_waiting_upload_says_until_when(api, patient):
    job = decide(patient).job
    row = api.get(LIST).json()["results"][0]
    assert row["id"] == str(job.public_id) and row["patient"] == str(patient.public_id)
    assert row["kind"]["code"] == "UPLOAD" and row["state"]["code"] == "WAITING"
    assert row["reasons"][0]["code"] == "consent.waiting"
    assert row["reasons"][0]["sentence"].startswith("Waiting until ")
    assert row["sends"] == 0 and row["last_receipt"] is None
    assert AccessEvent.objects.get().detail == "api: uploads"


def test_a_held_upload_gives_every_reason(api, patient):
    hold(decide(patient).job, Reason.POLICY_BMA, Reason.ROLLOUT_CLOSED)
    reasons = api.get(LIST).json()["results"][0]["reasons"]
    assert [one["code"] for one in reasons] == ["policy.bma", "rollout.closed"]
    assert reasons[0]["sentence"] == "BMA boycott in force and this practice follows it."
    assert reasons[0]["who_acts"] == "The BMA" and reasons[1]["who_acts"] == "The programme"


def test_a_code_of_another_time_is_shown_as_it_is(api, patient):
    UploadJob.objects.filter(pk=decide(patient).job.pk).update(reasons=["old.code"], headline="")
    assert api.get(LIST).json()["results"][0]["reasons"][0]["code"] == "old.code"


def test_an_accepted_upload_gives_the_stores_reference(api, patient):
    done = decide(patient)
    reference = sent(done.job, event=done.event)
    row = api.get(LIST).json()["results"][0]
    assert row["sends"] == 1 and row["last_receipt"]["reference"] == str(reference)
    assert row["last_receipt"]["words"] == "The Spine accepted it"
    one = api.get(f"{LIST}{done.job.public_id}/").json()
    assert one["receipts"][0]["reference"] == one["attempts"][0]["reference"] == str(reference)
    assert one["decisions"][0]["outcome"] == "SEND"
    assert one["decisions"][0]["evidence"]["consent_event"] == str(done.event.public_id)
    assert AccessEvent.objects.filter(kind="VIEWED", patient=patient, detail="api: upload").exists()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, 3),
        ({"state": "HELD"}, 1),
        ({"kind": "WITHDRAWAL"}, 1),
        ({"reason": "policy.bma"}, 1),
        ({"latest": "true"}, 3),
        ({"state": "FAILED"}, 0),
    ],
)
def test_filters(api, practice, asked, found):
    decide(make_patient(practice))
    hold(decide(make_patient(practice)).job, Reason.POLICY_BMA)
    decide(make_patient(practice), Preference.EXPRESS_DISSENT)
    decide(make_patient())
    body = api.get(LIST, asked).json()
    assert body["total"] == len(body["results"]) == found


@pytest.mark.parametrize(
    "asked",
    [{"state": "held"}, {"kind": "X"}, {"reason": "none"}, {"after": "x"}, {"before": "y"}, {"latest": "x"}],
)
def test_a_wrong_question_is_named(api, asked):
    answer = api.get(LIST, asked)
    assert answer.status_code == 400 and list(answer.json()["errors"]) == list(asked)


def test_pages_hold_every_upload_once(api, practice):
    jobs = {str(decide(make_patient(practice)).job.public_id) for _ in range(55)}
    first = api.get(LIST).json()
    second = api.get(first["next"]).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert len(ids) == 55 and set(ids) == jobs and second["next"] is None


def test_no_place_in_the_list_is_not_the_end_of_it(api, patient):
    decide(patient)
    for wrong in (uuid.uuid4(), decide(make_patient()).job.public_id):
        answer = api.get(LIST, {"after": str(wrong)})
        assert answer.status_code == 400 and list(answer.json()["errors"]) == ["after"]


def test_queries_do_not_grow_with_rows(api, practice):
    def count(address):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(address).status_code == 200
        return len(queries)

    done = decide(make_patient(practice))
    sent(done.job, event=done.event)
    few, one = count(LIST), count(f"{LIST}{done.job.public_id}/")
    for _ in range(10):
        more = decide(make_patient(practice))
        sent(more.job, event=more.event)
        GateDecision.objects.create(
            job=done.job,
            attempt=1,
            at=timezone.now(),
            outcome="SEND",
            evidence={"consent_event": more.event.pk},
        )
    assert count(LIST) == few <= 7
    assert count(f"{LIST}{done.job.public_id}/") == one <= 10


def test_why_not_now(api, patient):
    told = api.get(explain(patient)).json()
    assert told["outcome"] == "HOLD" and told["will_upload"] is False
    assert told["heading"] == "Will not be uploaded" and told["scope"] is None
    assert told["reasons"][0] == {
        "code": "consent.none",
        "sentence": "No decision recorded. Nothing is uploaded until the patient decides.",
        "who_acts": "The patient's GP or practice staff",
    }
    assert AccessEvent.objects.get().detail == "api: why uploaded or not"


def test_why_with_every_reason_and_its_evidence(api, practice, patient):
    event = decide(patient).event
    start_boycott()
    told = api.get(explain(patient)).json()
    assert "policy.bma" in [one["code"] for one in told["reasons"]]
    assert told["evidence"]["consent_event"] == str(event.public_id)
    assert len(told["evidence"]["positions"]) == 1


def test_a_paused_run_promises_nothing(api, patient, practice, manager):
    """The page and the API say so alike, before a worker has come to the upload and after."""
    decide(patient)
    UploadJob.objects.all().delete()
    run = started(practice, by=manager)
    assert api.get(explain(patient)).json()["will_upload"] is True
    pause(run, by=manager, at=timezone.now())
    for laid_aside in (False, True):
        if laid_aside:
            UploadJob.objects.update(due_at=None, reasons=["job.paused"])
        told = api.get(explain(patient)).json()
        assert (told["outcome"], told["will_upload"]) == ("SEND", False)
        assert told["heading"] == "The run of uploads that it belongs to is paused"


def test_why_on_a_day(api, patient):
    now = timezone.now()

    def ago(days):
        return now - datetime.timedelta(days=days)

    decide(patient, at=ago(30))
    start_boycott(at=ago(20))
    end_boycott(at=ago(10))
    codes = {}
    for days in (40, 25, 15, 5):
        on = timezone.localdate(ago(days)).isoformat()
        told = api.get(explain(patient), {"on": on}).json()
        codes[days] = (told["outcome"], [one["code"] for one in told["reasons"]])
        assert told["as_of"].startswith(on) and told["heading"] is None
    assert codes[40] == ("HOLD", ["consent.none"])
    assert codes[25] == codes[5] == ("SEND", [])
    assert codes[15] == ("HOLD", ["policy.bma"])


def test_a_day_as_it_was_believed_and_as_it_is_known_since(api, patient):
    """Consent of 30 days ago; a refusal of 20 days ago that came in by post 10 days ago."""
    now = timezone.now()

    def ago(days):
        return now - datetime.timedelta(days=days)

    def day(days):
        return timezone.localdate(ago(days)).isoformat()

    decide(patient, at=ago(30))
    refused = decide(patient, Preference.EXPRESS_DISSENT, at=ago(10), decided_on=timezone.localdate(ago(20)))
    outcomes = {}
    for on, known_on in ((15, 15), (15, 11), (15, 10), (15, 0), (25, 0), (0, 15)):
        told = api.get(explain(patient), {"on": day(on), "known_on": day(known_on)}).json()
        told_days = [datetime.datetime.fromisoformat(told[name]) for name in ("as_of", "known_at")]
        assert [timezone.localdate(one).isoformat() for one in told_days] == [day(on), day(known_on)]
        outcomes[on, known_on] = told["outcome"]
        event = told["evidence"]["consent_event"]
        assert (event == str(refused.event.public_id)) == (told["outcome"] == "CANCEL")
    assert outcomes == {
        (15, 15): "SEND",
        (15, 11): "SEND",
        (15, 10): "CANCEL",
        (15, 0): "CANCEL",
        (25, 0): "SEND",
        (0, 15): "SEND",
    }
    assert api.get(explain(patient), {"on": day(15)}).json()["outcome"] == "SEND"


@pytest.mark.parametrize("more", [{}, {"on": "2024-03-01"}])
@pytest.mark.parametrize("known_on", ["2999-01-01", "yesterday", "1970-06-11"])
def test_days_of_knowledge_that_cannot_be_asked(api, patient, more, known_on):
    answer = api.get(explain(patient), {"known_on": known_on} | more)
    assert answer.status_code == 400 and list(answer.json()["errors"]) == ["known_on"]


def test_today_is_now(api, patient):
    told = api.get(explain(patient), {"on": timezone.localdate().isoformat()}).json()
    assert told["heading"] == "Will not be uploaded"


@pytest.mark.parametrize("on", ["2999-01-01", "yesterday", "2024-02-30", "", "0001-01-01", "1970-06-11"])
def test_days_that_cannot_be_asked(api, patient, on):
    answer = api.get(explain(patient), {"on": on})
    assert answer.status_code == 400 and list(answer.json()["errors"]) == ["on"]


def test_the_day_of_birth_can_be_asked(api, patient):
    assert api.get(explain(patient), {"on": "1970-06-12"}).json()["reasons"][0]["code"] == "consent.none"
