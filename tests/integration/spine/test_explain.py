"""`manage.py explain`: outcome and every reason, now and on any day, from what was known then."""

import datetime
import io

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from boycott.positions import Stance
from carerecords.models import Patient, Registration
from consent.codes import Preference
from consent.letters import letter_returned, letters_sent
from consent.models import NoticeLetter
from spine.gate import Letter
from spine.policy.actions import stop_uploads
from spine.uploads.as_of import load_as_of
from tests.factories import decide, make_patient, make_practice
from tests.policy_factories import answer, end_boycott, start_boycott

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_clock")]
LONDON = timezone.get_default_timezone()


def noon(text):
    return datetime.datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=LONDON)


def explain(patient, **options):
    out = io.StringIO()
    call_command("explain", patient.nhs_number, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def history(practice, gp, policy_admin):
    """Consent on 2 March, boycott on 1 April recorded that day, ended 4 May; dissent on 1 June."""
    with time_machine.travel(noon("2026-02-02"), tick=False):
        patient = make_patient(practice)
    for day, act in (
        ("2026-03-02", lambda at: decide(patient, by=gp, at=at)),
        ("2026-04-01", lambda at: start_boycott(policy_admin, at)),
        ("2026-05-04", lambda at: end_boycott(policy_admin, at)),
        ("2026-06-01", lambda at: decide(patient, Preference.EXPRESS_DISSENT, by=gp, at=at)),
    ):
        with time_machine.travel(noon(day), tick=False):
            act(timezone.now())
    return patient


@pytest.mark.parametrize(
    ("on", "answer", "reason"),
    [
        ("2026-03-01", "HOLD", "consent."),
        ("2026-03-02", "SEND", ""),
        ("2026-03-31", "SEND", ""),
        ("2026-04-01", "HOLD", "policy."),
        ("2026-05-03", "HOLD", "policy."),
        ("2026-05-04", "SEND", ""),
        ("2026-06-01", "CANCEL", "consent."),
    ],
)
def test_each_day_as_it_was_known_that_day(history, on, answer, reason):
    told = explain(history, on=on)
    assert f"\n{answer}: " in told
    if reason:
        assert f"\n- {reason}" in told
    else:
        assert "\n- " not in told


def test_what_was_recorded_later_does_not_change_what_a_day_answers(history, gp):
    before = explain(history, on="2026-03-20")
    with time_machine.travel(noon("2026-07-01"), tick=False):
        # Told in July, decided in March.
        decide(
            history,
            Preference.EXPRESS_DISSENT,
            by=gp,
            at=timezone.now(),
            decided_on=datetime.date(2026, 3, 10),
        )
    assert explain(history, on="2026-03-20") == before


def test_what_is_known_now_of_a_day_takes_in_what_came_late(history, gp):
    with time_machine.travel(noon("2026-07-01"), tick=False):
        decide(
            history,
            Preference.EXPRESS_DISSENT,
            by=gp,
            at=timezone.now(),
            decided_on=datetime.date(2026, 3, 10),
        )
    told = explain(history, on="2026-03-20", known_on="2026-07-01")
    assert "As of 20 March 2026, from what was recorded by 1 July 2026" in told
    assert "\nCANCEL: " in told and "\n- consent.refused" in told
    assert "\nSEND: " in explain(history, on="2026-03-20", known_on="2026-06-30")
    with pytest.raises(CommandError, match="needs --on"):
        explain(history, known_on="2026-06-30")


def test_now_it_tells_what_the_store_holds_too(practice):
    patient = make_patient(practice)
    decide(patient)
    told = explain(patient)
    assert "The Spine holds: " in told and "\nEvidence: consent event " in told
    assert f"NHS number {patient.nhs_number[:3]} {patient.nhs_number[3:6]} {patient.nhs_number[6:]}" in told


@pytest.mark.parametrize(
    ("typed", "options", "message"),
    [
        ("999 123", {}, "too short"),
        ("943 476 5919", {"on": "30/02/2026"}, "No patient has this NHS number"),
        ("AB123456C", {}, "National Insurance"),
        ("943 476 5918", {}, "not one that can exist"),
    ],
)
def test_what_cannot_be_explained(db, typed, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("explain", typed, **options)


@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("30/02/2026", "must be a real date"),
        ("2026-02-30", "must be a real date"),
        ("2099-01-01", "in the past"),
    ],
)
def test_days_that_cannot_be_asked_for(practice, on, message):
    with pytest.raises(CommandError, match=message):
        explain(make_patient(practice), on=on)
    assert Patient.objects.count() == 1


def test_a_stance_and_a_stop_hold_from_when_they_are_made(history, national_admin):
    with time_machine.travel(noon("2026-07-01"), tick=False):
        answer(history.practice, Stance.HOLD)
        stop_uploads(reason="The store loses messages.", by=national_admin, at=timezone.now())
    for known_on in (None, "2026-07-02"):
        assert "\nSEND: " in explain(history, on="2026-03-20", known_on=known_on)


def test_a_policy_that_began_later_does_not_count_however_much_is_known(history):
    assert "\nSEND: " in explain(history, on="2026-03-31", known_on="2026-04-02")
    assert "\n- policy." in explain(history, on="2026-04-02", known_on="2026-04-02")


def test_a_letter_counts_from_its_day_until_it_is_known_to_have_failed(history, manager):
    with time_machine.travel(noon("2026-02-10"), tick=False):
        sent_on = timezone.localdate()
        letters_sent(patient_ids=[history.pk], sent_on=sent_on, reference="", by=manager, at=timezone.now())
    with time_machine.travel(noon("2026-06-01"), tick=False):
        letter_returned(letter=NoticeLetter.objects.get(), by=manager, at=timezone.now())
    for on, known_on, fact in (
        ("2026-02-09", "2026-05-31", Letter.NOT_SENT),
        ("2026-02-10", "2026-02-10", Letter.WINDOW_OPEN),
        ("2026-05-05", "2026-05-31", Letter.WINDOW_PASSED),
        ("2026-05-05", "2026-06-02", Letter.NOT_SENT),
    ):
        assert load_as_of(history, noon(on), noon(known_on)).facts.letter is fact, (on, known_on)


def test_a_day_is_asked_of_the_practice_where_the_patient_was(history):
    """It follows the boycott; the one they moved to in May never answered before, and does not follow it."""
    moved = datetime.date(2026, 4, 20)
    Registration.objects.filter(patient=history).update(left_on=moved)
    other = make_practice()
    with time_machine.travel(noon("2026-03-15"), tick=False):
        answer(other, Stance.DO_NOT_FOLLOW)
    Registration.objects.create(patient=history, practice=other, registered_on=moved)
    Patient.objects.filter(pk=history.pk).update(practice=other, usual_gp=None)
    history.refresh_from_db()
    assert "\n- policy." in explain(history, on="2026-04-19")
    assert "\nSEND: " in explain(history, on="2026-04-20")
