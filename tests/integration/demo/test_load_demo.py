"""The demo at a hundredth of its size: whole, lawful, repeatable, and never in production."""

import datetime
import io
import os
import subprocess
import sys

import nhs_number
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from rest_framework.authtoken.models import Token

from boycott.models import Survey
from boycott.surveys.queries import results_of, standing_of, turnout, waiting_for
from boycott.surveys.vocabulary import Kind, SurveyState
from carerecords.models import JobKind, JobState, Patient, Practice, Registration, UploadJob, User
from carerecords.permissions import Permission, Role
from consent import rules
from consent.codes import ConsentState, EventKind, Preference, Source
from consent.models import ConsentEvent
from consent.queries import events_of
from demo import load as loading
from demo.accounts import ACCOUNTS, API_TOKEN, PASSWORD
from demo.load import load
from demo.places import PLACES
from tests.factories import make_patient
from tests.kept_rows import kept_rows

pytestmark = pytest.mark.django_db

AT = datetime.datetime(2026, 11, 23, 10, tzinfo=datetime.UTC)
SCALE = 0.02


def run(**options):
    return load(**{"at": AT, "say": lambda text: None, "scale": SCALE} | options)


def summary():
    columns = ["nhs_number", "public_id", "given_name", "family_name", "born_on", "consent_state"]
    return list(Patient.objects.order_by("nhs_number").values_list(*columns))


@pytest.fixture(scope="class")
def loaded(django_db_setup, django_db_blocker):
    yield from kept_rows(django_db_blocker, run)


@pytest.fixture(scope="class")
def a_tenth(django_db_setup, django_db_blocker):
    yield from kept_rows(django_db_blocker, lambda: run(scale=0.1))


@pytest.mark.usefixtures("loaded")
class TestLoaded:
    def test_the_lists_have_their_true_sizes(self):
        for place in PLACES:
            practice = Practice.objects.get(ods_code=place.ods_code)
            assert practice.status == Practice.Status.ACTIVE
            assert practice.goes_live_on < AT.date()
            assert practice.patients.count() == round(practice.list_size * SCALE)
        sizes = [Practice.objects.get(ods_code=place.ods_code).list_size for place in PLACES]
        assert 24_000 < sum(sizes) < 26_000
        assert len({Practice.objects.get(ods_code=place.ods_code).region_code for place in PLACES}) == 3
        assert Practice.objects.filter(goes_live_on__isnull=False).count() == len(PLACES)
        assert Practice.objects.count() == 6_658

    def test_derived_columns_are_what_the_rule_says(self):
        for patient in Patient.objects.all():
            derived = rules.state_from(events_of(patient), AT.date())
            assert patient.consent_state == derived.state
            assert patient.consent_changes_on == derived.changes_on
            event = ConsentEvent.objects.get(pk=derived.event.sequence) if derived.event else None
            assert patient.consent_event_id == (event.pk if event else None)
            assert patient.consent_decided_on == (event.decided_on if event else None)
            assert patient.consent_source == (event.source if event else "")

    def test_those_who_consent_have_one_open_upload_and_nobody_else(self):
        asked = set(UploadJob.objects.values_list("patient_id", flat=True))
        consenting = {
            patient.pk
            for patient in Patient.objects.all()
            if rules.permits_upload(ConsentState(patient.consent_state))
        }
        assert asked == consenting
        jobs = UploadJob.objects.all()
        assert {(job.kind, job.state, job.cause) for job in jobs} == {
            (JobKind.UPLOAD, JobState.WAITING, "DEMO")
        }
        assert all(AT <= job.due_at <= AT + datetime.timedelta(minutes=15) for job in jobs)

    def test_a_second_run_changes_nothing(self, loaded):
        assert loaded.patients
        before = summary()
        assert not run().patients
        assert summary() == before

    def test_the_days_are_those_of_the_moment_given(self):
        newest = ConsentEvent.objects.order_by("-recorded_at").first().recorded_at
        assert timezone.localdate(AT) - newest.date() < datetime.timedelta(days=7)

    def test_a_survey_of_2007_and_an_open_ballot(self):
        survey = Survey.objects.get(kind=Kind.SURVEY)
        found = results_of(standing_of(survey, AT))
        assert [share.count for share in found.tally.shares] == [75, 18, 7]
        ballot = Survey.objects.get(kind=Kind.BALLOT)
        assert standing_of(ballot, AT).state is SurveyState.OPEN and turnout(ballot).answered == 40
        gps = User.objects.filter(email__in=["gp@demo.example", "gp2@demo.example"])
        assert all(waiting_for(gp, Kind.BALLOT, AT).exists() for gp in gps)


