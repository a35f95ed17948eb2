"""A practice's answer below any screen."""

import datetime

import pytest

from boycott.actions import ChangeRefused, set_stance
from boycott.positions import Stance

pytestmark = pytest.mark.django_db
# Half past midnight on 2 July in England.
AT = datetime.datetime(2026, 7, 1, 23, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize("day", [1, 2])
def test_what_was_agreed_by_today_in_england_is_recorded(practice, manager, day):
    given = answer(practice, manager, datetime.date(2026, 7, day))
    assert given.agreed_on.day == day


def test_what_is_agreed_tomorrow_is_refused(practice, manager):
    with pytest.raises(ChangeRefused, match="must be today or in the past"):
        answer(practice, manager, datetime.date(2026, 7, 3))
    assert not practice.stance_revisions.exists()


def answer(practice, by, agreed_on):
    return set_stance(
        practice=practice, stance=Stance.HOLD, agreed_by="Partners", agreed_on=agreed_on, by=by, at=AT
    )
