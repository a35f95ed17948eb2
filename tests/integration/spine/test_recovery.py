"""What a dead or frozen worker leaves behind comes to its end without a person, and once."""

import datetime
import itertools
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from carerecords import database_clock, fence, upload_queue
from carerecords.models import Cause, JobState, UploadJob
from carerecords.models.fact_clock import NATIONAL
from consent.codes import Preference
from spine.models import PermissionMismatch, Receipt, RequestPace, StoreCopy, UploadAttempt
from spine.policy.actions import stop_uploads
from spine.reasons import Reason
from spine.sending import desk, pipeline
from spine.sending.answers import Answer, AnswerKind, classify
from spine.sending.claims import claim
from spine.sending.outcomes import LADDER
from spine.sending.rate import Rate
from spine.uploads.problems import problems_of
from tests.factories import decide, make_patient
from tests.localstore_process import fresh_nhs_number


class Died(BaseException):
    """The worker is gone: nothing after this point runs."""


@pytest.fixture
def patient(practice, gp):
    return make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())


@pytest.fixture(autouse=True)
def short_lease(monkeypatch):
    monkeypatch.setattr(pipeline, "lease", lambda: datetime.timedelta(seconds=-1))


def die_in(monkeypatch, name, *, before=True):
    """Makes the worker die once, before or after a step of the pipeline."""
    step = getattr(pipeline, name)
    times = itertools.count()

    def dying(*args, **kwargs):
        if next(times):
            return step(*args, **kwargs)
        if not before:
            step(*args, **kwargs)
        raise Died

    monkeypatch.setattr(pipeline, name, dying)


@pytest.mark.parametrize(
    "step, before, doubtful",
    [("_decide_and_commit", True, False), ("_decide_and_commit", False, True), ("_write", True, True)],
    ids=["after the claim", "after the intent", "after the store accepted"],
)
def test_a_worker_that_dies_loses_nothing_and_repeats_nothing(
    sending, settings, patient, monkeypatch, step, before, doubtful
):
    settings.SPINE_READ_TIMEOUT_SECONDS = -10  # Whatever is not at the store now will not arrive.
    decide(patient)
    die_in(monkeypatch, step, before=before)
    with pytest.raises(Died):
        sending.all_due()
    assert UploadJob.objects.get().state == JobState.SENDING
    sending.resolve()
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert len(sending.ledger(outcome="accepted")) == 1
    repeated = doubtful and not Receipt.objects.filter(kind="FOUND").exists()
    assert UploadAttempt.objects.count() == (2 if repeated else 1)


def test_a_message_in_doubt_is_not_sent_again_before_the_store_was_asked(sending, patient, monkeypatch):
    decide(patient)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.IN_DOUBT
    assert sending.all_due() == []
    UploadJob.objects.update(due_at=timezone.now())
    assert sending.resolve() == 1
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert Receipt.objects.latest("pk").kind == "FOUND"
    assert len(sending.ledger()) == 1
    copy = StoreCopy.objects.get()
    assert copy.accepted_at and copy.permission == "Ask", "the Spine told it with the copy"


@pytest.mark.parametrize("told", ["nothing is there", "refused"])
def test_a_doubt_is_judged_by_when_its_question_left(sending, settings, patient, monkeypatch, told):
    """Its question was answered at once, and another one of the batch hung; meanwhile the store took the message."""
    decide(patient)
    deliver = _on_its_way(sending, monkeypatch)
    sending.all_due()
    read = sending.store.read

    def slowly(*args):
        found = read(*args) if told == "nothing is there" else [Answer(AnswerKind.REFUSED, 400)]
        now = database_clock.now() + datetime.timedelta(seconds=settings.SPINE_READ_TIMEOUT_SECONDS + 60)
        monkeypatch.setattr(database_clock, "now", lambda: now)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(sending.store, "read", slowly)
        assert doubt_is_asked_after(sending) == 0
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.IN_DOUBT, ["tech.doubt"])
    assert list(Receipt.objects.values_list("kind", flat=True)) == ["UNKNOWN"]
    assert deliver().kind is AnswerKind.ACCEPTED
    assert doubt_is_asked_after(sending) == 1
    assert UploadJob.objects.get().state == JobState.ACCEPTED and len(sending.ledger()) == 1


