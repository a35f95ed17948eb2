"""The policy by API: the same four eyes as on the pages, and nothing by a token alone."""

import datetime
import uuid

import pytest
from axes.models import AccessAttempt
from django.utils import timezone
from jsonschema import Draft7Validator

from boycott.dossier import dossier
from boycott.models import ChangeContent, ChangeStep, Notice, PolicyChange, PositionRevision
from boycott.queries import NATIONAL_LINE, standing_revisions
from boycott.rules import in_force
from carerecords.models import AccessEvent
from carerecords.permissions import Role
from spine.models import StopRevision, StopStep
from spine.policy.stopping import stopping
from tests.factories import decide, make_patient, make_practice, make_user
from tests.integration.api.test_schema import nullable
from tests.logging_in import PASSWORD, give_password
from tests.policy_factories import (
    COMMENT,
    REASON,
    draft,
    make_motion,
    rival_position,
    start_boycott,
    submit,
    with_guidance,
)

pytestmark = pytest.mark.django_db
POLICY = "/api/v1/policy/"
CHANGES = f"{POLICY}changes/"
STOP = f"{POLICY}stop/"


@pytest.fixture
def colleague(db):
    user = make_user(Role.POLICY_ADMIN)
    give_password(user)
    return user


@pytest.fixture
def sent(policy_admin):
    return submit(policy_admin)


def address(found, verb=""):
    return f"{CHANGES}{found.change.public_id}/{verb}"


def written():
    tables = (PolicyChange, ChangeContent, ChangeStep, PositionRevision, Notice, StopRevision, StopStep)
    return [model.objects.count() for model in tables]


def body_of(motion):
    needed = {"position": "NON_COOPERATION", "strength": "ADVICE", "data_scope": "ALL", "reason": REASON}
    return {"line": None, "motion": str(motion.motion)} | needed


def approval(found, **fields):
    given = {"phrase": "START BOYCOTT", "comment": COMMENT, "password": PASSWORD}
    return {"seen": dossier(found.change).fingerprint} | given | fields


def errors(answer, status=400):
    assert answer.status_code == status, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    return answer.json().get("errors") or answer.json()["detail"]


class TestReading:
    def test_what_is_in_force_and_to_come(self, call, gp, policy_admin):
        start_boycott(policy_admin)
        rival_position(effective_from=timezone.now() + datetime.timedelta(days=2))
        for user in (gp, policy_admin):
            read = call(user).get(POLICY).json()
            [now], [later] = read["in_force"], read["scheduled"]
            assert now["position"] == {
                "code": "NON_COOPERATION",
                "words": "Do not co-operate: no upload",
            }
            assert now["line"] == str(NATIONAL_LINE) and now["where"] == "All England"
            assert later["position"]["code"] == "COOPERATE"
            [clash] = read["findings"]
            assert clash["kind"] == "CONFLICT" and clash["start"] == later["effective_from"]
            assert len(clash["positions"]) == 2

    def test_of_a_position_elsewhere_the_nation_reads(self, call, gp, policy_admin):
        make_practice(region_code="Y99")
        start_boycott(policy_admin, region_codes=frozenset({"Y99"}))
        assert call(gp).get(POLICY).json()["in_force"] == []
        assert len(call(policy_admin).get(POLICY).json()["in_force"]) == 1

    def test_motions(self, call, gp):
        motion = make_motion(votes_for=120, votes_against=4)
        [read] = call(gp).get(f"{POLICY}motions/").json()
        assert (read["id"], read["votes_for"]) == (str(motion.motion), 120)
        assert call(gp).get(f"{POLICY}motions/{motion.motion}/").json() == [read]
        assert call(gp).get(f"{POLICY}motions/{uuid.uuid4()}/").status_code == 404

    def test_a_change_with_its_steps_findings_and_impact(self, call, practice, policy_admin, auditor):
        decide(make_patient(practice))
        rival_position()
        found = submit(policy_admin)
        [listed] = call(auditor).get(CHANGES).json()
        read = call(auditor).get(address(found)).json()
        assert listed["id"] == read["id"] and read["state"]["code"] == "IN_REVIEW"
        assert [step["kind"]["code"] for step in read["steps"]] == ["WRITTEN", "SUBMITTED"]
        assert read["steps"][1]["figures"]["stop"] == 1 and read["seen"] == found.fingerprint
        [clash] = read["findings"]
        assert clash["with_this_change"] and clash["practices"] == 1
        impact = call(auditor).get(address(found, "impact/")).json()
        assert impact["phrase"] == "START BOYCOTT" and impact["seen"] == found.fingerprint
        figures = {one["code"]: one for one in impact["figures"]}
        assert figures["stop"]["now"] == figures["stop"]["sent"] == 1
        assert sum(one["stop"] for one in impact["answers"]) == 1

    def test_a_settled_change_has_no_impact_to_foresee(self, call, policy_admin):
        done = start_boycott(policy_admin)
        assert "settled" in errors(call(policy_admin).get(address(done.dossier, "impact/")), 409)

    def test_queries_do_not_grow(self, call, policy_admin, django_assert_max_num_queries):
        for _ in range(4):
            submit(policy_admin, line=uuid.uuid4())
        client = call(policy_admin)
        with django_assert_max_num_queries(8):
            assert len(client.get(CHANGES).json()) == 4


