"""From click to quiet: how long, stored with the change, with the uploads in flight, and who is told which."""

import datetime
import time
import uuid

import pytest
from django.core.management import call_command
from django.utils import timezone

from boycott.actions import ChangeRefused, set_stance
from boycott.dispensations.actions import end as end_dispensation
from boycott.models import PolicyChange
from boycott.positions import Stance
from carerecords.models import JobState, Quieted, UploadJob
from carerecords.models.fact_clock import NATIONAL
from carerecords.permissions import Role
from spine.models import Receipt, StopRevision, UploadAttempt
from spine.policy.actions import StopRefused, stop_uploads
from spine.sending import pipeline
from spine.sending.in_flight import watch
from tests.factories import decide, make_patient, make_practice, make_user
from tests.integration.spine.conftest import sending_to
from tests.integration.spine.test_fence import Senders
from tests.localstore_process import fresh_nhs_number, wait_until
from tests.policy_factories import answer, make_dispensation, start_boycott

LONG = 2.5
# A sender asks twice before a message leaves: for its turn, and in the last moment.
ASKED = 2


@pytest.fixture
def sending(transactional_db, settings, odd_localstore):
    yield from sending_to(odd_localstore, settings, read_timeout=LONG * 2)
    call_command("store_fault", "--clear")


@pytest.fixture
def one_long_send(sending, practice, gp):
    """A sender whose one message waits for the store's answer."""
    decide(make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()))
    UploadJob.objects.update(due_at=timezone.now())
    call_command("store_fault", "delay", target="upload", times="1", seconds=str(LONG))
    with Senders(1) as senders:
        wait_until(lambda: len(senders.begun) >= ASKED)
        yield UploadJob.objects.get()
    assert senders.errors == []
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert len(sending.ledger(outcome="accepted")) == 1


def took(change, **arguments):
    """Seconds that a change took."""
    began = time.monotonic()
    change(**arguments)
    return time.monotonic() - began


def hold(practice, by):
    at = timezone.now()
    return set_stance(
        practice=practice, stance=Stance.HOLD, agreed_by="Partners", agreed_on=at.date(), by=by, at=at
    )


def told_of(kind):
    return Quieted.objects.filter(kind=kind).order_by("pk")


def test_a_practice_waits_for_its_own_sends_and_not_for_others(one_long_send, manager):
    elsewhere, here = make_practice(), one_long_send.practice
    assert took(hold, practice=elsewhere, by=manager) < LONG / 2
    assert took(hold, practice=here, by=manager) > LONG / 10
    other, own = told_of("STANCE")
    assert (other.in_flight, own.in_flight) == ([], [one_long_send.pk])
    assert other.waited < own.waited <= own.quiet_at - own.clicked_at
    assert own.subject == here.stance_revisions.get().pk


@pytest.fixture
def released(transactional_db, practice):
    """The practice and one more are free of a boycott for a month."""
    return make_dispensation([practice, make_practice()], agreed=True)


def test_the_end_of_a_dispensation_waits_for_each_of_its_practices(released, one_long_send):
    by, at = make_user(Role.POLICY_ADMIN), timezone.now()
    took(end_dispensation, dispensation=released, comment="The evaluation is over.", by=by, at=at)
    stored = told_of("DISPENSATION").get()
    assert (stored.subject, stored.clicked_at) == (released.pk, at)
    assert stored.in_flight == [one_long_send.pk]
    assert datetime.timedelta(seconds=LONG / 10) < stored.waited <= stored.quiet_at - stored.clicked_at


@pytest.fixture
def given_up_early(monkeypatch):
    """Five seconds, as deployed, are long for a test."""
    assert pipeline.QUIET_SECONDS <= 5
    monkeypatch.setattr(pipeline, "QUIET_SECONDS", LONG / 4)


def test_a_send_that_lasts_too_long_is_left_behind_and_named(given_up_early, one_long_send, national_admin):
    """Its message is on its way; the stop stands, and what the store says to it later still counts."""
    assert took(stop_uploads, reason="A fault.", by=national_admin, at=timezone.now()) < LONG
    assert told_of("STOP").get().in_flight == [one_long_send.pk]
    assert Receipt.objects.count() == 0


@pytest.mark.django_db
class TestStored:
    def test_with_each_kind_of_change(self, national_admin, manager, practice):
        start_boycott()
        stance = answer(practice, Stance.FOLLOW, by=manager)
        stop_uploads(reason="A fault.", by=national_admin, at=timezone.now())
        assert told_of("CHANGE").get().subject == PolicyChange.objects.get().pk
        assert told_of("STANCE").get().subject == stance.pk
        assert told_of("STOP").get().subject == StopRevision.objects.get().pk

    def test_with_the_end_of_a_dispensation_and_not_with_its_beginning(self, client, practice):
        released = make_dispensation([practice], agreed=True)
        assert not told_of("DISPENSATION").exists()
        by = make_user(Role.POLICY_ADMIN)
        end_dispensation(dispensation=released, comment="It is over.", by=by, at=timezone.now())
        client.force_login(by)
        html = client.get(f"/policy/dispensations/{released.public_id}/").content.decode()
        assert "Uploads quiet" in html and "No upload was in flight." in html

    def test_the_way_from_the_click_counts_and_not_the_wait_alone(self):
        """Reading the figures afresh comes before the fence."""
        start_boycott()
        stored = told_of("CHANGE").get()
        assert stored.quiet_at - stored.clicked_at > stored.waited

    def test_not_for_what_takes_effect_by_the_calendar(self):
        start_boycott(starts_at=timezone.now() + datetime.timedelta(days=1))
        assert not Quieted.objects.exists()

    def test_not_for_a_change_that_was_refused(self, national_admin, practice, manager):
        stop_uploads(reason="A fault.", by=national_admin, at=timezone.now())
        with pytest.raises(StopRefused):
            stop_uploads(reason="Another.", by=national_admin, at=timezone.now())
        with pytest.raises(ChangeRefused):
            answer(practice, by=manager, agreed_by=" ")
        assert told_of("STOP").count() == 1 and not told_of("STANCE").exists()


