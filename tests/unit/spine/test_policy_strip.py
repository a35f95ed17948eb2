"""The strip as a table: what is in force, what the practice answers, and the words it makes."""

import datetime
import uuid
from zoneinfo import ZoneInfo

import pytest

from boycott.positions import DataScope, Position, Stance
from boycott.rules import Revision
from spine.policy.strip import Here, Stopped, StripState, stops_uploads, strip_for

LONDON = ZoneInfo("Europe/London")
NOW = datetime.datetime(2007, 9, 3, 9, 30, tzinfo=LONDON)
JUNE = datetime.datetime(2007, 6, 29, 16, 0, tzinfo=LONDON)
OCTOBER = datetime.datetime(2007, 10, 1, 12, 0, tzinfo=LONDON)
LIVE = datetime.date(2007, 3, 1)
POLICY = "/policy/"


def revision(position=Position.NON_COOPERATION, part=DataScope.ALL, start=JUNE, number=1):
    return Revision(number, uuid.uuid4(), number, position, part, start, None, start)


BOYCOTT = revision()
COOPERATE = revision(Position.COOPERATE, number=2)
TO_COME = revision(start=OCTOBER)
STOP = Stopped(
    datetime.datetime(2007, 9, 3, 9, 12, tzinfo=LONDON), "R Patel", "wrong practice code in receipts"
)
STOPPED_BEFORE = Stopped(datetime.datetime(2007, 9, 1, 9, 12, tzinfo=LONDON), "R Patel", "Wrong codes.")


def here(**facts):
    return Here(**{"at": NOW, "policy_url": POLICY, "stance": Stance.FOLLOW, "goes_live_on": LIVE} | facts)


