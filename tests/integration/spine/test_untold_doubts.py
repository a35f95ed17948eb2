"""An upload of which the store does not tell whether it arrived: whoever ends their consent has it removed."""

import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from carerecords import upload_queue
from carerecords.models import JobKind, JobState, UploadJob
from consent import many
from consent.actions import Evidence, undo_decision
from consent.codes import EventKind, Preference, Source
from spine.models import PermissionMismatch, StoreCopy
from spine.permission import mismatches
from spine.permission.differences import Difference, SpinePermission
from spine.permission.setting import read_permission, set_permission
from spine.sending import desk
from spine.sending.answers import Answer, AnswerKind
from spine.uploads.steps import cancel
from tests.factories import decide, make_patient
from tests.localstore_process import fresh_nhs_number

ASK, NO = SpinePermission.ASK, SpinePermission.NO

_DECISION = """
SELECT id, id, %(preference)s, 'IN_PERSON', %(day)s::date, '', '', '', '', false, NULL::bigint
FROM carerecords_patient WHERE id = %(patient)s
"""


@pytest.fixture
def patient(practice, gp):
    return make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())


def untold(sending, settings, patient, monkeypatch, *, arrives=True, meanwhile=lambda: None):
    """An upload whose answer is lost, and a No that is set at the Spine before it was asked after; its decision."""
    upload = sending.store._client.upload

    async def lost(*args, **kwargs):
        if arrives:
            await upload(*args, **kwargs)
        return Answer(AnswerKind.UNKNOWN, 504)

    decided = decide(patient)
    with monkeypatch.context() as patched:
        patched.setattr(sending.store._client, "upload", lost)
        sending.all_due()
    desk.set_permission(patient.nhs_number, NO, session_urid="555021935107", request_id=uuid.uuid4())
    meanwhile()
    UploadJob.objects.filter(state=JobState.IN_DOUBT).update(due_at=timezone.now())
    settings.SPINE_READ_TIMEOUT_SECONDS = -10
    assert sending.resolve() == 1
    settings.SPINE_READ_TIMEOUT_SECONDS = 5
    assert UploadJob.objects.get().reasons == ["consent.differs"]
    return decided.event


def withdrawn(patient, event, gp):
    why = Evidence(Source.IN_PERSON, note="Wants to think it over.")
    decide(patient, Preference.WITHDRAWN, by=gp, seen=event.pk, evidence=why)


def refused(patient, event, gp):
    decide(patient, Preference.EXPRESS_DISSENT, by=gp, seen=event.pk)


def undone(patient, event, gp):
    undo_decision(event=event, by=gp, at=timezone.now())


def refused_among_many(patient, event, gp):
    at = timezone.now()
    values = {"preference": "EXPRESS_DISSENT", "day": timezone.localdate(at), "patient": patient.pk}
    with transaction.atomic():
        how = {"practice_id": patient.practice_id, "run_id": None, "by": gp, "at": at}
        many.record_many(_DECISION, values, **how, same_is_enough=True)


def taken_back_among_many(patient, event, gp):
    how = {"note": "The sheet was another practice's.", "run_id": None, "by": gp, "at": timezone.now()}
    with transaction.atomic():
        many.lock([patient.pk])
        many.take_back_many([event.pk], kind=EventKind.REVERSAL, **how)


ENDINGS = [withdrawn, refused, undone, refused_among_many, taken_back_among_many]


@pytest.mark.parametrize("ends", ENDINGS, ids=lambda ends: ends.__name__)
def test_whatever_ends_consent_asks_for_the_removal(sending, settings, patient, gp, monkeypatch, ends):
    event = untold(sending, settings, patient, monkeypatch)
    ends(patient, event, gp)
    assert list(UploadJob.objects.order_by("pk").values_list("kind", "state")) == [
        ("UPLOAD", "CANCELLED"),
        ("WITHDRAWAL", "WAITING"),
    ]


