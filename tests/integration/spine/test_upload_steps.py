"""Trying again and cancelling: what each state allows, what is kept, and that the gate has the last word."""

from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import JobKind, JobState, UploadJob
from carerecords.permissions import NotPermitted, Role
from consent.codes import Preference
from spine.gate import Kind
from spine.models import SendingRow, SendingRun, UploadStep
from spine.runs.actions import cancel as cancel_run
from spine.sending.answers import Answer, AnswerKind
from spine.sending.outcomes import LADDER, after_sending
from spine.sending.outgoing import KnownCopy
from spine.uploads import steps as upload_steps
from spine.uploads.problems import cause_of, problems_of
from spine.uploads.steps import StepRefused, cancel, try_again, try_all_again
from tests.factories import decide, make_patient, make_practice, make_user
from tests.integration.spine.conftest import sending_to
from tests.integration.spine.test_claim_cost import many_jobs  # noqa: F401 - a fixture
from tests.localstore_process import fresh_nhs_number


def job_in(patient, state, *reasons, kind=JobKind.UPLOAD, failures=8):
    job = UploadJob.objects.filter(patient=patient).first() or decide(patient).job
    over = state in {JobState.FAILED, JobState.ACCEPTED, JobState.CANCELLED}
    lease = timezone.now() if state == JobState.SENDING else None
    UploadJob.objects.filter(pk=job.pk).update(
        state=state,
        kind=kind,
        reasons=list(reasons),
        headline="Why",
        failures=failures,
        lease_until=lease,
        finished_at=timezone.now() if over else None,
    )
    job.refresh_from_db()
    return job


# State, reason, kind: may it be tried again, may it be cancelled.
TABLE = [
    ("FAILED", "tech.failed", "UPLOAD", True, True),
    ("FAILED", "tech.too_large", "UPLOAD", True, True),
    ("FAILED", "tech.unsupported", "UPLOAD", True, True),
    ("FAILED", "tech.unwritten", "UPLOAD", True, True),
    ("FAILED", "tech.withdrawal", "WITHDRAWAL", True, False),
    ("FAILED", "tech.failed", "WITHDRAWAL", True, False),
    ("WAITING", "tech.retry", "UPLOAD", True, True),
    ("WAITING", "tech.retry", "WITHDRAWAL", True, False),
    ("WAITING", "tech.turn", "UPLOAD", False, True),
    ("WAITING", "consent.waiting", "UPLOAD", False, True),
    ("HELD", "consent.differs", "UPLOAD", False, True),
    ("HELD", "policy.bma", "UPLOAD", False, True),
    ("SENDING", "tech.retry", "UPLOAD", False, False),
    ("IN_DOUBT", "tech.doubt", "UPLOAD", False, False),
    ("ACCEPTED", "tech.failed", "UPLOAD", False, False),
    ("CANCELLED", "consent.refused", "UPLOAD", False, False),
]


@pytest.mark.parametrize(("state", "reason", "kind", "again", "ends"), TABLE)
def test_what_each_state_allows(db, patient, manager, state, reason, kind, again, ends):
    for verb, allowed, becomes in ((try_again, again, "WAITING"), (cancel, ends, "CANCELLED")):
        job = job_in(patient, state, reason, kind=kind)
        before = UploadJob.objects.values().get(pk=job.pk)
        steps = UploadStep.objects.count()
        if not allowed:
            with pytest.raises(StepRefused):
                verb(job, by=manager, at=timezone.now())
            assert UploadJob.objects.values().get(pk=job.pk) == before
            assert UploadStep.objects.count() == steps
            continue
        step = verb(job, by=manager, at=timezone.now())
        job.refresh_from_db()
        assert job.state == becomes and (job.due_at is None) == (becomes == "CANCELLED")
        assert (step.state, step.reasons, step.made_by) == (state, [reason], manager)
        assert job.failures == (0 if verb is try_again else 8)


def test_only_the_manager(db, patient, gp):
    job = job_in(patient, "FAILED", "tech.failed")
    for verb in (try_again, cancel):
        with pytest.raises(NotPermitted):
            verb(job, by=gp, at=timezone.now())
    with pytest.raises(NotPermitted):
        try_all_again(patient.practice, kind="UPLOAD", reason="tech.failed", by=gp, at=timezone.now())
    assert UploadStep.objects.count() == 0 and UploadJob.objects.get().state == "FAILED"


def test_nothing_is_tried_again_for_a_patient_who_refused_meanwhile(db, patient, manager, gp):
    first = decide(patient)
    job = job_in(patient, "FAILED", "tech.failed")
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk, by=gp)
    UploadJob.objects.exclude(pk=job.pk).delete()
    with pytest.raises(StepRefused, match="refused"):
        try_again(job, by=manager, at=timezone.now())


