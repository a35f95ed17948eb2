"""The Spine's permission over HTTP: read and set by a person, found to differ by the sending, mended."""

import datetime
import itertools
import uuid

import pytest
from django.core.management import call_command
from django.utils import timezone

from carerecords import fence
from carerecords.formats import nhs_datetime
from carerecords.models import JobState, Patient, UploadJob
from carerecords.models.fact_clock import NATIONAL
from carerecords.permissions import NotPermitted, Role
from consent.codes import Preference
from spine.models import PermissionAnswer, PermissionCall, PermissionMismatch, StoreCopy
from spine.permission import mismatches
from spine.permission import setting as permission
from spine.permission.differences import Difference, Ending, SpinePermission
from spine.permission.page import spine_words
from spine.permission.setting import PermissionRefused, read_permission, set_permission
from spine.sending import desk, recovery
from tests import factories
from tests.contracts.calls import Calls, bundle, new_id
from tests.factories import make_patient, make_user
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number, running_store

ASK, NO = SpinePermission.ASK, SpinePermission.NO
DISSENT = Preference.EXPRESS_DISSENT


@pytest.fixture
def sending(transactional_db, settings, odd_localstore):
    yield from sending_to(odd_localstore, settings)
    call_command("store_fault", "--clear")


@pytest.fixture
def patient(practice, gp):
    return make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())


_days = itertools.count(1)


def decide(patient, preference=Preference.EXPRESS_CORE, by=None):
    """Each decision a day after the one before: two of one day would contradict one another."""
    day = timezone.localdate() - datetime.timedelta(days=3000 - next(_days))
    return factories.decide(Patient.objects.get(pk=patient.pk), preference, by=by, decided_on=day)


def refuse(sending, patient, by):
    """A refusal of whom nothing is at the Spine: the removal that is asked for finds nothing there."""
    decide(patient, DISSENT, by=by)
    sending.all_due()


def lines(sending, *kinds):
    """What reached the store since the test began, of those kinds: (kind, outcome, what it says)."""
    return [
        (line["kind"], line["outcome"], line["permission"] or ("blank" if line["is_blank"] else "record"))
        for line in sending.localstore.ledger(after=sending.from_line)
        if line["kind"] in (kinds or ("upload", "permission"))
    ]


def put(patient, code, by):
    return set_permission(patient=patient, code=code, request_id=uuid.uuid4(), by=by, at=timezone.now())


def ask(patient, by):
    return read_permission(patient=patient, request_id=uuid.uuid4(), by=by, at=timezone.now())


def differs(patient):
    """What is open now, and how those before ended."""
    rows = PermissionMismatch.objects.filter(patient=patient).order_by("pk")
    return [(Difference(row.kind), Ending(row.ending) if row.ending else None) for row in rows]


def job():
    newest = UploadJob.objects.latest("pk")
    return newest.kind, newest.state, newest.reasons


def at_the_store(sending, patient, code):
    """Somebody else sets the permission: the patient at another practice, say."""
    assert Calls(sending.localstore).set_permission(patient.nhs_number, code).status == 201


def test_refusing_and_consenting_again_all_the_way(sending, patient, gp):
    decide(patient, by=gp)
    sending.all_due()
    decide(patient, DISSENT, by=gp)
    with pytest.raises(PermissionRefused, match="The removal has to reach the Spine first"):
        put(patient, NO, gp)
    sending.all_due()
    assert differs(patient) == [(Difference.STORE_ALLOWS, None)]
    assert put(patient, NO, gp).done
    assert differs(patient) == [(Difference.STORE_ALLOWS, Ending.SET)]
    wanted = [
        ("upload", "accepted", "record"),
        ("upload", "accepted", "blank"),
        ("permission", "accepted", "No"),
    ]
    assert lines(sending) == wanted

    decide(patient, by=gp)
    sending.all_due()
    assert job() == ("UPLOAD", JobState.HELD, ["consent.differs"])
    assert lines(sending) == wanted, "held by what is known: the Spine was not even asked"
    assert differs(patient)[1:] == [(Difference.STORE_REFUSES, None)]
    assert put(patient, ASK, gp).done
    sending.all_due(windows_over=False)
    assert job() == ("UPLOAD", JobState.ACCEPTED, [])
    assert lines(sending) == [*wanted, ("permission", "accepted", "Ask"), ("upload", "accepted", "record")]
    assert differs(patient)[1:] == [(Difference.STORE_REFUSES, Ending.SET)]
    assert PermissionMismatch.objects.latest("pk").settled_by == gp