def test_a_doubt_that_finds_no_slot_is_not_put_off(sending, patient, monkeypatch):
    """Others reserved between the look at the rate and the question: the next look asks, and not a minute later."""
    due = in_doubt(sending, patient, monkeypatch)
    sending.store.rate = Rate(5)
    monkeypatch.setattr(sending.store.rate, "is_open", lambda: True)
    RequestPace.objects.update_or_create(
        pk=1, defaults={"next_at": database_clock.now() + datetime.timedelta(seconds=20)}
    )
    assert sending.resolve() == 0
    assert UploadJob.objects.get().due_at == due
    RequestPace.objects.update(next_at=database_clock.now())
    assert sending.resolve() == 1


def test_a_doubt_whose_slot_was_lost_is_not_put_off(sending, patient, monkeypatch):
    due = in_doubt(sending, patient, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(sending.store, "read", lambda numbers, slots: [Answer(AnswerKind.NOT_SENT)])
        assert sending.resolve() == 0
    job = UploadJob.objects.get()
    assert due <= job.due_at <= database_clock.now() and job.state == JobState.IN_DOUBT
    assert sending.resolve() == 1


def test_a_dissent_while_in_doubt_is_followed_by_a_blank(sending, patient, monkeypatch):
    first = decide(patient)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    assert sending.all_due() == [], "nothing is sent for a patient while something is in doubt"
    UploadJob.objects.filter(state=JobState.IN_DOUBT).update(due_at=timezone.now())
    sending.resolve()
    sending.all_due()
    assert [line["is_blank"] for line in sending.ledger()] == [False, True]


def test_a_doubt_that_the_store_answers_with_no_ends_before_people(sending, settings, patient, monkeypatch):
    """Somebody set No at the Spine while an answer was lost: it tells nothing more, and the doubt must not last."""
    decide(patient)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    say_no(patient)
    assert doubt_is_asked_after(sending) == 0, "it may still be on its way"
    settings.SPINE_READ_TIMEOUT_SECONDS = -10
    assert doubt_is_asked_after(sending) == 1
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.HELD, ["consent.differs"])
    assert Receipt.objects.latest("pk").kind == "NOT_TOLD"
    assert PermissionMismatch.objects.get(ended_at=None).kind == "STORE_REFUSES"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 422])
def test_a_doubt_that_nobody_tells_of_is_shown_with_its_cause(
    sending, settings, patient, monkeypatch, status
):
    """It stays in doubt, since the message may be there; once the store tells, it ends by itself."""
    decide(patient)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    with monkeypatch.context() as patched:
        patched.setattr(sending.store._client, "read_current", _answers(status))
        doubt_is_asked_after(sending)
        assert UploadJob.objects.get().reasons == ["tech.doubt"], "it may still be on its way"
        settings.SPINE_READ_TIMEOUT_SECONDS = -6
        assert [doubt_is_asked_after(sending) for _ in range(3)] == [0, 0, 0]
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.IN_DOUBT, ["tech.untold"])
    assert list(Receipt.objects.values_list("kind", "http_status")[1:]) == [("ASKED_IN_VAIN", status)]
    [(cause, group)] = problems_of(patient.practice)
    assert (cause.reason, group.number) == (Reason.TECH_UNTOLD, 1)
    assert doubt_is_asked_after(sending) == 1
    assert UploadJob.objects.get().state == JobState.ACCEPTED and len(sending.ledger()) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503, 504])
def test_a_doubt_that_is_told_of_later_needs_nobody(sending, settings, patient, monkeypatch, status):
    decide(patient)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    monkeypatch.setattr(sending.store._client, "read_current", _answers(status))
    settings.SPINE_READ_TIMEOUT_SECONDS = -6
    assert doubt_is_asked_after(sending) == 0
    assert UploadJob.objects.get().reasons == ["tech.doubt"] and Receipt.objects.count() == 1