@pytest.mark.parametrize("arrives", [True, False], ids=["is there", "is not there"])
@pytest.mark.parametrize("ends", [withdrawn, refused], ids=lambda ends: ends.__name__)
def test_people_are_shown_it_until_the_removal_went(
    sending, settings, patient, gp, monkeypatch, ends, arrives
):
    event = untold(sending, settings, patient, monkeypatch, arrives=arrives)
    ends(patient, event, gp)
    sending.all_due()
    removal = UploadJob.objects.latest("pk")
    assert (removal.state, removal.reasons) == (JobState.FAILED, ["tech.withdrawal"])
    assert mismatches.sides_of([patient.pk])[patient.pk].holds_record
    mismatches.sweep(at=timezone.now())
    assert PermissionMismatch.objects.get(ended_at=None).kind == Difference.REMOVAL_STOPPED
    told = set_permission(patient=patient, code=ASK, request_id=uuid.uuid4(), by=gp, at=timezone.now())
    assert told.done
    sending.all_due()
    removal = UploadJob.objects.latest("pk")
    wanted = (JobState.ACCEPTED, []) if arrives else (JobState.CANCELLED, ["store.nothing"])
    assert (removal.kind, removal.state, removal.reasons) == (JobKind.WITHDRAWAL, *wanted)
    assert [line["is_blank"] for line in sending.ledger(outcome="accepted")] == ([False, True] * arrives)
    assert StoreCopy.objects.get().is_blank
    assert not PermissionMismatch.objects.filter(ended_at=None, kind=Difference.REMOVAL_STOPPED).exists()


def test_a_permission_that_was_read_meanwhile_hides_nothing(sending, settings, patient, gp, monkeypatch):
    """What a person asked the Spine is noted where the copy is, which may not be taken for knowing of none."""

    def asks():
        read_permission(patient=patient, request_id=uuid.uuid4(), by=gp, at=timezone.now())

    event = untold(sending, settings, patient, monkeypatch, meanwhile=asks)
    refused(patient, event, gp)
    sending.all_due()
    assert UploadJob.objects.latest("pk").reasons == ["tech.withdrawal"]
    assert PermissionMismatch.objects.get(ended_at=None).kind == Difference.REMOVAL_STOPPED


def test_an_upload_given_up_by_hand_may_still_be_there(sending, settings, patient, gp, manager, monkeypatch):
    event = untold(sending, settings, patient, monkeypatch)
    cancel(UploadJob.objects.get(), by=manager, at=timezone.now())
    withdrawn(patient, event, gp)
    assert UploadJob.objects.latest("pk").kind == JobKind.WITHDRAWAL


def test_once_it_was_removed_nothing_more_is_asked_for(sending, settings, patient, gp, monkeypatch):
    event = untold(sending, settings, patient, monkeypatch)
    refused(patient, event, gp)
    set_permission(patient=patient, code=ASK, request_id=uuid.uuid4(), by=gp, at=timezone.now())
    sending.all_due()
    assert UploadJob.objects.latest("pk").state == JobState.ACCEPTED
    assert not upload_queue.may_be_at_store(patient)


@pytest.mark.parametrize("ends", [withdrawn, undone], ids=lambda ends: ends.__name__)
def test_who_was_never_sent_anything_costs_and_shows_nothing(sending, patient, gp, ends):
    """The No was there before: their upload is held for the same reason, but no message ever left."""
    desk.set_permission(patient.nhs_number, NO, session_urid="555021935107", request_id=uuid.uuid4())
    event = decide(patient).event
    sending.all_due()
    assert UploadJob.objects.get().reasons == ["consent.differs"]
    ends(patient, event, gp)
    assert list(UploadJob.objects.values_list("kind", "state")) == [("UPLOAD", "CANCELLED")]
    mismatches.sweep(at=timezone.now())
    assert not PermissionMismatch.objects.filter(ended_at=None).exists()
