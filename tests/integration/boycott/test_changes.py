"""Four eyes below any screen: the whole way of a change, and every way round it that was ever found."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.approvals import reject_change
from boycott.change_states import Cause, ChangeState, Step
from boycott.dossier import dossier
from boycott.drafting import cancel_change, edit_change, submit_change
from boycott.figures import Figures
from boycott.models import (
    ChangeContent,
    ChangeStep,
    GuidancePublication,
    Notice,
    PolicyChange,
    PositionRevision,
)
from boycott.motions import content_of as words_of
from boycott.motions import revise_motion
from boycott.positions import DataScope, Direction, MotionStatus, Phrase, Position, Strength
from boycott.queries import rows_of, standing_revisions
from boycott.rules import in_force
from boycott.suspending import of_leavers
from boycott.sweeping import sweep
from boycott.tasks import sweep_changes
from carerecords.confirmation import FRESH, Confirmation, NotConfirmed
from carerecords.models import RoleAssignment, User
from carerecords.permissions import NotPermitted, Role
from carerecords.staffing import end_role
from tests.factories import decide, make_patient, make_practice, make_user
from tests.guidance_factories import make_guidance
from tests.policy_factories import (
    approve,
    change_position,
    content_of,
    draft,
    end_boycott,
    make_motion,
    new_line,
    rival_position,
    start_boycott,
    submit,
    with_guidance,
)

pytestmark = pytest.mark.django_db
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


@pytest.fixture
def colleague(db):
    return make_user(Role.POLICY_ADMIN)


def later(days=3):
    return timezone.now() + datetime.timedelta(days=days)


def kinds(found):
    return [step.kind for step in dossier(found.change).steps]


def state(found, at=None):
    return dossier(found.change).state(at or timezone.now())


def told(user):
    return [notice.text for notice in Notice.objects.filter(to=user).order_by("pk")]


def edit(found, by, **fields):
    """Written again, on the same motion, with these fields other than before."""
    found = dossier(found.change)
    old = found.content
    fields = {"position": Position(old.position), "starts_at": old.starts_at, "text": old.text} | fields
    return edit_change(
        change=found.change,
        content=content_of(old.motion, **fields),
        seen=found.fingerprint,
        by=by,
        at=timezone.now(),
    )


def refused(field, call, *args, **fields):
    """That the verb is refused for that field, and that nothing was written."""
    before = written()
    with pytest.raises(ChangeRefused) as refusal:
        call(*args, **fields)
    assert refusal.value.field == field
    assert written() == before
    return str(refusal.value)


def written():
    tables = (PolicyChange, ChangeContent, ChangeStep, PositionRevision, Notice)
    return [model.objects.count() for model in tables]


class TestTheWay:
    def test_from_draft_into_force(self, policy_admin, colleague):
        found = submit(policy_admin)
        assert state(found) is ChangeState.IN_REVIEW and not PositionRevision.objects.exists()
        done = approve(found, colleague)
        assert kinds(found) == [Step.WRITTEN, Step.SUBMITTED, Step.APPROVED, Step.TOOK_EFFECT]
        assert state(found) is ChangeState.IN_FORCE
        revision = PositionRevision.objects.get()
        assert (revision.change, revision.motion, revision.made_by) == (
            found.change,
            found.content.motion,
            policy_admin,
        )
        assert done.quiet.sentence.startswith("No upload has begun since")
        assert told(policy_admin) and "It is in force." in told(policy_admin)[0]

    def test_every_step_keeps_what_it_was_about_and_the_figures(self, policy_admin, colleague, patient):
        decide(patient)
        found = submit(policy_admin)
        approve(found, colleague)
        sent, approved = ChangeStep.objects.filter(kind__in=[Step.SUBMITTED, Step.APPROVED]).order_by("pk")
        assert sent.content_hash == approved.content_hash == found.fingerprint
        assert Figures.from_json(sent.figures).stop == Figures.from_json(approved.figures).stop == 1
        assert (sent.made_by, approved.made_by) == (policy_admin, colleague)
        assert approved.comment

    def test_a_scheduled_change_takes_effect_by_the_calendar_alone(self, policy_admin, colleague):
        starts = later()
        found = submit(policy_admin, starts_at=starts)
        approve(found, colleague)
        assert kinds(found)[-1] == Step.SCHEDULED and state(found) is ChangeState.SCHEDULED
        second = datetime.timedelta(seconds=1)
        assert in_force(standing_revisions(), starts - second) == []
        assert [one.position for one in in_force(standing_revisions(), starts)] == [Position.NON_COOPERATION]
        assert state(found, starts) is ChangeState.IN_FORCE

    def test_what_is_in_force_stays_until_the_scheduled_one_begins(self):
        start_boycott()
        starts = later()
        end = submit(position=Position.COOPERATE, starts_at=starts)
        approve(end)
        assert [one.position for one in in_force(standing_revisions(), timezone.now())] == [
            Position.NON_COOPERATION
        ]
        assert [one.position for one in in_force(standing_revisions(), starts)] == [Position.COOPERATE]

    def test_rejected_with_a_comment_and_told(self, policy_admin, colleague):
        found = submit(policy_admin)
        reject_change(change=found.change, comment="Not this wording.", by=colleague, at=timezone.now())
        assert state(found) is ChangeState.REJECTED and not PositionRevision.objects.exists()
        assert ChangeStep.objects.latest("pk").comment == "Not this wording."
        assert "rejected" in told(policy_admin)[0] and "Not this wording." in told(policy_admin)[0]
        edit(found, policy_admin, text="Another wording")
        assert state(found) is ChangeState.DRAFT

    def test_cancelling_a_scheduled_change_takes_it_back_and_tells(self, policy_admin, colleague):
        starts = later()
        found = submit(policy_admin, starts_at=starts)
        approve(found, colleague)
        cancel_change(change=found.change, comment="Talks go on.", by=policy_admin, at=timezone.now())
        assert in_force(standing_revisions(), starts + DAY) == []
        assert state(found) is ChangeState.CANCELLED
        assert "cancelled" in told(colleague)[-1] and "Talks go on." in told(colleague)[-1]

    def test_ending_by_the_calendar(self):
        ends = later(5)
        start_boycott(ends_at=ends)
        assert in_force(standing_revisions(), ends - HOUR) and in_force(standing_revisions(), ends) == []


class TestFourEyes:
    def test_the_author_cannot_approve(self, policy_admin):
        found = submit(policy_admin)
        assert refused("own", approve, found, policy_admin) == "You cannot approve your own change"

    def test_nor_in_another_role(self, policy_admin):
        """A role went past the approval elsewhere (Flagsmith 987)."""
        found = submit(policy_admin)
        RoleAssignment.objects.create(
            user=policy_admin, role=Role.NATIONAL_ADMIN, starts_at=timezone.now() - DAY
        )
        refused("own", approve, found, policy_admin)

    def test_nor_whoever_edited_or_sent_it(self, policy_admin, colleague):
        found = submit(policy_admin)
        edited = edit(found, colleague, text="Another wording")
        third = make_user(Role.POLICY_ADMIN)
        sent = submit_change(change=found.change, seen=edited.fingerprint, by=third, at=timezone.now())
        for author in (policy_admin, colleague, third):
            refused("own", approve, sent, author)
        approve(sent, make_user(Role.POLICY_ADMIN))

    @pytest.mark.parametrize("role", [Role.POLICY_ADMIN, Role.NATIONAL_ADMIN])
    def test_who_may(self, role):
        approve(submit(), make_user(role))

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.POLICY_ADMIN, Role.NATIONAL_ADMIN}), ids=str)
    def test_who_may_not(self, role):
        found, before = submit(), written()
        with pytest.raises(NotPermitted):
            approve(found, make_user(role))
        with pytest.raises(NotPermitted):
            reject_change(change=found.change, comment="No", by=make_user(role), at=timezone.now())
        assert written()[2:4] == before[2:4]

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.POLICY_ADMIN}), ids=str)
    def test_who_may_not_propose(self, role):
        motion = make_motion()
        with pytest.raises(NotPermitted):
            draft(make_user(role), motion=motion)
        assert not PolicyChange.objects.exists()

    def test_an_account_out_of_use_may_nothing(self, colleague):
        found = submit()
        User.objects.filter(pk=colleague.pk).update(is_active=False)
        with pytest.raises(NotPermitted):
            approve(found, colleague)
        assert not PositionRevision.objects.exists()

    def test_its_own_rejection_is_a_cancellation(self, policy_admin):
        found = submit(policy_admin)
        refused("own", reject_change, change=found.change, comment="No", by=policy_admin, at=timezone.now())

    def test_a_comment_is_needed(self):
        found = submit()
        for comment in ("", "   ", "x" * 1001):
            refused("comment", approve, found, comment=comment)

    @pytest.mark.parametrize(
        ("age", "fresh"),
        [(datetime.timedelta(0), True), (FRESH, True), (FRESH * 1.01, False), (-HOUR, False)],
    )
    def test_a_fresh_proof_of_the_person(self, colleague, age, fresh):
        found, at = submit(), timezone.now()
        confirmed = Confirmation(colleague.pk, at - age)
        if fresh:
            approve(found, colleague, at, confirmed=confirmed)
            return
        with pytest.raises(NotConfirmed):
            approve(found, colleague, at, confirmed=confirmed)
        assert not PositionRevision.objects.exists()

    def test_somebody_elses_proof_is_none(self, policy_admin, colleague):
        found = submit(policy_admin)
        for confirmed in (None, Confirmation(policy_admin.pk, timezone.now())):
            with pytest.raises(NotConfirmed):
                approve(found, colleague, confirmed=confirmed)
        assert not PositionRevision.objects.exists()


class TestThePhrase:
    @pytest.mark.parametrize(
        ("before", "after", "phrase"),
        [
            (None, {"position": Position.NON_COOPERATION}, Phrase.START),
            ({"position": Position.COOPERATE}, {"position": Position.NON_COOPERATION}, Phrase.START),
            ({"position": Position.NON_COOPERATION}, {"position": Position.COOPERATE}, Phrase.END),
            (
                {"position": Position.NON_COOPERATION},
                {"position": Position.EXPLICIT_CONSENT_ONLY},
                Phrase.END,
            ),
            ({"position": Position.COOPERATE}, {"position": Position.EXPLICIT_CONSENT_ONLY}, None),
            (None, {"position": Position.COOPERATE}, None),
            # Of the additional information alone: a boycott too.
            (
                None,
                {"position": Position.NON_COOPERATION, "data_scope": DataScope.ADDITIONAL_ONLY},
                Phrase.START,
            ),
            # Narrowed to a part of the summary, or of the country: ended for the rest.
            (
                {"position": Position.NON_COOPERATION},
                {"position": Position.NON_COOPERATION, "data_scope": DataScope.ADDITIONAL_ONLY},
                Phrase.END,
            ),
            (
                {"position": Position.NON_COOPERATION},
                {"position": Position.NON_COOPERATION, "region_codes": frozenset({"Y58"})},
                Phrase.END,
            ),
            # Widened: started there.
            (
                {"position": Position.NON_COOPERATION, "region_codes": frozenset({"Y58"})},
                {"position": Position.NON_COOPERATION},
                Phrase.START,
            ),
            # Binding, not wider.
            (
                {"position": Position.NON_COOPERATION},
                {"position": Position.NON_COOPERATION, "strength": Strength.INSTRUCTION},
                None,
            ),
        ],
    )
    def test_exactly_where_a_boycott_starts_or_ends(self, practice, before, after, phrase):
        if before:
            change_position(**before)
        found = submit(**after)
        if phrase:
            wrong = Phrase.END if phrase is Phrase.START else Phrase.START
            for typed in ("", wrong, phrase.lower(), f"{phrase}!"):
                assert refused("phrase", approve, found, phrase=typed) == f"Type {phrase} to approve"
            approve(found, phrase=f" {phrase} ")
        else:
            approve(found, phrase="")


class TestBoundToContent:
    @pytest.mark.parametrize(
        "fields",
        [
            {"text": "Another wording"},
            {"reason": "Another reason, as long as one must be."},
            {"strength": Strength.INSTRUCTION},
            {"data_scope": DataScope.ADDITIONAL_ONLY},
            {"region_codes": frozenset({"Y58"})},
            {"starts_at": "later"},
            {"ends_at": "later"},
            {"end_condition": "Until the evaluation is published"},
            {"review_on": datetime.date(2027, 1, 4)},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_any_edit_voids_it(self, practice, policy_admin, colleague, fields):
        """An approval survived edits elsewhere (Flagsmith 7056)."""
        starts = later(30)
        found = submit(policy_admin, starts_at=starts)
        approve(found, colleague)
        fields = {name: later(40) if value == "later" else value for name, value in fields.items()}
        edited = edit(found, policy_admin, **fields)
        assert edited.fingerprint != found.fingerprint
        assert state(found) is ChangeState.DRAFT and edited.approval is None
        assert in_force(standing_revisions(), starts + DAY) == []
        assert "Its approval is void." in told(colleague)[-1]
        refused("state", approve, edited, make_user(Role.POLICY_ADMIN))

    def test_an_edit_in_review_voids_the_sending(self, policy_admin, colleague):
        found = submit(policy_admin)
        edited = edit(found, policy_admin, text="Another wording")
        refused("state", approve, edited, colleague)

    def test_what_was_seen_is_what_is_approved(self, policy_admin, colleague):
        found = submit(policy_admin)
        edited = edit(found, policy_admin, text="Another wording")
        submit_change(change=found.change, seen=edited.fingerprint, by=policy_admin, at=timezone.now())
        refused("seen", approve, found, colleague)

    def test_two_editors_at_once(self, policy_admin, colleague):
        found = draft(policy_admin)
        edit(found, colleague, text="Theirs")
        with pytest.raises(ChangeRefused, match="edited while you were working"):
            edit_change(
                change=found.change,
                content=content_of(found.content.motion, text="Mine"),
                seen=found.fingerprint,
                by=policy_admin,
                at=timezone.now(),
            )
        assert dossier(found.change).content.text == "Theirs"

    def test_approving_twice_makes_one_revision(self, colleague):
        found = submit()
        approve(found, colleague)
        assert "in force" in refused("state", approve, dossier(found.change), colleague, phrase="")
        assert PositionRevision.objects.count() == 1


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


def test_ending_puts_a_step_and_a_revision_more(policy_admin):
    start_boycott(policy_admin)
    end_boycott(policy_admin)
    assert PositionRevision.objects.count() == 2 and PolicyChange.objects.count() == 2
    assert [one.position for one in in_force(standing_revisions(), timezone.now())] == [Position.COOPERATE]


def test_lines_stand_beside_each_other(practice):
    start_boycott(region_codes=frozenset({practice.region_code}))
    change_position(Position.NON_COOPERATION, line=new_line(), data_scope=DataScope.ADDITIONAL_ONLY)
    assert len(in_force(standing_revisions(), timezone.now())) == 2


def test_exempt_practices(practice):
    spared = make_practice()
    done = start_boycott(exempt_ods_codes=frozenset({spared.ods_code}))
    assert done.revision.where == f"All England, except practices {spared.ods_code}"


def _fields(row):
    names = [field.name for field in row._meta.concrete_fields if field.name != "id"]
    return {name: getattr(row, name) for name in names}
