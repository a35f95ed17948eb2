"""Whether a practice contributes, as far as its own answer goes: the rule is the gate's."""

import datetime

from carerecords.models import Practice
from spine.fact_groups import homes, side_of
from spine.facts import load_nation
from spine.gate import Facts, Kind, Notice, decide
from spine.reasons import Reason


def has_ended(practice: Practice, at: datetime.datetime) -> bool:
    """Whether it holds uploads, or follows a position that does. Four small queries."""
    nation = load_nation(at)
    [home] = homes(Practice.objects.filter(pk=practice.pk), nation.today).values()
    side = side_of(home, nation, nation.revisions)
    asked = Facts(Kind.NOTICE, Notice.ENDED, stance=side.stance, positions=side.asked)
    return Reason.NOTICE_NEEDLESS not in decide(asked).reasons
