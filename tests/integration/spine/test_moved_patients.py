"""A patient moves to another practice while a worker has their job in hand.

A job is what one practice asked for, and keeps that practice's id: its fence, its clock, its list. What has not left when
the patient moves ends; the practice that they came to has asked anew by then. A removal goes.
"""

import pytest
from django.utils import timezone

from boycott.actions import set_stance
from boycott.positions import Stance
from carerecords import upload_queue
from carerecords.models import Cause, JobKind, Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.models import UploadAttempt
from spine.sending import pipeline, recovery
from spine.sending.answers import Answer, AnswerKind
from tests.factories import decide, make_item, make_patient, make_practice, make_user
from tests.localstore_process import fresh_nhs_number


@pytest.fixture
def elsewhere():
    """The practice that the patient comes to."""
    return make_practice()


@pytest.fixture
def patient(practice, gp):
    patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
    make_item(patient)
    decide(patient, by=gp)
    patient.refresh_from_db()
    return patient


def move(patient, practice):
    """As an approved list of the new practice does."""
    now = timezone.now()
    gp = make_user(Role.GP, practice)
    Patient.objects.filter(pk=patient.pk).update(practice=practice, usual_gp=gp)
    upload_queue.cancel_of_former_practice([patient.pk], at=now)
    if patient.consent_state == "EXPRESS_CORE":
        upload_queue.request_uploads([patient.pk], cause=Cause.UPDATE, by=None, at=now, not_before=now)


def moved_when_claimed(monkeypatch, patient, practice):
    """They move when the worker has taken what is due, the first time."""
    claim, moves = pipeline.claim, []

    def then_moved(**more):
        jobs = claim(**more)
        if jobs and not moves:
            moves.append(jobs)
            move(patient, practice)
        return jobs

    monkeypatch.setattr(pipeline, "claim", then_moved)


def test_an_upload_of_the_former_practice_ends_and_the_new_ones_goes(
    sending, practice, elsewhere, patient, monkeypatch
):
    moved_when_claimed(monkeypatch, patient, elsewhere)
    sending.all_due()
    former, new = UploadJob.objects.order_by("pk")
    assert (former.practice, former.state, former.reasons) == (practice, "CANCELLED", ["patient.left"])
    assert (new.practice, new.state) == (elsewhere, "ACCEPTED")
    assert [attempt.job for attempt in UploadAttempt.objects.all()] == [new] and len(sending.ledger()) == 1


def test_nothing_goes_past_the_hold_of_the_new_practice(
    sending, practice, elsewhere, patient, monkeypatch, manager
):
    """Nor is it held under the former practice's id, whose clock would never ask it again."""
    set_stance(
        practice=elsewhere,
        stance=Stance.HOLD,
        agreed_by="The partners",
        agreed_on=timezone.localdate(),
        by=make_user(Role.PRACTICE_MANAGER, elsewhere),
        at=timezone.now(),
    )
    moved_when_claimed(monkeypatch, patient, elsewhere)
    sending.all_due()
    assert sending.ledger() == []
    assert list(UploadJob.objects.order_by("pk").values_list("practice", "state")) == [
        (practice.pk, "CANCELLED"),
        (elsewhere.pk, "HELD"),
    ]


def test_a_removal_goes_whoever_asked(sending, practice, elsewhere, patient, monkeypatch):
    sending.all_due()
    decide(patient, Preference.EXPRESS_DISSENT, seen=patient.consent_event_id)
    patient.refresh_from_db()
    moved_when_claimed(monkeypatch, patient, elsewhere)
    sending.all_due()
    removal = UploadJob.objects.get(kind=JobKind.WITHDRAWAL)
    assert (removal.practice, removal.state) == (practice, "ACCEPTED")
    assert sending.ledger()[-1]["is_blank"]


def test_what_was_in_doubt_is_the_former_practices(sending, practice, elsewhere, patient, monkeypatch):
    """It left before they moved, so it is that practice's: found at the store, or ended, and never sent again."""

    async def lost(*args, **kwargs):
        return Answer(AnswerKind.UNKNOWN, 504)

    with monkeypatch.context() as patched:
        patched.setattr(sending.store._client, "upload", lost)
        sending.all_due()
    job = UploadJob.objects.get()
    assert job.state == "IN_DOUBT"
    move(patient, elsewhere)
    monkeypatch.setattr(recovery, "_settled_by", lambda one, now: True)
    UploadJob.objects.filter(state="IN_DOUBT").update(due_at=timezone.now())
    sending.resolve()
    sending.all_due()
    job.refresh_from_db()
    assert (job.practice, job.state) == (practice, "CANCELLED")
    assert UploadJob.objects.get(practice=elsewhere).state == "ACCEPTED" and len(sending.ledger()) == 1
