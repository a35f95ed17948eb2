"""Page, API and command are three doors to one desk: what one refuses, all refuse, in the same words.

Each row is a way round four eyes that was found in some approval workflow: approving one's own, through
another role, after an edit, on figures that moved, by somebody who left, or past the phrase.
"""

import html
import io
import json
import re
import uuid
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from boycott.approvals import reject_change
from boycott.dossier import dossier
from boycott.drafting import cancel_change, submit_change
from boycott.models import ChangeContent, ChangeStep, PolicyChange, PositionRevision
from boycott.motions import content_of as words_of
from boycott.motions import revise_motion
from carerecords.models import RoleAssignment
from carerecords.permissions import Role
from spine.models import StopRevision, StopStep
from spine.policy.stopping import stopping
from tests.factories import LONG_AGO, decide, make_patient, make_user
from tests.guidance_factories import make_guidance
from tests.logging_in import PASSWORD, give_password, log_in_now
from tests.policy_factories import (
    COMMENT,
    draft,
    make_motion,
    start_boycott,
    submit,
    with_guidance,
)

pytestmark = pytest.mark.django_db
WORDS = {"submit": set(), "approve": {"phrase", "comment"}, "reject": {"comment"}, "cancel": {"comment"}}


class Page:
    """A person at a browser who has just logged in."""

    def decide(self, verb, found, by, **given):
        address = reverse(f"spine:change_{verb}", args=[found.change.public_id])
        return self._sent(log_in_now(Client(), by), address, given)

    def stop(self, does, by, reason):
        return self._sent(log_in_now(Client(), by), reverse("spine:stop"), {"do": does, "reason": reason})

    def _sent(self, client, address, given):
        answer = client.post(address, given, follow=True)
        return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


class Api:
    """Their own program, with a token, and the password where one is asked for."""

    def decide(self, verb, found, by, **given):
        given = {name: given[name] for name in {"seen"} | WORDS[verb] if name in given}
        if verb == "approve":
            given["password"] = PASSWORD
        elif verb != "submit":
            given.pop("seen")
        return self._sent(by, f"/api/v1/policy/changes/{found.change.public_id}/{verb}/", given)

    def stop(self, does, by, reason):
        given = {"reason": reason} | ({"password": PASSWORD} if does == "agree" else {})
        return self._sent(by, f"/api/v1/policy/stop/{'' if does == 'stop' else f'{does}/'}", given)

    def _sent(self, by, address, given):
        give_password(by)
        client = APIClient(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=by)[0].key}")
        return json.dumps(client.post(address, given, format="json").json(), ensure_ascii=False)


class Command:
    """Themselves at the machine's own terminal."""

    def decide(self, verb, found, by, **given):
        options = {name: given[name] for name in WORDS[verb] if name in given}
        if verb in {"submit", "approve"}:
            options["seen"] = given["seen"]
        words = [f"--{name}={value}" for name, value in options.items()]
        return self._called(by, "policy_change", verb, str(found.change.public_id), *words)

    def stop(self, does, by, reason):
        named = {"stop": ["stop_uploads"], "review": ["stop_uploads", "--review"]}
        return self._called(by, *named.get(does, ["resume_uploads", does]), f"--reason={reason}")

    def _called(self, by, *words):
        give_password(by)
        out = io.StringIO()
        try:
            call_command(*words, stdout=out, stdin=io.StringIO(f"{by.email}\n{PASSWORD}\n"))
        except CommandError as error:
            return str(error)
        return out.getvalue()


DOORS = pytest.mark.parametrize("door", [Page(), Api(), Command()], ids=["page", "api", "command"])


@pytest.fixture(autouse=True)
def fresh_rates():
    cache.clear()


def written():
    tables = (PolicyChange, ChangeContent, ChangeStep, PositionRevision, StopRevision, StopStep)
    return [model.objects.count() for model in tables]


def give_role(user, role):
    RoleAssignment.objects.create(user=user, role=role, starts_at=LONG_AGO)
    return user


def end_roles(user):
    """As a bulk update does it, which tells nobody."""
    RoleAssignment.objects.filter(user=user).update(ends_at=timezone.now())


def colleague():
    return make_user(Role.POLICY_ADMIN)


def sent_again(found, by, seen=None):
    seen = seen or dossier(found.change).fingerprint
    return submit_change(change=found.change, seen=seen, by=by, at=timezone.now())


def own():
    author = colleague()
    return submit(author), author, {}


def own_in_another_role():
    author = colleague()
    found = submit(author)
    end_roles(author)
    return found, give_role(author, Role.NATIONAL_ADMIN), {}


def whose_guidance_they_wrote():
    found, other = draft(), colleague()
    make_guidance(change=found.change, by=other)
    return sent_again(found, found.change.made_by), other, {}


