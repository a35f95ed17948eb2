"""Notices on copies at the store: who puts them, whom they pass, and what they leave as it was."""

import datetime

import pytest
from django.core.management import call_command
from django.utils import timezone

from boycott.actions import set_gp_stance, set_stance
from boycott.positions import GpStance, Stance
from carerecords.models import JobKind, Patient, UploadJob
from consent.codes import Preference
from spine.messages import PRACTICE_ENDED
from spine.models import StoreCopy, UploadAttempt
from spine.runs import actions
from spine.runs.actions import RunRefused
from spine.runs.codes import RunKind
from spine.runs.forecast import forecast
from spine.sending import current, pipeline
from spine.sending.store import Store
from spine.uploads.bundle_reading import read_message
from spine.uploads.explain import explain
from tests.factories import decide, make_item
from tests.integration.spine.conftest import sending_to
from tests.integration.spine.running import fed, make_run, started
from tests.integration.spine.test_sending_runs import consenting, numbers, sent, whys
from tests.localstore_process import running_store, wait_until


def answer(practice, manager, stance):
    set_stance(
        practice=practice,
        stance=stance,
        agreed_by="The partners",
        agreed_on=timezone.localdate(),
        by=manager,
        at=timezone.now(),
    )


@pytest.fixture
def uploaded(sending, practice):
    """Three patients whose summaries are at the store."""
    patients = consenting(practice, 3)
    started(practice)
    sent(sending)
    StoreCopy.objects.update(accepted_at=timezone.now() - datetime.timedelta(days=400))
    return patients


async def _no_slot():
    return None


def at_store(sending, patient):
    """The copy as the store gives it."""
    store, copy = sending.store, StoreCopy.objects.get(patient=patient)
    asked = str(patient.public_id)
    found = store._loop.run(
        store._client.read_summary(
            patient.nhs_number,
            copy.composition_id,
            request_id=asked,
            correlation_id=asked,
            may_begin=lambda: True,
            again=_no_slot,
        )
    )
    return read_message(found)


def test_a_practice_that_contributes_no_more_says_so_on_its_copies(sending, practice, manager, uploaded):
    before = {one: at_store(sending, one) for one in uploaded}
    line = len(sending.ledger())
    with pytest.raises(RunRefused, match="This practice contributes"):
        make_run(practice, RunKind.ENDED)
    answer(practice, manager, Stance.HOLD)
    make_item(uploaded[0], term="Allergy to latex")
    # One has an upload that is held: that is what the notice tells of.
    decide(uploaded[0], Preference.EXPRESS_ADDITIONAL, seen=uploaded[0].consent_event_id)
    sending.all_due()
    assert len(sending.ledger()) == line
    run = make_run(practice, RunKind.ENDED)
    assert forecast(run, timezone.now()).go == 3
    actions.start(run, by=run.made_by, at=timezone.now())
    fed(run)
    sent(sending)

    assert numbers(sending.ledger()[line:]) == numbers(sending.ledger()[:line])
    for patient in uploaded:
        now = at_store(sending, patient)
        assert PRACTICE_ENDED in now.sections[0].sentences
        assert now.sections[1:] == before[patient].sections[1:]
        copy = StoreCopy.objects.get(patient=patient)
        assert copy.has_notice and copy.scope == "CORE" and not copy.is_blank
        assert copy.accepted_at < timezone.now() - datetime.timedelta(days=300), (
            "a notice makes no copy younger"
        )
        assert "with a notice that it is not kept up to date" in explain(patient, timezone.now()).on_store
    assert fed(run).state == "FINISHED"
    assert not make_and_feed(practice, RunKind.ENDED).rows.exists()

    answer(practice, manager, Stance.FOLLOW)
    started(practice, RunKind.UPDATE)
    sent(sending)
    for patient in uploaded:
        assert PRACTICE_ENDED not in at_store(sending, patient).sections[0].sentences
        assert not StoreCopy.objects.get(patient=patient).has_notice


def make_and_feed(practice, kind):
    run = make_run(practice, kind)
    actions.start(run, by=run.made_by, at=timezone.now())
    return fed(run)


def test_leavers(sending, practice, uploaded):
    gone, _, stays = uploaded
    Patient.objects.filter(pk=gone.pk).update(left_on=timezone.localdate())
    Patient.objects.filter(pk=stays.pk).update(left_on=timezone.localdate() + datetime.timedelta(days=9))
    line = len(sending.ledger())
    run = started(practice, RunKind.LEAVERS)
    sent(sending)
    assert numbers(sending.ledger()[line:]) == [gone.nhs_number] and run.rows.count() == 1
    assert any(
        one.startswith("The patient left this practice on")
        for one in at_store(sending, gone).sections[0].sentences
    )
    # Whoever refuses after it is still taken back.
    gone.refresh_from_db()
    assert decide(gone, Preference.EXPRESS_DISSENT, seen=gone.consent_event_id).job.kind == JobKind.WITHDRAWAL
    sending.all_due()
    assert StoreCopy.objects.get(patient=gone).is_blank


