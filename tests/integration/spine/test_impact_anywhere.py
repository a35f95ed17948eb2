"""Whatever positions stand and whatever others would: counted by groups as patient by patient."""

import datetime
import itertools
import random
import uuid
from collections import Counter
from dataclasses import fields, replace

import pytest
from django.db import transaction
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.positions import DataScope, GpStance, Position, Stance
from boycott.rules import Revision, standing
from carerecords.models import Cause, JobKind, JobState, Patient, UploadJob
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from carerecords.permissions import Role
from consent.codes import ConsentState
from spine.facts import load_batch, load_nation
from spine.gate import Kind, Outcome, Scope, decide
from spine.models import StoreCopy
from spine.policy.effects import Effect
from spine.policy.impact import impact_of
from tests.factories import make_patient, make_practice, make_user
from tests.policy_factories import answer, rival_position

pytestmark = pytest.mark.django_db

LINES = [uuid.UUID(int=number) for number in (1, 2, 3)]
DAY = datetime.timedelta(days=1)
PLACES = [("Y58", "QVV"), ("Y58", "QOX"), ("Y63", "QOQ")]
# Days from now: in force, over, still to come.
PERIODS = [(-9, None), (-5, None), (-5, 9), (-9, -1), (5, None)]
CASES = 40
CODES = [f"QZ{number:04}" for number in range(6)]


def some_positions(rng):
    """Up to three revisions, as fields: most in force, most of them boycotts, of any scope."""
    return [
        {
            "line": rng.choice(LINES),
            "position": rng.choice([Position.NON_COOPERATION, *Position]),
            "data_scope": rng.choice(list(DataScope)),
            "period": rng.choice(PERIODS),
            "region_codes": _some(rng, ["Y58", "Y63"]),
            "icb_codes": _some(rng, ["QVV", "QOQ"]),
            "ods_codes": _some(rng, CODES),
            "exempt_ods_codes": _some(rng, CODES),
        }
        for _ in range(rng.randint(0, 3))
    ]


def _some(rng, codes):
    return rng.sample(codes, rng.choice([0, 0, 0, 1, 2]))


@pytest.fixture
def country():
    """Six practices of three places and all answers, their patients of every kind that the gate tells apart."""
    states = [ConsentState.EXPRESS_CORE, ConsentState.EXPRESS_ADDITIONAL, ConsentState.EXPRESS_DISSENT]
    # Of lengths without a common factor, so that everything meets everything.
    jobs = itertools.cycle([None, None, JobState.WAITING, JobState.HELD, JobState.SENDING, JobState.IN_DOUBT])
    copies = itertools.cycle([None, "Ask", "No", "", "Yes", "Ask", "Ask"])
    kinds = [{}, {}, {}, {"is_sensitive": True}, {"identity": Patient.Identity.UNVERIFIED}]
    for code, stance, (region, icb) in zip(CODES, [None, None, *Stance, None], PLACES * 2, strict=True):
        live = None if code == CODES[-1] else datetime.date(2020, 1, 6)
        practice = make_practice(ods_code=code, region_code=region, icb_code=icb, goes_live_on=live)
        if stance:
            answer(practice, stance)
        holder = make_user(Role.GP, practice)
        set_gp_stance(gp=holder, practice=practice, stance=GpStance.HOLD, at=timezone.now())
        for gp, state, other in itertools.product([None, holder], states, kinds):
            patient = make_patient(practice, usual_gp=gp, consent_state=state, **other)
            _under_way(patient, next(jobs), next(copies))


def _under_way(patient, state, permission):
    """A job of the patient's in this state, and a copy at the store with this permission; None: neither."""
    now = timezone.now()
    if state:
        lease = now if state is JobState.SENDING else None
        asked = {"kind": JobKind.UPLOAD, "cause": Cause.UPDATE, "requested_at": now, "due_at": now}
        UploadJob.objects.create(
            patient=patient, practice=patient.practice, state=state, lease_until=lease, **asked
        )
    if permission is not None:
        StoreCopy.objects.create(patient=patient, permission=permission, accepted_at=now)


def test_by_groups_as_one_by_one(country):
    rng, seen = random.Random(2007), Effect()
    for _ in range(CASES):
        before, after = some_positions(rng), some_positions(rng)
        with transaction.atomic():
            seen += _compared(before, after)
            transaction.set_rollback(True)
    # So that nothing was compared in vain.
    assert all(getattr(seen, each.name) > 0 for each in fields(Effect)), seen


def _compared(before, after):
    for number, said in enumerate(before, 1):
        begins, ends = _moments(said)
        rest = {name: value for name, value in said.items() if name != "period"}
        rival_position(number=number, effective_from=begins, effective_to=ends, **rest)
    then = standing(_revision(number, said) for number, said in enumerate(after, 1))
    at = timezone.now()
    impact = impact_of(then, at)
    told = {one.practice.place.ods_code: one.effect for one in impact.by_practice}
    observed = _one_by_one(then, at)
    assert told == {code: effect for code, effect in observed.items() if effect.changed}, (before, after)
    assert sum((one.effect for one in impact.regions), Effect()) == impact.effect
    assert sum((one.effect for one in impact.answers), Effect()) == impact.effect
    assert sum(one.practices for one in impact.regions) + impact.elsewhere == len(CODES)
    return impact.effect


def _moments(said):
    now, (begins, ends) = timezone.now(), said["period"]
    return now + begins * DAY, None if ends is None else now + ends * DAY


def _revision(number, said):
    begins, ends = _moments(said)
    names = ("region_codes", "icb_codes", "ods_codes", "exempt_ods_codes")
    return Revision(
        id=number,
        line=said["line"],
        number=number,
        position=said["position"],
        data_scope=said["data_scope"],
        effective_from=begins,
        effective_to=ends,
        made_at=timezone.now() - 10 * DAY,
        **{name: frozenset(said[name]) for name in names},
    )


def _one_by_one(then, at):
    """The gate asked about each patient, with the facts that sending loads: {practice: effect}."""
    nation = load_nation(at)
    patients = Patient.objects.filter(consent_state__in=["EXPRESS_CORE", "EXPRESS_ADDITIONAL"])
    asked = dict.fromkeys(patients.values_list("pk", flat=True), (Kind.UPLOAD, False))
    now, later = load_batch(asked, nation), load_batch(asked, replace(nation, revisions=tuple(then)))
    found = {}
    for patient in patients.select_related("practice", "store_copy").prefetch_related("upload_jobs"):
        was, will_be = decide(now[patient.pk].facts), decide(later[patient.pk].facts)
        counts = found.setdefault(patient.practice.ods_code, Counter())
        counts["patients"] += 1
        counts.update(_changes(patient, was, will_be))
    return {code: Effect(**counts) for code, counts in found.items()}


def _changes(patient, was, will_be):
    goes, will_go = was.outcome is Outcome.SEND, will_be.outcome is Outcome.SEND
    states = {job.state for job in patient.upload_jobs.all()}
    waits = bool(states & set(OPEN_STATES))
    if goes and not will_go:
        yield "stop"
        yield from ["held"] * waits
        yield from ["in_flight"] * bool(states & set(BUSY_STATES))
        yield from ["copies"] * hasattr(patient, "store_copy")
    elif will_go and not goes:
        yield "start"
        yield from ["released"] * waits
    elif was.scope is not will_be.scope and goes:
        yield "shrink" if will_be.scope is Scope.CORE else "widen"
