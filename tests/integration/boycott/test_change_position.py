"""Changing the position below any screen: phrase, revision, reason, and the quiet."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused, change_position
from boycott.models import PositionRevision
from boycott.positions import Phrase, Position

pytestmark = pytest.mark.django_db
REASON = "Adopted by the annual representative meeting."


def change(by, position=Position.NON_COOPERATION, **more):
    fields = {"text": "Motion 12.", "reason": REASON, "seen": 0, "phrase": "", "at": timezone.now()}
    return change_position(position=position, by=by, **fields | more)


@pytest.mark.parametrize(
    ("before", "after", "phrase"),
    [
        (None, Position.NON_COOPERATION, Phrase.START),
        (Position.COOPERATE, Position.NON_COOPERATION, Phrase.START),
        (Position.NON_COOPERATION, Position.COOPERATE, Phrase.END),
        (Position.NON_COOPERATION, Position.EXPLICIT_CONSENT_ONLY, Phrase.END),
        (Position.COOPERATE, Position.EXPLICIT_CONSENT_ONLY, None),
        (None, Position.COOPERATE, None),
    ],
)
def test_phrase(policy_admin, before, after, phrase):
    seen = 0
    if before:
        starts = before is Position.NON_COOPERATION
        change(policy_admin, before, phrase=Phrase.START if starts else "")
        seen = 1
    if phrase:
        wrong = Phrase.END if phrase is Phrase.START else Phrase.START
        for typed in ("", wrong, phrase.lower()):
            with pytest.raises(ChangeRefused, match=f"Type {phrase} to confirm") as refusal:
                change(policy_admin, after, seen=seen, phrase=typed)
            assert refusal.value.field == "phrase"
        assert PositionRevision.objects.count() == seen
    made = change(policy_admin, after, seen=seen, phrase=f" {phrase} " if phrase else "")
    assert (made.revision.number, made.revision.position) == (seen + 1, after)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": "Too short"}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"text": "  "}, "text"),
        ({"seen": 3}, "seen"),
    ],
)
def test_refused(policy_admin, fields, field):
    with pytest.raises(ChangeRefused) as refusal:
        change(policy_admin, **{"phrase": Phrase.START} | fields)
    assert refusal.value.field == field
    assert not PositionRevision.objects.exists()


def test_the_same_position_again_is_refused(policy_admin):
    change(policy_admin, phrase=Phrase.START)
    with pytest.raises(ChangeRefused, match="This is the position already"):
        change(policy_admin, phrase=Phrase.START, seen=1)


def test_quiet_counts_from_the_click(policy_admin):
    click = datetime.datetime(2026, 3, 4, 14, 32, 7, tzinfo=datetime.UTC)
    quiet = change(policy_admin, phrase=Phrase.START, at=click).quiet
    assert quiet.since == click + quiet.waited
    assert datetime.timedelta(0) < quiet.waited < datetime.timedelta(seconds=5)
    assert quiet.sentence.startswith("No upload has begun since 2:32:0")
    assert quiet.sentence.endswith("seconds for uploads in flight).")
