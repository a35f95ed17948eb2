"""Recording and undoing: what is stored, what state follows, and which upload is asked for."""

import datetime
import random
import threading
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from carerecords import access
from carerecords.models import AccessEvent, JobState, Patient, UploadJob
from consent import rules
from consent.actions import (
    CannotUndo,
    DecisionChanged,
    DecisionRefused,
    Evidence,
    derive_due,
    record_decision,
    undo_decision,
)
from consent.codes import CHOSEN_BY_HAND, ConsentState, EventKind, Preference, Source
from consent.models import ConsentEvent
from consent.queries import events_of
from tests.factories import decide, make_patient

pytestmark = pytest.mark.django_db
NOW = timezone.now
CORE, MORE, NO, NONE = (
    Preference.EXPRESS_CORE,
    Preference.EXPRESS_ADDITIONAL,
    Preference.EXPRESS_DISSENT,
    Preference.NONE,
)


def undo(event, by, at=None):
    return undo_decision(event=event, by=by, at=at or NOW())


def open_jobs(patient):
    return list(UploadJob.objects.filter(patient=patient, state__in=["WAITING", "HELD"]))


def sent(job):
    """As if the store had accepted it."""
    UploadJob.objects.filter(pk=job.pk).update(state=JobState.ACCEPTED, finished_at=NOW(), due_at=None)


def counts():
    return ConsentEvent.objects.count(), UploadJob.objects.count()


def test_a_decision_is_kept_whole(patient, gp, settings):
    at = NOW()
    told = Evidence(Source.REPRESENTATIVE, "S 12", "Rang twice", "Ann Son", "Power of attorney")
    day = timezone.localdate(at) - datetime.timedelta(days=3)
    done = record_decision(
        patient=patient, preference=CORE, evidence=told, decided_on=day, by=gp, at=at, seen=None
    )
    event = ConsentEvent.objects.get()
    assert (event.patient, event.practice, event.kind) == (patient, patient.practice, EventKind.DECISION)
    assert (event.preference, event.source, event.reference, event.note) == (
        CORE,
        "REPRESENTATIVE",
        "S 12",
        "Rang twice",
    )
    assert (event.representative_name, event.representative_authority) == ("Ann Son", "Power of attorney")
    assert (event.decided_on, event.effective_from) == (day, day)
    assert (event.recorded_at, event.recorded_by, event.supersedes) == (at, gp, None)
    patient.refresh_from_db()
    assert (patient.consent_state, patient.consent_source) == ("EXPRESS_CORE", "REPRESENTATIVE")
    assert (patient.consent_decided_on, patient.consent_event_id) == (day, event.pk)
    assert (done.event, done.state) == (event, ConsentState.EXPRESS_CORE)


@pytest.mark.parametrize(
    ("preference", "kind", "waits"),
    [(CORE, "UPLOAD", True), (MORE, "UPLOAD", True), (NO, "WITHDRAWAL", False), (NONE, None, None)],
)
def test_a_decision_asks_for_what_follows_from_it(patient, gp, settings, preference, kind, waits):
    settings.UNDO_WINDOW_SECONDS = 900
    at = NOW()
    job = decide(patient, preference, by=gp, at=at).job
    if kind is None:
        assert job is None and not UploadJob.objects.exists()
        return
    assert (job.kind, job.state, job.cause) == (kind, "WAITING", "DECISION")
    assert (job.requested_at, job.requested_by, job.practice) == (at, gp, patient.practice)
    assert job.due_at == at + datetime.timedelta(minutes=15 if waits else 0)


def test_a_refusal_cancels_the_upload_that_still_waits(patient, gp):
    first = decide(patient, by=gp, seen=None)
    decide(patient, NO, by=gp, seen=first.event.pk)
    old, new = UploadJob.objects.order_by("pk")
    assert (old.state, old.reasons) == ("CANCELLED", ["job.superseded"])
    assert (new.kind, new.state) == ("WITHDRAWAL", "WAITING")


def test_a_conflict_asks_for_nothing_and_leaves_the_open_job(patient, gp):
    first = decide(patient, by=gp)
    second = decide(patient, NO, by=gp)
    assert second.state is ConsentState.CONFLICT and second.job is None
    assert [job.pk for job in open_jobs(patient)] == [first.job.pk]


def test_a_conflict_is_settled_by_asking_the_patient_the_same_day(patient, gp):
    decide(patient, by=gp)
    decide(patient, NO, by=gp)
    patient.refresh_from_db()
    settled = decide(patient, NO, by=gp, seen=patient.consent_event_id)
    assert settled.state is ConsentState.EXPRESS_DISSENT
    assert [job.kind for job in open_jobs(patient)] == ["WITHDRAWAL"]


