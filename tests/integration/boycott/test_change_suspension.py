"""A change whose author or approver may no longer act is suspended."""

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.change_states import Cause, ChangeState, Step
from boycott.dossier import dossier
from boycott.drafting import cancel_change, submit_change
from boycott.models import (
    ChangeStep,
    PositionRevision,
)
from boycott.motions import content_of as words_of
from boycott.motions import revise_motion
from boycott.positions import MotionStatus, Position, Strength
from boycott.queries import rows_of, standing_revisions
from boycott.rules import in_force
from boycott.suspending import of_leavers
from boycott.sweeping import sweep
from boycott.tasks import sweep_changes
from carerecords.models import RoleAssignment, User
from carerecords.permissions import Role
from carerecords.staffing import end_role
from tests.factories import make_user
from tests.integration.boycott.changing import HOUR, edit, kinds, later, refused, state, told
from tests.policy_factories import (
    approve,
    new_line,
    rival_position,
    start_boycott,
    submit,
)

pytestmark = pytest.mark.django_db


class TestSuspended:
    @pytest.fixture
    def scheduled(self, practice, policy_admin, colleague):
        found = submit(policy_admin, starts_at=later(10))
        approve(found, colleague)
        return found

    def assert_suspended(self, found, cause, *people):
        step = ChangeStep.objects.filter(change=found.change).latest("number")
        assert (step.kind, step.cause, step.made_by) == (Step.SUSPENDED, cause, None)
        assert step.comment and state(found) is ChangeState.SUSPENDED
        ever = in_force(standing_revisions(), later(30))
        assert found.change.pk not in {row.change_id for row in rows_of(ever)}
        for person in people:
            assert "is suspended" in told(person)[-1] and cause.label in told(person)[-1]

    def test_the_motion_was_changed(self, scheduled, policy_admin, colleague):
        motion = scheduled.content.motion
        revise_motion(
            motion=motion.motion,
            content=words_of(motion.__class__(**_fields(motion) | {"status": MotionStatus.SUPERSEDED})),
            reason="Superseded in September",
            seen=1,
            by=policy_admin,
            at=timezone.now(),
        )
        self.assert_suspended(scheduled, Cause.MOTION, policy_admin, colleague)
        refused(
            "motion",
            submit_change,
            change=scheduled.change,
            seen=dossier(scheduled.change).fingerprint,
            by=policy_admin,
            at=timezone.now(),
        )

    def test_a_newer_change_overtook_it(self, scheduled, policy_admin, colleague):
        start_boycott(strength=Strength.INSTRUCTION)
        self.assert_suspended(scheduled, Cause.OVERTAKEN, policy_admin, colleague)
        assert [one.position for one in in_force(standing_revisions(), later(30))] == [
            Position.NON_COOPERATION
        ]

    def test_one_written_to_follow_it_does_not(self, scheduled):
        ending = submit(position=Position.COOPERATE, starts_at=later(20))
        approve(ending)
        assert state(scheduled) is ChangeState.SCHEDULED
        positions = [in_force(standing_revisions(), later(day))[0].position for day in (11, 21)]
        assert positions == [Position.NON_COOPERATION, Position.COOPERATE]

    def test_what_followed_one_that_was_taken_back_is_suspended_too(self, scheduled, policy_admin):
        ending = submit(policy_admin, position=Position.COOPERATE, starts_at=later(20))
        approve(ending)
        cancel_change(change=scheduled.change, comment="Talks go on.", by=policy_admin, at=timezone.now())
        assert state(ending) is ChangeState.SUSPENDED
        assert in_force(standing_revisions(), later(30)) == []

    def test_others_in_review_are_suspended_as_well(self, policy_admin):
        waiting = submit(policy_admin)
        start_boycott(strength=Strength.INSTRUCTION)
        self.assert_suspended(waiting, Cause.OVERTAKEN, policy_admin)

    def test_a_conflict_appears(self, scheduled, policy_admin, colleague):
        rival = submit(position=Position.COOPERATE, line=new_line())
        approve(rival)
        self.assert_suspended(scheduled, Cause.CONFLICT, policy_admin, colleague)

    def test_a_conflict_that_its_approver_saw_does_not_suspend(self, practice, policy_admin, colleague):
        rival_position(Position.COOPERATE)
        found = submit(policy_admin, starts_at=later(10))
        approve(found, colleague)
        assert state(found) is ChangeState.SCHEDULED

    def test_no_conflict_where_they_do_not_meet(self, scheduled):
        other = submit(position=Position.COOPERATE, line=new_line(), ends_at=later(9))
        approve(other)
        assert state(scheduled) is ChangeState.SCHEDULED

    @pytest.mark.parametrize("who", ["author", "approver"])
    @pytest.mark.parametrize("how", ["role", "account", "bulk"])
    def test_somebody_left(self, scheduled, policy_admin, colleague, who, how):
        leaver = policy_admin if who == "author" else colleague
        now = timezone.now()
        if how == "role":
            end_role(email=leaver.email, role=Role.POLICY_ADMIN, ods_code=None, at=now)
        else:
            if how == "account":
                User.objects.filter(pk=leaver.pk).update(is_active=False)
            else:
                RoleAssignment.objects.filter(user=leaver).update(ends_at=now)
            sweep_changes()
        self.assert_suspended(scheduled, Cause.LEFT, policy_admin, colleague)
        assert leaver.short_name in ChangeStep.objects.latest("pk").comment

    def test_somebody_elses_leaving_changes_nothing(self, scheduled):
        other = make_user(Role.POLICY_ADMIN)
        end_role(email=other.email, role=Role.POLICY_ADMIN, ods_code=None, at=timezone.now())
        of_leavers(timezone.now())
        assert state(scheduled) is ChangeState.SCHEDULED

    def test_the_author_left_while_it_was_in_review(self, policy_admin, colleague):
        found = submit(policy_admin)
        RoleAssignment.objects.filter(user=policy_admin).update(ends_at=timezone.now())
        with pytest.raises(ChangeRefused, match="suspended"):
            approve(found, colleague)
        self.assert_suspended(found, Cause.LEFT, policy_admin)
        assert not PositionRevision.objects.exists()

    def test_the_trail_says_when_it_took_effect(self, scheduled, policy_admin, colleague):
        starts = scheduled.content.starts_at
        sweep(starts - HOUR)
        assert kinds(scheduled)[-1] == Step.SCHEDULED
        for _ in range(2):
            sweep(starts + HOUR)
        assert kinds(scheduled)[-2:] == [Step.SCHEDULED, Step.TOOK_EFFECT]
        step = ChangeStep.objects.latest("pk")
        assert (step.made_at, step.made_by) == (starts, None)
        assert "took effect" in told(policy_admin)[-1] and "took effect" in told(colleague)[-1]

    def test_a_sweep_with_nothing_to_do_is_cheap(self, django_assert_max_num_queries):
        start_boycott()
        with django_assert_max_num_queries(4):
            sweep(timezone.now())

    def test_it_may_be_sent_again(self, scheduled, policy_admin, colleague):
        end_role(email=colleague.email, role=Role.POLICY_ADMIN, ods_code=None, at=timezone.now())
        found = dossier(scheduled.change)
        refused(
            "seen",
            submit_change,
            change=found.change,
            seen=found.fingerprint,
            by=policy_admin,
            at=timezone.now(),
        )
        edited = edit(found, policy_admin)
        again = submit_change(
            change=found.change, seen=edited.fingerprint, by=policy_admin, at=timezone.now()
        )
        refused("own", approve, again, policy_admin)
        approve(again, make_user(Role.POLICY_ADMIN))
        assert state(found) is ChangeState.SCHEDULED

    def test_one_that_has_begun_stays_in_force(self, scheduled, policy_admin, colleague):
        begun = scheduled.content.starts_at + HOUR
        end_role(email=colleague.email, role=Role.POLICY_ADMIN, ods_code=None, at=begun)
        of_leavers(begun)
        assert state(scheduled, begun) is ChangeState.IN_FORCE
        assert in_force(standing_revisions(), begun)


def _fields(row):
    names = [field.name for field in row._meta.concrete_fields if field.name != "id"]
    return {name: getattr(row, name) for name in names}