class TestTheWay:
    def test_by_two_people(self, call, policy_admin, colleague):
        """The author's approval is refused; the colleague's works with the exact phrase alone."""
        give_password(policy_admin)
        author, other = call(policy_admin), call(colleague)
        made = author.post(CHANGES, body_of(make_motion(policy_admin)))
        assert made.status_code == 201 and made.json()["state"]["code"] == "DRAFT"
        found = with_guidance(dossier(PolicyChange.objects.get()), policy_admin)
        answer = author.post(address(found, "submit/"), {"seen": found.fingerprint})
        assert answer.json()["state"]["code"] == "IN_REVIEW"

        before = written()
        assert "your own change" in errors(author.post(address(found, "approve/"), approval(found)), 403)
        for phrase in ("", "start boycott", "START  BOYCOTT", "END BOYCOTT"):
            told = errors(other.post(address(found, "approve/"), approval(found, phrase=phrase)))
            assert told == {"phrase": ["Type START BOYCOTT to approve"]}
        assert written() == before and in_force(standing_revisions(), timezone.now()) == []

        answer = other.post(address(found, "approve/"), approval(found))
        assert answer.status_code == 200, answer.json()
        assert answer.json()["change"]["state"]["code"] == "IN_FORCE"
        assert answer.json()["revision"]["position"]["code"] == "NON_COOPERATION"
        assert [one.line for one in in_force(standing_revisions(), timezone.now())] == [NATIONAL_LINE]

    def test_an_edit_voids_the_sending(self, call, policy_admin, colleague, sent):
        motion = sent.content.motion
        fields = {name: value for name, value in body_of(motion).items() if name != "line"}
        edited = call(policy_admin).post(
            address(sent, "edit/"), fields | {"text": "Other words", "seen": sent.fingerprint}
        )
        assert edited.json()["state"]["code"] == "DRAFT"
        before = written()
        assert "draft" in errors(call(colleague).post(address(sent, "approve/"), approval(sent)), 409)
        stale = call(policy_admin).post(address(sent, "edit/"), fields | {"seen": sent.fingerprint})
        assert "edited while you were working" in errors(stale, 409)
        assert written() == before

    def test_reject_and_cancel_need_a_reason(self, call, policy_admin, colleague, sent):
        before = written()
        for client, verb in ((call(colleague), "reject/"), (call(policy_admin), "cancel/")):
            assert errors(client.post(address(sent, verb), {})) == {"comment": ["Enter a reason"]}
        assert written() == before
        given = {"comment": "Not yet"}
        rejected = call(colleague).post(address(sent, "reject/"), given).json()
        assert rejected["state"]["code"] == "REJECTED" and rejected["steps"][-1]["comment"] == "Not yet"
        other = submit(policy_admin, line=uuid.uuid4())
        cancelled = call(policy_admin).post(address(other, "cancel/"), given).json()
        assert cancelled["state"]["code"] == "CANCELLED"

    def test_figures_that_moved_ask_again_and_leave_a_step(self, call, practice, colleague, sent):
        decide(make_patient(practice))
        client = call(colleague)
        assert "more than 5%" in errors(client.post(address(sent, "approve/"), approval(sent)), 409)
        assert dossier(sent.change).last.kind == "ASKED_AGAIN"
        assert client.post(address(sent, "approve/"), approval(sent)).status_code == 200

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"line": str(uuid.UUID(int=5))}, "line"),
            ({"motion": str(uuid.UUID(int=5))}, "motion"),
            ({"position": "BOYCOTT"}, "position"),
            ({"reason": "Short"}, "reason"),
            ({"ods_codes": ["Z99999"]}, "ods_codes"),
            ({"ods_codes": "Z99999"}, "ods_codes"),
            ({"ods_codes": [99999]}, "ods_codes"),
            ({"starts_at": "2007-07-02T06:00:00Z"}, "starts_at"),
            ({"starts_at": "tomorrow"}, "starts_at"),
            ({"ends_at": "2007-07-02T06:00:00Z"}, "ends_at"),
            ({"start_at": "2036-07-02T06:00:00Z"}, "start_at"),
        ],
    )
    def test_what_no_change_may_say(self, call, policy_admin, fields, named):
        motion = make_motion(policy_admin)
        before = written()
        assert set(errors(call(policy_admin).post(CHANGES, body_of(motion) | fields))) == {named}
        assert written() == before

    def test_a_change_without_guidance_is_not_sent(self, call, policy_admin):
        found = draft(policy_admin)
        answer = call(policy_admin).post(address(found, "submit/"), {"seen": found.fingerprint})
        assert set(errors(answer)) == {"guidance"}