@pytest.mark.usefixtures("a_tenth")
class TestATenth:
    """Enough patients to count shares, and to meet what is rare."""

    def test_shares_are_realistic(self):
        for place in PLACES:
            states = list(
                Patient.objects.filter(practice__ods_code=place.ods_code).values_list(
                    "consent_state", flat=True
                )
            )
            shares = {state: states.count(state) / len(states) for state in ConsentState}
            assert shares[ConsentState.EXPRESS_DISSENT] == pytest.approx(place.dissent, abs=0.002)
            assert shares[ConsentState.EXPRESS_CORE] == pytest.approx(place.core, abs=0.002)
            assert shares[ConsentState.EXPRESS_ADDITIONAL] == pytest.approx(place.additional, abs=0.002)
            assert shares[ConsentState.CONFLICT] > 0
        dissent = Patient.objects.filter(consent_state=ConsentState.EXPRESS_DISSENT).count()
        assert dissent / Patient.objects.count() == pytest.approx(0.012, abs=0.001)

    def test_events_keep_the_rules_of_recording(self):
        events = ConsentEvent.objects.select_related(
            "patient", "recorded_by", "reverses", "supersedes", "practice"
        )
        for event in events.order_by("pk"):
            role = Role(event.recorded_by.assignments.get(practice=event.practice).role)
            assert event.recorded_at <= AT and event.recorded_at.date().weekday() < 5
            if event.kind == EventKind.REVERSAL.value:
                assert event.reverses.recorded_at < event.recorded_at
                assert event.reverses.recorded_by == event.recorded_by
                continue
            assert event.patient.registered_on <= event.decided_on <= event.recorded_at.date()
            assert _needed(event) in role.rule.permissions
            if event.supersedes:
                assert event.supersedes.recorded_at < event.recorded_at
                assert event.supersedes.decided_on <= event.decided_on
        assert events.filter(kind=EventKind.REVERSAL.value).exists()
        assert events.filter(supersedes__isnull=False).exists()
        parents = events.filter(patient__born_on__gt=AT.date() - datetime.timedelta(days=15 * 365))
        alone = parents.exclude(source__in=[Source.REPRESENTATIVE, Source.FORM, ""])
        assert parents.exists() and not alone.exists()


def _needed(event):
    if event.preference == Preference.EXPRESS_ADDITIONAL:
        return Permission.RECORD_CONSENT_ADDITIONAL
    if event.preference == Preference.EXPRESS_CORE:
        return Permission.RECORD_CONSENT if event.reference else Permission.RECORD_CONSENT_WITHOUT_REFERENCE
    return Permission.RECORD_REFUSAL


def test_every_patient_is_lawful():
    run(scale=0.005)
    for patient in Patient.objects.select_related("usual_gp"):
        assert nhs_number.is_valid(patient.nhs_number) and patient.nhs_number.startswith("999")
        patient.full_clean(exclude=["preferred_name"])
        assert patient.usual_gp.assignments.filter(role=Role.GP, practice=patient.practice).exists()
    assert Registration.objects.count() == Patient.objects.count()


def test_the_same_seed_makes_the_same_demo():
    made = []
    for seed in (7, 7, 8):
        with pytest.raises(_TakeBack):
            _load_and_take_back(seed, made)
    assert made[0] == made[1] != made[2]


class _TakeBack(Exception):
    pass


def _load_and_take_back(seed, made):
    with transaction.atomic():
        run(seed=seed)
        made.append(summary())
        raise _TakeBack


def test_a_run_that_dies_leaves_nothing(monkeypatch):
    def die(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "_go_live", die)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not User.objects.exists() and not Patient.objects.exists() and not Practice.objects.exists()


def test_it_is_never_mixed_with_other_patients():
    make_patient()
    with pytest.raises(CommandError, match="There are patients already"):
        call_command("load_demo", scale=SCALE)


@pytest.mark.parametrize("command", ["load_demo", "demo_logins"])
def test_production_refuses(command, settings):
    settings.CARE_ENV = "production"
    with pytest.raises(CommandError, match="CARE_ENV is production"):
        call_command(command)
    assert not User.objects.exists() and not Practice.objects.exists()


def test_production_does_not_even_know_the_commands():
    answer = subprocess.run(
        [sys.executable, "-c", "from config import settings; print('demo' in settings.INSTALLED_APPS)"],
        env=os.environ | {"CARE_ENV": "production", "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "care.example"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize("scale", ["0", "-1", "1.5"])
def test_a_scale_out_of_range_is_refused(scale):
    with pytest.raises(CommandError, match="--scale"):
        call_command("load_demo", "--scale", scale)


def test_every_account_can_log_in_and_is_listed():
    out = io.StringIO()
    call_command("load_demo", "--scale", "0.01", stdout=out)
    call_command("load_demo", "--scale", "0.01", stdout=out)
    call_command("demo_logins", stdout=out)
    text = out.getvalue()
    assert "Loading 88 patients of Orchid House Surgery" in text
    assert "The demo is there already" in text
    assert {account.role for account in ACCOUNTS} == set(Role)
    for account in ACCOUNTS:
        user = User.objects.get(email=account.email)
        assert user.check_password(PASSWORD)
        assert user.assignments.get().role == account.role
        assert account.email in text
    assert PASSWORD in text and API_TOKEN in text
    assert Token.objects.get(key=API_TOKEN).user.email == "api@demo.example"
    others = User.objects.exclude(email__in=[account.email for account in ACCOUNTS])
    assert others and not any(user.has_usable_password() for user in others)
    gps = User.objects.filter(assignments__role=Role.GP)
    assert all(len(gp.gmc_number) == 7 and gp.gmc_number.isdigit() for gp in gps)


def test_logins_ask_for_the_demo_first():
    with pytest.raises(CommandError, match=r"Run manage\.py load_demo first"):
        call_command("demo_logins")
