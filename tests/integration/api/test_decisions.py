"""Recording, listing and undoing decisions by the API: the same rules as the pages."""

import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from carerecords.permissions import Role
from consent.actions import undo_decision
from consent.codes import Preference
from consent.models import ConsentEvent
from tests.factories import decide, make_patient, make_user

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def decisions(patient):
    return f"/api/v1/patients/{patient.public_id}/decisions/"


def undo(event):
    return f"/api/v1/decisions/{event.public_id}/undo/"


def body(preference="EXPRESS_CORE", **more):
    fair = {"preference": preference, "source": "FORM", "decided_on": TODAY().isoformat(), "reference": "F 1"}
    return {name: value for name, value in (fair | more).items() if value != "left out"}


def nothing_happened(patient):
    unchanged = Patient.objects.get(pk=patient.pk)
    return (
        unchanged.consent_state == "NONE"
        and not ConsentEvent.objects.filter(patient=patient).exists()
        and not UploadJob.objects.filter(patient=patient).exists()
        and not AccessEvent.objects.filter(kind="DECISION").exists()
    )


def test_consent_with_a_reference_is_recorded_and_queued(api, api_client, patient):
    answer = api.post(decisions(patient), body(note="By post", seen=None))
    assert answer.status_code == 201
    told = answer.json()
    assert told["state"] == {"code": "EXPRESS_CORE", "words": "Consent given"}
    assert told["decision"]["recorded_by"] == api_client.short_name
    assert told["decision"]["is_current"] is True and told["decision"]["note"] == "By post"
    event = ConsentEvent.objects.get(patient=patient)
    assert told["decision"]["id"] == str(event.public_id) and event.reference == "F 1"
    job = UploadJob.objects.get(patient=patient)
    assert told["upload"]["id"] == str(job.public_id) and job.state == "WAITING"
    look = AccessEvent.objects.get(kind="DECISION")
    assert (look.patient, look.user, look.detail) == (patient, api_client, "api: NONE to EXPRESS_CORE")


@pytest.mark.parametrize("who", ["api_client", "staff", "manager"])
def test_consent_needs_a_reference_from_these_roles(call, request, who, patient):
    answer = call(request.getfixturevalue(who)).post(decisions(patient), body(source="PHONE", reference=""))
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"reference": ["Enter a letter or form reference"]}
    assert nothing_happened(patient)


def test_a_gp_needs_none(call, gp, patient):
    assert call(gp).post(decisions(patient), body(source="PHONE", reference="")).status_code == 201


def test_a_refusal_needs_none(api, patient):
    answer = api.post(decisions(patient), body("EXPRESS_DISSENT", source="PHONE", reference="left out"))
    assert answer.status_code == 201
    assert UploadJob.objects.get(patient=patient).kind == "WITHDRAWAL"


@pytest.mark.parametrize(
    ("who", "preference", "words"),
    [
        ("api_client", "EXPRESS_ADDITIONAL", "record consent to additional information"),
        ("staff", "EXPRESS_ADDITIONAL", "record consent to additional information"),
        ("privacy_officer", "EXPRESS_CORE", "record that a patient consents"),
        ("privacy_officer", "EXPRESS_DISSENT", "record that a patient refuses"),
        ("privacy_officer", "NONE", "record that a patient refuses"),
    ],
)
def test_what_a_role_may_not_record(call, request, patient, who, preference, words):
    answer = call(request.getfixturevalue(who)).post(decisions(patient), body(preference))
    assert answer.status_code == 403 and answer.json()["detail"].endswith(f"cannot {words}.")
    assert nothing_happened(patient)
    assert AccessEvent.objects.get(kind="REFUSED").patient == patient