def test_undo_while_the_upload_waits_leaves_nothing_behind(patient, gp):
    done = decide(patient, by=gp)
    back = undo(done.event, gp)
    patient.refresh_from_db()
    assert back.state is ConsentState.NONE and back.job is None
    assert (patient.consent_state, patient.consent_source, patient.consent_event_id) == ("NONE", "", None)
    assert patient.consent_decided_on is None
    job = UploadJob.objects.get()
    assert (job.state, job.reasons, job.due_at) == ("CANCELLED", ["job.undone"], None)
    assert (back.event.kind, back.event.reverses) == (EventKind.REVERSAL, done.event)


def test_undo_after_sending_asks_for_a_withdrawal(patient, gp):
    done = decide(patient, by=gp)
    sent(done.job)
    back = undo(done.event, gp)
    assert (back.job.kind, back.job.cause, back.job.due_at) == ("WITHDRAWAL", "UNDO", back.event.recorded_at)


def test_undoing_a_refusal_asks_for_the_upload_that_was_consented_to(patient, gp):
    first = decide(patient, by=gp)
    refused = decide(patient, NO, by=gp, seen=first.event.pk)
    back = undo(refused.event, gp)
    assert back.state is ConsentState.EXPRESS_CORE
    assert [job.kind for job in open_jobs(patient)] == ["UPLOAD"]
    assert back.job.due_at > back.event.recorded_at


def test_undoing_consent_brings_the_refusal_before_it_back(patient, gp):
    first = decide(patient, NO, by=gp)
    consent = decide(patient, by=gp, seen=first.event.pk)
    back = undo(consent.event, gp)
    assert back.state is ConsentState.EXPRESS_DISSENT
    assert [job.kind for job in open_jobs(patient)] == ["WITHDRAWAL"]


def test_no_preference_after_sending_takes_the_record_back(patient, gp):
    done = decide(patient, by=gp)
    sent(done.job)
    assert decide(patient, NONE, by=gp, seen=done.event.pk).job.kind == "WITHDRAWAL"


def test_nothing_is_undone_twice_and_no_undoing_is_undone(patient, gp):
    done = decide(patient, by=gp)
    back = undo(done.event, gp)
    before = counts()
    for event in (done.event, back.event):
        with pytest.raises(CannotUndo):
            undo(event, gp)
    assert counts() == before


def test_an_event_is_recorded_at_the_practice_of_the_day(patient, gp, stranger):
    """Consent follows the patient: after a move both practices stand in the history."""
    first = decide(patient, by=gp).event
    there = stranger.assignments.get().practice
    Patient.objects.filter(pk=patient.pk).update(practice=there)
    patient.refresh_from_db()
    second = decide(patient, by=stranger, seen=first.pk)
    assert [event.practice for event in (first, second.event)] == [gp.assignments.get().practice, there]
    assert second.job.practice == there


# --- What is refused ----------------------------------------------------------------------------

TOMORROW = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("preference", "evidence", "born_days_ago", "decided_days_ago", "gone", "field", "sentence"),
    [
        ("IMPLIED_CORE", "IN_PERSON", 9000, 0, {}, "preference", "Select what the patient decided"),
        (CORE, "IN_PERSON", 9000, -1, {}, "decided_on", "Date of decision must be today or in the past"),
        (
            CORE,
            "IN_PERSON",
            10,
            11,
            {},
            "decided_on",
            "Date of decision must be the same as or after the date of birth",
        ),
        (CORE, "LETTER", 9000, 0, {}, "reference", "Enter a letter or form reference"),
        (CORE, "FORM", 9000, 0, {}, "reference", "Enter a letter or form reference"),
        (CORE, "REPRESENTATIVE", 9000, 0, {}, "representative_name", "Enter who decided for the patient"),
        (
            NO,
            "IN_PERSON",
            9000,
            0,
            {"died_on": 0},
            "preference",
            "This patient has died or left, so no decision can be recorded",
        ),
        (
            Preference.EXPRESS_CORE,
            "IN_PERSON",
            9000,
            0,
            {"left_on": 1},
            "preference",
            "This patient has died or left, so no decision can be recorded",
        ),
    ],
)
def test_the_action_itself_refuses(
    practice, gp, preference, evidence, born_days_ago, decided_days_ago, gone, field, sentence
):
    """Below every screen, so that the API and commands are refused too."""
    today = timezone.localdate()

    def ago(days):
        return today - datetime.timedelta(days=days)

    patient = make_patient(
        practice,
        born_on=ago(born_days_ago),
        registered_on=ago(min(born_days_ago, 400)),
        **{name: ago(days) for name, days in gone.items()},
    )
    with pytest.raises(DecisionRefused, match=sentence) as refusal:
        decide(
            patient,
            Preference(preference),
            by=gp,
            decided_on=ago(decided_days_ago),
            source=Source(evidence),
        )
    assert refusal.value.field == field and counts() == (0, 0)