class TestProof:
    def test_a_token_alone_approves_nothing(self, call, colleague, sent):
        before, client = written(), call(colleague)
        for password, told in (("", "Enter your password"), ("wrong", "Password is not right")):
            answer = client.post(address(sent, "approve/"), approval(sent, password=password))
            assert errors(answer) == {"password": [told]}
        assert written() == before

    def test_wrong_ones_lock_out_and_then_the_right_one_too(self, call, colleague, sent):
        before, client = written(), call(colleague)
        for _ in range(4):
            assert errors(client.post(address(sent, "approve/"), approval(sent, password="wrong")))
        for password in ("wrong", PASSWORD):
            answer = client.post(address(sent, "approve/"), approval(sent, password=password))
            assert "Too many tries. Try again after" in errors(answer, 429)
        assert written() == before
        assert AccessAttempt.objects.get().failures_since_start >= 5

    def test_somebody_whose_account_has_no_password(self, call, sent):
        other = make_user(Role.POLICY_ADMIN)
        answer = call(other).post(address(sent, "approve/"), approval(sent, password="!"))
        assert errors(answer) == {"password": ["Password is not right"]}

    def test_the_password_stands_nowhere_afterwards(self, call, colleague, sent, caplog):
        with caplog.at_level("DEBUG"):
            call(colleague).post(address(sent, "approve/"), approval(sent, password="a-secret-of-mine"))
            call(colleague).post(address(sent, "approve/"), approval(sent, phrase="no"))
        assert "a-secret-of-mine" not in caplog.text and PASSWORD not in caplog.text
        [attempt] = AccessAttempt.objects.all()
        assert "a-secret-of-mine" not in f"{attempt.post_data}{attempt.get_data}"


class TestWho:
    @pytest.mark.parametrize("verb", ["", "edit/", "submit/", "approve/", "reject/", "cancel/"])
    @pytest.mark.parametrize("who", ["gp", "manager", "staff", "api_client", "auditor"])
    def test_others_write_nothing(self, call, request, who, verb, sent):
        user, before = request.getfixturevalue(who), written()
        to = address(sent, verb) if verb else CHANGES
        assert "cannot" in errors(call(user).post(to, approval(sent)), 403)
        assert written() == before
        assert AccessEvent.objects.filter(kind="REFUSED", user=user).exists()

    def test_no_such_change(self, call, colleague, sent, patient):
        for unknown in (uuid.uuid4(), patient.public_id):
            answer = call(colleague).post(f"{CHANGES}{unknown}/approve/", approval(sent))
            assert answer.status_code == 404


