"""What may be written into a change, what guidance it needs, and what moved since it was sent."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.change_states import ChangeState, Step
from boycott.dossier import dossier
from boycott.drafting import submit_change
from boycott.figures import Figures
from boycott.models import (
    ChangeStep,
    GuidancePublication,
    PositionRevision,
)
from boycott.positions import Direction, MotionStatus, Position, Strength
from carerecords.permissions import Role
from tests.factories import decide, make_patient, make_user
from tests.guidance_factories import make_guidance
from tests.integration.boycott.changing import DAY, HOUR, edit, kinds, later, refused, state
from tests.policy_factories import (
    approve,
    draft,
    make_motion,
    new_line,
    start_boycott,
    submit,
    with_guidance,
)

pytestmark = pytest.mark.django_db


class TestGuidance:
    def test_without_it_nothing_is_sent(self, policy_admin):
        found = draft(policy_admin)
        send = {"change": found.change, "seen": found.fingerprint, "by": policy_admin}
        refused("guidance", submit_change, **send, at=timezone.now())

    def test_it_is_published_with_the_approval_or_not_at_all(self, policy_admin, colleague):
        found = submit(policy_admin, starts_at=later())
        refused("phrase", approve, found, colleague, phrase="")
        assert not GuidancePublication.objects.exists()
        approve(found, colleague)
        published = GuidancePublication.objects.get()
        assert (published.revision, published.made_by) == (found.guidance, colleague)

    def test_editing_it_voids_the_sending(self, policy_admin, colleague):
        found = submit(policy_admin)
        make_guidance(page=found.guidance.page, text="# Other steps", by=policy_admin, change=found.change)
        assert "send it again" in refused("seen", approve, dossier(found.change), colleague)
        now = dossier(found.change)
        assert now.fingerprint != found.fingerprint
        sent = submit_change(change=found.change, seen=now.fingerprint, by=policy_admin, at=timezone.now())
        approve(sent, colleague)

    def test_whoever_wrote_it_cannot_approve(self, policy_admin, colleague):
        found = draft(policy_admin)
        make_guidance(change=found.change, by=colleague)
        found = dossier(found.change)
        send = {"change": found.change, "seen": found.fingerprint, "by": policy_admin}
        refused("own", approve, submit_change(**send, at=timezone.now()), colleague)

    def test_a_change_that_is_written_again_keeps_what_was_published(self, policy_admin, colleague):
        found = submit(policy_admin, starts_at=later())
        approve(found, colleague)
        edited = edit(found, policy_admin, text="Another wording")
        sent = submit_change(change=found.change, seen=edited.fingerprint, by=policy_admin, at=timezone.now())
        approve(sent, colleague)
        assert GuidancePublication.objects.count() == 1


class TestDrift:
    def test_figures_that_moved_ask_again_and_that_is_a_step(self, practice, policy_admin, colleague):
        for _ in range(20):
            decide(make_patient(practice))
        found = submit(policy_admin)
        for _ in range(2):
            decide(make_patient(practice))
        for _ in range(2):
            # Asked once a person: the next try rests on what they were shown now.
            with pytest.raises(ChangeRefused, match="Figures changed by more than 5%") as refusal:
                approve(found, colleague)
            assert refusal.value.field == "figures" and not PositionRevision.objects.exists()
            assert kinds(found)[-1] == Step.ASKED_AGAIN and state(found) is ChangeState.IN_REVIEW
            assert Figures.from_json(ChangeStep.objects.latest("pk").figures).stop == 22
            colleague, other = make_user(Role.NATIONAL_ADMIN), colleague
        approve(found, other)
        assert PositionRevision.objects.count() == 1

    def test_a_little_passes(self, practice, colleague):
        for _ in range(20):
            decide(make_patient(practice))
        found = submit()
        decide(make_patient(practice))
        approve(found, colleague)

    def test_nobody_can_bring_figures(self, practice, colleague, monkeypatch):
        """The verbs take none, and without a measure nothing is sent or approved."""
        found, drafted = submit(), with_guidance(draft(line=new_line()))
        monkeypatch.setattr("boycott.measuring._measures", [])
        for call in (
            lambda: approve(found, colleague),
            lambda: submit_change(
                change=drafted.change, seen=drafted.fingerprint, by=colleague, at=timezone.now()
            ),
        ):
            with pytest.raises(LookupError):
                call()
        assert not PositionRevision.objects.exists()


class TestWhatMayBeWritten:
    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"reason": "Too short"}, "reason"),
            ({"reason": "x" * 1001}, "reason"),
            ({"starts_at": -HOUR}, "starts_at"),
            ({"ends_at": -HOUR}, "ends_at"),
            ({"starts_at": 2 * DAY, "ends_at": DAY}, "ends_at"),
            ({"region_codes": frozenset({"Y99"})}, "region_codes"),
            ({"icb_codes": frozenset({"XXX"})}, "icb_codes"),
            ({"ods_codes": frozenset({"Z99999"})}, "ods_codes"),
            ({"exempt_ods_codes": frozenset({"Z99999"})}, "exempt_ods_codes"),
        ],
        ids=str,
    )
    def test_what_no_change_may_say(self, practice, policy_admin, fields, field):
        motion, now = make_motion(), timezone.now()
        fields = {
            name: now + value if isinstance(value, datetime.timedelta) else value
            for name, value in fields.items()
        }
        refused(field, draft, policy_admin, motion=motion, **fields)

    @pytest.mark.parametrize("position", Position)
    @pytest.mark.parametrize("status", MotionStatus)
    @pytest.mark.parametrize("direction", Direction)
    def test_the_motion_must_bear_it(self, policy_admin, position, status, direction):
        motion = make_motion(status=status, direction=direction)
        bears = {
            Position.NON_COOPERATION: status == "ADOPTED" and direction == "NON_COOPERATION",
            Position.EXPLICIT_CONSENT_ONLY: status == "ADOPTED" and direction != "COOPERATE",
            Position.COOPERATE: status in {"ADOPTED", "SUPERSEDED", "LAPSED"},
        }[position]
        if bears:
            draft(policy_admin, motion=motion, position=position)
        else:
            refused("motion", draft, policy_admin, motion=motion, position=position)

    def test_the_position_already_is_no_change(self, policy_admin):
        start_boycott(text="As it stands")
        drafted = with_guidance(draft(policy_admin, text="As it stands"))
        send = {"change": drafted.change, "seen": drafted.fingerprint, "by": policy_admin}
        refused("position", submit_change, **send, at=timezone.now())

    def test_two_cannot_start_in_one_moment(self, policy_admin):
        starts = later()
        approve(submit(starts_at=starts))
        drafted = with_guidance(draft(policy_admin, starts_at=starts, strength=Strength.INSTRUCTION))
        send = {"change": drafted.change, "seen": drafted.fingerprint, "by": policy_admin}
        assert "overlaps a change starting on" in refused(
            "starts_at", submit_change, **send, at=timezone.now()
        )

    def test_a_start_that_has_passed_is_not_approved(self, colleague):
        starts = later(1)
        found = submit(starts_at=starts)
        assert "must be in the future" in refused("starts_at", approve, found, colleague, starts + HOUR)