DATE = "Give the date as YYYY-MM-DD, for example 2008-03-03"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"preference": "left out"}, "preference", "Select what the patient decided"),
        ({"preference": "IMPLIED_CORE"}, "preference", "Select what the patient decided"),
        ({"source": "left out"}, "source", "Select how the patient told you"),
        ({"decided_on": "left out"}, "decided_on", "Enter the date of decision"),
        ({"decided_on": "3/3/2008"}, "decided_on", DATE),
        ({"source": "LETTER", "reference": " "}, "reference", "Enter a letter or form reference"),
        ({"source": "REPRESENTATIVE"}, "representative_name", "Enter who decided for the patient"),
        (
            {"representative_name": "A Son"},
            "representative_authority",
            "Enter their authority to decide",
        ),
        ({"decided_at": "2024-01-01"}, "decided_at", "There is no such field"),
        ({"seen": "x"}, "seen", None),
        ({"seen": 5}, "seen", "Send a text, in quotes"),
        ({"key": 5}, "key", "Send a text, in quotes"),
        ({"reference": 7}, "reference", "Send a text, in quotes"),
        ({"preference": ["EXPRESS_CORE"]}, "preference", "Send a text, in quotes"),
        ({"decided_on": 20080303}, "decided_on", "Send a text, in quotes"),
        ({"decided_on": {}}, "decided_on", "Send a text, in quotes"),
        ({"decided_on": "2008-02-30"}, "decided_on", DATE),
        ({"decided_on": "2008-03-03T10:00"}, "decided_on", DATE),
        ({"decided_on": ""}, "decided_on", DATE),
        ({"note": True}, "note", "Send a text, in quotes"),
        ({"note": None}, "note", None),
        ({"reference": "x" * 51}, "reference", None),
        ({"note": "x" * 1001}, "note", None),
        ({"note": "\x00"}, "note", None),
    ],
)
def test_wrong_input_names_its_field(api, patient, change, field, sentence):
    answer = api.post(decisions(patient), body(**change))
    assert answer.status_code == 400, answer.json()
    errors = answer.json()["errors"]
    assert field in errors and (sentence is None or errors[field] == [sentence])
    assert nothing_happened(patient)


@pytest.mark.parametrize("days", [1, 400])
def test_no_decision_in_the_future(api, patient, days):
    later = (TODAY() + datetime.timedelta(days=days)).isoformat()
    assert "decided_on" in api.post(decisions(patient), body(decided_on=later)).json()["errors"]
    assert nothing_happened(patient)


def test_none_for_those_who_died(api, practice):
    gone = make_patient(practice, died_on=TODAY())
    answer = api.post(decisions(gone), body())
    assert answer.status_code == 400 and "died or left" in answer.json()["errors"]["preference"][0]
    assert nothing_happened(gone)


def test_under_16_it_is_said_who_decided(api, practice):
    child = make_patient(practice, born_on=TODAY() - datetime.timedelta(days=9 * 365))
    assert api.post(decisions(child), body()).json()["errors"] == {"who_decided": ["Select who decided"]}
    named = body(who_decided="REPRESENTATIVE", representative_name="Ann Parent")
    told = api.post(decisions(child), named).json()
    assert told["decision"]["representative_authority"] == "Parental responsibility"


def test_a_representative_is_kept(api, patient):
    who = {"representative_name": "A Daughter", "representative_authority": "Lasting power of attorney"}
    told = api.post(decisions(patient), body(source="REPRESENTATIVE", **who)).json()
    assert {name: told["decision"][name] for name in who} == who


def test_changed_meanwhile_is_told_with_both(api, patient, gp):
    done = decide(patient, Preference.EXPRESS_DISSENT, by=gp)
    answer = api.post(decisions(patient), body(seen=None))
    assert answer.status_code == 409
    told = answer.json()
    assert told["detail"].startswith(f"{gp.short_name} recorded Consent refused at ")
    assert told["detail"].endswith("Your answer was not saved.")
    assert told["current"]["id"] == str(done.event.public_id)
    assert told["yours"]["preference"] == "EXPRESS_CORE" and told["yours"]["reference"] == "F 1"
    assert ConsentEvent.objects.count() == 1 and Patient.objects.get().consent_state == "EXPRESS_DISSENT"
    again = api.post(decisions(patient), body(seen=told["current"]["id"]))
    assert again.status_code == 201 and again.json()["state"]["code"] == "EXPRESS_CORE"


