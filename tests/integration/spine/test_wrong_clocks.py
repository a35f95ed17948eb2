"""A worker or web server whose clock is wrong: what is due, decided and written goes by the database's."""

import datetime

import pytest
from django.utils import timezone

from carerecords import database_clock
from carerecords.models import Practice, UploadJob
from consent import bulk_runs
from consent.codes import BulkKind, Preference
from consent.tasks import work_bulk_run
from spine.models import GateDecision, Receipt, StoreCopy, UploadAttempt
from spine.sending import recovery
from spine.sending.answers import Answer, AnswerKind
from spine.tasks import feed_runs
from spine.uploads.ledger import compare
from tests.factories import decide, make_item, make_patient
from tests.integration.consent.test_bulk_runs import frozen
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


@OFF
def test_the_window_of_a_decision_is_as_long_as_it_is(practice, gp, settings, clock_off, off):
    """On a web server whose clock is wrong: the upload goes neither at once nor a day later."""
    settings.UNDO_WINDOW_SECONDS = 900
    patient = make_patient(practice, usual_gp=gp)
    clock_off(off)
    decided = decide(patient)
    window = decided.job.due_at - real_now()
    assert datetime.timedelta(seconds=890) < window < datetime.timedelta(seconds=910)
    assert abs(decided.job.requested_at - real_now()) < NEAR


@OFF
def test_a_refusal_waits_for_no_clock(sending, patient, clock_off, off):
    """A removal that waits a day is a record that others read for a day."""
    consented = decide(patient, at=timezone.now() - NEAR * 60)
    sending.all_due(windows_over=False)
    clock_off(off)
    decide(patient, Preference.EXPRESS_DISSENT, seen=consented.event.pk, decided_on=timezone.localdate())
    assert abs(UploadJob.objects.latest("pk").due_at - real_now()) < NEAR
    sending.all_due(windows_over=False)
    assert [line["is_blank"] for line in sending.ledger(outcome="accepted")][-1]


@OFF
def test_the_window_of_a_bulk_run_is_as_long_as_it_is(practice, gp, settings, clock_off, off):
    """A worker, or a web server that does a short run at once."""
    settings.UNDO_WINDOW_SECONDS = 900
    make_patient(practice, usual_gp=gp)
    run = frozen(practice, gp, BulkKind.CONSENT)
    bulk_runs.start(run=run, at=timezone.now())
    clock_off(off)
    work_bulk_run(run_id=str(run.public_id))
    window = UploadJob.objects.get().due_at - real_now()
    assert datetime.timedelta(seconds=890) < window < datetime.timedelta(seconds=910)


def test_clocks_that_are_in_step_move_nothing(db):
    moment = real_now() - DAY
    assert database_clock.of(moment) == moment


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
