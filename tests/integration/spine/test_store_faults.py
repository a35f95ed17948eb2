"""The store misbehaves in every way it can; each upload is accepted once, and we know that it was.

The ledger of the store is the witness. After each fault the sending goes on as it would by itself.
"""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from carerecords.models import JobState, UploadJob
from carerecords.permissions import Role
from spine.localstore.faults import KINDS as FAULTS
from spine.models import Receipt, StoreCopy
from spine.sending import client, recovery
from spine.uploads import steps
from spine.uploads.problems import problems_of
from tests.factories import decide, make_patient, make_user
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number, wait_until


@pytest.fixture
def sending(transactional_db, settings, odd_localstore, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.5)
    yield from sending_to(odd_localstore, settings, read_timeout=1.5)
    call_command("store_fault", "--clear")


@pytest.fixture
def patient(practice, gp):
    return make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())


def fault(kind, **more):
    call_command("store_fault", kind, **({"target": "upload", "times": "1"} | more))


def go_on(sending, monkeypatch):
    """As if hours passed: doubts are asked after, waits are over, until nothing is left to do."""
    monkeypatch.setattr(recovery, "_settled_by", lambda one, now: True)
    for _ in range(4):
        UploadJob.objects.filter(state__in=["WAITING", "IN_DOUBT"]).update(due_at=timezone.now())
        sending.resolve()
        sending.all_due()


# What a fault makes of a job at once: its state, its reason, and whether the store has it.
TABLE = {
    "delay": ("ACCEPTED", None, True),
    "error_before": ("IN_DOUBT", "tech.doubt", False),
    "error_after": ("IN_DOUBT", "tech.doubt", True),
    "timeout_before": ("IN_DOUBT", "tech.doubt", False),
    "timeout_after": ("IN_DOUBT", "tech.doubt", True),
    "silence_before": ("IN_DOUBT", "tech.doubt", False),
    "lost_answer": ("IN_DOUBT", "tech.doubt", True),
    "too_many": ("WAITING", "tech.retry", False),
    "answered_twice": ("ACCEPTED", None, True),
    "foreign_answer": ("IN_DOUBT", "tech.doubt", False),
    "garbage": ("IN_DOUBT", "tech.doubt", False),
    "html_503": ("WAITING", "tech.retry", False),
    "huge_body": ("ACCEPTED", None, True),
    "slow_answer": ("IN_DOUBT", "tech.doubt", True),
    "unauthorised": ("WAITING", "tech.access", False),
    "redirect": ("IN_DOUBT", "tech.doubt", False),
    "duplicate": ("ACCEPTED", None, True),
    "duplicate_of_other": ("IN_DOUBT", "tech.doubt", False),
}


@pytest.mark.parametrize("kind", TABLE)
def test_one_fault(sending, patient, monkeypatch, kind):
    state, reason, stored = TABLE[kind]
    decide(patient)
    fault(kind, seconds="0.1")
    sending.all_due()
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (state, [reason] if reason else [])
    assert len(sending.ledger(outcome="accepted")) == stored
    go_on(sending, monkeypatch)
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert len(sending.ledger(outcome="accepted")) == 1
    assert sending.ledger(outcome="refused") == []
    assert StoreCopy.objects.get().composition_id == sending.ledger()[0]["composition_id"].lower()


def test_a_refusal_of_the_patients_is_not_tried_again(sending, patient, monkeypatch):
    decide(patient)
    fault("forbidden")
    sending.all_due()
    go_on(sending, monkeypatch)
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.HELD, ["consent.differs"])
    assert sending.ledger() == [] and Receipt.objects.filter(kind="CONSENT_DIFFERS").count() == 1


# What can never be taken as it is: the answer, the reason, and what the work list calls it.
NEVER_TAKEN = {
    "bad_request": ("REFUSED", "tech.refused", "The Spine refused it"),
    "too_large": ("TOO_LARGE", "tech.too_large", "Message too large"),
    "wrong_type": ("UNSUPPORTED", "tech.unsupported", "The Spine could not read what this service sent"),
}


