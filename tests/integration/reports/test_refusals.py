"""Bursts of refusals are found and told apart; turning them into a stance, and back, harms nobody."""

import datetime
import itertools
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from boycott.models import StanceRevision
from boycott.positions import Stance
from boycott.queries import stance_of
from carerecords.models import Patient, UploadJob
from consent import bulk_runs
from consent.codes import Preference, Source
from consent.models import BulkRun, ConsentEvent
from reports.models import Conversion
from reports.refusal_signals import looks_like_policy
from reports.refusals import bursts_of, months_of, still_refusing
from spine.uploads.explain import explain
from tests.factories import decide, make_patient
from tests.policy_factories import answer, start_boycott

pytestmark = pytest.mark.django_db
NOW = timezone.now()
START = NOW - datetime.timedelta(days=20)
NOTE = "Recorded from a list after the vote, no patient was asked."


def refuse(patients, by, *, at=START, every=10, reference="BMA"):
    for step, patient in enumerate(patients):
        moment = at + datetime.timedelta(seconds=every * step)
        decide(
            patient, Preference.EXPRESS_DISSENT, by=by, at=moment, source=Source.LETTER, reference=reference
        )


@pytest.fixture
def patients(practice):
    return [make_patient(practice, family_name=f"A{number:03}") for number in range(22)]


@pytest.fixture
def burst(practice, gp, patients):
    """Twenty-two refusals ten seconds apart; the first patient had consented before."""
    decide(
        patients[0],
        by=gp,
        at=START - datetime.timedelta(days=30),
        decided_on=timezone.localdate(START) - datetime.timedelta(days=30),
    )
    start_boycott(at=START - datetime.timedelta(days=3))
    refuse(patients, gp)
    return bursts_of(practice, NOW)[0]


def test_a_burst_is_counted_as_it_was(practice, gp, burst):
    assert (burst.refusals, burst.standing, burst.recorders, burst.evidence) == (22, 22, 1, 1)
    assert burst.seconds_each == 10 and burst.in_order == 1.0 and burst.patients == 22
    assert burst.policy_from == timezone.localdate(START - datetime.timedelta(days=3))
    assert looks_like_policy(burst)


def test_nineteen_are_no_burst_and_a_pause_ends_one(practice, gp, patients):
    refuse(patients[:19], gp)
    assert bursts_of(practice, NOW) == []
    refuse(patients[19:], gp, at=START + datetime.timedelta(seconds=180 + 16 * 60))
    assert bursts_of(practice, NOW) == [], "a quarter of an hour lies between"


def test_other_practices_refusals_do_not_count(practice, gp, stranger, patients):
    theirs = [make_patient(stranger.assignments.get().practice) for _ in range(25)]
    refuse(theirs, stranger)
    assert bursts_of(practice, NOW) == []


def test_months_have_no_gaps(practice, gp, burst):
    months = months_of(practice, NOW)
    assert len(months) == 24 and sum(month.refusals for month in months) == 22
    assert all(a.first_day < b.first_day for a, b in itertools.pairwise(months))


@pytest.fixture
def conversion(client, manager, burst):
    """Through the pages, as a manager does it, and worked off."""
    client.force_login(manager)
    form = reverse("reports:conversion_form", args=[burst.public_id])
    today = timezone.localdate()
    sent = client.post(form, _answers(today))
    done = client.post(sent.url, shown_on(client, sent.url))
    made = Conversion.objects.get()
    assert done.url == reverse("reports:conversion", args=[made.public_id])
    bulk_runs.work(made.run.public_id, timezone.now)
    return made


def shown_on(client, url):
    """What the check page sends back: whose answers, and how many refusals it showed."""
    page = client.get(url).content.decode()
    return {name: re.search(rf'name="{name}" value="(\w+)"', page)[1] for name in ("draft", "standing")}


def _answers(day, **changes):
    return {
        "stance": "HOLD",
        "agreed_by": "The partners",
        "agreed_on_day": day.day,
        "agreed_on_month": day.month,
        "agreed_on_year": day.year,
        "note": NOTE,
    } | changes


def test_what_each_patient_had_decided_holds_again_and_nothing_leaves(practice, conversion, patients):
    states = Patient.objects.order_by("family_name").values_list("consent_state", flat=True)
    assert list(states) == ["EXPRESS_CORE"] + ["NONE"] * 21
    assert stance_of(practice)[0] is Stance.HOLD
    first = Patient.objects.get(pk=patients[0].pk)
    told = explain(first, timezone.now())
    assert not told.will_upload and "policy.practice" in [line.code for line in told.reasons]


def test_the_refusals_stay_in_the_history_with_the_note(conversion, patients):
    events = ConsentEvent.objects.filter(patient=patients[3]).order_by("pk")
    assert [event.kind for event in events] == ["DECISION", "INVALID"] and events[1].note == NOTE


