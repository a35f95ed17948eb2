"""What the plan of a reopening says is what the pipeline then sends, practice by practice."""

import csv
import datetime
from collections import Counter
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from boycott.dossier import dossier
from boycott.measured_change import revisions_as_if_now
from boycott.positions import Position, Stance
from carerecords.confirmation import Confirmation
from carerecords.models import Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.gate import Kind
from spine.policy.actions import agree_to_resume, ask_to_resume, stop_uploads
from spine.policy.reopening import if_resumed, if_revised
from spine.reasons import Reason
from spine.sending.claims import Claimed
from spine.sending.outcomes import waits_for_turn
from tests.factories import decide, make_patient, make_practice, make_user
from tests.integration.spine.test_predicted_observed import _ask_all_again, country  # noqa: F401
from tests.policy_factories import REASON, agree_to, answer, approve, make_dispensation, start_boycott, submit

DAY = datetime.timedelta(days=1)


@dataclass
class Stop:
    """The emergency stop, and how two people end it."""

    def begin(self):
        stop_uploads(reason=REASON, by=make_user(Role.NATIONAL_ADMIN), at=timezone.now())

    def plan(self, at):
        return if_resumed(at, since=at - DAY)

    def end(self):
        ask_to_resume(reason=REASON, by=make_user(Role.NATIONAL_ADMIN), at=timezone.now())
        by, at = make_user(Role.NATIONAL_ADMIN), timezone.now()
        agree_to_resume(note=REASON, confirmed=Confirmation(by.pk, at), by=by, at=at)


class Boycott:
    """A boycott, and the change that ends it: for all England, or for all but a region."""

    def __init__(self, **end):
        self.fields = {"position": Position.COOPERATE} | end

    def begin(self):
        start_boycott()

    def plan(self, at):
        self.sent = submit(**self.fields)
        return if_revised(revisions_as_if_now(dossier(self.sent.change), at), at, since=at - DAY)

    def end(self):
        approve(self.sent)