def whom_the_author_let_send_it():
    found, sender = with_guidance(draft()), colleague()
    return sent_again(found, sender), sender, {}


def edited_while_they_read():
    found = submit()
    make_guidance(
        page=found.guidance.page, text="# Other steps", by=found.change.made_by, change=found.change
    )
    sent_again(found, found.change.made_by)
    return found, colleague(), {"seen": found.fingerprint}


def edited_since_it_was_sent():
    found = submit()
    make_guidance(
        page=found.guidance.page, text="# Other steps", by=found.change.made_by, change=found.change
    )
    return dossier(found.change), colleague(), {}


def never_sent():
    return with_guidance(draft()), colleague(), {}


def rejected_already():
    found = submit()
    reject_change(change=found.change, comment="No", by=colleague(), at=timezone.now())
    return found, colleague(), {}


def cancelled_already():
    found = submit()
    cancel_change(change=found.change, comment="No", by=found.change.made_by, at=timezone.now())
    return found, colleague(), {}


def whose_motion_was_changed():
    found = submit()
    motion = found.content.motion
    revise_motion(
        motion=motion.motion,
        content=replace(words_of(motion), votes_for=191, votes_against=12),
        reason="A vote was counted twice",
        seen=motion.number,
        by=colleague(),
        at=timezone.now(),
    )
    return found, colleague(), {}


def without_the_phrase():
    return submit(), colleague(), {"phrase": ""}


def with_the_other_phrase():
    return submit(), colleague(), {"phrase": "END BOYCOTT"}


def without_a_comment():
    return submit(), colleague(), {"comment": "  "}


def by_somebody_who_left_that_role():
    other = colleague()
    end_roles(other)
    return submit(), give_role(other, Role.AUDITOR), {}


def by_the_wrong_role():
    return submit(), make_user(Role.PRACTICE_MANAGER), {}


NOT_APPROVED = {
    own: "You cannot approve your own change",
    own_in_another_role: "You cannot approve your own change",
    whose_guidance_they_wrote: "You cannot approve your own change",
    whom_the_author_let_send_it: "You cannot approve your own change",
    edited_while_they_read: "This change was edited while you were working. Check it again",
    edited_since_it_was_sent: "This change was edited since it was sent. Its author must send it again",
    never_sent: "This change is draft, so it cannot be approved",
    rejected_already: "This change is rejected, so it cannot be approved",
    cancelled_already: "This change is cancelled, so it cannot be approved",
    whose_motion_was_changed: "This change is suspended, so it cannot be approved",
    without_the_phrase: "Type START BOYCOTT to approve",
    with_the_other_phrase: "Type START BOYCOTT to approve",
    without_a_comment: "Enter a comment",
    by_somebody_who_left_that_role: "Your role (Auditor) cannot approve a change of the BMA policy",
    by_the_wrong_role: "Your role (Practice manager) cannot approve a change of the BMA policy",
}


def approval(found, **given):
    return {"seen": found.fingerprint, "phrase": "START BOYCOTT", "comment": COMMENT} | given


@DOORS
@pytest.mark.parametrize("case", NOT_APPROVED, ids=lambda case: case.__name__)
def test_no_way_round_four_eyes(door, case):
    found, by, given = case()
    before = written()
    told = door.decide("approve", found, by, **approval(found, **given))
    assert NOT_APPROVED[case] in told
    assert written() == before and not PositionRevision.objects.exists()


@DOORS
def test_figures_that_moved_are_asked_about_and_that_is_a_row(door, practice):
    """Once a person: having seen them, the same person may approve."""
    found, by = submit(), colleague()
    decide(make_patient(practice))
    told = door.decide("approve", found, by, **approval(found))
    assert "Figures changed by more than 5% since this was sent. Check them again" in told
    assert dossier(found.change).last.kind == "ASKED_AGAIN" and not PositionRevision.objects.exists()
    door.decide("approve", found, by, **approval(found))
    assert PositionRevision.objects.count() == 1


@DOORS
def test_a_change_whose_author_left_is_suspended_and_that_is_a_row(door):
    found, by = submit(), colleague()
    end_roles(found.change.made_by)
    told = door.decide("approve", found, by, **approval(found))
    assert "This change is suspended. Somebody who sent it left that role" in told
    last = dossier(found.change).last
    assert (last.kind, last.cause, last.made_by) == ("SUSPENDED", "LEFT", None)
    assert not PositionRevision.objects.exists()


