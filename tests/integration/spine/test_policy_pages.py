"""The policy page, motions and changes of policy, as each role meets them."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from boycott.change_states import ChangeState, Step
from boycott.dossier import dossier
from boycott.models import (
    ChangeStep,
    MotionRevision,
    Notice,
    PolicyChange,
    PositionRevision,
)
from boycott.positions import DataScope, Stance
from carerecords.models import AccessEvent
from carerecords.permissions import Role
from spine.policy.change_by_command import listed, shown
from tests.factories import decide, make_patient, make_practice, make_user
from tests.guidance_factories import make_guidance
from tests.integration.spine.policy_reading import at_change, read
from tests.policy_factories import (
    MOTION,
    REASON,
    answer,
    approve,
    change_position,
    end_boycott,
    make_motion,
    new_line,
    rival_position,
    start_boycott,
    submit,
)

pytestmark = pytest.mark.django_db
POLICY, MOTIONS, CHANGES = "/policy/", "/policy/motions/", "/policy/changes/"
NEW = "/policy/changes/new/"
EVERYBODY = [
    "gp",
    "staff",
    "manager",
    "privacy_officer",
    "policy_admin",
    "national_admin",
    "auditor",
    "api_client",
]


@pytest.fixture
def motion(policy_admin):
    return make_motion(policy_admin)


@pytest.fixture
def colleague(db):
    return make_user(Role.POLICY_ADMIN)


def answers(motion, **fields):
    return {
        "motion": str(motion.motion),
        "position": "NON_COOPERATION",
        "data_scope": "ALL",
        "strength": "ADVICE",
        "start": "NOW",
        "reason": REASON,
    } | fields


class TestPolicyPage:
    @pytest.mark.parametrize("who", EVERYBODY)
    def test_everybody_reads_it(self, client, request, who):
        start_boycott()
        client.force_login(request.getfixturevalue(who))
        page = read(client, POLICY)
        assert MOTION in page and REASON in page
        assert "Advice to members; practices decide" in page
        assert ("Change the policy" in page) is (who == "policy_admin")
        assert ("Stop or resume all uploads" in page) is (who == "national_admin")
        assert (f'href="{CHANGES}"' in page) is (who in {"policy_admin", "national_admin", "auditor"})

    def test_a_motion_is_no_position(self, client, gp, motion):
        client.force_login(gp)
        page = read(client, POLICY)
        assert "No position has been in force." in page and "No motions recorded" not in page

    def test_the_practice_reads_its_answer(self, client, manager, practice):
        client.force_login(manager)
        assert "No answer – treated as Follow" in read(client, POLICY)
        answer(practice, by=manager)
        page = read(client, POLICY)
        assert "Your practice does not follow it since" in page and "agreed by The partners" in page

    def test_conflicting_positions_are_both_shown(self, client, gp):
        start_boycott()
        rival_position()
        client.force_login(gp)
        page = read(client, POLICY)
        assert "BMA policy is conflicting: 2 adopted positions disagree." in page
        assert MOTION in page and "Practices may co-operate while guidance is prepared." in page
        assert "These disagree:" in page

    def test_one_without_effect_is_named_with_what_covers_it(self, client, policy_admin, practice):
        start_boycott()
        change_position(line=new_line(), data_scope=DataScope.ADDITIONAL_ONLY)
        client.force_login(policy_admin)
        page = read(client, POLICY)
        assert "It changes no upload: it is wholly covered by" in page

    def test_a_position_whose_motion_was_superseded_stays_and_says_so(self, client, gp):
        found = start_boycott()
        client.force_login(gp)
        motion = found.revision.motion
        assert motion.title in read(client, POLICY)


class TestMotions:
    @pytest.mark.parametrize("who", EVERYBODY)
    def test_everybody_reads_them(self, client, request, who, motion):
        client.force_login(request.getfixturevalue(who))
        assert motion.title in read(client, MOTIONS)
        page = read(client, f"{MOTIONS}{motion.motion}/")
        assert MOTION in page and "Dr Gillian Braunold" in page and "Not recorded" in page
        assert ("Record what became of it" in page) is (who == "policy_admin")

    def fields(self, **more):
        return {
            "title": "Public inquiry",
            "body": "BMA",
            "meeting": "ARM 2007",
            "met_on_day": "27",
            "met_on_month": "6",
            "met_on_year": "2007",
            "text": MOTION,
            "status": "ADOPTED",
            "direction": "NEITHER",
            "votes_for": "212",
            "votes_against": "34",
        } | more

    def test_recorded_and_revised(self, client, policy_admin):
        client.force_login(policy_admin)
        made = client.post(f"{MOTIONS}new/", self.fields())
        motion = MotionRevision.objects.get()
        assert made.url == f"{MOTIONS}{motion.motion}/" and motion.made_by == policy_admin
        assert "212 for, 34 against" in read(client, made.url)
        edit = f"{made.url}edit/"
        page = client.post(edit, self.fields(status="LAPSED", seen="1")).content.decode()
        assert "Enter a reason for the change" in page and MotionRevision.objects.count() == 1
        client.post(edit, self.fields(status="LAPSED", seen="1", reason="Three years have passed"))
        assert [one.status for one in MotionRevision.objects.order_by("number")] == ["ADOPTED", "LAPSED"]
        late = client.post(edit, self.fields(status="LOST", seen="1", reason="Late")).content.decode()
        assert "The motion was changed while you were working" in late
        assert MotionRevision.objects.count() == 2
        page = read(client, made.url)
        assert "Revision 2: lapsed" in page and "Three years have passed" in page

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"title": ""}, "Enter a short title"),
            ({"text": ""}, "Enter the full wording of the motion"),
            ({"status": ""}, "Select what became of it"),
            ({"direction": "SIDEWAYS"}, "Select what it asks"),
            ({"met_on_year": ""}, "Date of the meeting must include a year"),
            ({"met_on_year": "2199"}, "Date of the meeting must be today or in the past"),
            ({"votes_against": ""}, "Enter the votes for and against, or none of the votes"),
            ({"votes_for": "many"}, "Votes must be a whole number"),
            ({"votes_for": "-1"}, "Votes must be 0 or more"),
        ],
        ids=str,
    )
    def test_what_cannot_stand(self, client, policy_admin, fields, error):
        client.force_login(policy_admin)
        page = client.post(f"{MOTIONS}new/", self.fields(**fields)).content.decode()
        assert (
            error in page and "<title>Error: " in page and 'value="34"' in page
        ) or "votes_against" in fields
        assert not MotionRevision.objects.exists()


class TestWriting:
    def test_from_the_form_to_the_page_of_the_change(self, client, policy_admin, motion, patient):
        decide(patient)
        not_following = make_practice()
        answer(not_following)
        client.force_login(policy_admin)
        made = client.post(NEW, answers(motion))
        found = dossier(PolicyChange.objects.get())
        assert made.url == at_change(found)
        page = read(client, made.url)
        assert "Patients whose uploads stop" in page and "Write the guidance" in page
        assert "Send for approval" not in page
        assert found.content.text == MOTION and not PositionRevision.objects.exists()

        make_guidance(change=found.change, by=policy_admin)
        assert "Send for approval" in read(client, made.url)
        sent = client.post(
            at_change(found, "submit/"), {"seen": dossier(found.change).fingerprint}, follow=True
        )
        page = sent.content.decode()
        assert "In review" in page and "You wrote or sent this change" in page
        assert "Check and approve" not in page
        assert [step.kind for step in dossier(found.change).steps] == [Step.WRITTEN, Step.SUBMITTED]

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"motion": ""}, "Select the motion that this rests on"),
            ({"position": ""}, "Select the position"),
            ({"start": ""}, "Select when it starts"),
            ({"start": "LATER"}, "Enter the start date"),
            ({"start": "LATER", "start_time": "half past"}, "Start time must be a time, like 6am or 6:30pm"),
            ({"reason": "Because"}, "Reason must be between 20 and 1,000 characters"),
            ({"region_codes": ["Y99"]}, "Select regions from the list"),
            ({"ods_codes": "Z99999"}, "There is no practice Z99999"),
            ({"last_day_year": "2199"}, "Last day it applies must include a day and month"),
        ],
        ids=str,
    )
    def test_what_cannot_stand(self, client, policy_admin, motion, fields, error):
        client.force_login(policy_admin)
        page = client.post(NEW, answers(motion) | fields).content.decode()
        assert error in page and "<title>Error: " in page
        assert not PolicyChange.objects.exists()

    def test_a_date_and_a_time(self, client, policy_admin, motion):
        client.force_login(policy_admin)
        day = timezone.localdate() + datetime.timedelta(days=40)
        later = {"start_on_day": day.day, "start_on_month": day.month, "start_on_year": day.year}
        client.post(NEW, answers(motion, start="LATER", start_time="midday", **later))
        starts = timezone.localtime(dossier(PolicyChange.objects.get()).content.starts_at)
        assert (starts.date(), starts.hour, starts.minute) == (day, 12, 0)

    def test_edited_with_what_was_written_before(self, client, policy_admin):
        found = submit(policy_admin, end_condition="Until the evaluation is published")
        client.force_login(policy_admin)
        page = read(client, at_change(found, "edit/"))
        assert "Until the evaluation is published" in page and found.fingerprint in page
        motion = found.content.motion
        client.post(
            at_change(found, "edit/"), answers(motion, seen=found.fingerprint, strength="INSTRUCTION")
        )
        found = dossier(found.change)
        assert found.state(timezone.now()) is ChangeState.DRAFT and found.content.strength == "INSTRUCTION"
        stale = client.post(at_change(found, "edit/"), answers(motion, seen="0" * 64)).content.decode()
        assert "This change was edited while you were working" in stale

    def test_without_a_motion_there_is_nothing_to_rest_on(self, client, policy_admin):
        client.force_login(policy_admin)
        assert "No motion is recorded" in read(client, NEW)

    def test_another_line_beside_the_first(self, client, practice, policy_admin, motion):
        start_boycott()
        client.force_login(policy_admin)
        assert "A new policy beside these" in read(client, NEW)
        client.post(NEW, answers(motion, line="new", data_scope="ADDITIONAL_ONLY"))
        made = PolicyChange.objects.latest("pk")
        assert made.line != PositionRevision.objects.get().line
        assert "It changes no upload: it is wholly covered by" in read(client, f"{CHANGES}{made.public_id}/")


class TestNotices:
    def test_told_until_read(self, client, policy_admin, colleague):
        approve(submit(policy_admin), colleague)
        client.force_login(policy_admin)
        notice = Notice.objects.get(to=policy_admin)
        assert notice.text.split("“")[0] in read(client, "/")
        client.post(f"/policy/notices/{notice.public_id}/read/")
        assert "I have read this" not in read(client, "/")
        assert client.post(f"/policy/notices/{notice.public_id}/read/").status_code == 302

    def test_somebody_elses_notice_is_none(self, client, policy_admin, colleague):
        approve(submit(policy_admin), colleague)
        client.force_login(colleague)
        notice = Notice.objects.get(to=policy_admin)
        assert client.post(f"/policy/notices/{notice.public_id}/read/").status_code == 404
        assert not hasattr(Notice.objects.get(pk=notice.pk), "read")

    @pytest.mark.parametrize(("hours", "told"), [(23, True), (25, False)])
    def test_practices_are_told_a_day_before(self, client, gp, hours, told):
        starts = timezone.now() + datetime.timedelta(hours=hours)
        approve(submit(starts_at=starts))
        client.force_login(gp)
        page = read(client, "/")
        assert ("Within 24 hours." in page) is told
        assert ("so its uploads stop then" in page) is told
        assert "BMA boycott starts on" in page, "the strip says so from the approval on"


def test_an_ended_boycott_is_over_on_the_page_and_at_a_terminal(client, policy_admin):
    start_boycott()
    started = dossier(PolicyChange.objects.get())
    client.force_login(policy_admin)
    for state, ends in (("In force", True), ("Over", False)):
        line = next(one for one in listed(timezone.now()) if str(started.change.public_id) in one)
        assert f"  {state}: Do not co-operate" in line
        assert next(shown(started, timezone.now())).endswith(f": {state}")
        page = read(client, CHANGES)
        row = page[page.index(str(started.change.public_id)) :].partition("</tr>")[0]
        assert f">{state}</strong>" in row
        if ends:
            end_boycott()


@pytest.mark.parametrize("who", ["gp", "manager", "auditor", "api_client"])
@pytest.mark.parametrize("step", ["edit/", "submit/", "approve/", "reject/", "cancel/"])
def test_others_cannot(client, request, who, step):
    found = submit()
    before = ChangeStep.objects.count()
    client.force_login(request.getfixturevalue(who))
    address = at_change(found, step)
    assert {client.get(address).status_code, client.post(address).status_code} <= {403, 405}
    assert ChangeStep.objects.count() == before
    assert AccessEvent.objects.filter(kind=AccessEvent.Kind.REFUSED).exists()


def test_queries_do_not_grow(client, policy_admin, django_assert_max_num_queries):
    for stance in (Stance.HOLD, Stance.DO_NOT_FOLLOW, None):
        practice = make_practice()
        if stance:
            answer(practice, stance)
        for _ in range(2):
            decide(make_patient(practice))
    found = submit(policy_admin)
    start_boycott(line=new_line())
    client.force_login(policy_admin)
    for address in (POLICY, MOTIONS, CHANGES, NEW, at_change(found, "edit/")):
        with django_assert_max_num_queries(16):
            client.get(address)
    with django_assert_max_num_queries(30):
        client.get(at_change(found))


def test_names_resolve():
    assert reverse("boycott:policy") == POLICY
    assert reverse("home") == "/"