HOLDS = {
    "a stop": Stop,
    "a boycott of all England": Boycott,
    "a boycott that goes on in one region": lambda: Boycott(
        position=Position.NON_COOPERATION, region_codes=["Y63"]
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", HOLDS)
def test_planned_is_sent(name, country, sending):
    hold = HOLDS[name]()
    sending.all_due()
    hold.begin()
    _ask_all_again()
    sending.all_due()
    withdrawn = _somebody_withdraws(country[Stance.FOLLOW])
    sending.all_due()
    known = {line["composition_id"] for line in sending.ledger()}

    plan = hold.plan(timezone.now())
    hold.end()
    sending.all_due()

    new = [line for line in sending.ledger(outcome="accepted") if line["composition_id"] not in known]
    homes = dict(Patient.objects.values_list("nhs_number", "practice__ods_code"))
    assert not any(line["is_blank"] for line in new)
    observed = Counter(homes[line["nhs_number"]] for line in new)
    assert {one.home.place.ods_code: one.queue for one in plan.by_practice if one.queue} == observed
    assert plan.released and plan.released + plan.going == len(new) == plan.turns.total
    assert sum(one.released for one in plan.regions) == plan.released
    assert sum(number for _, number in plan.kept) == UploadJob.objects.filter(state="HELD").count()
    assert withdrawn.nhs_number not in {line["nhs_number"] for line in new}
    assert plan.anew.refuse == 1


def _somebody_withdraws(practice):
    """One of those whose upload is held refuses meanwhile."""
    job = UploadJob.objects.filter(practice=practice, state="HELD", patient__is_sensitive=False).first()
    decide(job.patient, Preference.EXPRESS_DISSENT, seen=job.patient.consent_event_id)
    return job.patient


@pytest.mark.django_db
class TestPlan:
    def test_the_largest_first_and_nobody_waits_for_thousands(self):
        for number in (1, 4, 2):
            _held(make_practice(), number)
        stop_uploads(reason=REASON, by=make_user(Role.NATIONAL_ADMIN), at=timezone.now())
        plan = if_resumed(timezone.now())
        assert [(one.queue, plan.until(one)) for one in plan.by_practice] == [(4, 7), (2, 5), (1, 3)]

    def test_what_others_hold_stays_with_their_reasons(self, practice):
        _held(practice, 3)
        keeper = make_practice()
        answer(keeper, Stance.HOLD)
        _held(keeper, 2)
        left = _held(practice, 1)[0].patient
        Patient.objects.filter(pk=left.pk).update(left_on=timezone.localdate())
        stop_uploads(reason=REASON, by=make_user(Role.NATIONAL_ADMIN), at=timezone.now())
        plan = if_resumed(timezone.now())
        assert (plan.released, plan.kept) == (3, [(Reason.POLICY_PRACTICE, 2)])
        assert plan.over == [(Reason.PATIENT_LEFT, 1)]

    def test_who_decided_anew_is_told(self, practice):
        before, jobs = timezone.now(), _held(practice, 3)
        for job, preference in zip(
            jobs, (Preference.EXPRESS_DISSENT, Preference.EXPRESS_ADDITIONAL), strict=False
        ):
            decide(job.patient, preference, seen=job.patient.consent_event_id)
        decide(make_patient(practice))
        anew = if_resumed(timezone.now(), since=before).anew
        assert (anew.refuse, anew.consent) == (1, 1)
        assert if_resumed(timezone.now(), since=timezone.now() + DAY).anew.all == 0

    def test_the_cost_does_not_grow_with_practices(self, django_assert_max_num_queries):
        _held(make_practice(), 1)
        with CaptureQueriesContext(connection) as few:
            if_resumed(timezone.now(), since=timezone.now())
        for _ in range(5):
            _held(make_practice(), 2)
        with django_assert_max_num_queries(len(few)):
            if_resumed(timezone.now(), since=timezone.now())


def test_who_waited_longest_is_first_however_it_was_held():
    now = timezone.now()
    job = Claimed(1, 2, 3, 4, Kind.UPLOAD, 0, (), now - 30 * DAY, "id")
    due = {None: now - 30 * DAY, now + DAY: now - 30 * DAY, now - DAY: now - DAY}
    for was, becomes in due.items():
        assert waits_for_turn(job._replace(due_at=was), 0, now).due_at == becomes


@pytest.mark.django_db
class TestPages:
    def test_from_the_stop(self, client, national_admin, policy_admin, manager, settings):
        settings.SPINE_REQUESTS_PER_SECOND = 5
        client.force_login(national_admin)
        assert client.get("/policy/stop/reopening/").status_code == 404
        _held(make_practice(name="=1+1", region_name="North West"), 400)
        stop_uploads(reason=REASON, by=national_admin, at=timezone.now())
        assert "/policy/stop/reopening/" in client.get("/policy/stop/").content.decode()
        html = client.get("/policy/stop/reopening/").content.decode()
        assert "400 held uploads would go." in html and "all are sent in 3 minutes at the earliest" in html
        rows = list(csv.reader(_text(client.get("/policy/stop/reopening/?as=csv")).splitlines()))
        assert rows[1][1:4] == ["'=1+1", "North West", "400"]
        client.force_login(manager)
        assert client.get("/policy/stop/reopening/").status_code == 403

    @pytest.mark.parametrize(("number", "shown"), [(4, "Not shown"), (5, ">5<")])
    def test_why_few_stay_held_is_their_practices_own(self, client, national_admin, practice, number, shown):
        _held(make_practice(), 1)
        answer(practice, Stance.HOLD)
        _held(practice, number)
        stop_uploads(reason=REASON, by=national_admin, at=timezone.now())
        client.force_login(national_admin)
        html = client.get("/policy/stop/reopening/").content.decode()
        assert shown in html.partition("Why the others stay held")[2]
        assert (Reason.POLICY_PRACTICE.sentence in html) == (number >= 5)

    def test_from_a_change(self, client, policy_admin):
        client.force_login(policy_admin)
        start_boycott()
        _held(make_practice(), 3)
        ends = submit(position=Position.COOPERATE).change.public_id
        page = client.get(f"/policy/changes/{ends}/").content.decode()
        assert f"/policy/changes/{ends}/reopening/" in page
        html = client.get(f"/policy/changes/{ends}/reopening/").content.decode()
        assert "3 held uploads would go." in html and "how long that takes is not known" in html

    def test_from_a_dispensation_that_is_asked_for(self, client, policy_admin, practice):
        client.force_login(policy_admin)
        boycott = start_boycott().revision
        _held(practice, 3)
        _held(make_practice(), 2)
        asked = make_dispensation([practice], boycott)
        address = f"/policy/dispensations/{asked.public_id}/"
        assert f"{address}reopening/" in client.get(address).content.decode()
        html = client.get(f"{address}reopening/").content.decode()
        assert "3 held uploads would go." in html and "BMA boycott in force" in html
        agree_to(asked)
        assert client.get(f"{address}reopening/").status_code == 404

    def test_from_the_answer_of_a_practice(self, client, practice, manager, settings):
        settings.SPINE_REQUESTS_PER_SECOND = 5
        answer(practice, Stance.HOLD)
        _held(practice, 300)
        UploadJob.objects.filter(pk__in=[job.pk for job in _held(make_practice(), 150)]).update(
            state="WAITING", due_at=timezone.now()
        )
        client.force_login(manager)
        day = timezone.localdate()
        asked = {"stance": "FOLLOW", "agreed_by": "The partners", "note": ""}
        asked |= {"agreed_on_day": day.day, "agreed_on_month": day.month, "agreed_on_year": day.year}
        html = client.post("/practice/stance/", asked, follow=True).content.decode()
        assert "300 uploads that are held now would go" in html
        assert "so it needs at least 3 minutes." in html, "150 of others go between."

    def test_a_change_that_frees_nobody_has_no_way_to_a_plan(self, client, policy_admin):
        client.force_login(policy_admin)
        begins = submit(position=Position.NON_COOPERATION).change.public_id
        assert "reopening" not in client.get(f"/policy/changes/{begins}/").content.decode()
        assert (
            "No held upload would go." in client.get(f"/policy/changes/{begins}/reopening/").content.decode()
        )


def _held(practice, number):
    jobs = [decide(make_patient(practice)).job for _ in range(number)]
    UploadJob.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state="HELD", due_at=None, attempt=1, reasons=["system.stop"]
    )
    return jobs


def _text(answer):
    return b"".join(answer.streaming_content).decode("utf-8-sig")