def test_a_dissent_while_a_doubt_meets_no_reaches_people(sending, settings, patient, monkeypatch):
    """What may lie at the Spine is not called agreed upon: the removal goes, fails and is shown; with Ask it gets there."""
    first = decide(patient)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    say_no(patient)
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    assert sending.all_due() == []
    settings.SPINE_READ_TIMEOUT_SECONDS = -10
    doubt_is_asked_after(sending)
    settings.SPINE_READ_TIMEOUT_SECONDS = 5
    sending.all_due()
    upload, removal = UploadJob.objects.order_by("pk")
    assert (upload.state, removal.state) == (JobState.CANCELLED, JobState.FAILED)
    assert removal.reasons == ["tech.withdrawal"]
    say_no(patient, "Ask")
    upload_queue.request_withdrawal(patient, cause=Cause.DECISION, by=None, at=timezone.now())
    sending.all_due()
    assert [line["is_blank"] for line in sending.ledger(outcome="accepted")] == [False, True]


def test_a_removal_in_doubt_that_meets_no_fails_before_people(sending, settings, patient, monkeypatch):
    first = decide(patient)
    sending.all_due()
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    monkeypatch.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
    sending.all_due()
    say_no(patient)
    settings.SPINE_READ_TIMEOUT_SECONDS = -10
    assert doubt_is_asked_after(sending) == 1
    job = UploadJob.objects.latest("pk")
    assert (job.state, job.reasons) == (JobState.FAILED, ["tech.withdrawal"])


def test_what_the_store_said_of_a_lost_message_is_kept(sending, settings, patient, monkeypatch):
    settings.SPINE_READ_TIMEOUT_SECONDS = -10
    decide(patient)
    die_in(monkeypatch, "_decide_and_commit", before=False)
    with pytest.raises(Died):
        sending.all_due()
    sending.resolve()
    assert Receipt.objects.get().kind == "NOT_THERE"


def say_no(patient, code="No"):
    """Somebody sets the permission at the Spine, from elsewhere."""
    desk.set_permission(patient.nhs_number, code, session_urid="555021935107", request_id=uuid.uuid4())


def in_doubt(sending, patient, monkeypatch):
    """A message that arrived and whose answer was lost, to be asked after now; returns since when."""
    decide(patient)
    with monkeypatch.context() as patched:
        patched.setattr(sending.store._client, "upload", _lost(sending.store._client.upload))
        sending.all_due()
    due = database_clock.now()
    UploadJob.objects.filter(state=JobState.IN_DOUBT).update(due_at=due)
    return due


def doubt_is_asked_after(sending):
    UploadJob.objects.filter(state=JobState.IN_DOUBT).update(due_at=timezone.now())
    return sending.resolve()


def test_a_thawed_worker_overwrites_nothing(sending, patient):
    """Its attempt is over: another worker holds the job, and the late write is not for that one."""
    decide(patient)
    UploadJob.objects.update(due_at=timezone.now())
    (late,) = claim(limit=1, now=timezone.now(), lease=datetime.timedelta(seconds=-1))
    sending.resolve()
    sending.all_due()
    job = UploadJob.objects.get()
    assert job.state == JobState.ACCEPTED and job.attempt == late.attempt + 1
    assert pipeline.settle([pipeline._dead_letter(late)], at=timezone.now()) == set()
    assert UploadJob.objects.get().state == JobState.ACCEPTED


def test_a_message_whose_answer_is_lost_each_time_climbs_the_ladder_to_its_end(
    sending, settings, patient, monkeypatch
):
    settings.SPINE_READ_TIMEOUT_SECONDS = -10  # Whatever is not at the store now will not arrive.
    decide(patient)

    async def fault(*args, **kwargs):
        return Answer(AnswerKind.UNKNOWN, 500)

    monkeypatch.setattr(sending.store._client, "upload", fault)
    waits = []
    for _ in range(len(LADDER) + 1):
        sending.all_due()
        UploadJob.objects.update(due_at=timezone.now())
        sending.resolve()
        job = UploadJob.objects.get()
        waits.append(job.due_at and round((job.due_at - timezone.now()).total_seconds() / 60))
    assert waits == [wait.total_seconds() / 60 for wait in LADDER] + [None]
    assert (job.state, job.reasons) == (JobState.FAILED, ["tech.failed"])


def test_a_worker_that_thaws_after_its_claim_sends_nothing(sending, patient, monkeypatch):
    """Another worker took the withdrawal to its end meanwhile, and the patient consented again."""
    first = decide(patient)
    sending.all_due()
    refusal = decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    freeze_before(monkeypatch, "_fence", lambda: others(sending, patient, seen=refusal.event.pk))
    sending.all_due()
    assert [line["is_blank"] for line in sending.ledger()] == [False, True, False]
    assert UploadAttempt.objects.filter(job=refusal.job).count() == 1
    assert not StoreCopy.objects.get().is_blank