def test_a_no_from_elsewhere_is_found_and_never_tried_again(sending, patient, gp):
    at_the_store(sending, patient, "No")
    decide(patient, by=gp)
    sending.all_due()
    assert job() == ("UPLOAD", JobState.HELD, ["consent.differs"])
    assert differs(patient) == [(Difference.STORE_REFUSES, None)]
    asked = len(lines(sending, "find"))
    for _ in range(3):
        with fence.changing(NATIONAL):
            pass  # every held job is looked at again
        sending.all_due()
        sending.resolve()
    assert len(lines(sending, "find")) == asked and lines(sending, "upload") == []
    assert differs(patient) == [(Difference.STORE_REFUSES, None)], "told of once"

    at_the_store(sending, patient, "Ask")
    assert ask(patient, gp) == permission.Told(True, permission._says(None)), "nothing is held of them"
    sending.all_due(windows_over=False)
    assert job()[1] == JobState.ACCEPTED and differs(patient) == [(Difference.STORE_REFUSES, Ending.READ)]


def test_the_patient_confirms_the_no(sending, patient, gp):
    """The other way to mend it: they refuse here too. The sweep ends it, and nothing is sent."""
    at_the_store(sending, patient, "No")
    decide(patient, by=gp)
    sending.all_due()
    decide(patient, DISSENT, by=gp)
    mismatches.sweep(at=timezone.now())
    assert differs(patient) == [(Difference.STORE_REFUSES, Ending.CHANGED)]
    sending.all_due()
    assert job() == ("WITHDRAWAL", JobState.CANCELLED, ["store.agrees"]) and lines(sending, "upload") == []
    assert differs(patient) == [(Difference.STORE_REFUSES, Ending.CHANGED)]
    with pytest.raises(PermissionRefused, match="agrees with the decision"):
        put(patient, NO, gp)


def test_a_removal_that_the_spine_refuses_gets_a_way(sending, patient, gp):
    decide(patient, by=gp)
    sending.all_due()
    at_the_store(sending, patient, "No")
    decide(patient, DISSENT, by=gp)
    sending.all_due()
    assert job() == ("WITHDRAWAL", JobState.FAILED, ["tech.withdrawal"])
    assert differs(patient) == [(Difference.REMOVAL_STOPPED, None)]
    assert put(patient, ASK, gp).done
    sending.all_due(windows_over=False)
    assert job() == ("WITHDRAWAL", JobState.ACCEPTED, []) and StoreCopy.objects.get().is_blank
    assert put(patient, NO, gp).done
    assert differs(patient) == [
        (Difference.REMOVAL_STOPPED, Ending.SET),
        (Difference.STORE_ALLOWS, Ending.SET),
    ]


def test_a_removal_whose_answer_was_lost_tells_too(sending, patient, gp):
    decide(patient, by=gp)
    sending.all_due()
    decide(patient, DISSENT, by=gp)
    call_command("store_fault", "timeout_after", target="upload", times="1")
    sending.all_due()
    assert job()[1] == JobState.IN_DOUBT
    with pytest.raises(PermissionRefused, match="removal has to reach"):
        put(patient, NO, gp)
    UploadJob.objects.filter(state="IN_DOUBT").update(due_at=timezone.now())
    recovery.resolve_doubt(sending.store)
    assert differs(patient) == [(Difference.STORE_ALLOWS, None)]


def test_a_refusal_after_a_blank_record_is_found(sending, patient, gp):
    """Taken back before, consented, allowed again, and refused before anything was sent."""
    for preference in (Preference.EXPRESS_CORE, DISSENT):
        decide(patient, preference, by=gp)
        sending.all_due()
    put(patient, NO, gp)
    decide(patient, by=gp)
    put(patient, ASK, gp)
    refuse(sending, patient, gp)
    assert job() == ("WITHDRAWAL", JobState.CANCELLED, ["store.same"])
    assert differs(patient)[-1] == (Difference.STORE_ALLOWS, None)
    mismatches.sweep(at=timezone.now())
    assert PermissionMismatch.objects.filter(ended_at=None).count() == 1