@pytest.mark.parametrize("seen", [str(uuid.uuid4()), "of somebody else"], ids=["unknown", "somebody else"])
def test_what_was_never_current_is_a_conflict(api, patient, seen):
    if seen == "of somebody else":
        seen = str(decide(make_patient()).event.public_id)
    answer = api.post(decisions(patient), body(seen=seen))
    assert answer.status_code == 409 and answer.json()["current"] is None
    assert nothing_happened(patient)


def test_a_refusal_becomes_consent_only_knowingly(api, patient):
    decide(patient, Preference.EXPRESS_DISSENT)
    answer = api.post(decisions(patient), body())
    assert answer.status_code == 400 and list(answer.json()["errors"]) == ["seen"]
    assert ConsentEvent.objects.count() == 1


def test_without_seen_two_of_one_day_disagree_openly(api, patient):
    decide(patient)
    told = api.post(decisions(patient), body("EXPRESS_DISSENT")).json()
    assert told["state"]["code"] == "CONFLICT"


def test_the_same_key_records_once(api, patient):
    sent = body(key=str(uuid.uuid4()), seen=None)
    first, second = api.post(decisions(patient), sent), api.post(decisions(patient), sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["decision"]["id"] == second.json()["decision"]["id"]
    assert ConsentEvent.objects.count() == 1 and AccessEvent.objects.filter(kind="DECISION").count() == 1
    other = api.post(decisions(patient), sent | {"preference": "EXPRESS_DISSENT"})
    assert other.status_code == 409 and ConsentEvent.objects.count() == 1


def test_history_newest_first(api, patient, gp):
    first = decide(patient, by=gp).event
    api.post(undo(first))
    told = api.get(decisions(patient)).json()
    assert [event["kind"] for event in told["results"]] == ["DECISION"]  # somebody else's: not undone
    assert told["current"] == str(first.public_id) and told["results"][0]["reverses"] is None


def test_queries_do_not_grow_with_the_history(api, patient):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert api.get(decisions(patient)).status_code == 200
        return len(queries)

    decide(patient)
    few = count()
    for each in [Preference.EXPRESS_DISSENT, Preference.NONE] * 5:
        done = decide(patient, each)
        undo_decision(event=done.event, by=done.event.recorded_by, at=timezone.now())
    assert ConsentEvent.objects.count() == 21 and count() == few <= 7


def test_undoing_ones_own(api, api_client, patient):
    event = decide(patient, by=api_client, source="FORM", reference="F 2").event
    answer = api.post(undo(event))
    assert answer.status_code == 200
    told = answer.json()
    assert told["state"]["code"] == "NONE" and told["decision"]["reverses"] == str(event.public_id)
    assert UploadJob.objects.get(patient=patient).state == "CANCELLED"
    assert AccessEvent.objects.get(kind="UNDO").detail == "api: EXPRESS_CORE back to NONE"
    history = api.get(decisions(patient)).json()
    assert [event["kind"] for event in history["results"]] == ["REVERSAL", "DECISION"]
    assert history["current"] is None and history["results"][0]["preference"] is None


def test_undoing_twice_or_undoing_an_undoing(api, api_client, patient):
    event = decide(patient, by=api_client).event
    assert api.post(undo(event)).status_code == 200
    for each in ConsentEvent.objects.all():
        answer = api.post(undo(each))
        assert answer.status_code == 409 and "already undone" in answer.json()["detail"]
    assert ConsentEvent.objects.count() == 2


@pytest.mark.parametrize(("who", "status"), [("manager", 200), ("privacy_officer", 200), ("staff", 403)])
def test_undoing_somebody_elses(call, request, who, status, patient):
    event = decide(patient).event
    answer = call(request.getfixturevalue(who)).post(undo(event))
    assert answer.status_code == status
    assert ConsentEvent.objects.count() == (2 if status == 200 else 1)


def test_too_late_for_ones_own(api, api_client, patient):
    event = decide(patient, by=api_client, at=timezone.now() - datetime.timedelta(hours=1)).event
    answer = api.post(undo(event))
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("The time to undo this decision yourself has passed.")
    assert ConsentEvent.objects.count() == 1 and not AccessEvent.objects.filter(kind="UNDO").exists()


def test_consent_follows_the_patient_and_so_does_undo(call, stranger, patient):
    """After a move the new practice may undo what the old one recorded, and the old one may not."""
    event = decide(patient).event
    Patient.objects.filter(pk=patient.pk).update(practice=stranger.assignments.get().practice)
    assert call(make_user(Role.GP, event.practice)).post(undo(event)).status_code == 404
    assert call(stranger).post(undo(event)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_records_once(call, api_client, patient):
    sent = body(key=str(uuid.uuid4()), seen=None)
    clients = [call(api_client) for _ in range(4)]

    def post(client):
        try:
            return client.post(decisions(patient), sent).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as threads:
        statuses = sorted(threads.map(post, clients))
    assert statuses == [200, 200, 200, 201]
    assert ConsentEvent.objects.count() == 1 and UploadJob.objects.count() == 1
    assert AccessEvent.objects.filter(kind="DECISION").count() == 1


# --- Withdrawn, and recorded in error ------------------------------------------------------------


def invalid(event):
    return f"/api/v1/decisions/{event.public_id}/invalid/"


def test_consent_is_withdrawn_with_a_reason_and_only_where_it_stands(api, patient):
    told = body("WITHDRAWN", note="Wants to read more")
    refused = api.post(decisions(patient), told)
    assert refused.status_code == 400 and nothing_happened(patient)
    [why] = refused.json()["errors"]["preference"]
    assert why == "There is no consent to withdraw. Record a refusal if the patient refuses"
    decide(patient)
    refused = api.post(decisions(patient), body("WITHDRAWN"))
    assert refused.json()["errors"]["note"] == ["Enter why consent was withdrawn"]
    answer = api.post(decisions(patient), told)
    assert answer.status_code == 201
    assert answer.json()["state"] == {"code": "WITHDRAWN", "words": "Consent withdrawn"}
    assert Patient.objects.get(pk=patient.pk).consent_state == "WITHDRAWN"


def test_a_decision_is_marked_as_recorded_in_error(call, manager, patient):
    event = decide(patient, at=timezone.now() - datetime.timedelta(days=40)).event
    told = call(manager).post(invalid(event), {"note": "  Wrong patient "}).json()
    assert told["decision"]["kind"] == "INVALID" and told["decision"]["note"] == "Wrong patient"
    assert told["decision"]["reverses"] == str(event.public_id) and told["state"]["code"] == "NONE"
    detail = "api: EXPRESS_CORE marked as invalid, back to NONE"
    assert AccessEvent.objects.get(kind="UNDO").detail == detail
    again = call(manager).post(invalid(event), {"note": "Wrong patient"})
    assert again.status_code == 409 and ConsentEvent.objects.filter(patient=patient).count() == 2


@pytest.mark.parametrize(
    "sent", [{}, {"note": ""}, {"note": " "}, {"note": "x" * 1001}, {"note": "x", "why": 1}]
)
def test_marking_needs_a_reason_and_nothing_else(call, manager, patient, sent):
    event = decide(patient).event
    assert call(manager).post(invalid(event), sent, format="json").status_code == 400
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(("persona", "status"), [("staff", 403), ("api_client", 403), ("stranger", 404)])
def test_others_may_not_mark(call, request, patient, persona, status):
    event = decide(patient).event
    caller = call(request.getfixturevalue(persona))
    assert caller.post(invalid(event), {"note": "x"}).status_code == status
    assert ConsentEvent.objects.count() == 1