def test_a_worker_that_thaws_after_its_send_does_not_note_an_old_copy(sending, patient, monkeypatch):
    first = decide(patient)

    def meanwhile():
        sending.resolve()
        decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
        sending.all_due()

    freeze_before(monkeypatch, "_write", meanwhile)
    sending.all_due()
    assert [line["is_blank"] for line in sending.ledger()] == [False, True]
    assert StoreCopy.objects.get().is_blank
    assert Receipt.objects.filter(kind="ACCEPTED").count() == 2, "what was answered stays on record"


def test_a_worker_that_thaws_without_its_fence_begins_nothing(sending, patient, national_admin, monkeypatch):
    """It froze between its decision and its send, the fence timed out, and all uploads were stopped."""
    decide(patient)
    monkeypatch.setattr(pipeline, "FENCE_TIMEOUT_MS", 300)
    monkeypatch.setattr(pipeline, "HELD_SECONDS", 0.2)
    stop_before_the_send(sending, national_admin, monkeypatch)
    assert sending.ledger() == []
    assert UploadJob.objects.get().state == JobState.HELD


def test_a_worker_whose_fence_was_ended_begins_nothing(sending, patient, national_admin, monkeypatch):
    """An administrator ended the session that a stop of all uploads waited for, or a pooler was restarted."""
    decide(patient)
    stop_before_the_send(sending, national_admin, monkeypatch, meanwhile=end_every_fence)
    assert sending.ledger() == []
    assert UploadJob.objects.get().state == JobState.HELD


def end_every_fence():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_locks "
            "WHERE locktype = 'advisory' AND mode = 'ShareLock' AND classid = %s AND objid = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [fence.NAMESPACE, NATIONAL],
        )
        assert cursor.fetchone() == (True,)


def stop_before_the_send(sending, national_admin, monkeypatch, meanwhile=lambda: None):
    """All uploads are stopped between a worker's decision and its send; later it looks again."""
    decide_and_commit = pipeline._decide_and_commit

    def stopping(*args):
        decided = decide_and_commit(*args)
        meanwhile()
        stop_uploads(reason="A fault was found.", by=national_admin, at=timezone.now())
        return decided

    monkeypatch.setattr(pipeline, "_decide_and_commit", stopping)
    UploadJob.objects.update(due_at=timezone.now())
    assert pipeline.send_batch(sending.store).sent == 0
    monkeypatch.undo()
    sending.all_due()


def freeze_before(monkeypatch, name, meanwhile):
    """Before a step of the pipeline, the first time, others do their work."""
    step = getattr(pipeline, name)
    times = itertools.count()

    def frozen(*args, **kwargs):
        if next(times) == 0:
            meanwhile()
        return step(*args, **kwargs)

    monkeypatch.setattr(pipeline, name, frozen)


def others(sending, patient, *, seen):
    """Another worker ends what is left behind, and what the patient decides next."""
    sending.resolve()
    sending.all_due()
    decide(patient, seen=seen)
    sending.all_due()


def _lost(upload):
    """The message arrives, and its answer does not."""
    times = itertools.count()

    async def lossy(*args, **kwargs):
        answer = await upload(*args, **kwargs)
        return answer if next(times) else Answer(AnswerKind.UNKNOWN, 504)

    return lossy


def _on_its_way(sending, monkeypatch):
    """The answer is lost before the message arrived. Returns what lets it arrive, and gives the answer to it."""
    upload, kept = sending.store._client.upload, []

    async def under_way(*args, **kwargs):
        kept.append((args, kwargs | {"may_begin": lambda: True}))
        return Answer(AnswerKind.UNKNOWN, 504)

    def deliver():
        args, kwargs = kept[0]
        return sending.store._loop.run(upload(*args, **kwargs))

    monkeypatch.setattr(sending.store._client, "upload", under_way)
    return deliver


def _answers(status):
    """Every question is answered so, without a body."""

    async def refused(*args, **kwargs):
        return classify(status, {}, b"", now=timezone.now())

    return refused
