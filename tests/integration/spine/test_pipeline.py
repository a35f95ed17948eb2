"""From a decision to the store's ledger, and back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from boycott.actions import set_gp_stance, set_stance
from boycott.positions import GpStance, Stance
from carerecords import fence
from carerecords.models import JobState, Patient, Practice, UploadJob
from consent.actions import undo_decision
from consent.codes import Preference
from spine.models import GateDecision, PermissionMismatch, Receipt, StoreCopy, UploadAttempt
from spine.permission import mismatches
from spine.permission.differences import Difference, SpinePermission, offer
from spine.sending import contents
from spine.sending.client import CurrentSummary
from spine.sending.slots import Slots
from tests.factories import decide, make_item, make_patient, make_practice
from tests.localstore_process import fresh_nhs_number
from tests.policy_factories import agree_to, make_dispensation, start_boycott


@pytest.fixture
def patient(practice, gp):
    """A patient whom the store, which keeps everything, has never heard of."""
    return make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())


def test_a_consent_reaches_the_ledger(sending, patient):
    make_item(patient)
    decide(patient)
    sending.all_due()
    job = UploadJob.objects.get()
    assert job.state == JobState.ACCEPTED and job.finished_at and job.lease_until is None
    (line,) = sending.ledger()
    assert line["outcome"] == "accepted" and line["nhs_number"] == patient.nhs_number
    assert not line["is_blank"] and "AllergiesHeader" in line["section_codes"]
    attempt = UploadAttempt.objects.get()
    assert str(attempt.composition_id) == line["composition_id"].lower()
    assert attempt.at.isoformat() <= line["received_at"]
    assert Receipt.objects.get().body_sha256 == line["body_sha256"]
    assert GateDecision.objects.get().evidence["consent_event"] == patient.consent_events.get().pk


def test_nothing_leaves_while_the_decision_can_be_undone(sending, patient):
    recorded = decide(patient)
    assert sending.all_due(windows_over=False) == []
    undo_decision(event=recorded.event, by=recorded.event.recorded_by, at=timezone.now())
    sending.all_due()
    assert sending.ledger() == []
    assert UploadJob.objects.get().state == JobState.CANCELLED


def test_a_dissent_blanks_the_record(sending, patient):
    first = decide(patient)
    sending.all_due()
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    sending.all_due()
    upload, blank = sending.ledger()
    assert blank["is_blank"] and blank["replaced_id"] == upload["composition_id"]
    assert StoreCopy.objects.get().is_blank


def test_an_undo_after_sending_takes_the_record_back(sending, patient):
    recorded = decide(patient)
    sending.all_due()
    undone = undo_decision(event=recorded.event, by=recorded.event.recorded_by, at=timezone.now())
    assert undone.job.kind == "WITHDRAWAL"
    sending.all_due()
    assert [line["is_blank"] for line in sending.ledger()] == [False, True]


def test_a_dissent_with_nothing_at_the_store_sends_nothing(sending, patient):
    decide(patient, Preference.EXPRESS_DISSENT)
    sending.all_due()
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.CANCELLED, ["store.nothing"])
    assert sending.ledger() == []


def test_a_removal_that_finds_nothing_ends_what_was_noted(sending, patient):
    """Else the copy would count for ever, and No could never be set at the Spine."""
    first = decide(patient)
    sending.all_due()
    # The Spine has lost it: it knows nothing of this number.
    Patient.objects.filter(pk=patient.pk).update(nhs_number=fresh_nhs_number())
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    assert mismatches.sides_of([patient.pk])[patient.pk].holds_record
    sending.all_due()
    assert UploadJob.objects.latest("pk").reasons == ["store.nothing"]
    sides = mismatches.sides_of([patient.pk])[patient.pk]
    assert not sides.holds_record and offer(sides).code == SpinePermission.NO
    assert PermissionMismatch.objects.get(ended_at=None).kind == Difference.STORE_ALLOWS


def test_the_same_content_is_not_sent_twice(sending, patient):
    first = decide(patient)
    sending.all_due()
    decide(patient, seen=first.event.pk)
    sending.all_due()
    assert len(sending.ledger()) == 1
    assert UploadJob.objects.latest("pk").reasons == ["store.same"]


def test_more_consent_replaces_the_record(sending, patient):
    make_item(patient, kind="DIAGNOSIS", term="Asthma")
    first = decide(patient)
    sending.all_due()
    decide(patient, Preference.EXPRESS_ADDITIONAL, seen=first.event.pk)
    sending.all_due()
    core, additional = sending.ledger()
    assert "DiagnosesHeader" not in core["section_codes"]
    assert "DiagnosesHeader" in additional["section_codes"]
    assert additional["replaced_id"] == core["composition_id"]


def test_a_held_upload_goes_by_itself_when_the_practice_changes_its_mind(sending, patient, manager):
    day, now = timezone.localdate(), timezone.now()
    set_stance(
        practice=patient.practice, stance=Stance.HOLD, agreed_by="Partners", agreed_on=day, by=manager, at=now
    )
    decide(patient)
    sending.all_due()
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.HELD, ["policy.practice"])
    assert sending.ledger() == []
    assert sending.all_due() == []
    set_stance(
        practice=patient.practice,
        stance=Stance.FOLLOW,
        agreed_by="Partners",
        agreed_on=day,
        by=manager,
        at=now,
    )
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert len(sending.ledger()) == 1


def test_a_held_upload_goes_by_itself_when_its_practice_is_released_from_the_policy(sending, patient):
    """One job a patient of the released practice, and one of another, which stays."""
    boycott = start_boycott().revision
    other = make_patient(make_practice(), nhs_number=fresh_nhs_number())
    for one in (patient, other):
        decide(one)
    sending.all_due()
    assert set(UploadJob.objects.values_list("state", flat=True)) == {JobState.HELD}
    asked = make_dispensation([patient.practice], boycott)
    assert sending.all_due() == []
    agree_to(asked)
    sending.all_due()
    assert UploadJob.objects.get(patient=patient).state == JobState.ACCEPTED
    assert UploadJob.objects.get(patient=other).reasons == ["policy.bma"] and len(sending.ledger()) == 1
    decided = GateDecision.objects.filter(job__patient=patient).latest("pk")
    assert (decided.outcome, decided.evidence["dispensations"]) == ("SEND", [asked.pk])


def test_a_held_job_asked_again_to_no_effect_leaves_one_decision(sending, patient, manager):
    day, now = timezone.localdate(), timezone.now()
    for _ in range(2):
        set_stance(
            practice=patient.practice, stance=Stance.HOLD, agreed_by="P", agreed_on=day, by=manager, at=now
        )
        decide(
            patient, seen=patient.consent_events.order_by("-pk").values_list("pk", flat=True).first()
        ) if not (UploadJob.objects.exists()) else None
        sending.all_due()
    assert UploadJob.objects.get().attempt == 2
    assert GateDecision.objects.count() == 1


def test_one_record_that_cannot_be_built_does_not_stop_the_rest(sending, practice, gp):
    broken = make_patient(practice, usual_gp=None, nhs_number=fresh_nhs_number())
    sound = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(5)]
    for one in [broken, *sound]:
        decide(one)
    sending.all_due()
    assert UploadJob.objects.get(patient=broken).state == JobState.FAILED
    assert len(sending.ledger(outcome="accepted")) == 5


def test_a_withdrawal_goes_where_the_usual_gp_is_gone(sending, patient, gp):
    first = decide(patient)
    sending.all_due()
    type(patient).objects.update(usual_gp=None)
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk, by=gp)
    sending.all_due()
    assert [line["is_blank"] for line in sending.ledger()] == [False, True]


def test_one_message_that_cannot_be_written_does_not_stop_the_rest(sending, practice, gp, monkeypatch):
    patients = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(6)]
    broken = patients[0]
    for one in patients:
        decide(one)
    build = contents.build_bundle

    def failing(summary, **keys):
        if summary.patient.nhs_number == broken.nhs_number:
            raise ValueError
        return build(summary, **keys)

    monkeypatch.setattr(contents, "build_bundle", failing)
    sending.all_due()
    job = UploadJob.objects.get(patient=broken)
    assert (job.state, job.reasons) == (JobState.FAILED, ["tech.unwritten"])
    assert len(sending.ledger(outcome="accepted")) == 5


def test_nothing_is_sent_where_the_store_says_that_the_patient_refused(sending, patient, monkeypatch):
    """The service names the permission beside the present copy, and also refuses by itself."""
    decide(patient)

    async def refused(*args, **kwargs):
        return CurrentSummary(None, "No")

    monkeypatch.setattr(sending.store._client, "read_current", refused)
    sending.all_due()
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.HELD, ["consent.differs"])
    assert sending.ledger() == []


def test_a_gp_who_holds_holds_at_each_practice_they_work_for(sending, patient, gp):
    elsewhere = make_patient(make_practice(), usual_gp=gp, nhs_number=fresh_nhs_number())
    set_gp_stance(gp=gp, practice=patient.practice, stance=GpStance.HOLD, at=timezone.now())
    for one in (patient, elsewhere):
        decide(one)
    sending.all_due()
    assert {job.state for job in UploadJob.objects.all()} == {JobState.HELD}
    set_gp_stance(gp=gp, practice=patient.practice, stance=GpStance.USE_PRACTICE, at=timezone.now())
    sending.all_due()
    assert {job.state for job in UploadJob.objects.all()} == {JobState.ACCEPTED}


def test_a_store_that_is_away_burns_no_job(sending, patient):
    decide(patient)
    sending.localstore.stop()
    try:
        sending.all_due()
        job = UploadJob.objects.get()
        assert (job.state, job.failures, job.reasons) == (JobState.WAITING, 0, ["tech.retry"])
    finally:
        sending.localstore.start()
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.ACCEPTED


def test_a_hold_that_ends_before_its_day_frees_the_upload_at_once(sending, practice, patient):
    """Held until the rollout's day, which is moved to today: the day that was noted no longer counts."""
    make_item(patient)
    Practice.objects.filter(pk=practice.pk).update(goes_live_on=timezone.localdate() + timedelta(days=30))
    decide(patient)
    sending.all_due()
    job = UploadJob.objects.get()
    assert job.state == JobState.HELD and job.due_at > timezone.now()
    with fence.changing(practice.pk):
        Practice.objects.filter(pk=practice.pk).update(goes_live_on=timezone.localdate())
    sending.all_due(windows_over=False)
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert len(sending.ledger(outcome="accepted")) == 1


def test_where_nothing_has_to_leave_all_have_begun_at_once(sending):
    """How long a batch took to begin is what the next ones' size is learnt from."""
    begun, quiet = [], []
    sent = sending.store.send(
        [],
        current={},
        slots=Slots.unlimited(),
        may_begin=lambda: True,
        when_begun=lambda: begun.append(True),
        quiet_within=1,
        when_quiet=lambda: quiet.append(len(begun)),
    )
    assert sent == [] and quiet == [1]
