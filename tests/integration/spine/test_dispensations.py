"""Dispensations: two people free named practices from a position, the gate obeys, and one binds them again."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.dispensations import actions
from boycott.dispensations.reading import standing_of
from boycott.dispensations.vocabulary import State
from boycott.models import Dispensation, DispensationStep
from boycott.queries import standing_revisions
from carerecords.confirmation import Confirmation, NotConfirmed
from carerecords.fence import NATIONAL
from carerecords.models import FactClock, RoleAssignment
from carerecords.permissions import NotPermitted, Role
from spine.facts import load_batch, load_nation, load_one
from spine.gate import Kind, Outcome, decide
from spine.policy.impact import impact_of
from spine.uploads.explain import explain_as_of
from tests.factories import decide as record
from tests.factories import make_patient, make_practice, make_user
from tests.logging_in import log_in_now
from tests.policy_factories import (
    COMMENT,
    agree_to,
    answer,
    end_boycott,
    make_dispensation,
    start_boycott,
)

pytestmark = pytest.mark.django_db
DAY, LIST = datetime.timedelta(days=1), "/policy/dispensations/"
REASON = "They take part in the evaluation itself."


@pytest.fixture
def boycott(practice):
    return start_boycott().revision


@pytest.fixture
def consenting(practice, gp):
    patient = make_patient(practice, usual_gp=gp)
    record(patient)
    return patient


def outcome(patient, at=None):
    return decide(load_one(patient, at or timezone.now()).facts).outcome


def state(dispensation, at=None):
    return standing_of(dispensation.public_id, at or timezone.now()).state


def rows():
    return Dispensation.objects.count(), DispensationStep.objects.count(), number_of(NATIONAL)


def number_of(scope):
    return FactClock.objects.filter(scope=scope).values_list("number", flat=True).first()


def refused(field, call, **given):
    before = rows()
    with pytest.raises(ChangeRefused) as refusal:
        call(**given)
    assert refusal.value.field == field and rows() == before
    return str(refusal.value)


class TestTheGate:
    def test_two_free_a_practice_and_one_binds_it_again(self, boycott, practice, consenting):
        other = make_patient(make_practice())
        record(other)
        asked = make_dispensation([practice], boycott)
        assert outcome(consenting) is Outcome.HOLD and state(asked) is State.ASKED
        agree_to(asked)
        assert outcome(consenting) is Outcome.SEND and outcome(other) is Outcome.HOLD
        loaded = load_one(consenting, timezone.now())
        assert loaded.evidence["dispensations"] == [asked.pk] and loaded.evidence["positions"] == []
        by = make_user(Role.POLICY_ADMIN)
        actions.end(dispensation=asked, comment="The evaluation is over.", by=by, at=timezone.now())
        assert outcome(consenting) is Outcome.HOLD and state(asked) is State.ENDED

    def test_what_others_hold_stays_held(self, boycott, practice, consenting):
        make_dispensation([practice], boycott, agreed=True)
        answer(practice, "HOLD")
        assert outcome(consenting) is Outcome.HOLD

    def test_it_starts_and_is_over_by_the_calendar_alone(self, boycott, practice, consenting):
        now = timezone.now()
        make_dispensation([practice], boycott, agreed=True, starts_at=now + 2 * DAY, ends_at=now + 5 * DAY)
        days = [outcome(consenting, now + day * DAY) for day in (1, 3, 6)]
        assert days == [Outcome.HOLD, Outcome.SEND, Outcome.HOLD]
        assert load_one(consenting, now).changes_at == now + 2 * DAY
        assert load_one(consenting, now + 3 * DAY).changes_at == now + 5 * DAY

    def test_a_position_that_is_revised_binds_again(self, boycott, practice, consenting):
        asked = make_dispensation([practice], boycott, agreed=True)
        start_boycott(strength="INSTRUCTION")
        assert outcome(consenting) is Outcome.HOLD and state(asked) is State.LAPSED

    def test_why_on_that_day(self, boycott, practice, consenting):
        began = timezone.now()
        asked = make_dispensation([practice], boycott, agreed=True, at=began)
        ended = began + 3 * DAY
        by = make_user(Role.POLICY_ADMIN)
        actions.end(dispensation=asked, comment="The evaluation is over.", by=by, at=ended)
        assert outcome(consenting, began + DAY) is Outcome.HOLD, (
            "What was ended counts no more, by any clock."
        )
        answers = [explain_as_of(consenting, at, at)[0].outcome for at in (began + DAY, ended + DAY)]
        assert answers == [Outcome.SEND, Outcome.HOLD]
        assert explain_as_of(consenting, began + DAY, ended + DAY)[0].outcome is Outcome.SEND

    def test_predicted_is_what_happens(self, client, boycott, practice, consenting):
        """The page counts by groups before; the gate answers one by one after."""
        for _ in range(3):
            record(make_patient(practice))
            record(make_patient(make_practice()))
        asked = make_dispensation([practice], boycott)
        client.force_login(make_user(Role.NATIONAL_ADMIN))
        page = client.get(f"{LIST}{asked.public_id}/").content.decode()
        assert "Uploads would start for 4 patients with consent." in page
        without = standing_revisions()
        agree_to(asked)
        patients = {one.pk: (Kind.UPLOAD, False) for one in type(consenting).objects.all()}
        loaded = load_batch(patients, load_nation(timezone.now())).values()
        assert sum(decide(one.facts).outcome is Outcome.SEND for one in loaded) == 4
        assert impact_of(without, timezone.now()).effect.stop == 4

    def test_only_its_practices_are_asked_again(self, boycott, practice, consenting):
        other, nation = make_practice(), number_of(NATIONAL)
        make_dispensation([practice], boycott, agreed=True)
        assert number_of(practice.pk) > nation and number_of(NATIONAL) == nation
        assert number_of(other.pk) is None

    def test_no_query_more(self, boycott, practice, consenting, django_assert_num_queries):
        for _ in range(3):
            make_dispensation([practice, make_practice()], boycott, agreed=True)
        with django_assert_num_queries(1):
            [revision] = standing_revisions()
        assert len(revision.releases) == 3


class TestFourEyes:
    def test_never_ones_own_in_whatever_role(self, boycott, practice, policy_admin):
        asked = make_dispensation([practice], boycott, policy_admin)
        for call in (
            agree_to,
            lambda d, by: actions.refuse(dispensation=d, comment="No", by=by, at=timezone.now()),
        ):
            with pytest.raises(ChangeRefused) as refusal:
                call(asked, by=policy_admin)
            assert refusal.value.field == "own"
        assert not DispensationStep.objects.exists()

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.POLICY_ADMIN, Role.NATIONAL_ADMIN}), ids=str)
    def test_who_may_not(self, boycott, practice, role):
        asked, user, at = make_dispensation([practice], boycott), make_user(role), timezone.now()
        given = {"dispensation": asked, "comment": "No", "by": user, "at": at}
        for call in (actions.refuse, actions.take_back, actions.end):
            with pytest.raises(NotPermitted):
                call(**given)
        with pytest.raises(NotPermitted):
            actions.agree(confirmed=Confirmation(user.pk, at), **given)
        with pytest.raises(NotPermitted):
            make_dispensation([practice], boycott, user)
        assert not DispensationStep.objects.exists() and Dispensation.objects.count() == 1

    def test_a_fresh_proof_of_the_person(self, boycott, practice, national_admin):
        asked, at = make_dispensation([practice], boycott), timezone.now()
        old = Confirmation(national_admin.pk, at - datetime.timedelta(minutes=6))
        for confirmed in (None, old, Confirmation(asked.made_by_id, at)):
            with pytest.raises(NotConfirmed):
                agree_to(asked, national_admin, at, confirmed=confirmed)
        assert not DispensationStep.objects.exists()

    def test_it_is_decided_once(self, boycott, practice):
        asked = make_dispensation([practice], boycott)
        other = make_user(Role.NATIONAL_ADMIN)
        actions.refuse(dispensation=asked, comment="Not now", by=other, at=timezone.now())
        assert "refused" in refused("state", agree_to, dispensation=asked)
        by = asked.made_by
        for call in (actions.take_back, actions.end):
            refused("state", call, dispensation=asked, comment="No", by=by, at=timezone.now())

    def test_on_facts_that_are_gone_nobody_agrees(self, boycott, practice):
        asked = make_dispensation([practice], boycott)
        RoleAssignment.objects.filter(user=asked.made_by).update(ends_at=timezone.now())
        assert "left that role" in refused("state", agree_to, dispensation=asked)
        again = make_dispensation([practice], boycott)
        end_boycott()
        assert "was changed since" in refused("state", agree_to, dispensation=again)
        late = timezone.now() + 40 * DAY
        assert "over" in refused("state", agree_to, dispensation=again, at=late)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ods_codes": []}, "ods_codes"),
        ({"ods_codes": ["Z99999"]}, "ods_codes"),
        ({"ods_codes": ["ELSEWHERE"]}, "ods_codes"),
        ({"revision": 0}, "revision"),
        ({"reason": "Short"}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"ends_at": datetime.datetime(2020, 1, 6, tzinfo=datetime.UTC)}, "ends_at"),
    ],
    ids=str,
)
def test_what_nobody_may_ask(practice, policy_admin, fields, field):
    boycott = start_boycott(region_codes=frozenset({practice.region_code})).revision
    elsewhere = make_practice(region_code="Y99")
    if fields.get("ods_codes") == ["ELSEWHERE"]:
        fields = {"ods_codes": [elsewhere.ods_code]}
    now = timezone.now()
    given = {
        "revision": boycott.pk,
        "ods_codes": [practice.ods_code],
        "starts_at": now,
        "ends_at": now + DAY,
        "reason": REASON,
    }
    refused(field, actions.ask, **given | fields, by=policy_admin, at=now)


def test_co_operation_holds_nobody(practice, policy_admin):
    start_boycott()
    ended = end_boycott().revision
    assert "holds no upload" in refused("revision", make_dispensation, practices=[practice], revision=ended)


def test_programs_read_who_is_released(client, boycott, practice, gp, stranger, policy_admin):
    asked = make_dispensation([practice], boycott, agreed=True)
    make_dispensation([practice], boycott)
    for user, seen in ((gp, [str(asked.public_id)]), (policy_admin, [str(asked.public_id)]), (stranger, [])):
        client.force_login(user)
        body = client.get("/api/v1/policy/").json()
        assert [one["id"] for one in body["dispensations"]] == seen
        assert bool(body["in_force"]) is (user != gp)


class TestPages:
    def test_from_asking_to_ending(self, client, boycott, practice, consenting, policy_admin, gp):
        client.force_login(policy_admin)
        last = timezone.localdate() + 9 * DAY
        given = {
            "revision": str(boycott.pk),
            "ods_codes": f"{practice.ods_code.lower()},",
            "last_day_day": str(last.day),
            "last_day_month": str(last.month),
            "last_day_year": str(last.year),
            "reason": REASON,
        }
        page = client.post(f"{LIST}new/", given, follow=True).content.decode()
        asked = Dispensation.objects.get()
        assert "somebody else must agree" in page and "Agree: release" not in page
        assert asked.ods_codes == [practice.ods_code] and asked.ends_at > timezone.now() + 9 * DAY
        other, one = make_user(Role.POLICY_ADMIN), f"{LIST}{asked.public_id}/"
        client.force_login(other)
        kept = client.post(one, {"do": "agree", "comment": "They were asked to by us"})
        assert kept.url.startswith("/account/confirm/") and not DispensationStep.objects.exists()
        log_in_now(client, other)
        page = client.post(one, {"do": "agree", "comment": ""}).content.decode()
        assert "Enter a reason" in page and "<title>Error: " in page
        page = client.post(one, {"do": "agree", "comment": COMMENT}, follow=True).content.decode()
        assert "The dispensation is agreed." in page and "In force" in page and "End it now" in page
        assert outcome(consenting) is Outcome.SEND
        again = client.post(one, {"do": "agree", "comment": COMMENT}).content.decode()
        assert (
            "This dispensation is in force, so it cannot be agreed" in again
            and DispensationStep.objects.count() == 1
        )
        assert practice.ods_code in client.get(LIST).content.decode()
        client.force_login(gp)
        page = client.get("/policy/").content.decode()
        assert "Your practice is released until the end of" in page and REASON in page
        assert "No BMA boycott in force." in page, "The strip says what holds for this practice."
        client.force_login(policy_admin)
        client.post(one, {"do": "end", "comment": "The evaluation is over"})
        assert state(asked) is State.ENDED and outcome(consenting) is Outcome.HOLD
        client.force_login(gp)
        page = client.get("/policy/").content.decode()
        assert "BMA boycott in force since" in page and "Your practice is released" not in page

    def test_what_is_wrong_is_told_at_once(self, client, boycott, policy_admin):
        client.force_login(policy_admin)
        page = client.post(f"{LIST}new/", {"reason": "Too short"}).content.decode()
        for words in (
            "Select the position that they are released from",
            "Enter the last day",
            "Enter the practices that are released",
            "Reason must be between 20 and 1,000 characters",
        ):
            assert words in page, words
        assert "Too short" in page and not Dispensation.objects.exists()

    def test_an_auditor_reads_and_does_nothing(self, client, boycott, practice, auditor):
        asked = make_dispensation([practice], boycott)
        client.force_login(auditor)
        one = f"{LIST}{asked.public_id}/"
        assert "Agree: release" not in client.get(one).content.decode()
        for does in ("agree", "refuse", "take_back", "end"):
            assert client.post(one, {"do": does, "comment": "No"}).status_code == 403
        assert not DispensationStep.objects.exists()

    def test_with_nothing_in_force_there_is_nothing_to_ask(self, client, policy_admin):
        client.force_login(policy_admin)
        assert "nothing to be released from" in client.get(f"{LIST}new/").content.decode()
