"""What a change of policy is predicted to do is what the pipeline then does: jobs held, messages at the store.

Practices of two regions, one of each answer, with patients of every kind, and a change that goes through
writing, sending and approval. Observed is what reached a real store before it and after it.
"""

import pytest
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.dossier import dossier
from boycott.measured_change import revisions_as_if_now
from boycott.positions import DataScope, GpStance, Position, Stance
from carerecords.models import JobState, Patient, Practice, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.policy.effects import Effect
from spine.policy.impact import impact_of
from tests.factories import decide, make_item, make_patient, make_practice, make_user
from tests.localstore_process import fresh_nhs_number
from tests.policy_factories import answer, approve, start_boycott, submit

pytestmark = pytest.mark.django_db(transaction=True)

NORTH = {"region_code": "Y63", "region_name": "North East and Yorkshire", "icb_code": "QOQ"}
ADDITIONAL = {"data_scope": DataScope.ADDITIONAL_ONLY}
CASES = {
    "a boycott of all England": ([], {}),
    "additional information only": ([], ADDITIONAL),
    "one region": ([], {"region_codes": ["Y63"]}),
    "all but one practice": ([], {"exempt": Stance.FOLLOW}),
    "the end of a boycott": ([{}], {"position": Position.COOPERATE}),
    "from additional only to everything": ([ADDITIONAL], {}),
    "from everything to additional only": ([{}], ADDITIONAL),
    "explicit consent only": ([], {"position": Position.EXPLICIT_CONSENT_ONLY}),
}


@pytest.fixture
def country():
    """Practices of either region by their answers; one has not gone live."""
    practices = {}
    for stance in (Stance.FOLLOW, None, Stance.DO_NOT_FOLLOW, Stance.HOLD):
        practices[stance] = _filled(make_practice(), stance)
    _filled(make_practice(**NORTH), None)
    _filled(make_practice(**NORTH, goes_live_on=None), Stance.FOLLOW)
    return practices


def _filled(practice, stance):
    if stance:
        answer(practice, stance)
    gp, holder = make_user(Role.GP, practice), make_user(Role.GP, practice)
    set_gp_stance(gp=holder, practice=practice, stance=GpStance.HOLD, at=timezone.now())
    consents = [
        ({}, Preference.EXPRESS_CORE),
        ({}, Preference.EXPRESS_ADDITIONAL),
        ({"usual_gp": holder}, Preference.EXPRESS_CORE),
        ({"is_sensitive": True}, Preference.EXPRESS_CORE),
        ({"identity": Patient.Identity.UNVERIFIED}, Preference.EXPRESS_CORE),
        ({}, Preference.EXPRESS_DISSENT),
        ({}, None),
    ]
    for fields, preference in consents:
        patient = make_patient(practice, nhs_number=fresh_nhs_number(), **{"usual_gp": gp} | fields)
        make_item(patient)
        make_item(patient, kind="DIAGNOSIS", term="Asthma")
        if preference:
            decide(patient, preference, by=gp)
    return practice


@pytest.mark.parametrize("name", CASES)
def test_predicted_is_observed(name, country, sending):
    before, change = CASES[name]
    for fields in before:
        start_boycott(**fields)
    exempt = change.get("exempt")
    fields = {key: value for key, value in change.items() if key != "exempt"}
    if exempt:
        fields["exempt_ods_codes"] = [country[exempt].ods_code]
    first = _round(sending)
    _ask_all_again()
    sent, at = submit(**fields), timezone.now()
    impact = impact_of(revisions_as_if_now(dossier(sent.change), at), at)
    approve(sent)
    second = _round(sending)
    observed = {
        practice.ods_code: effect
        for practice in Practice.objects.all()
        if (effect := _observed(practice, first, second))
    }
    predicted = {one.practice.place.ods_code: _comparable(one.effect) for one in impact.by_practice}
    assert predicted == observed
    assert bool(observed) is (change.get("position") is not Position.EXPLICIT_CONSENT_ONLY)
    total = sum((one.effect for one in impact.by_practice), Effect())
    assert _comparable(total) == _comparable(impact.effect)
    by_region = sum((one.effect for one in impact.regions), Effect())
    assert by_region == impact.effect


def _round(sending):
    """{NHS number: whether additional information went} of what reaches the store now."""
    known = {line["composition_id"] for line in sending.ledger()}
    sending.all_due()
    return {
        line["nhs_number"]: "DiagnosesHeader" in line["section_codes"]
        for line in sending.ledger(outcome="accepted")
        if line["composition_id"] not in known
    }


def _ask_all_again():
    """Something new to send for everybody who decided, so that a job of theirs waits."""
    for patient in Patient.objects.filter(consent_event_id__isnull=False).order_by("pk"):
        make_item(patient, code="294505008", term="Allergy to amoxicillin")
        decide(patient, Preference(patient.consent_state), by=patient.usual_gp, seen=patient.consent_event_id)


def _observed(practice, first, second):
    """What became of this practice's patients, as the same figures; None where nothing changed."""
    numbers = dict(Patient.objects.of(practice).values_list("nhs_number", "pk"))
    went, goes = first.keys() & numbers.keys(), second.keys() & numbers.keys()
    stopped, both = went - goes, went & goes
    held = UploadJob.objects.filter(patient__nhs_number__in=stopped, state=JobState.HELD)
    out_of_date = Patient.objects.filter(
        nhs_number__in=stopped, store_copy__accepted_at__isnull=False, store_copy__is_blank=False
    )
    figures = (
        len(stopped),
        len(goes - went),
        sum(first[number] and not second[number] for number in both),
        sum(second[number] and not first[number] for number in both),
        held.count(),
        out_of_date.count(),
    )
    return figures if any(figures) else None


def _comparable(effect):
    return (effect.stop, effect.start, effect.shrink, effect.widen, effect.held, effect.copies)
