"""What silence means: proposed by one, approved by another, recorded practice by practice, reversible."""

import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from carerecords.models import FactClock, UploadJob
from carerecords.permissions import Role
from consent import bulk_runs, national_model, silence
from consent.actions import undo_decision
from consent.codes import BulkKind, ConsentModel, Preference, RunState, Source
from consent.models import BulkRun, ConsentEvent, ConsentModelProposal, ConsentModelRevision, PreferenceCode
from consent.national_model import ModelRefused
from consent.snomed import codes
from spine.facts import load_nation
from spine.policy.impact import uploads_allowed_under
from tests.factories import decide, make_patient, make_practice, make_user

pytestmark = pytest.mark.django_db
REASON = "Agreed with the profession in September."
PAGE = "/consent/model/"


@pytest.fixture
def other_admin(db):
    return make_user(Role.NATIONAL_ADMIN)


def now():
    return timezone.now()


def propose(by, model=ConsentModel.IMPLIED_CORE, weeks=12, at=None, reason=REASON):
    return national_model.propose(model=model, letter_weeks=weeks, reason=reason, by=by, at=at or now())


def make_implied(national_admin, other_admin, weeks=12):
    national_model.approve(proposal=propose(national_admin, weeks=weeks), by=other_admin, at=now())


def written_to(practice, weeks=13, **fields):
    return make_patient(
        practice, letter_sent_on=timezone.localdate() - datetime.timedelta(weeks=weeks), **fields
    )


# --- Proposed and approved ----------------------------------------------------------------------


def test_two_make_it_the_rule_from_today_and_held_jobs_are_asked_again(national_admin, other_admin):
    before = FactClock.objects.get(scope=0).number if FactClock.objects.filter(scope=0).exists() else 0
    make_implied(national_admin, other_admin, weeks=16)
    nation = load_nation(now())
    assert (nation.consent_model, nation.letter_weeks) == (ConsentModel.IMPLIED_CORE, 16)
    made = ConsentModelRevision.objects.get()
    assert (made.recorded_by, made.proposal.made_by, made.effective_from) == (
        other_admin,
        national_admin,
        timezone.localdate(),
    )
    assert FactClock.objects.get(scope=0).number > before


def test_nobody_approves_their_own_nor_what_was_replaced_nor_what_is_old(national_admin, other_admin):
    mine = propose(national_admin)
    with pytest.raises(ModelRefused, match="cannot approve your own"):
        national_model.approve(proposal=mine, by=national_admin, at=now())
    newer = propose(other_admin, weeks=16)
    with pytest.raises(ModelRefused, match="no longer open"):
        national_model.approve(proposal=mine, by=other_admin, at=now())
    late = now() + datetime.timedelta(days=8)
    with pytest.raises(ModelRefused, match="no longer open"):
        national_model.approve(proposal=newer, by=national_admin, at=late)
    national_model.approve(proposal=newer, by=national_admin, at=now())
    with pytest.raises(ModelRefused, match="no longer open"):
        national_model.approve(proposal=newer, by=national_admin, at=now())
    assert ConsentModelRevision.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"weeks": 0}, "letter_weeks"),
        ({"weeks": 105}, "letter_weeks"),
        ({"reason": " too short "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"model": ConsentModel.EXPLICIT}, "model"),
    ],
    ids=str,
)
def test_what_cannot_be_proposed(national_admin, fields, field):
    with pytest.raises(ModelRefused) as refused:
        propose(national_admin, **fields)
    assert refused.value.field == field and not ConsentModelProposal.objects.exists()


def test_the_page_keeps_what_was_typed_and_shows_the_effect_to_the_second(
    client, national_admin, other_admin, practice
):
    written_to(practice)
    decide(make_patient(practice), by=make_user(Role.GP, practice))
    client.force_login(national_admin)
    wrong = client.post(PAGE, {"model": "IMPLIED_CORE", "letter_weeks": "soon", "reason": "Because of it"})
    body = wrong.content.decode()
    assert "Weeks must be a whole number between 1 and 104" in body and 'value="soon"' in body
    assert "Because of it" in body and not ConsentModelProposal.objects.exists()
    client.post(PAGE, {"model": "IMPLIED_CORE", "letter_weeks": "12", "reason": REASON})
    proposal = ConsentModelProposal.objects.get()
    assert "Another national admin has to approve" in client.get(PAGE).content.decode()
    send = {"do": "approve", "proposal": str(proposal.public_id)}
    client.post(PAGE, send)
    assert not ConsentModelRevision.objects.exists(), "one's own"
    client.force_login(other_admin)
    body = client.get(PAGE).content.decode()
    assert "1 patient" in body and "2 patients" in body
    client.post(PAGE, send)
    assert ConsentModelRevision.objects.get().model == "IMPLIED_CORE"