def test_an_older_failure_is_not_tried_again(db, patient, manager):
    first = decide(patient)
    job = job_in(patient, "FAILED", "tech.failed")
    decide(patient, seen=first.event.pk)
    with pytest.raises(StepRefused, match="later request"):
        try_again(job, by=manager, at=timezone.now())
    assert (
        try_all_again(patient.practice, kind="UPLOAD", reason="tech.failed", by=manager, at=timezone.now())
        == 0
    )


def test_all_of_a_cause_in_few_statements(db, practice, manager, monkeypatch, django_assert_max_num_queries):
    for _ in range(6):
        job_in(make_patient(practice), "FAILED", "tech.failed")
    other = job_in(make_patient(practice), "FAILED", "tech.too_large")
    elsewhere = job_in(make_patient(make_practice()), "FAILED", "tech.failed")
    monkeypatch.setattr(upload_steps, "MOST_AT_ONCE", 5)
    asked = {"kind": "UPLOAD", "reason": "tech.failed", "by": manager}
    with django_assert_max_num_queries(10):
        assert try_all_again(practice, at=timezone.now(), **asked) == 5
    assert try_all_again(practice, at=timezone.now(), **asked) == 1
    assert UploadStep.objects.filter(kind="TRIED_AGAIN", made_by=manager, state="FAILED").count() == 6
    for one in (other, elsewhere):
        one.refresh_from_db()
        assert one.state == "FAILED"


def test_what_went_wrong_by_cause(db, practice, django_assert_num_queries):
    for state, reason, kind, *_ in TABLE:
        job_in(make_patient(practice), state, reason, kind=kind)
    job_in(make_patient(make_practice()), "FAILED", "tech.refused")
    with django_assert_num_queries(1):
        found = [(cause.reason.code, cause.kind, group.number) for cause, group in problems_of(practice)]
    assert found == [
        ("tech.withdrawal", "WITHDRAWAL", 1),
        ("tech.failed", "WITHDRAWAL", 1),
        ("consent.differs", None, 1),
        ("tech.failed", "UPLOAD", 1),
        ("tech.unwritten", "UPLOAD", 1),
        ("tech.too_large", "UPLOAD", 1),
        ("tech.unsupported", "UPLOAD", 1),
        ("tech.doubt", None, 1),
        ("tech.retry", None, 2),
    ]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("answer", list(AnswerKind))
def test_whatever_fails_is_listed(answer, kind):
    # A copy of ours is there, so that a removal that is refused leaves something behind.
    outgoing = SimpleNamespace(
        job_id=1, attempt=1, patient_id=1, kind=kind, failures=len(LADDER), known=KnownCopy("A", "B")
    )
    sent = SimpleNamespace(outgoing=outgoing, answer=Answer(answer), answered_at=timezone.now(), began=True)
    became = after_sending(sent)
    if became.state == JobState.FAILED:
        assert cause_of(became.reasons[0].code, kind.value) is not None


def test_pages(client, patient, manager, gp):
    job = job_in(patient, "FAILED", "tech.refused")
    client.force_login(gp)
    page = client.get("/uploads/problems/").content.decode()
    assert "The Spine refused it" in page and "Try 1 again" not in page
    assert "Try again" not in client.get(f"/uploads/{job.public_id}/").content.decode()
    client.force_login(manager)
    assert "Try 1 again" in client.get("/uploads/problems/").content.decode()
    page = client.get(f"/uploads/{job.public_id}/").content.decode()
    assert "Try again" in page and "Cancel this upload" in page
    page = client.post(f"/uploads/{job.public_id}/again/", follow=True).content.decode()
    assert "It is tried again." in page and "Tried again" in page and "It was: Failed." in page
    page = client.post(f"/uploads/{job.public_id}/cancel/", follow=True).content.decode()
    assert "The upload is cancelled." in page
    page = client.post(f"/uploads/{job.public_id}/again/", follow=True).content.decode()
    assert "This upload is not one to try again." in page
    assert "Nothing needs anybody." in client.get("/uploads/problems/").content.decode()