TABLE = [
    (
        "off",
        here(),
        StripState.OFF,
        "No BMA boycott in force. Uploads run for patients with consent.",
        "",
    ),
    (
        "on, followed",
        here(in_force=(BOYCOTT,), patients=11204),
        StripState.ON_FOLLOWED,
        "BMA boycott in force since 29 June 2007. Your practice follows it: uploads are stopped for "
        "11,204 patients.",
        "What this means",
    ),
    (
        "on, followed by one patient",
        here(in_force=(BOYCOTT,), patients=1),
        StripState.ON_FOLLOWED,
        "BMA boycott in force since 29 June 2007. Your practice follows it: uploads are stopped for 1 patient.",
        "What this means",
    ),
    (
        "on, not followed",
        here(in_force=(BOYCOTT,), stance=Stance.DO_NOT_FOLLOW),
        StripState.ON_NOT_FOLLOWED,
        "BMA boycott in force since 29 June 2007. Your practice does not follow it: uploads continue for "
        "patients with consent.",
        "",
    ),
    (
        "on, seen without a practice",
        here(in_force=(BOYCOTT,), stance=None),
        StripState.ON_FOLLOWED,
        "BMA boycott in force since 29 June 2007. Uploads are stopped in the practices that follow it.",
        "What this means",
    ),
    (
        "scheduled",
        here(to_come=(TO_COME,)),
        StripState.SCHEDULED,
        "BMA boycott starts on 1 October 2007 at midday. Uploads run until then.",
        "What this means",
    ),
    (
        "on before scheduled",
        here(in_force=(BOYCOTT,), to_come=(TO_COME,), patients=3),
        StripState.ON_FOLLOWED,
        "BMA boycott in force since 29 June 2007. Your practice follows it: uploads are stopped for 3 patients.",
        "What this means",
    ),
    (
        "conflict before on",
        here(in_force=(BOYCOTT, COOPERATE)),
        StripState.CONFLICT,
        "BMA policy is conflicting: 2 adopted positions disagree. Uploads are held until this is resolved.",
        "See both positions",
    ),
    (
        "conflict, not followed",
        here(in_force=(BOYCOTT, COOPERATE), stance=Stance.DO_NOT_FOLLOW),
        StripState.CONFLICT,
        "BMA policy is conflicting: 2 adopted positions disagree. Your practice follows neither: uploads "
        "continue for patients with consent.",
        "See both positions",
    ),
    (
        "stop before conflict",
        here(in_force=(BOYCOTT, COOPERATE), stop=STOP),
        StripState.STOP,
        "All uploads were stopped at 9:12am by R Patel. Reason: wrong practice code in receipts.",
        "",
    ),
    (
        "stopped on another day",
        here(stop=STOPPED_BEFORE),
        StripState.STOP,
        "All uploads were stopped on 1 September 2007 at 9:12am by R Patel. Reason: Wrong codes.",
        "",
    ),
    (
        "the practice holds by itself",
        here(stance=Stance.HOLD, patients=40),
        StripState.ON_FOLLOWED,
        "No BMA boycott in force. Your practice holds uploads whatever the policy: they are stopped for "
        "40 patients.",
        "What this means",
    ),
    (
        "additional information only",
        here(in_force=(revision(part=DataScope.ADDITIONAL_ONLY),)),
        StripState.ON_FOLLOWED,
        "BMA boycott of additional information in force since 29 June 2007. Your practice follows it and "
        "uploads medication, allergies and adverse reactions only.",
        "What this means",
    ),
    (
        "additional information only, not followed",
        here(in_force=(revision(part=DataScope.ADDITIONAL_ONLY),), stance=Stance.DO_NOT_FOLLOW),
        StripState.ON_NOT_FOLLOWED,
        "BMA boycott of additional information in force since 29 June 2007. Your practice does not follow it: "
        "uploads continue for patients with consent.",
        "",
    ),
    (
        "additional information only, seen without a practice",
        here(in_force=(revision(part=DataScope.ADDITIONAL_ONLY),), stance=None),
        StripState.ON_FOLLOWED,
        "BMA boycott of additional information in force since 29 June 2007. Practices that follow it upload "
        "medication, allergies and adverse reactions only.",
        "What this means",
    ),
    (
        "additional information only, scheduled",
        here(to_come=(revision(part=DataScope.ADDITIONAL_ONLY, start=OCTOBER),)),
        StripState.SCHEDULED,
        "BMA boycott of additional information starts on 1 October 2007 at midday. Uploads run until then.",
        "What this means",
    ),
    (
        "additional information only, and more to come",
        here(in_force=(revision(part=DataScope.ADDITIONAL_ONLY),), to_come=(TO_COME,)),
        StripState.ON_FOLLOWED,
        "BMA boycott of additional information in force since 29 June 2007. A boycott of whole summaries "
        "starts on 1 October 2007 at midday. Your practice follows it and uploads medication, allergies and "
        "adverse reactions only.",
        "What this means",
    ),
    (
        "on, until a day",
        here(in_force=(BOYCOTT,), patients=3, ends_at=OCTOBER),
        StripState.ON_FOLLOWED,
        "BMA boycott in force since 29 June 2007. It ends on 1 October 2007 at midday. Your practice follows "
        "it: uploads are stopped for 3 patients.",
        "What this means",
    ),
    (
        "in parts of England, seen without a practice",
        here(in_parts_since=JUNE, stance=None),
        StripState.ON_FOLLOWED,
        "BMA boycott in force in parts of England since 29 June 2007. Uploads are stopped in the practices "
        "that follow it.",
        "What this means",
    ),
    (
        "the practice holds by itself, whatever is to come",
        here(stance=Stance.HOLD, patients=40, to_come=(TO_COME,)),
        StripState.ON_FOLLOWED,
        "No BMA boycott in force. Your practice holds uploads whatever the policy: they are stopped for "
        "40 patients.",
        "What this means",
    ),
    (
        "not joined yet",
        here(goes_live_on=datetime.date(2008, 5, 12)),
        StripState.OFF,
        "No BMA boycott in force. Your practice joins on 12 May 2008. Nothing is uploaded until then.",
        "",
    ),
    (
        "no date to join",
        here(goes_live_on=None),
        StripState.OFF,
        "No BMA boycott in force. Your practice has no date to join yet, so nothing is uploaded.",
        "",
    ),
    (
        "co-operation is no boycott",
        here(in_force=(COOPERATE,)),
        StripState.OFF,
        "No BMA boycott in force. Uploads run for patients with consent.",
        "",
    ),
]


@pytest.mark.parametrize(
    ("facts", "state", "text", "link"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_strip(facts, state, text, link):
    strip = strip_for(facts)
    assert (strip.state, strip.text, strip.link_text) == (state, text, link)
    assert strip.link_url == (POLICY if link else "")


def test_every_state_has_a_row():
    assert {row[2] for row in TABLE} == set(StripState)


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        (here(in_force=(BOYCOTT,)), True),
        (here(stance=Stance.HOLD), True),
        (here(), False),
        (here(in_force=(BOYCOTT,), stance=Stance.DO_NOT_FOLLOW), False),
        (here(in_force=(BOYCOTT,), stance=None), False),
        (here(in_force=(BOYCOTT,), stop=STOP), False),
        (here(in_force=(BOYCOTT, COOPERATE)), False),
    ],
)
def test_patients_are_counted_only_where_the_strip_names_them(facts, counts):
    assert stops_uploads(facts) is counts