# What goes wrong with a call, and what is known after it: (fault, answered, set at the store, words)
FAULTS = {
    "lost_answer": ("UNKNOWN", True, "not known"),
    "timeout_after": ("UNKNOWN", True, "not known"),
    "silence_before": ("UNKNOWN", False, "not known"),
    "html_503": ("TRANSIENT", False, "could not take it now"),
    "too_many": ("RATE_LIMITED", False, "busy"),
    "unauthorised": ("UNAUTHORISED", False, "did not let this service in"),
    "forbidden": ("CONSENT_DIFFERS", False, "did not take it"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_goes_wrong(sending, patient, gp, fault):
    kind, is_set, words = FAULTS[fault]
    refuse(sending, patient, gp)
    call_command("store_fault", fault, target="permission", times="1", seconds="0.1")
    told = put(patient, NO, gp)
    assert not told.done and words in told.sentence
    answer = PermissionAnswer.objects.get()
    assert (answer.kind, answer.permission) == (kind, "") and not StoreCopy.objects.exists()
    assert (lines(sending) == [("permission", "accepted", "No")]) is is_set
    if is_set:
        assert ask(patient, gp).sentence == "The Spine says No."
        assert StoreCopy.objects.get().permission == "No" and differs(patient) == []
    else:
        assert put(patient, NO, gp).done


def test_a_number_that_the_spine_does_not_know(sending, practice, gp):
    stranger = make_patient(practice, usual_gp=gp, nhs_number="9999999999")
    refuse(sending, stranger, gp)
    settled = put(stranger, NO, gp)
    assert settled.done or "refused it" in settled.sentence


def test_pressed_twice_it_is_sent_once(sending, patient, gp):
    refuse(sending, patient, gp)
    key = uuid.uuid4()
    first = set_permission(patient=patient, code=NO, request_id=key, by=gp, at=timezone.now())
    assert first.done
    with pytest.raises(PermissionRefused):
        set_permission(patient=patient, code=NO, request_id=key, by=gp, at=timezone.now())
    with pytest.raises(PermissionRefused, match="sent already"):
        read_permission(patient=patient, request_id=key, by=gp, at=timezone.now())
    assert lines(sending) == [("permission", "accepted", "No")]


@pytest.mark.parametrize("role", [Role.STAFF, Role.PRACTICE_MANAGER, Role.API_CLIENT])
def test_who_may_not(sending, patient, practice, role):
    refuse(sending, patient, None)
    user = make_user(role, practice)
    with pytest.raises(NotPermitted):
        put(patient, NO, user)
    with pytest.raises(NotPermitted):
        ask(patient, user)
    assert not PermissionCall.objects.exists() and lines(sending) == []


def test_who_has_no_role_at_the_spine(sending, patient, practice):
    refuse(sending, patient, None)
    gp = make_user(Role.GP, practice, sds_role_profile_id="")
    with pytest.raises(PermissionRefused, match="Your role at the Spine is not stored here"):
        put(patient, NO, gp)
    assert not PermissionCall.objects.exists() and ask(patient, gp).done, "reading needs no role of theirs"


def test_a_service_without_users_tokens_says_so(settings, transactional_db, patient, gp):
    """As with the real service: an application's token may read, and may not set."""
    for store in running_store(LOCALSTORE_BEARER_TOKEN="application", LOCALSTORE_USER_TOKEN="user"):
        settings.SPINE_BEARER_TOKEN = "application"
        for sending in sending_to(store, settings):
            refuse(sending, patient, gp)
            assert not desk.may_set_permissions()
            with pytest.raises(PermissionRefused, match="smartcard"):
                put(patient, NO, gp)
            assert ask(patient, gp).done
            settings.SPINE_USER_TOKEN = "user"
            assert put(patient, NO, gp).done and lines(sending) == [("permission", "accepted", "No")]


def test_what_a_person_reads_is_noted_beside_the_copy(sending, patient, gp):
    decide(patient, by=gp)
    sending.all_due()
    copy = StoreCopy.objects.get()
    assert ask(patient, gp).sentence == "The Spine says Ask."
    again = StoreCopy.objects.get()
    assert (again.composition_id, again.content_hash) == (copy.composition_id, copy.content_hash)
    assert again.permission == "Ask" and again.read_at > copy.read_at


def test_a_first_upload_leaves_nothing_said_of_the_permission_until_it_is_asked(sending, patient, gp):
    decide(patient, by=gp)
    sending.all_due()
    copy = StoreCopy.objects.get(patient=patient)
    assert copy.accepted_at and not copy.is_blank
    assert spine_words(copy) == f"Not asked since the upload on {nhs_datetime(copy.accepted_at)}"
    assert ask(patient, gp).done
    assert spine_words(StoreCopy.objects.get(patient=patient)).startswith("Ask: ")


def test_an_upload_from_elsewhere_is_replaced_after_the_permission(sending, patient, gp):
    """A record of another system is there, with No; consent here, then Ask: it is replaced, not doubled."""
    theirs = new_id()
    calls = Calls(sending.localstore)
    assert calls.upload(bundle(patient.nhs_number, theirs)).status == 201
    at_the_store(sending, patient, "No")
    decide(patient, by=gp)
    sending.all_due()
    assert put(patient, ASK, gp).done
    sending.all_due(windows_over=False)
    line = sending.ledger(outcome="accepted")[-1]
    assert line["replaced_id"] == theirs and job()[1] == JobState.ACCEPTED


def test_a_review_costs_the_same_for_many(sending, practice, gp, django_assert_num_queries):
    people = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(6)]
    for each in people:
        decide(each, by=gp)
        StoreCopy.objects.create(patient=each, permission="No", read_at=timezone.now())
    with django_assert_num_queries(5):  # sides, open ones, what is found, and two of the transaction
        mismatches.review([each.pk for each in people], at=timezone.now())
    assert PermissionMismatch.objects.filter(ended_at=None).count() == 6