# --- Twice, and at once -------------------------------------------------------------------------


def test_the_same_form_sent_twice_is_one_decision(patient, gp):
    key = uuid.uuid4()
    first = decide(patient, by=gp, form_key=key)
    again = decide(patient, by=gp, form_key=key)
    assert (again.event, again.job) == (first.event, first.job)
    assert counts() == (1, 1)


@pytest.mark.parametrize(
    "other",
    [{"preference": NO}, {"source": Source.PHONE}, {"reference": "L 2"}, {"decided_on": datetime.date(2026, 1, 5)}],
    ids=str,
)  # fmt: skip
def test_the_same_form_with_another_answer_is_not_the_same_decision(patient, gp, other):
    key = uuid.uuid4()
    decide(patient, by=gp, form_key=key)
    with pytest.raises(DecisionChanged):
        decide(patient, by=gp, form_key=key, **other)
    assert counts() == (1, 1)


def test_a_form_sent_again_after_its_decision_was_undone_is_not_said_to_be_recorded(patient, gp):
    key = uuid.uuid4()
    done = decide(patient, by=gp, form_key=key, seen=None)
    undo(done.event, gp)
    before = counts()
    with pytest.raises(DecisionChanged):
        decide(patient, by=gp, form_key=key, seen=None)
    assert counts() == before


def test_a_form_sent_again_by_somebody_else_is_not_theirs(patient, gp, staff):
    key = uuid.uuid4()
    decide(patient, by=gp, form_key=key)
    with pytest.raises(DecisionChanged):
        decide(patient, by=staff, form_key=key)


def test_what_changed_since_it_was_shown_is_not_overwritten(patient, gp, staff):
    theirs = decide(patient, NO, by=staff)
    with pytest.raises(DecisionChanged) as changed:
        decide(patient, by=gp, seen=None)
    assert changed.value.current == theirs.event
    assert counts() == (1, 1)


def at_once(*verbs):
    """Runs each in a thread of its own; returns what each gave or raised."""
    found, together = [], threading.Barrier(len(verbs))

    def run(verb):
        try:
            together.wait(10)
            found.append(verb())
        except Exception as fault:  # noqa: BLE001 - it is what the test looks at
            found.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[verb]) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_in_the_same_moment_is_one_decision(patient, gp):
    key = uuid.uuid4()
    found = at_once(*[lambda: decide(patient, by=gp, form_key=key)] * 3)
    assert len({done.event.pk for done in found}) == 1 and counts() == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_do_not_both_win(patient, gp, staff):
    found = at_once(
        lambda: decide(patient, by=gp, seen=None),
        lambda: decide(patient, NO, by=staff, seen=None),
    )
    assert sorted(type(each).__name__ for each in found) == ["DecisionChanged", "Recorded"]
    assert counts() == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_an_undo_pressed_twice_in_the_same_moment_is_one_undo(patient, gp):
    event = decide(patient, by=gp).event
    found = at_once(*[lambda: undo(event, gp)] * 2)
    assert sorted(type(each).__name__ for each in found) == ["CannotUndo", "Recorded"]
    assert ConsentEvent.objects.count() == 2


# --- The calendar -------------------------------------------------------------------------------


def test_consent_that_starts_later_takes_effect_on_its_day(patient, gp):
    at = NOW()
    today = timezone.localdate(at)
    event = decide(patient, by=gp, at=at).event
    undo(event, gp, at)
    later = ConsentEvent.objects.create(
        patient=patient,
        practice=patient.practice,
        kind=EventKind.DECISION,
        preference=CORE,
        source=Source.PHONE,
        decided_on=today,
        effective_from=today + TOMORROW,
        recorded_at=at,
        recorded_by=gp,
    )
    Patient.objects.filter(pk=patient.pk).update(consent_changes_on=today)
    assert derive_due(at=at) == 1
    patient.refresh_from_db()
    assert (patient.consent_state, patient.consent_changes_on) == ("LATER", later.effective_from)
    assert open_jobs(patient) == [] and derive_due(at=at) == 0
    assert derive_due(at=at + TOMORROW) == 1
    patient.refresh_from_db()
    assert (patient.consent_state, patient.consent_changes_on) == ("EXPRESS_CORE", None)
    assert [job.kind for job in open_jobs(patient)] == ["UPLOAD"]


