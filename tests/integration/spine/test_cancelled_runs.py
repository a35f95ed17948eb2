"""A run is cancelled while a worker has its jobs in hand: they go or they end, whichever comes first."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.positions import GpStance
from carerecords.models import JobKind, JobState, UploadJob
from consent.codes import Preference
from spine.runs import actions, feeding
from spine.runs.codes import RunKind
from spine.sending import pipeline, recovery, settling
from spine.sending.answers import Answer, AnswerKind
from spine.sending.settling import Settled
from spine.uploads.steps import StepRefused, try_again, try_all_again
from tests.factories import decide
from tests.integration.spine.running import fed, started
from tests.integration.spine.test_sending_runs import consenting, forget, sent
from tests.localstore_process import wait_until

OVER = ("CANCELLED", ["job.run_cancelled"], None)


def now():
    return timezone.now()


def hold(patient, practice, stance=GpStance.HOLD):
    set_gp_stance(gp=patient.usual_gp, practice=practice, stance=stance, at=now())


def ends(job):
    job.refresh_from_db()
    return job.state, job.reasons, job.due_at


def cancel_after(monkeypatch, module, name, run, manager):
    """The run is cancelled when that function has returned, once."""
    function = getattr(module, name)

    def then_cancelled(*args, **kwargs):
        result = function(*args, **kwargs)
        if run.steps.filter(kind="CANCELLED").count() == 0:
            actions.cancel(run, by=manager, at=now())
        return result

    monkeypatch.setattr(module, name, then_cancelled)


@pytest.fixture
def one(practice, manager):
    """A run with one upload to come, and its patient."""
    [patient] = consenting(practice)
    return started(practice, by=manager), patient


def test_what_the_gate_would_hold_ends_with_its_run(sending, practice, manager, monkeypatch, one):
    run, patient = one
    hold(patient, practice)
    cancel_after(monkeypatch, pipeline.resting_runs, "lay_aside", run, manager)
    sent(sending)
    job = UploadJob.objects.get()
    assert ends(job) == OVER and job.finished_at and sending.ledger() == []
    # Nothing of it stands in the way of the next.
    hold(patient, practice, GpStance.USE_PRACTICE)
    again = started(practice, by=manager)
    sent(sending)
    assert fed(again).state == "FINISHED" and len(sending.ledger()) == 1


def test_what_had_no_slot_ends_with_its_run(sending, manager, monkeypatch, one):
    cancel_after(monkeypatch, pipeline.resting_runs, "lay_aside", one[0], manager)
    monkeypatch.setattr(pipeline, "ask_store", lambda store, jobs: {})
    pipeline.send_batch(sending.store)
    assert ends(UploadJob.objects.get()) == OVER and sending.ledger() == []


def test_what_the_store_could_not_take_is_not_tried_again(sending, manager, monkeypatch, one):
    """It would be open for as long as the ladder says, half a day in the end."""
    upload = sending.store._client.upload

    async def unavailable(*args, **kwargs):
        return Answer(AnswerKind.TRANSIENT, 503)

    monkeypatch.setattr(sending.store._client, "upload", unavailable)
    cancel_after(monkeypatch, pipeline, "_decide_and_commit", one[0], manager)
    sent(sending)
    monkeypatch.setattr(sending.store._client, "upload", upload)
    assert ends(UploadJob.objects.get()) == OVER and sending.ledger() == []


def test_what_leaves_meanwhile_is_accepted(sending, manager, monkeypatch, one):
    cancel_after(monkeypatch, pipeline, "_decide_and_commit", one[0], manager)
    sent(sending)
    assert UploadJob.objects.get().state == "ACCEPTED" and len(sending.ledger()) == 1


def test_what_a_dead_worker_held_ends_with_its_run(sending, manager, monkeypatch, one):
    def dies(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "_decide_and_commit", dies)
    with pytest.raises(KeyboardInterrupt):
        pipeline.send_batch(sending.store)
    actions.cancel(one[0], by=manager, at=now())
    UploadJob.objects.update(lease_until=now())
    assert recovery.release_expired() == 1
    assert ends(UploadJob.objects.get()) == OVER


def test_a_removal_goes_on(sending, practice, manager, monkeypatch, one):
    run, patient = one
    sent(sending)
    decide(patient, Preference.EXPRESS_DISSENT, seen=patient.consent_event_id)
    forget([patient])
    run = started(practice, RunKind.MIGRATION, by=manager)
    cancel_after(monkeypatch, pipeline.resting_runs, "lay_aside", run, manager)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "ask_store", lambda store, jobs: {})
        pipeline.send_batch(sending.store)
    removal = UploadJob.objects.get(kind=JobKind.WITHDRAWAL)
    assert (removal.state, removal.reasons) == ("WAITING", ["tech.turn"])
    sent(sending)
    removal.refresh_from_db()
    assert removal.state == "ACCEPTED"


def one_while_the_other_has_not_committed(earlier, later):
    """`earlier` has written when `later` comes, beside it, and commits once that waits or is done."""
    other = threading.Thread(target=_alone, args=[later])
    with transaction.atomic():
        earlier()
        other.start()
        wait_until(lambda: not other.is_alive() or _somebody_waits())
    other.join(10)
    assert not other.is_alive()


@pytest.mark.parametrize("first", ["settling", "cancelling"])
def test_neither_misses_the_other(practice, manager, first, transactional_db):
    """Each has written and not committed when the other comes."""
    consenting(practice)
    run = started(practice, by=manager)
    UploadJob.objects.update(state="SENDING", attempt=1, lease_until=now(), due_at=None)
    job = UploadJob.objects.get()
    held = Settled(job.pk, 1, job.patient_id, JobState.HELD)

    def settle():
        settling.settle([held], at=now())

    def cancel():
        actions.cancel(run, by=manager, at=now())

    earlier, later = (settle, cancel) if first == "settling" else (cancel, settle)
    one_while_the_other_has_not_committed(earlier, later)
    assert ends(job) == OVER


@pytest.mark.parametrize("first", ["trying", "cancelling"])
@pytest.mark.parametrize("many", [False, True])
def test_whoever_tries_again_and_whoever_cancels_see_one_another(
    practice, manager, first, many, transactional_db
):
    """Tried again before its run was cancelled it ends with it; after, it is refused. It never goes on waiting."""
    consenting(practice)
    run = started(practice, by=manager)
    UploadJob.objects.update(state="FAILED", reasons=["tech.failed"], due_at=None, finished_at=now())
    job = UploadJob.objects.get()
    told = []

    def again():
        try:
            if many:
                asked = {"kind": "UPLOAD", "reason": "tech.failed", "by": manager, "at": now()}
                told.append(try_all_again(practice, **asked))
            else:
                try_again(job, by=manager, at=now())
                told.append(1)
        except StepRefused:
            told.append(0)

    def cancel():
        actions.cancel(run, by=manager, at=now())

    earlier, later = (again, cancel) if first == "trying" else (cancel, again)
    one_while_the_other_has_not_committed(earlier, later)
    if first == "trying":
        assert told == [1] and ends(job) == OVER
    else:
        assert told == [0] and ends(job) == ("FAILED", ["tech.failed"], None)


def test_nobody_who_settles_waits_for_feeding(practice, manager, transactional_db):
    """Feeding waits for patients whom a sender keeps still, and so must not be waited for under the fence."""
    consenting(practice)
    run = started(practice, by=manager)
    UploadJob.objects.update(state="SENDING", attempt=1, lease_until=now(), due_at=None)
    job = UploadJob.objects.get()
    held = Settled(job.pk, 1, job.patient_id, JobState.HELD)
    other = threading.Thread(target=_alone, args=[lambda: settling.settle([held], at=now())])
    with transaction.atomic():
        feeding._feed_chunk(run.public_id, now())
        other.start()
        wait_until(lambda: ends(job)[0] == "HELD")
    other.join(10)


def _alone(work):
    try:
        work()
    finally:
        connection.close()


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0