@DOORS
@pytest.mark.parametrize(
    ("verb", "case", "words"),
    [
        ("reject", own, "Cancel your own change instead"),
        ("reject", without_a_comment, "Enter a reason"),
        ("reject", rejected_already, "This change is rejected, so it cannot be rejected"),
        ("cancel", cancelled_already, "This change is cancelled, so it cannot be cancelled"),
        ("cancel", without_a_comment, "Enter a reason"),
        ("cancel", by_the_wrong_role, "Your role (Practice manager) cannot "),
        ("submit", edited_while_they_read, "This change was edited while you were working. Check it again"),
        ("submit", cancelled_already, "This change is cancelled, so it cannot be sent for approval"),
        ("submit", by_the_wrong_role, "Your role (Practice manager) cannot "),
    ],
    ids=lambda each: getattr(each, "__name__", each)[:24],
)
def test_other_steps_are_refused_alike(door, verb, case, words):
    found, by, given = case()
    before = written()
    assert words in door.decide(verb, found, by, **approval(found, **given))
    assert written() == before


@DOORS
def test_without_guidance_nothing_is_sent(door):
    found = draft()
    before = written()
    told = door.decide("submit", found, found.change.made_by, seen=found.fingerprint)
    assert "Write the guidance to publish with this change first" in told and written() == before


@DOORS
@pytest.mark.parametrize(
    ("verb", "kinds"),
    [
        ("submit", ["WRITTEN", "SUBMITTED"]),
        ("approve", ["WRITTEN", "SUBMITTED", "APPROVED", "TOOK_EFFECT"]),
        ("reject", ["WRITTEN", "SUBMITTED", "REJECTED"]),
        ("cancel", ["WRITTEN", "SUBMITTED", "CANCELLED"]),
    ],
)
def test_every_step_taken_is_a_row_in_the_persons_name(door, verb, kinds):
    """Committing and rejecting left no row elsewhere (Flagsmith 1186)."""
    found = with_guidance(draft()) if verb == "submit" else submit()
    by = found.change.made_by if verb in {"submit", "cancel"} else colleague()
    door.decide(verb, found, by, **approval(found))
    steps = dossier(found.change).steps
    assert [step.kind for step in steps] == kinds
    taken = next(step for step in reversed(steps) if step.kind != "TOOK_EFFECT")
    assert taken.made_by == by and taken.content_hash == found.fingerprint
    assert taken.comment == ("" if verb == "submit" else COMMENT)


@DOORS
def test_a_boycott_ends_as_it_began(door):
    start_boycott()
    found, by = submit(position="COOPERATE"), colleague()
    assert "Type END BOYCOTT to approve" in door.decide("approve", found, by, **approval(found))
    door.decide("approve", found, by, **approval(found, phrase="END BOYCOTT"))
    assert PositionRevision.objects.latest("pk").position == "COOPERATE"


