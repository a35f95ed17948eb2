"""The same answer one by one, by batch and by group, on random populations."""

import contextlib
import datetime

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boycott.actions import set_gp_stance
from boycott.positions import GpStance, Stance
from carerecords.models import Patient, Practice
from carerecords.permissions import Role
from consent.actions import DecisionRefused
from consent.codes import Preference
from spine.fact_groups import Verdicts, groups, homes, side_of
from spine.facts import load_batch, load_nation, load_one
from spine.gate import Kind, decide
from tests import factories
from tests.policy_factories import answer, start_boycott

TODAY = timezone.localdate()
DAYS = st.sampled_from(
    [None, TODAY - datetime.timedelta(days=40), TODAY, TODAY + datetime.timedelta(days=40)]
)
PEOPLE = st.fixed_dictionaries(
    {
        "practice": st.integers(0, 1),
        "preference": st.sampled_from([None, *Preference]),
        "is_sensitive": st.booleans(),
        "identity": st.sampled_from(Patient.Identity.values),
        "usual_gp": st.integers(0, 1),
        "left_on": DAYS,
        "died_on": DAYS,
        "letter_sent_on": DAYS,
    }
)


@pytest.mark.django_db
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    people=st.lists(PEOPLE, min_size=1, max_size=8),
    answers=st.tuples(*[st.sampled_from([None, *Stance])] * 2),
    boycott=st.booleans(),
    live=st.tuples(DAYS, DAYS),
)
def test_one_by_one_by_batch_and_by_group(db, people, answers, boycott, live):
    # Each population is gone before the next: the nation's position is one for all.
    with transaction.atomic():
        _populate(people, answers, boycott, live)
        _compare(len(people))
        transaction.set_rollback(True)


def _compare(number):
    at = timezone.now()
    patients = list(Patient.objects.order_by("-pk")[:number])
    nation = load_nation(at)

    singly = {each.pk: decide(load_one(each, at).facts) for each in patients}
    batch = load_batch({each.pk: (Kind.UPLOAD, False) for each in patients}, nation)
    assert singly == {pk: decide(loaded.facts) for pk, loaded in batch.items()}

    counted, verdicts, where = {}, Verdicts(nation), homes(Practice.objects.all(), nation.today)
    for group in groups(Patient.objects.filter(pk__in=singly), nation):
        decision = verdicts.of(group.own, side_of(where[group.home_id], nation, nation.revisions))
        counted[decision] = counted.get(decision, 0) + group.patients
    answered = list(singly.values())
    assert counted == {decision: answered.count(decision) for decision in answered}


def _populate(people, answers, boycott, live):
    practices = [factories.make_practice(goes_live_on=day) for day in live]
    gps = []
    for practice, stance in zip(practices, answers, strict=True):
        holder, other = factories.make_user(Role.GP, practice), factories.make_user(Role.GP, practice)
        set_gp_stance(gp=holder, practice=practice, stance=GpStance.HOLD, at=timezone.now())
        gps.append([holder, other])
        if stance:
            answer(practice, stance)
    if boycott:
        start_boycott()
    for person in people:
        fields = dict(person)
        where, preference = fields.pop("practice"), fields.pop("preference")
        gp = gps[where][fields.pop("usual_gp")]
        patient = factories.make_patient(practices[where], usual_gp=gp, **fields)
        if preference:
            with contextlib.suppress(DecisionRefused):
                factories.decide(patient, preference, by=gp)
