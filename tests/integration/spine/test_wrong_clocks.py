"""A worker whose clock is wrong: what is due, what is decided and what is written go by the database's."""

import datetime

import pytest
from django.utils import timezone

from carerecords.models import Practice, UploadJob
from spine.models import GateDecision, Receipt, StoreCopy, UploadAttempt
from spine.sending import recovery
from spine.sending.answers import Answer, AnswerKind
from spine.tasks import feed_runs
from spine.uploads.ledger import compare
from tests.factories import decide, make_item, make_patient
from tests.integration.spine.running import make_run
from tests.integration.spine.test_sending_runs import actions, consenting
from tests.localstore_process import fresh_nhs_number, running_store

DAY = datetime.timedelta(days=1)
NEAR = datetime.timedelta(seconds=60)
real_now = timezone.now
OFF = pytest.mark.parametrize("off", [DAY, -DAY], ids=["fast", "slow"])


@pytest.fixture(scope="module")
def localstore():
    """A store of this module's own: its ledger is compared whole."""
    yield from running_store()


@pytest.fixture
def patient(practice, gp):
    patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
    make_item(patient)
    return patient


@pytest.fixture
def clock_off(monkeypatch):
    def by(off):
        monkeypatch.setattr(timezone, "now", lambda: real_now() + off)

    return by


def test_a_fast_clock_ends_no_undo_window(sending, patient, clock_off):
    decide(patient)
    clock_off(DAY)
    assert sending.all_due(windows_over=False) == [] and sending.ledger() == []


def test_a_fast_clock_opens_no_rollout(sending, practice, patient, clock_off):
    """Facts that the calendar changes are read for the database's day."""
    Practice.objects.filter(pk=practice.pk).update(goes_live_on=timezone.localdate() + DAY)
    decide(patient, at=timezone.now() - NEAR * 60)
    clock_off(2 * DAY)
    sending.all_due(windows_over=False)
    assert UploadJob.objects.get().state == "HELD" and sending.ledger() == []


@OFF
def test_what_it_writes_is_timed_right(sending, patient, clock_off, off):
    decide(patient, at=timezone.now() - NEAR * 60)
    clock_off(off)
    sending.all_due(windows_over=False)
    job = UploadJob.objects.get()
    assert job.state == "ACCEPTED"
    copy, attempt = StoreCopy.objects.get(), UploadAttempt.objects.get()
    receipt, decision = Receipt.objects.get(), GateDecision.objects.get()
    times = [job.finished_at, copy.accepted_at, copy.read_at, attempt.at, receipt.at, decision.at]
    assert all(abs(moment - real_now()) < NEAR for moment in times)
    assert decision.at <= attempt.at <= receipt.at
    ledger = sending.localstore.base_url + "/ledger"
    assert not [one for one in compare(ledger).differences if "before the intent" in one.sentence]


@OFF
def test_another_try_comes_in_its_time(sending, patient, clock_off, monkeypatch, off):
    async def unavailable(*args, **kwargs):
        return Answer(AnswerKind.TRANSIENT, 503)

    monkeypatch.setattr(sending.store._client, "upload", unavailable)
    decide(patient, at=timezone.now() - NEAR * 60)
    clock_off(off)
    sending.all_due(windows_over=False)
    wait = UploadJob.objects.get().due_at - real_now()
    assert datetime.timedelta(seconds=30) < wait <= datetime.timedelta(seconds=60)


def test_a_fast_clock_takes_no_message_for_lost_that_may_arrive(sending, patient, clock_off, monkeypatch):
    async def unknown(*args, **kwargs):
        return Answer(AnswerKind.UNKNOWN, 504)

    monkeypatch.setattr(sending.store._client, "upload", unknown)
    decide(patient, at=timezone.now() - NEAR * 60)
    clock_off(DAY)
    sending.all_due(windows_over=False)
    UploadJob.objects.update(due_at=real_now())
    assert recovery.resolve_doubt(sending.store) == 0
    assert UploadJob.objects.get().state == "IN_DOUBT"


@OFF
def test_a_run_that_it_feeds_goes_at_once(sending, practice, manager, clock_off, off):
    consenting(practice)
    run = make_run(practice, by=manager)
    actions.start(run, by=manager, at=timezone.now())
    clock_off(off)
    feed_runs()
    sending.all_due(windows_over=False)
    assert UploadJob.objects.get().state == "ACCEPTED"
