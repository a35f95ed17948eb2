"""What the check page of a run foresees happens, of each kind of run: the same numbers, by the same reasons.

The forecast asks the gate once for each group of patients who are alike; the run asks it for every patient.
"""

import datetime
import random
from collections import Counter
from dataclasses import replace

import pytest
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.positions import GpStance, Stance
from carerecords.models import UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.facts import load_batch, load_nation
from spine.gate import Kind, Outcome, decide
from spine.models import StoreCopy
from spine.runs import actions
from spine.runs.asking import notice_asked
from spine.runs.codes import RunGroup, RunKind, RunState
from spine.runs.forecast import forecast
from spine.sending.outgoing import notice_hash
from tests import factories
from tests.factories import make_patient, make_practice, make_user
from tests.integration.spine.running import fed, make_run
from tests.policy_factories import answer

pytestmark = pytest.mark.django_db
PREFERENCES = [Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL, Preference.EXPRESS_DISSENT]
# What the store was last known to hold of a patient; None: we have sent nothing.
DAY = datetime.timedelta(days=1)
COPIES = [
    None,
    {"accepted_at": 100 * DAY},
    {"accepted_at": 100 * DAY},
    {"accepted_at": 2 * DAY},
    {"accepted_at": 9 * DAY, "is_blank": True},
    {"accepted_at": 9 * DAY, "content_hash": notice_hash("Not kept up to date.")},
    {"permission": "No"},
]
# Each kind of run, how it is made, and what its forecast has of these patients: so no row holds of nobody.
SOME = {
    RunKind.INITIAL: ({}, {"go", "held", "left_out"}),
    RunKind.UPDATE: ({"older": 30}, {"go", "held", "left_out"}),
    RunKind.MIGRATION: ({}, {"go", "removals", "held", "left_out"}),
    RunKind.LEAVERS: ({}, {"go", "held", "left_out"}),
    RunKind.ENDED: ({}, {"go", "held", "left_out"}),
}


@pytest.fixture
def people(practice, manager):
    """A practice where everything occurs that a run may meet, by chance."""
    dice = random.Random(150)
    gps = [make_user(Role.GP, practice) for _ in range(2)]
    set_gp_stance(gp=gps[0], practice=practice, stance=GpStance.HOLD, at=timezone.now())
    for _ in range(120):
        _person(dice, practice, gps)
    _person(dice, make_practice(), gps)


def _person(dice, practice, gps):
    today = timezone.localdate()
    patient = make_patient(
        practice,
        usual_gp=dice.choice(gps),
        identity=dice.choice(["VERIFIED", "VERIFIED", "UNVERIFIED"]),
        is_sensitive=dice.random() < 0.1,
    )
    if dice.random() < 0.8:
        factories.decide(patient, dice.choice(PREFERENCES), by=dice.choice(gps))
    if dice.random() < 0.8:
        UploadJob.objects.filter(patient=patient).delete()
    if copy := dice.choice(COPIES):
        at = {"accepted_at": timezone.now() - copy["accepted_at"]} if "accepted_at" in copy else {}
        StoreCopy.objects.create(patient=patient, **copy | at)
    if (fate := dice.random()) < 0.35:
        ended = {"died_on": today} if fate < 0.05 else {"left_on": today - dice.choice([0, 3]) * DAY}
        type(patient).objects.filter(pk=patient.pk).update(**ended)


def parts(foreseen):
    return {
        "go": foreseen.go,
        "removals": foreseen.removals,
        "held": foreseen.all_held,
        "left_out": foreseen.all_left_out,
    }


@pytest.mark.parametrize("kind", RunKind)
def test_what_is_foreseen_happens(practice, manager, people, kind):
    how, some = SOME[kind]
    if kind is RunKind.ENDED:
        answer(practice, Stance.HOLD, by=manager)
    for group in RunGroup:
        run = make_run(practice, kind, by=manager, group=group, **how)
        foreseen = forecast(run, timezone.now())
        if group is RunGroup.ALL:
            assert {name for name, number in parts(foreseen).items() if number} == some, parts(foreseen)
        actions.start(run, by=manager, at=timezone.now())
        fed(run)
        happened(run, kind, foreseen)
        if run.state == RunState.RUNNING:
            actions.cancel(run, by=manager, at=timezone.now())


def happened(run, kind, foreseen):
    """Whether the run listed and asked for what was foreseen, and would send and hold that of it."""
    assert run.rows.count() == foreseen.patients == sum(parts(foreseen).values())
    left_out = Counter(run.rows.exclude(why="").values_list("why", flat=True))
    assert left_out == {reason.code: number for reason, number in foreseen.left_out}
    jobs = list(UploadJob.objects.filter(sending_row__run=run))
    removals = [job for job in jobs if job.kind == Kind.WITHDRAWAL]
    assert len(removals) == foreseen.removals
    decided = decided_one_by_one(kind, [job for job in jobs if job not in removals])
    assert decided == Counter(dict(foreseen.held)) + Counter({Outcome.SEND: foreseen.go})


def decided_one_by_one(kind, jobs):
    """How many of the jobs the gate lets go, and how many it holds for which first reason."""
    asked = {job.patient_id: (Kind(job.kind), False) for job in jobs}
    decisions = [
        decide(replace(found.facts, notice=notice_asked(kind)))
        for found in load_batch(asked, load_nation(timezone.now())).values()
    ]
    assert Outcome.CANCEL not in {one.outcome for one in decisions}
    return Counter(Outcome.SEND if one.outcome is Outcome.SEND else one.reasons[0] for one in decisions)


def test_the_table_has_every_kind():
    assert set(SOME) == set(RunKind)