@pytest.mark.parametrize("who", ["gp", "manager", "policy_admin", "auditor"])
def test_everybody_reads_it_and_nobody_else_changes_it(client, request, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(PAGE).status_code == 200
    assert (
        client.post(PAGE, {"model": "IMPLIED_CORE", "letter_weeks": "12", "reason": REASON}).status_code
        == 403
    )
    assert not ConsentModelProposal.objects.exists()


# --- Silence ------------------------------------------------------------------------------------


@pytest.fixture
def people(practice, gp):
    """Whoever is silent, and everybody who is not: by name, whether silence is recorded of them."""
    silent = {"Silent": written_to(practice), "Long silent": written_to(practice, weeks=200)}
    undecided = written_to(practice)
    decide(undecided, Preference.NONE, by=gp)
    refused = written_to(practice)
    decide(refused, Preference.EXPRESS_DISSENT, by=gp)
    undone = written_to(practice)
    undo_decision(event=decide(undone, by=gp).event, by=gp, at=now())
    others = {
        "Not written to": make_patient(practice),
        "Still has time": written_to(practice, weeks=11),
        "Asked, not decided": undecided,
        "Refused": refused,
        "Decided, and undone": undone,
        "Died": written_to(practice, died_on=timezone.localdate()),
        "Left": written_to(practice, left_on=timezone.localdate()),
        "Not live yet": written_to(make_practice(goes_live_on=None)),
    }
    return silent, others


def record():
    runs = silence.record_silence(now())
    for run in runs:
        bulk_runs.work(run.public_id, now)
    return runs


def test_where_express_consent_is_asked_for_silence_stays_silence(people):
    assert record() == [] and not ConsentEvent.objects.filter(preference="IMPLIED_CORE").exists()


def test_silence_is_recorded_counted_and_asked_of_the_queue(people, national_admin, other_admin, practice):
    make_implied(national_admin, other_admin)
    (run,) = record()
    run.refresh_from_db()
    silent, _ = people
    told = ConsentEvent.objects.filter(preference="IMPLIED_CORE")
    assert {event.patient_id for event in told} == {one.pk for one in silent.values()}
    assert {(event.source, event.recorded_by_id, event.run_id) for event in told} == {
        (Source.SILENCE.value, other_admin.pk, run.pk)
    }
    assert (run.kind, run.changed, run.practice) == (BulkKind.IMPLIED, told.count(), practice)
    jobs = UploadJob.objects.filter(patient__in=[one.pk for one in silent.values()], kind="UPLOAD")
    assert jobs.count() == 2
    # Nothing happens a second time.
    assert record() == [] and BulkRun.objects.count() == 1


@pytest.mark.parametrize(
    "who",
    [
        "Not written to",
        "Still has time",
        "Asked, not decided",
        "Refused",
        "Decided, and undone",
        "Died",
        "Left",
        "Not live yet",
    ],
)
def test_who_is_not_silent(people, national_admin, other_admin, who):
    make_implied(national_admin, other_admin)
    record()
    events = ConsentEvent.objects.filter(patient=people[1][who], preference="IMPLIED_CORE")
    assert not events.exists()


def test_it_can_be_taken_back_long_after_and_is_not_recorded_again(people, national_admin, other_admin, gp):
    make_implied(national_admin, other_admin)
    (run,) = record()
    silent, _ = people
    decide(silent["Silent"], Preference.EXPRESS_DISSENT, by=gp)
    run.refresh_from_db()
    year_later = now() + datetime.timedelta(days=365)
    assert bulk_runs.may_be_undone(run, year_later)
    bulk_runs.undo(run=run, by=other_admin, at=year_later)
    bulk_runs.work(run.public_id, lambda: year_later)
    run.refresh_from_db()
    assert run.state == RunState.UNDONE and run.kept == 1
    for name, state in (("Silent", "EXPRESS_DISSENT"), ("Long silent", "NONE")):
        silent[name].refresh_from_db()
        assert silent[name].consent_state == state
    assert record() == [] and BulkRun.objects.count() == 1


def test_the_gate_counts_the_silent_only_under_the_model(people, national_admin):
    at = now()
    asked = uploads_allowed_under(at)
    assert uploads_allowed_under(at, model=ConsentModel.IMPLIED_CORE) - asked >= 2
    assert uploads_allowed_under(at, model=ConsentModel.IMPLIED_CORE, letter_weeks=100) - asked == 1


# --- Codes --------------------------------------------------------------------------------------


def test_an_administrator_fills_in_a_code_and_corrects_it(national_admin):
    for number in ("196981000000101", "138875005"):
        call_command("set_snomed_code", "EXPRESS_DISSENT", number, by=national_admin.email, stdout=StringIO())
    assert PreferenceCode.objects.count() == 2
    known = {one.value: code.snomed_id for one, code in codes().items() if code}
    assert known == {"EXPRESS_DISSENT": "138875005"} and len(codes()) == 4


def test_a_wrong_code_is_not_stored(national_admin):
    with pytest.raises(CommandError, match="not one that can exist"):
        call_command("set_snomed_code", "EXPRESS_DISSENT", "138875006", by=national_admin.email)
    with pytest.raises(CommandError, match="Nobody"):
        call_command("set_snomed_code", "EXPRESS_DISSENT", "138875005", by="nobody@test.example")
    assert not PreferenceCode.objects.exists()


def test_proposals_only_grow(national_admin):
    propose(national_admin)
    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentModelProposal.objects.update(letter_weeks=1)