class TestOfCancelledRun:
    """Whoever claimed it would end it with its run, unsent: so nobody is told that it is tried again."""

    WHY = "The run of uploads that it belonged to was cancelled, so it cannot be tried again."

    @pytest.fixture
    def failed(self, practice, manager):
        """A job that failed before its run was cancelled."""

        def of_run(kind=JobKind.UPLOAD, reason="tech.failed"):
            patient = make_patient(practice)
            job = job_in(patient, "FAILED", reason, kind=kind)
            run = SendingRun.objects.create(
                practice=practice, kind="INITIAL", state="RUNNING", made_at=timezone.now(), made_by=manager
            )
            SendingRow.objects.create(run=run, patient=patient, job=job)
            cancel_run(run, by=manager, at=timezone.now())
            return job

        return of_run

    @pytest.mark.parametrize("kind", [JobKind.UPLOAD, JobKind.NOTICE])
    def test_is_not_tried_again_and_can_be_cancelled(self, failed, manager, kind):
        job = failed(kind)
        before = UploadJob.objects.values().get(pk=job.pk)
        with pytest.raises(StepRefused, match="was cancelled, so it cannot be tried again"):
            try_again(job, by=manager, at=timezone.now())
        assert UploadJob.objects.values().get(pk=job.pk) == before and not UploadStep.objects.exists()
        cancel(job, by=manager, at=timezone.now())
        job.refresh_from_db()
        assert (job.state, job.reasons) == ("CANCELLED", ["job.cancelled"])
        assert problems_of(job.practice) == []

    def test_a_removal_is_tried_again_whatever_became_of_its_run(self, failed, manager):
        job = failed(JobKind.WITHDRAWAL, "tech.withdrawal")
        try_again(job, by=manager, at=timezone.now())
        job.refresh_from_db()
        assert job.state == "WAITING"

    def test_all_again_leaves_it_out_and_says_so(self, failed, client, practice, manager, monkeypatch):
        monkeypatch.setattr(upload_steps, "MOST_AT_ONCE", 2)
        over = [failed(), failed()]
        others = [job_in(make_patient(practice), "FAILED", "tech.failed") for _ in range(2)]
        client.force_login(manager)
        page = " ".join(client.get("/uploads/problems/").content.decode().split())
        assert "Try all 2 again" in page and "2 were of a run that was cancelled" in page
        asked = {"cause": "tech.failed", "kind": "UPLOAD"}
        page = client.post("/uploads/problems/again/", asked, follow=True).content.decode()
        assert "2 are tried again." in page
        assert set(UploadStep.objects.values_list("job", flat=True)) == {job.pk for job in others}
        # They stay in the list until somebody cancels them or another upload is asked for.
        assert "2 were of a run that was cancelled" in " ".join(page.split())
        page = client.post("/uploads/problems/again/", asked, follow=True).content.decode()
        assert "None is tried again." in page and "Try all" not in page and "Try 2 again" not in page
        for job in over:
            job.refresh_from_db()
            assert job.state == "FAILED"

    def test_the_upload_says_what_to_do_instead(self, failed, client, manager, gp):
        job = failed()
        client.force_login(manager)
        page = client.get(f"/uploads/{job.public_id}/").content.decode()
        assert self.WHY in page and "Another run asks for a new upload" in page
        assert "Trying again asks the gate again" not in page and "Cancel this upload" in page
        page = client.post(f"/uploads/{job.public_id}/again/", follow=True).content.decode()
        assert "It is tried again." not in page and self.WHY in page
        # Who may not try again is not told how.
        client.force_login(gp)
        assert self.WHY not in client.get(f"/uploads/{job.public_id}/").content.decode()

    def test_of_a_run_that_goes_on_it_is_tried_again(self, failed, practice, manager):
        job = failed()
        SendingRun.objects.update(state="FINISHED")
        try_again(job, by=manager, at=timezone.now())
        job.refresh_from_db()
        assert job.state == "WAITING"