# What happens to an upload before and while the fence is waited for -> whether it was on its way.
TABLE = {
    "waits": (None, None, False),
    "is being sent all the time": ("SENDING", None, True),
    "is answered meanwhile": ("SENDING", "ACCEPTED", True),
    "is lost sight of meanwhile": ("SENDING", "UNKNOWN", True),
    "had to stay meanwhile": ("SENDING", "NOT_SENT", False),
    "could not leave": ("SENDING", "UNREACHABLE", False),
    "was asked about only": ("SENDING", "FOUND", False),
    "begins and is answered meanwhile": (None, "ACCEPTED", True),
    "was answered before": ("ACCEPTED", None, False),
}


@pytest.mark.django_db
class TestInFlight:
    @pytest.fixture
    def job(self, patient):
        job = decide(patient).job
        # Another's answer, from before.
        receipt(decide(make_patient(patient.practice)).job, "ACCEPTED")
        return job

    @pytest.mark.parametrize("name", TABLE)
    def test_what_counts(self, job, name):
        before, meanwhile, counts = TABLE[name]
        if before:
            sent(job)
        if before == "ACCEPTED":
            receipt(job, before)
        met = watch(NATIONAL)
        if meanwhile:
            receipt(job, meanwhile)
        assert met() == ({job.pk} if counts else set())

    def test_one_that_begins_while_the_fence_is_asked_for(self, job):
        met = watch(NATIONAL)
        sent(job)
        assert met() == {job.pk}

    def test_a_claim_without_an_intent_has_sent_nothing(self, job):
        UploadJob.objects.filter(pk=job.pk).update(state="SENDING", attempt=1, lease_until=timezone.now())
        assert watch(NATIONAL)() == set()

    def test_a_removal_is_no_upload(self, job):
        UploadJob.objects.filter(pk=job.pk).update(kind="WITHDRAWAL")
        sent(job)
        met = watch(NATIONAL)
        receipt(job, "ACCEPTED")
        assert met() == set()

    def test_a_practice_asks_after_its_own(self, job):
        sent(job)
        own, other = watch(job.practice_id), watch(make_practice().pk)
        receipt(job, "ACCEPTED")
        assert (own(), other()) == ({job.pk}, set())


def sent(job):
    """As the sender commits it before the first byte leaves."""
    UploadJob.objects.filter(pk=job.pk).update(state="SENDING", attempt=1, lease_until=timezone.now())
    UploadAttempt.objects.create(
        job=job,
        attempt=1,
        at=timezone.now(),
        request_id=uuid.uuid4(),
        composition_id=uuid.uuid4(),
        authored_at=timezone.now(),
        scope="core",
    )


def receipt(job, kind):
    """As the sender writes it, with the state that follows."""
    UploadJob.objects.filter(pk=job.pk).update(state="WAITING", lease_until=None)
    body = "" if kind == "FOUND" else "ab" * 32
    Receipt.objects.create(job=job, attempt=1, at=timezone.now(), kind=kind, body_sha256=body)


@pytest.mark.django_db
class TestTold:
    """Uploads are named to people of their own practice who may see uploads; everybody else reads how many."""

    @pytest.fixture
    def in_flight(self, practice):
        job = decide(make_patient(practice, family_name="Adeyemi")).job
        sent(job)
        sent(decide(make_patient(make_practice())).job)
        return job

    def shows(self, client, who, address, job):
        client.force_login(who)
        page = client.get(address).content.decode()
        assert "2 uploads were in flight" in page or "1 upload was in flight" in page
        return f"/uploads/{job.public_id}/" in page

    @pytest.mark.parametrize("role", [Role.GP, Role.STAFF, Role.PRACTICE_MANAGER, Role.PRIVACY_OFFICER])
    def test_on_the_policy_page_to_their_practice(self, client, practice, in_flight, role):
        start_boycott()
        assert self.shows(client, make_user(role, practice), "/policy/", in_flight)
        assert not self.shows(client, make_user(role), "/policy/", in_flight)

    @pytest.mark.parametrize("role", [Role.POLICY_ADMIN, Role.NATIONAL_ADMIN, Role.AUDITOR])
    def test_on_the_pages_of_the_policy_and_of_the_change_to_no_national_role(self, client, in_flight, role):
        start_boycott()
        who = make_user(role)
        assert not self.shows(client, who, "/policy/", in_flight)
        assert not self.shows(
            client, who, f"/policy/changes/{PolicyChange.objects.get().public_id}/", in_flight
        )

    def test_on_the_page_of_the_stop(self, client, national_admin, in_flight):
        stop_uploads(reason="A fault.", by=national_admin, at=timezone.now())
        assert not self.shows(client, national_admin, "/policy/stop/", in_flight)

    def test_on_the_page_of_the_practice(self, client, practice, manager, in_flight):
        hold(practice, manager)
        assert self.shows(client, manager, "/practice/stance/", in_flight)

    def test_nobody_reads_of_a_patient(self, client, gp, in_flight):
        start_boycott()
        client.force_login(gp)
        assert "ADEYEMI" not in client.get("/policy/").content.decode()