@DOORS
def test_one_stops_and_two_resume(door):
    """The same refusals for whoever would be both."""
    one, two = make_user(Role.NATIONAL_ADMIN), make_user(Role.NATIONAL_ADMIN)
    for does, by, words in [
        ("review", two, "Uploads are not stopped"),
        ("stop", one, "No upload has begun since"),
        ("stop", two, "All uploads are stopped already"),
        ("review", one, "You stopped uploads, so somebody else must review that"),
        ("review", two, ""),
        ("review", two, "has reviewed this stop already"),
        ("agree", two, "Nobody has asked to resume uploads"),
        ("ask", one, ""),
        ("ask", two, "has asked to resume already"),
        ("agree", one, "You asked to resume uploads, so somebody else must agree"),
        ("decline", two, ""),
        ("ask", one, ""),
    ]:
        told = door.stop(does, by, "Wrong doses in summaries")
        assert words in told or (door.__class__ is Api and "quiet_since" in told), (does, told)
    kinds = list(StopStep.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["REVIEWED", "RESUME_ASKED", "RESUME_DECLINED", "RESUME_ASKED"]
    before = written()
    for by, reason, words in [
        (make_user(Role.POLICY_ADMIN), "Why not", "cannot stop all uploads"),
        (two, " ", "Enter a reason"),
    ]:
        assert words in door.stop("agree", by, reason)
    assert written() == before and stopping() is not None
    door.stop("agree", two, "The supplier's correction was checked")
    assert stopping() is None and StopRevision.objects.latest("pk").made_by == two


@pytest.mark.parametrize("model", [PolicyChange, ChangeContent, ChangeStep, PositionRevision])
def test_there_is_no_bulk_way_past_the_doors(model):
    """A bulk update moves no change: PostgreSQL refuses it (waffle 348, Flagsmith 987)."""
    start_boycott()
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        model.objects.update(made_at=timezone.now())
    with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
        model.objects.all().delete()


class TestWhoStandsAtTheTerminal:
    def call(self, *words, typed):
        out = io.StringIO()
        call_command("policy_change", *words, stdout=out, stdin=io.StringIO(typed))
        return out.getvalue()

    @pytest.mark.parametrize("how", ["wrong password", "no password", "nobody", "out of use", "nothing"])
    def test_somebody_unproved_does_nothing(self, how):
        found, by = submit(), give_password(colleague())
        typed = {
            "wrong password": f"{by.email}\nanother\n",
            "no password": f"{by.email}\n",
            "nobody": f"nobody@test.example\n{PASSWORD}\n",
            "nothing": "",
        }.get(how, f"{by.email}\n{PASSWORD}\n")
        if how == "out of use":
            by.is_active = False
            by.save()
        before, words = written(), approval(found)
        options = [f"--{name}={value}" for name, value in words.items()]
        with pytest.raises(CommandError, match=r"^Email address or password is not right\.$"):
            self.call("approve", str(found.change.public_id), *options, typed=typed)
        assert written() == before

    def test_a_person_is_asked_and_the_password_is_not_shown(self, monkeypatch):
        """At a terminal the password is read without echo, past the input."""

        class Terminal(io.StringIO):
            def isatty(self):
                return True

        found, other, asked = submit(), give_password(colleague()), []
        monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or PASSWORD)
        err = io.StringIO()
        call_command(
            "policy_change",
            "reject",
            str(found.change.public_id),
            f"--comment={COMMENT}",
            stdout=io.StringIO(),
            stderr=err,
            stdin=Terminal(f"{other.email}\n"),
        )
        assert (err.getvalue(), asked) == ("Email address: ", ["Password: "])
        last = dossier(found.change).last
        assert (last.kind, last.made_by) == ("REJECTED", other)

    def test_from_a_file_to_a_change_in_force(self, tmp_path):
        author, other = give_password(colleague()), give_password(colleague())
        as_author, as_other = f"{author.email.upper()}\n{PASSWORD}\n", f"{other.email}\n{PASSWORD}\r\n"
        assert self.call("list", typed="") == "There is no change of policy.\n"
        assert 'say "line": null' in self.call("lines", typed="")
        says = {"position": "NON_COOPERATION", "strength": "ADVICE", "data_scope": "ALL"}
        says |= {"motion": str(make_motion(author).motion), "reason": "Adopted by the meeting of 27 June"}
        told = self.call("motions", typed="")
        assert f"{says['motion']}  Adopted: Centralised storage of medical records (" in told
        file = tmp_path / "change.json"
        file.write_text(json.dumps(says | {"line": None}), encoding="utf-8")
        assert "): Draft" not in self.call("draft", str(file), typed=as_author)
        found = dossier(PolicyChange.objects.get())
        file.write_text(json.dumps(says | {"text": "Our own words"}), encoding="utf-8")
        number = str(found.change.public_id)
        told = self.call("edit", number, str(file), f"--seen={found.fingerprint}", typed=as_author)
        assert "Words: Our own words" in told and "Guidance: none is written" in told
        found = with_guidance(found, author)
        self.call("submit", number, f"--seen={found.fingerprint}", typed=as_author)
        told = self.call("show", number, typed="")
        assert f"Seen: {found.fingerprint}\n" in told and "Phrase to type: START BOYCOTT" in told
        assert "Patients whose uploads stop: 0" in told
        words = [f"--{name}={value}" for name, value in approval(found).items()]
        told = self.call("approve", number, *words, typed=as_other)
        assert told.startswith("No upload has begun since ") and ": In force" in told
        assert f"{found.change.line}  BMA: Do not co-operate" in self.call("lines", typed="")
        assert f"{number}  In force: Do not co-operate: no upload" in self.call("list", typed="")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (None, "cannot be read: No such file"),
            ("{", "is not JSON"),
            ("[]", "body: Send one JSON object with the fields"),
            ('{"line": null, "positon": "COOPERATE"}', "positon: There is no such field"),
            ('{"line": null}', "reason: Enter a reason for the change"),
            ('{"line": null, "ods_codes": [1]}', "ods_codes: Send a list of texts, each in quotes"),
        ],
    )
    def test_a_file_that_says_no_change(self, tmp_path, text, words):
        file, by = tmp_path / "change.json", give_password(colleague())
        if text is not None:
            file.write_text(text, encoding="utf-8")
        with pytest.raises(CommandError) as refusal:
            self.call("draft", str(file), typed=f"{by.email}\n{PASSWORD}\n")
        assert words in str(refusal.value) and not PolicyChange.objects.exists()

    @pytest.mark.parametrize("number", ["5", str(uuid.UUID(int=5))])
    def test_no_such_change(self, number):
        with pytest.raises(CommandError, match="There is no change of policy with this id"):
            self.call("show", number, typed="")
