"""Many at once does what one by one would have done, on random histories."""

import datetime

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carerecords.models import Patient, UploadJob
from carerecords.permissions import Role
from consent import many, queries, rules
from consent.actions import DecisionRefused, Evidence, record_decision, undo_decision
from consent.codes import EventKind, Preference, RowResult, Source
from consent.models import ConsentEvent
from tests.factories import decide, make_patient, make_practice, make_user

NOW = timezone.now()
TODAY = timezone.localdate(NOW)
BY_HAND = st.sampled_from(
    [Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL, Preference.EXPRESS_DISSENT, Preference.NONE]
)
DAYS = st.integers(0, 4).map(lambda back: TODAY - datetime.timedelta(days=back))
# Decisions by day, seen or not; True stands for undoing the last.
HISTORIES = st.lists(st.tuples(BY_HAND, DAYS, st.booleans()) | st.just(True), max_size=5)
ANSWERS = st.tuples(BY_HAND, DAYS)

SOURCE_SQL = """
SELECT row_id, patient_id, preference, 'PHONE', decided_on, '', '', '', '', true, seen_event
FROM unnest(%(rows)s::bigint[], %(patients)s::bigint[], %(preferences)s::text[], %(days)s::date[], %(seen)s::bigint[])
    AS row (row_id, patient_id, preference, decided_on, seen_event)
"""


def record(patients, answers, gp, at, *, same_is_enough=False):
    return many.record_many(
        SOURCE_SQL,
        {
            "rows": list(range(len(patients))),
            "patients": [patient.pk for patient in patients],
            "preferences": [answer.value for answer, _ in answers],
            "days": [day for _, day in answers],
            "seen": [patient.consent_event_id for patient in patients],
        },
        practice_id=patients[0].practice_id,
        run_id=None,
        by=gp,
        at=at,
        same_is_enough=same_is_enough,
    )


def live(patient, history, gp):
    last = None
    for step in history:
        if step is True:
            if last is not None:
                undo_decision(event=last, by=gp, at=NOW)
                last = None
            continue
        preference, day, seen = step
        patient.refresh_from_db()
        more = {"seen": patient.consent_event_id} if seen else {}
        try:
            last = decide(
                patient, preference, by=gp, at=NOW, decided_on=day, source=Source.PHONE, **more
            ).event
        except DecisionRefused:
            continue


def picture(patient):
    patient.refresh_from_db()
    jobs = UploadJob.objects.filter(patient=patient).order_by("pk")
    return (
        patient.consent_state,
        patient.consent_source,
        patient.consent_decided_on,
        patient.consent_changes_on,
        [(event.preference, event.decided_on, event.kind) for event in queries.history(patient)],
        [(job.kind, job.state, job.cause, job.due_at, job.reasons) for job in jobs],
    )


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(HISTORIES, ANSWERS, st.booleans()), min_size=1, max_size=4))
def test_many_leave_what_one_by_one_would_leave(db, people):
    with transaction.atomic():
        practice = make_practice()
        gp = make_user(Role.GP, practice)
        pairs = [(make_patient(practice), make_patient(practice)) for _ in people]
        for (one, other), (history, _, at_store) in zip(pairs, people, strict=True):
            for patient in (one, other):
                live(patient, history, gp)
                if at_store:
                    UploadJob.objects.filter(patient=patient, kind="UPLOAD", state="WAITING").update(
                        state="ACCEPTED", finished_at=NOW, due_at=None
                    )
                patient.refresh_from_db()
        outcomes = record([one for one, _ in pairs], [answer for _, answer, _ in people], gp, NOW)
        for (one, other), (_, (preference, day), _), outcome in zip(pairs, people, outcomes, strict=True):
            if outcome.result is RowResult.CHANGED:
                record_decision(
                    patient=other,
                    preference=preference,
                    evidence=Evidence(Source.PHONE),
                    decided_on=day,
                    by=gp,
                    at=NOW,
                    seen=other.consent_event_id,
                )
            assert picture(one) == picture(other)
            derived = rules.state_from(queries.events_of(one), TODAY)
            assert (one.consent_state, one.consent_changes_on) == (derived.state, derived.changes_on)
            assert one.consent_event_id == (derived.event.sequence if derived.event else None)
        _taken_back_alike(pairs, outcomes, gp)
        transaction.set_rollback(True)


