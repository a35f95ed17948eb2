"""What is told in the last day before the calendar turns, as a table."""

import datetime
from dataclasses import replace

import pytest

from boycott.positions import DataScope, Position, Stance
from spine.policy.soon import told_before
from tests.unit.spine.test_policy_strip import NOW, here, revision

HOUR = datetime.timedelta(hours=1)
STARTS = revision(start=NOW + 23 * HOUR)
ADDITIONAL = revision(start=NOW + 23 * HOUR, part=DataScope.ADDITIONAL_ONLY)
COOPERATE = revision(Position.COOPERATE, start=NOW + 23 * HOUR)
ENDS = replace(revision(), effective_to=NOW + HOUR)
NAMED = "The BMA position “Do not co-operate: no upload”"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (here(), []),
        (here(to_come=(revision(start=NOW + 25 * HOUR),)), []),
        (
            here(to_come=(STARTS,)),
            [
                f"{NAMED} starts on 4 September 2007 at 8:30am. Your practice follows it, so its uploads stop then."
            ],
        ),
        (
            here(to_come=(STARTS,), stance=Stance.DO_NOT_FOLLOW),
            [
                f"{NAMED} starts on 4 September 2007 at 8:30am. Your practice does not follow BMA policy, so "
                "nothing changes here."
            ],
        ),
        (
            here(to_come=(STARTS,), stance=Stance.HOLD),
            [
                f"{NAMED} starts on 4 September 2007 at 8:30am. Your practice holds uploads whatever the policy."
            ],
        ),
        (here(to_come=(STARTS,), stance=None), [f"{NAMED} starts on 4 September 2007 at 8:30am."]),
        (
            here(to_come=(ADDITIONAL,)),
            [
                f"{NAMED} (additional information only) starts on 4 September 2007 at 8:30am. Your practice "
                "follows it, so uploads have no additional information from then on."
            ],
        ),
        (
            here(to_come=(COOPERATE,), in_force=(ENDS,)),
            [
                "The BMA position “Co-operate” starts on 4 September 2007 at 8:30am. Your practice follows BMA "
                "policy. Every upload is decided afresh then.",
                f"{NAMED} ends on 3 September 2007 at 10:30am. Your practice follows BMA policy. Every upload "
                "is decided afresh then.",
            ],
        ),
    ],
)
def test_told_before(facts, told):
    assert list(told_before(facts)) == told