@pytest.mark.parametrize("target", ["upload", "find"])
@pytest.mark.parametrize("kind", NEVER_TAKEN)
def test_what_can_never_be_taken_fails_in_front_of_people(sending, patient, monkeypatch, kind, target):
    answer, reason, title = NEVER_TAKEN[kind]
    decide(patient)
    fault(kind, target=target)
    sending.all_due()
    go_on(sending, monkeypatch)
    job = UploadJob.objects.get()
    assert (job.state, job.reasons, job.due_at) == (JobState.FAILED, [reason], None)
    assert sending.ledger(outcome="accepted") == [] and Receipt.objects.get().kind == answer
    [(cause, group)] = problems_of(patient.practice)
    assert (cause.title, group.number, cause.can_be_tried) == (title, 1, True)
    steps.try_again(job, by=make_user(Role.PRACTICE_MANAGER, patient.practice), at=timezone.now())
    sending.all_due()
    assert UploadJob.objects.latest("pk").state == JobState.ACCEPTED


def test_every_fault_of_the_store_is_in_a_table():
    assert set(FAULTS) == {*TABLE, *NEVER_TAKEN, "forbidden"}


@pytest.mark.parametrize(
    "retry_after, waits", [("7200", 7200), ("date", 5400), ("1000000000", 16 * 3600), ("soon", 60)]
)
def test_the_wait_the_store_asks_for(sending, patient, retry_after, waits):
    decide(patient)
    fault("too_many", retry_after=retry_after, seconds="600" if retry_after != "date" else "5400")
    before = timezone.now()
    sending.all_due()
    asked = UploadJob.objects.get().due_at - before
    assert waits - 2 <= asked.total_seconds() <= waits * 1.05 + 5


def test_a_message_that_arrives_after_it_was_given_up_is_found_and_not_repeated(
    sending, patient, monkeypatch
):
    """It was on its way longer than anybody waits, and came between "lost" and the next try."""
    fault("delay", seconds="2.5")
    decide(patient)
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.IN_DOUBT
    monkeypatch.setattr(recovery, "_settled_by", lambda one, now: True)
    UploadJob.objects.update(due_at=timezone.now())
    sending.resolve()
    assert UploadJob.objects.get().state == JobState.WAITING and sending.ledger() == []
    wait_until(lambda: sending.ledger(outcome="accepted"))
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert [line["outcome"] for line in sending.ledger()] == ["accepted"]


def test_a_fault_in_the_question_costs_no_message(sending, patient, monkeypatch):
    for kind in ("garbage", "foreign_answer", "slow_answer", "redirect"):
        fault(kind, target="find", seconds="5")
    decide(patient)
    sending.all_due()
    assert sending.ledger() == []
    go_on(sending, monkeypatch)
    go_on(sending, monkeypatch)
    assert UploadJob.objects.get().state == JobState.ACCEPTED


def test_many_faults_and_the_books_agree(sending, practice, gp, monkeypatch):
    """Every fault at once, by chance: nothing is lost, nothing twice, and both books say the same."""
    for number, kind in enumerate(TABLE):
        fault(kind, times="", probability="0.03", seed=str(number), seconds="0.01", size="3000000")
    patients = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(120)]
    for one in patients:
        decide(one)
    sending.all_due()
    doubtful = UploadJob.objects.filter(state=JobState.IN_DOUBT).count()
    go_on(sending, monkeypatch)
    call_command("store_fault", "--clear")
    go_on(sending, monkeypatch)
    assert doubtful and set(UploadJob.objects.values_list("state", flat=True)) == {JobState.ACCEPTED}
    accepted = [line["nhs_number"] for line in sending.ledger(outcome="accepted")]
    assert sorted(accepted) == sorted(one.nhs_number for one in patients)


@pytest.mark.django_db
def test_the_command_says_what_is_wrong(settings, localstore, capsys):
    settings.SPINE_BASE_URL = localstore.fhir_url
    with pytest.raises(CommandError, match="takes no orders"):
        call_command("store_fault", "delay")
    settings.SPINE_BASE_URL = "http://127.0.0.1:9/x"
    with pytest.raises(CommandError, match="Is it running"):
        call_command("store_fault")
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("store_fault", "delay")


def test_the_command_lists_and_clears(sending, capsys):
    call_command("store_fault", "lost_answer", probability="0.5", times="3")
    assert "lost_answer on any, chance 0.5, struck 0 of 3 times" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"Select a fault: delay.*\.\nChance must be a number above 0"):
        call_command("store_fault", "explode", probability="often")
    call_command("store_fault", "--clear")
    assert "No fault is in force" in capsys.readouterr().out