def _taken_back_alike(pairs, outcomes, gp):
    changed = [
        pair for pair, outcome in zip(pairs, outcomes, strict=True) if outcome.result is RowResult.CHANGED
    ]
    events = [ConsentEvent.objects.filter(patient=one).latest("pk").pk for one, _ in changed]
    many.lock([one.pk for one, _ in changed])
    many.take_back_many(events, kind=EventKind.REVERSAL, note="", run_id=None, by=gp, at=NOW)
    for one, other in changed:
        undo_decision(event=ConsentEvent.objects.filter(patient=other).latest("pk"), by=gp, at=NOW)
        assert picture(one) == picture(other)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "day", "result", "why"),
    [
        ({}, TODAY, "CHANGED", ""),
        ({"left_on": TODAY}, TODAY, "SKIPPED", "GONE"),
        ({"died_on": TODAY}, TODAY, "SKIPPED", "GONE"),
        ({"born_on": TODAY}, TODAY - datetime.timedelta(days=1), "SKIPPED", "TOO_EARLY"),
    ],
)
def test_who_is_left_alone_and_why(practice, gp, fields, day, result, why):
    patient = make_patient(practice, **fields)
    [outcome] = record([patient], [(Preference.EXPRESS_CORE, day)], gp, NOW)
    assert (outcome.result, outcome.why) == (result, why)
    assert ConsentEvent.objects.exists() is (result == "CHANGED")


@pytest.mark.django_db
def test_who_decided_meanwhile_is_left_alone(practice, gp):
    patient = make_patient(practice)
    decide(Patient.objects.get(pk=patient.pk), Preference.EXPRESS_DISSENT, by=gp)
    [outcome] = record([patient], [(Preference.EXPRESS_CORE, TODAY)], gp, NOW)
    assert (outcome.result, outcome.why) == ("SKIPPED", "DECIDED")
    assert ConsentEvent.objects.count() == 1


@pytest.mark.django_db
def test_somebody_elses_patient_is_left_alone(practice, gp):
    mine, foreign = make_patient(practice), make_patient()
    outcomes = record([mine, foreign], [(Preference.EXPRESS_CORE, TODAY)] * 2, gp, NOW)
    assert [(one.result, one.why) for one in outcomes] == [("CHANGED", ""), ("SKIPPED", "MOVED")]
    assert not ConsentEvent.objects.filter(patient=foreign).exists()


@pytest.mark.django_db
def test_the_same_decision_twice_is_there_already(practice, gp):
    patient = make_patient(practice)
    record([patient], [(Preference.EXPRESS_CORE, TODAY)], gp, NOW)
    patient.refresh_from_db()
    [outcome] = record([patient], [(Preference.EXPRESS_CORE, TODAY)], gp, NOW)
    assert outcome.result is RowResult.ALREADY and ConsentEvent.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "same_is_enough, result, state",
    [(True, "CHANGED", "EXPRESS_DISSENT"), (False, "ALREADY", "EXPRESS_CORE")],
)
def test_who_refuses_consents_and_refuses_on_one_day_has_refused(practice, gp, same_is_enough, result, state):
    """One answer for many means what it says. A line of a file that was taken in before is not taken in again."""
    patient = make_patient(practice)
    for answer in (Preference.EXPRESS_DISSENT, Preference.EXPRESS_CORE):
        record([patient], [(answer, TODAY)], gp, NOW)
        patient.refresh_from_db()
    dissent = [(Preference.EXPRESS_DISSENT, TODAY)]
    [outcome] = record([patient], dissent, gp, NOW, same_is_enough=same_is_enough)
    patient.refresh_from_db()
    assert (outcome.result.value, patient.consent_state) == (result, state)
    assert UploadJob.objects.latest("pk").kind == ("WITHDRAWAL" if result == "CHANGED" else "UPLOAD")


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow(practice, gp, django_assert_max_num_queries):
    patients = [make_patient(practice) for _ in range(30)]
    with django_assert_max_num_queries(16):
        record(patients, [(Preference.EXPRESS_CORE, TODAY)] * 30, gp, NOW)