def test_turning_back_puts_refusals_and_stance_back_and_spares_later_decisions(
    client, gp, practice, conversion, patients
):
    decide(Patient.objects.get(pk=patients[5].pk), Preference.EXPRESS_CORE, by=gp)
    client.post(reverse("reports:conversion_back", args=[conversion.public_id]))
    bulk_runs.work(conversion.run.public_id, timezone.now)
    states = dict(Patient.objects.values_list("pk", "consent_state"))
    assert states.pop(patients[5].pk) == "EXPRESS_CORE"
    assert set(states.values()) == {"EXPRESS_DISSENT"}
    assert stance_of(practice)[0] is Stance.FOLLOW
    page = client.get(reverse("reports:conversion", args=[conversion.public_id])).content.decode()
    assert "changed later" in page


def test_a_stance_changed_meanwhile_is_not_turned_back(client, practice, conversion):
    answer(practice, Stance.DO_NOT_FOLLOW)
    client.post(reverse("reports:conversion_back", args=[conversion.public_id]))
    assert stance_of(practice)[0] is Stance.DO_NOT_FOLLOW


def test_the_stance_before_comes_back(client, manager, practice, burst):
    answer(practice, Stance.DO_NOT_FOLLOW, by=manager)
    client.force_login(manager)
    sent = client.post(
        reverse("reports:conversion_form", args=[burst.public_id]), _answers(timezone.localdate())
    )
    client.post(sent.url, shown_on(client, sent.url))
    made = Conversion.objects.get()
    bulk_runs.work(made.run.public_id, timezone.now)
    client.post(reverse("reports:conversion_back", args=[made.public_id]))
    assert stance_of(practice)[0] is Stance.DO_NOT_FOLLOW


def test_a_second_press_converts_once(client, manager, burst):
    client.force_login(manager)
    sent = client.post(
        reverse("reports:conversion_form", args=[burst.public_id]), _answers(timezone.localdate())
    )
    shown = shown_on(client, sent.url)
    client.post(sent.url, shown)
    client.post(sent.url, shown)
    assert Conversion.objects.count() == BulkRun.objects.count() == StanceRevision.objects.count() == 1


def test_figures_that_changed_are_checked_again(client, manager, gp, burst, patients):
    client.force_login(manager)
    sent = client.post(
        reverse("reports:conversion_form", args=[burst.public_id]), _answers(timezone.localdate())
    )
    shown = shown_on(client, sent.url)
    decide(Patient.objects.get(pk=patients[3].pk), by=gp)
    page = client.post(sent.url, shown).content.decode()
    assert "Decisions changed since this page was shown" in page and "Turn 21 refusals into a stance" in page
    assert not Conversion.objects.exists() and not StanceRevision.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"stance": ""}, "Select what the practice says instead"),
        ({"stance": "DO_NOT_FOLLOW"}, "Select what the practice says instead"),
        ({"agreed_by": " "}, "Enter who agreed this"),
        ({"note": "too short"}, "Reason must be between 20 and 1,000 characters"),
        ({"agreed_on_month": 13}, "must be a real date"),
        ({"agreed_on_year": 2099}, "must be today or in the past"),
    ],
)
def test_wrong_answers_are_named_and_kept(client, manager, burst, changes, error):
    client.force_login(manager)
    url = reverse("reports:conversion_form", args=[burst.public_id])
    page = client.post(url, _answers(timezone.localdate(), **changes)).content.decode()
    assert error in page and "There is a problem" in page and "<title>Error: " in page
    assert ("The partners" in page) or "agreed_by" in changes
    assert not Conversion.objects.exists() and not StanceRevision.objects.exists()


def test_a_gp_sees_the_evidence_and_cannot_convert(client, gp, burst):
    client.force_login(gp)
    page = client.get(reverse("reports:burst", args=[burst.public_id]))
    assert page.status_code == 200 and "Turn into the practice" not in page.content.decode()
    assert client.post(reverse("reports:conversion_form", args=[burst.public_id])).status_code == 403


def test_a_stranger_learns_nothing(client, stranger, burst, manager):
    client.force_login(stranger)
    for name in ("burst", "conversion_form"):
        assert client.get(reverse(f"reports:{name}", args=[burst.public_id])).status_code in {403, 404}
    assert client.get(reverse("reports:burst", args=[burst.public_id])).status_code == 404
    assert "22 refusals" not in client.get(reverse("reports:refusals")).content.decode()


@pytest.mark.parametrize("more", [0, 60])
def test_the_pages_cost_the_same_however_many_refused(
    client, manager, practice, gp, burst, more, django_assert_max_num_queries
):
    extra = [make_patient(practice, family_name=f"B{number:03}") for number in range(more)]
    refuse(extra, gp, at=START + datetime.timedelta(hours=3))
    client.force_login(manager)
    with django_assert_max_num_queries(17):
        client.get(reverse("reports:refusals"))
    with django_assert_max_num_queries(17):
        client.get(reverse("reports:burst", args=[burst.public_id]))


def test_uploads_that_wait_while_it_runs_stay_held(practice, gp, conversion, patients):
    assert not UploadJob.objects.filter(kind="UPLOAD", state="ACCEPTED").exists()
    assert still_refusing(practice, bursts_of(practice, NOW)[0]).count() == 0
