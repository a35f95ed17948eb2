"""What the check pages predict is what the gate then answers, patient by patient."""

import datetime
import uuid

import pytest
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.positions import DataScope, GpStance, Position, Stance
from boycott.queries import standing_revisions
from boycott.rules import Revision, with_change
from carerecords.models import Patient
from carerecords.permissions import Role
from consent.codes import Preference
from spine.facts import load_one
from spine.gate import Outcome
from spine.gate import decide as gate
from spine.policy.effects import Effect
from spine.policy.impact import impact_of, impact_of_gp_stance, impact_of_position, impact_of_stance
from tests.factories import decide, make_patient, make_practice, make_user
from tests.policy_factories import answer, end_boycott, rival_position, start_boycott

pytestmark = pytest.mark.django_db


@pytest.fixture
def country():
    """Four practices, one of each answer, each with patients of many kinds."""
    practices = {}
    for stance in (None, *Stance):
        practice = make_practice()
        practices[stance] = practice
        if stance:
            answer(practice, stance)
        gp, holder = make_user(Role.GP, practice), make_user(Role.GP, practice)
        set_gp_stance(gp=holder, practice=practice, stance=GpStance.HOLD, at=timezone.now())
        for fields in ({}, {"usual_gp": gp}, {"usual_gp": holder}, {"is_sensitive": True}):
            decide(make_patient(practice, **fields))
        decide(make_patient(practice), Preference.EXPRESS_ADDITIONAL)
        decide(make_patient(practice), Preference.EXPRESS_DISSENT)
        make_patient(practice)
        gone = make_patient(practice)
        decide(gone)
        Patient.objects.filter(pk=gone.pk).update(left_on=datetime.date(2026, 1, 5))
    return practices


def going():
    at = timezone.now()
    return {one.pk for one in Patient.objects.all() if gate(load_one(one, at).facts).outcome is Outcome.SEND}


def test_boycott_predicted_and_observed(country):
    before, impact = going(), impact_of_position(Position.NON_COOPERATION, timezone.now())
    start_boycott()
    after = going()
    assert impact.effect.stop == len(before - after) == 6
    assert impact.effect.start == len(after - before) == 0
    counted = {one.answer: (one.practices, one.effect.patients, one.effect.stop) for one in impact.answers}
    assert counted == {
        Stance.FOLLOW: (1, 5, 3),
        None: (1, 5, 3),
        Stance.DO_NOT_FOLLOW: (1, 5, 0),
        Stance.HOLD: (1, 5, 0),
    }
    assert impact.practices == 2
    assert (impact.effect.held, impact.effect.in_flight) == (6, 0)


def test_its_end_predicted_and_observed(country):
    start_boycott()
    before, impact = going(), impact_of_position(Position.COOPERATE, timezone.now())
    end_boycott()
    assert impact.effect.start == len(going() - before) == 6


@pytest.mark.parametrize("stance", list(Stance))
def test_a_practice_predicted_and_observed(country, stance):
    start_boycott()
    practice = country[None]
    before, effect = going(), impact_of_stance(practice, stance, timezone.now())
    answer(practice, stance)
    after = going()
    started = len(after - before)
    assert effect == Effect(patients=5, stop=len(before - after), start=started, released=started)
    assert effect.start == (3 if stance is Stance.DO_NOT_FOLLOW else 0)


def test_a_gp_predicted_and_observed(country):
    practice = country[Stance.DO_NOT_FOLLOW]
    gp = Patient.objects.filter(practice=practice, usual_gp__isnull=False).order_by("pk").first().usual_gp
    before, effect = going(), impact_of_gp_stance(gp, GpStance.HOLD, timezone.now())
    set_gp_stance(gp=gp, practice=practice, stance=GpStance.HOLD, at=timezone.now())
    assert effect == Effect(patients=1, stop=len(before - going()), held=1)
    assert effect.stop == 1


def test_any_revisions_predicted_and_observed(country):
    """Those of one practice, its neighbour's left alone: any scope, by the same count."""
    at = timezone.now()
    practice = country[Stance.FOLLOW]
    then = with_change(
        standing_revisions(),
        Revision(
            id=0,
            line=uuid.uuid4(),
            number=1,
            position=Position.NON_COOPERATION,
            data_scope=DataScope.ALL,
            effective_from=at,
            effective_to=None,
            made_at=at,
            ods_codes=frozenset({practice.ods_code}),
        ),
    )
    before, impact = going(), impact_of(then, at)
    rival_position(Position.NON_COOPERATION, ods_codes=[practice.ods_code])
    after = going()
    assert impact.effect.stop == len(before - after) == 3
    assert impact.effect.start == 0
    assert {one.answer: one.effect.stop for one in impact.answers if one.effect.stop} == {Stance.FOLLOW: 3}