# --- Any history --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_after_any_history_columns_and_job_say_what_the_rule_says(practice, gp, seed):
    """Twelve random steps: a decision (with or without looking), an undo, a send; checked after each."""
    chance = random.Random(seed)
    patient = make_patient(practice)
    start = NOW() - datetime.timedelta(days=30)
    for step in range(12):
        at = start + datetime.timedelta(hours=12 * step)
        random_step(chance, patient, gp, at)
        patient.refresh_from_db()
        derived = rules.state_from(events_of(patient), timezone.localdate(at))
        rests_on = derived.event.sequence if derived.event else None
        assert (patient.consent_state, patient.consent_event_id) == (derived.state, rests_on)
        kinds = [job.kind for job in open_jobs(patient)]
        assert len(kinds) <= 1
        if rules.permits_upload(derived.state):
            assert "WITHDRAWAL" not in kinds
        if derived.state in {ConsentState.EXPRESS_DISSENT, ConsentState.NONE, ConsentState.WITHDRAWN}:
            assert "UPLOAD" not in kinds


def random_step(chance, patient, gp, at):
    undoable = ConsentEvent.objects.filter(patient=patient, kind="DECISION", reversed_by=None)
    waiting = open_jobs(patient)
    choice = chance.random()
    if choice < 0.2 and waiting:
        sent(waiting[0])
    elif choice < 0.45 and undoable:
        undo(chance.choice(list(undoable)), gp, at)
    else:
        patient.refresh_from_db()
        looked = {"seen": patient.consent_event_id} if chance.random() < 0.5 else {}
        day = timezone.localdate(at) - datetime.timedelta(days=chance.randrange(3))
        may_withdraw = rules.permits_upload(ConsentState(patient.consent_state))
        answers = [one for one in CHOSEN_BY_HAND if one is not Preference.WITHDRAWN or may_withdraw]
        evidence = Evidence(Source.IN_PERSON, note="Asked at the desk")
        decide(patient, chance.choice(answers), by=gp, at=at, decided_on=day, evidence=evidence, **looked)


# --- Both or neither ----------------------------------------------------------------------------


def test_without_its_line_in_the_access_log_nothing_is_recorded(client, patient, gp, monkeypatch):
    client.force_login(gp)
    client.raise_request_exception = False
    real = access.record

    def broken(request, kind, **more):
        if kind in {AccessEvent.Kind.DECISION, AccessEvent.Kind.UNDO}:
            raise RuntimeError("the log is full")
        return real(request, kind, **more)

    event = decide(patient, NO, by=gp).event
    before = counts()
    monkeypatch.setattr(access, "record", broken)
    address = f"/patients/{patient.public_id}/consent/"
    today = timezone.localdate()
    answer = client.post(
        f"{address}new/",
        {
            "preference": "NONE",
            "source": "PHONE",
            "decided_on_day": today.day,
            "decided_on_month": today.month,
            "decided_on_year": today.year,
            "seen": event.public_id,
        },
    )
    assert answer.status_code == 500
    assert client.post(f"{address}{event.public_id}/undo/").status_code == 500
    assert counts() == before


# --- Who left -----------------------------------------------------------------------------------


@pytest.mark.parametrize("preference", [Preference.EXPRESS_DISSENT, Preference.WITHDRAWN])
def test_who_left_may_still_end_what_was_sent(practice, gp, preference):
    patient = make_patient(practice)
    given = decide(patient, by=gp).event
    Patient.objects.filter(pk=patient.pk).update(left_on=timezone.localdate())
    evidence = Evidence(Source.PHONE, note="Moved away and asked for it")
    done = decide(patient, preference, by=gp, evidence=evidence, seen=given.pk)
    assert done.state == preference.value


def test_a_withdrawal_ends_the_consent_of_the_same_day_without_a_conflict(practice, gp):
    patient = make_patient(practice)
    decide(patient, by=gp)
    patient.refresh_from_db()
    done = decide(patient, Preference.WITHDRAWN, by=gp, evidence=Evidence(Source.PHONE, note="Thought again"))
    assert done.state is ConsentState.WITHDRAWN


@pytest.mark.parametrize(
    "preference", [Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL, Preference.NONE]
)
def test_who_left_consents_elsewhere(practice, gp, preference):
    patient = make_patient(practice, left_on=timezone.localdate())
    with pytest.raises(DecisionRefused, match="died or left"):
        decide(patient, preference, by=gp)
    assert not ConsentEvent.objects.exists()


def test_nothing_is_recorded_of_who_died(practice, gp):
    patient = make_patient(practice, died_on=timezone.localdate())
    with pytest.raises(DecisionRefused, match="died or left"):
        decide(patient, Preference.EXPRESS_DISSENT, by=gp)
    assert not ConsentEvent.objects.exists()
