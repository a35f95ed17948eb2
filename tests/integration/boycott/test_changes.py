"""Four eyes below any screen: the whole way of a change, and every way round it that was ever found."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.approvals import reject_change
from boycott.change_states import ChangeState, Step
from boycott.dossier import dossier
from boycott.drafting import cancel_change, edit_change, submit_change
from boycott.figures import Figures
from boycott.models import (
    ChangeStep,
    PolicyChange,
    PositionRevision,
)
from boycott.positions import DataScope, Phrase, Position, Strength
from boycott.queries import standing_revisions
from boycott.rules import in_force
from carerecords.confirmation import FRESH, Confirmation, NotConfirmed
from carerecords.models import RoleAssignment, User
from carerecords.permissions import NotPermitted, Role
from tests.factories import decide, make_practice, make_user
from tests.integration.boycott.changing import DAY, HOUR, edit, kinds, later, refused, state, told, written
from tests.policy_factories import (
    approve,
    change_position,
    content_of,
    draft,
    end_boycott,
    make_motion,
    new_line,
    start_boycott,
    submit,
)

pytestmark = pytest.mark.django_db


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