class TestStop:
    def test_one_stops_and_two_resume(self, call, national_admin):
        second = make_user(Role.NATIONAL_ADMIN)
        for user in (national_admin, second):
            give_password(user)
        one, two, why = call(national_admin), call(second), {"reason": "Wrong doses in summaries"}
        answer = one.post(STOP, why).json()
        assert answer["stopped"] and answer["quiet_since"] and answer["stopped_by"]
        assert "already" in errors(one.post(STOP, why), 409)
        assert "somebody else must review" in errors(one.post(f"{STOP}review/", why), 409)
        assert two.post(f"{STOP}review/", why).json()["reviewed_by"] == second.short_name
        agreed = why | {"password": PASSWORD}
        assert "Nobody has asked" in errors(two.post(f"{STOP}agree/", agreed), 409)
        assert one.post(f"{STOP}ask/", why).json()["resume_asked_by"] == national_admin.short_name
        assert two.post(f"{STOP}decline/", why).json()["resume_asked_by"] is None
        one.post(f"{STOP}ask/", why)
        before = written()
        assert "somebody else must agree" in errors(one.post(f"{STOP}agree/", agreed), 409)
        wrong = errors(two.post(f"{STOP}agree/", why | {"password": "wrong"}))
        assert wrong == {"password": ["Password is not right"]}
        assert set(errors(two.post(f"{STOP}agree/", why))) == {"password"}
        assert written() == before and stopping() is not None
        answer = two.post(f"{STOP}agree/", agreed).json()
        assert not answer["stopped"] and stopping() is None
        assert len(answer["history"]) >= 4

    def test_a_reason_is_needed(self, call, national_admin):
        before = written()
        for given in ({}, {"reason": " "}, {"reason": "x" * 1001}):
            assert set(errors(call(national_admin).post(STOP, given))) == {"reason"}
        assert written() == before

    @pytest.mark.parametrize("verb", ["", "review/", "ask/", "decline/", "agree/"])
    @pytest.mark.parametrize("who", ["gp", "manager", "policy_admin", "auditor"])
    def test_nobody_else(self, call, request, who, verb):
        before = written()
        errors(call(request.getfixturevalue(who)).post(STOP + verb, {"reason": "Stop"}), 403)
        assert written() == before


class TestDescription:
    """What `/api/schema/` says of it."""

    @pytest.fixture
    def paths(self, schema):
        return schema["paths"]

    def examples(self, paths, path):
        content = paths[path]["post"]["requestBody"]["content"]["application/json"]
        return [each["value"] for each in content["examples"].values()]

    def test_examples_are_taken(self, call, paths, policy_admin, colleague):
        make_practice(region_code="Y56")
        motion, one = make_motion(policy_admin), f"{CHANGES}{{public_id}}/"
        for example in self.examples(paths, CHANGES):
            answer = call(policy_admin).post(CHANGES, example | {"motion": str(motion.motion)})
            assert answer.status_code == 201, answer.json()
        [again] = self.examples(paths, f"{one}edit/")
        found = draft(policy_admin, motion=motion)
        now = {"motion": str(motion.motion), "seen": found.fingerprint}
        assert call(policy_admin).post(address(found, "edit/"), again | now).status_code == 200
        found = submit(policy_admin, line=uuid.uuid4())
        [example] = self.examples(paths, f"{one}approve/")
        now = {"seen": found.fingerprint, "password": PASSWORD}
        assert call(colleague).post(address(found, "approve/"), example | now).status_code == 200

    def test_answers_are_as_described(self, call, schema, policy_admin, colleague, national_admin):
        found = submit(policy_admin)
        one = f"{CHANGES}{{public_id}}/"
        motion = found.content.motion
        asked = [
            ("get", POLICY, POLICY, None),
            ("get", f"{POLICY}motions/", f"{POLICY}motions/", None),
            ("get", f"{POLICY}motions/{{public_id}}/", f"{POLICY}motions/{motion.motion}/", None),
            ("get", CHANGES, CHANGES, None),
            ("post", CHANGES, CHANGES, body_of(motion)),
            ("get", one, address(found), None),
            ("get", f"{one}impact/", address(found, "impact/"), None),
            ("post", f"{one}approve/", address(found, "approve/"), {}),
            ("post", f"{one}approve/", address(found, "approve/"), approval(found)),
            ("get", POLICY, POLICY, None),
            ("get", f"{one}impact/", address(found, "impact/"), None),
        ]
        for user, (method, path, to, given) in [(colleague, each) for each in asked] + [
            (national_admin, ("get", STOP, STOP, None)),
            (national_admin, ("post", STOP, STOP, {"reason": "Wrong doses"})),
        ]:
            answer = getattr(call(user), method)(to, given)
            described = schema["paths"][path][method]["responses"][str(answer.status_code)]["content"]
            shape = described[answer["Content-Type"]]["schema"] | {"components": schema["components"]}
            Draft7Validator(nullable(shape)).validate(answer.json())