class TestAnywhere:
    """The programme sees counts of all practices, and tries all of a cause again."""

    @pytest.fixture
    def failed(self, db):
        """Three uploads of two practices that failed, a removal, and one that differs at the Spine."""
        first, second = make_practice(), make_practice()
        for where in (first, first, second):
            job_in(make_patient(where, family_name="Secret"), "FAILED", "tech.failed")
        job_in(make_patient(second), "FAILED", "tech.withdrawal", kind="WITHDRAWAL")
        job_in(make_patient(second), "HELD", "consent.differs")
        waits = job_in(make_patient(first), "WAITING", "tech.access")
        UploadJob.objects.filter(pk=waits.pk).update(due_at=timezone.now())

    def test_counts_by_cause(self, failed, client, national_admin):
        found = {cause.title: (one.number, len(one.practices)) for cause, one in problems_of(None)}
        assert found == {
            "Removal from the Spine failed": (1, 1),
            "Sending failed 8 times": (3, 2),
            "The Spine did not let this service in": (1, 1),
        }
        client.force_login(national_admin)
        page = client.get("/uploads/problems/").content.decode()
        assert "Try all 3 again" in page and "Secret" not in page and "/uploads/?state" not in page
        assert "/uploads/problems/" in client.get("/").content.decode()

    def test_try_all_again(self, failed, client, national_admin):
        client.force_login(national_admin)
        asked = {"cause": "tech.failed", "kind": "UPLOAD"}
        page = client.post("/uploads/problems/again/", asked, follow=True).content.decode()
        assert "3 are tried again." in page
        assert set(UploadStep.objects.values_list("made_by", flat=True)) == {national_admin.pk}
        assert UploadJob.objects.filter(state="WAITING", failures=0, steps__isnull=False).count() == 3
        assert UploadJob.objects.filter(state="FAILED").get().kind == "WITHDRAWAL"

    @pytest.mark.parametrize("who", ["policy_admin", "auditor"])
    def test_not_for_others_of_the_nation(self, failed, client, who, request):
        client.force_login(request.getfixturevalue(who))
        assert client.get("/uploads/problems/").status_code == 403
        asked = {"cause": "tech.failed", "kind": "UPLOAD"}
        assert client.post("/uploads/problems/again/", asked).status_code == 403
        assert not UploadStep.objects.exists()

    def test_one_upload_is_not_theirs_to_open(self, failed, client, national_admin):
        client.force_login(national_admin)
        job = UploadJob.objects.filter(state="FAILED").first()
        assert client.post(f"/uploads/{job.public_id}/again/").status_code == 404
        assert client.get(f"/uploads/{job.public_id}/").status_code == 403

    def test_read_along_the_indexes_of_what_is_open_or_failed(self, many_jobs, monkeypatch):
        with CaptureQueriesContext(connection) as asked:
            problems_of(None)
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked[-1]['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on carerecords_uploadjob" not in plan, plan


def test_what_differs_leads_to_the_list_of_differences(client, patient, gp):
    job_in(patient, "HELD", "consent.differs")
    client.force_login(gp)
    page = client.get("/uploads/problems/").content.decode()
    assert 'href="/uploads/differences/"' in page and "A GP or the privacy officer" in page


def test_strangers_find_nothing(client, patient):
    job = job_in(patient, "FAILED", "tech.refused")
    client.force_login(make_user(Role.PRACTICE_MANAGER, make_practice()))
    for address in (f"/uploads/{job.public_id}/again/", f"/uploads/{job.public_id}/cancel/"):
        assert client.post(address).status_code == 404
    client.post("/uploads/problems/again/", {"cause": "tech.refused", "kind": "UPLOAD"})
    assert UploadStep.objects.count() == 0 and UploadJob.objects.get().state == "FAILED"


def test_what_is_tried_again_meets_the_gate_and_goes(sending, practice, gp, manager):
    patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
    job = job_in(patient, "FAILED", "tech.failed")
    try_again(job, by=manager, at=timezone.now())
    sending.all_due()
    job.refresh_from_db()
    assert job.state == "ACCEPTED" and len(sending.ledger(outcome="accepted")) == 1
    assert job.decisions.get().outcome == "SEND"


@pytest.fixture
def odd_sending(transactional_db, settings, odd_localstore):
    yield from sending_to(odd_localstore, settings)
    call_command("store_fault", "--clear")


def test_a_removal_that_the_spine_forbids_is_listed_and_goes_when_tried_again(
    odd_sending, client, practice, gp, manager
):
    patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
    first = decide(patient)
    odd_sending.all_due()
    decide(patient, Preference.EXPRESS_DISSENT, seen=first.event.pk)
    call_command("store_fault", "forbidden", target="upload")
    odd_sending.all_due()
    removal = UploadJob.objects.get(kind="WITHDRAWAL")
    assert (removal.state, removal.reasons) == ("FAILED", ["tech.withdrawal"])
    assert [(cause.title, group.number) for cause, group in problems_of(practice)] == [
        ("Removal from the Spine failed", 1)
    ]
    call_command("store_fault", "--clear")
    client.force_login(manager)
    asked = {"cause": "tech.withdrawal", "kind": "WITHDRAWAL"}
    page = client.post("/uploads/problems/again/", asked, follow=True).content.decode()
    assert "1 is tried again." in page and "Nothing needs anybody." in page
    odd_sending.all_due()
    removal.refresh_from_db()
    assert removal.state == "ACCEPTED"
    assert [line["is_blank"] for line in odd_sending.ledger(outcome="accepted")] == [False, True]
    assert removal.steps.get().made_by == manager
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic(), connection.cursor() as raw:
        raw.execute("UPDATE spine_uploadstep SET kind = 'CANCELLED'")
