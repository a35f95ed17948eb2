"""What counts of each line of policy from a moment on: the same answers from less than the whole history."""

import datetime
import random
import uuid

import pytest
from django.utils import timezone

from boycott.models import PositionRevision, PositionWithdrawal
from boycott.positions import Position
from boycott.queries import standing_revisions
from boycott.rules import in_force, to_come
from carerecords import fence

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize("seed", range(25))
def test_who_asks_from_a_moment_on_is_told_what_the_whole_history_says(seed):
    dice, now = random.Random(seed), timezone.now()
    with fence.changing():
        for line in (uuid.uuid4(), uuid.uuid4()):
            for number in range(1, dice.randint(2, 12)):
                _revise(line, number, dice, now)
    for since in (now, now + 3 * DAY, now + 6 * DAY):
        whole, part = standing_revisions(), standing_revisions(since=since)
        assert {one.id for one in part} <= {one.id for one in whole}
        for hours in range(0, 15 * 24, 6):
            moment = since + datetime.timedelta(hours=hours)
            assert in_force(part, moment) == in_force(whole, moment), moment
            assert to_come(part, moment) == to_come(whole, moment), moment


def test_a_long_history_leaves_a_handful(django_assert_num_queries):
    line, now = uuid.uuid4(), timezone.now()
    with fence.changing():
        for number in range(1, 31):
            _position(line, number, starts=now - (40 - number) * DAY, made_at=now - (40 - number) * DAY)
        _position(line, 31, starts=now + DAY, made_at=now)
    with django_assert_num_queries(1):
        found = standing_revisions(since=now)
    assert [one.number for one in found] == [30, 31]


def _revise(line, number, dice, now):
    """At once, or by the calendar, and then perhaps taken back before it has begun."""
    made_at = now + dice.choice((-8, -5, -2, 0)) * DAY
    at_once = dice.random() < 0.5
    starts = made_at if at_once else made_at + dice.randint(1, 9) * DAY
    row = _position(
        line, number, starts, made_at, starts + dice.randint(1, 9) * DAY if dice.random() < 0.3 else None
    )
    if not at_once and dice.random() < 0.3:
        PositionWithdrawal.objects.create(revision=row, made_at=made_at)


def _position(line, number, starts, made_at, ends=None):
    return PositionRevision.objects.create(
        line=line,
        number=number,
        body="BMA",
        position=Position.NON_COOPERATION if number % 2 else Position.COOPERATE,
        text="That practices do not co-operate.",
        effective_from=starts,
        effective_to=ends,
        made_at=made_at,
        reason="Adopted by the meeting.",
    )