def test_a_copy_that_is_not_ours_is_left_alone(sending, practice, uploaded):
    gone = uploaded[0]
    Patient.objects.filter(pk=gone.pk).update(left_on=timezone.localdate())
    # The next practice has sent its own since.
    StoreCopy.objects.filter(patient=gone).update(composition_id="00000000-0000-4000-8000-0000000000aa")
    line = len(sending.ledger())
    run = started(practice, RunKind.LEAVERS)
    sent(sending)
    assert len(sending.ledger()) == line
    job = UploadJob.objects.get(sending_row__run=run)
    assert job.reasons == ["store.others"] and job.receipts.get().kind == "OTHERS"


def test_only_what_was_asked_for_is_said(sending, practice, manager, uploaded):
    """Both are so at first. Then the patient is back, and it is not for that run to say that the practice has ended."""
    back, gone, _ = uploaded
    answer(practice, manager, Stance.HOLD)
    Patient.objects.filter(pk__in=[back.pk, gone.pk]).update(left_on=timezone.localdate())
    run = started(practice, RunKind.LEAVERS)
    Patient.objects.filter(pk=back.pk).update(left_on=None)
    line = len(sending.ledger())
    sent(sending)
    assert numbers(sending.ledger()[line:]) == [gone.nhs_number]
    assert UploadJob.objects.get(sending_row__run=run, patient=back).reasons == ["notice.needless"]

    # And the other way round: they leave after the practice asked to say that it contributes no more.
    run = started(practice, RunKind.ENDED)
    Patient.objects.filter(pk=back.pk).update(left_on=timezone.localdate())
    sent(sending)
    assert PRACTICE_ENDED in at_store(sending, back).sections[0].sentences


def test_nothing_is_noted_once_the_practice_contributes_again(sending, practice, manager, uploaded):
    answer(practice, manager, Stance.HOLD)
    run = started(practice, RunKind.ENDED)
    answer(practice, manager, Stance.FOLLOW)
    line = len(sending.ledger())
    sent(sending)
    assert len(sending.ledger()) == line
    jobs = UploadJob.objects.filter(sending_row__run=run).values_list("state", "reasons")
    assert list(jobs) == [("CANCELLED", ["notice.needless"])] * 3


def test_the_holds_of_others_hold_a_notice(sending, practice, manager, uploaded):
    answer(practice, manager, Stance.HOLD)
    gp = uploaded[0].usual_gp
    set_gp_stance(gp=gp, practice=practice, stance=GpStance.HOLD, at=timezone.now())
    refused = uploaded[1]
    decide(refused, Preference.EXPRESS_DISSENT, seen=refused.consent_event_id)
    sending.all_due()
    line = len(sending.ledger())
    run = started(practice, RunKind.ENDED)
    sent(sending)
    assert len(sending.ledger()) == line and whys(run) == {}
    held = UploadJob.objects.filter(sending_row__run=run).values_list("state", "reasons")
    assert list(held) == [("HELD", ["policy.gp"])] * 2


@pytest.fixture(scope="session")
def slow_localstore():
    """A store of its own, which can be told to be slow."""
    yield from running_store(LOCALSTORE_CONTROL="1")


@pytest.fixture
def slow(transactional_db, settings, slow_localstore):
    yield from sending_to(slow_localstore, settings)
    call_command("store_fault", "--clear")


def test_a_notice_leaves_a_slow_store_at_the_rate_of_production(slow, practice, manager, settings):
    """An answer takes longer than a batch has to begin in, and than it is from one slot to the next."""
    [patient] = consenting(practice)
    started(practice)
    sent(slow)
    answer(practice, manager, Stance.HOLD)
    run = started(practice, RunKind.ENDED)
    line = len(slow.ledger())
    call_command("store_fault", "delay", seconds="0.3")
    settings.SPINE_REQUESTS_PER_SECOND = 5
    slow.store.close()
    slow.store = Store()

    wait_until(
        lambda: sent(slow) is not None and not fed(run).rows.exclude(job__state="ACCEPTED").exists(), 20
    )

    assert numbers(slow.ledger()[line:]) == [patient.nhs_number]
    assert UploadAttempt.objects.filter(job__sending_row__run=run).count() == 1


def test_a_copy_that_was_not_read_is_read_the_next_time(sending, practice, manager, uploaded, monkeypatch):
    answer(practice, manager, Stance.HOLD)
    run = started(practice, RunKind.ENDED)
    line = len(sending.ledger())
    with monkeypatch.context() as patched:
        # What we know of the copies was something else when they were asked for.
        patched.setattr(current, "_to_put_notices_on", lambda jobs, found: [])
        pipeline.send_batch(sending.store)
    assert len(sending.ledger()) == line
    sent(sending)
    assert len(sending.ledger()) == line + 3
    assert set(UploadJob.objects.filter(sending_row__run=run).values_list("state", flat=True)) == {"ACCEPTED"}
