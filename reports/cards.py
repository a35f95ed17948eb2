"""What a home page is made of."""

import datetime
from dataclasses import dataclass

from boycott.models import Notice
from carerecords.models import JobState


@dataclass(frozen=True)
class Card:
    """One count, what of, and the list behind it."""

    number: int
    label: str
    url: str | None = None
    text: str = ""
    # A job state is named on the page, as its tag is.
    state: JobState | None = None


@dataclass(frozen=True)
class Happened:
    """One change of policy, stance or stop, for those who watch over changes."""

    at: datetime.datetime
    title: str
    who: str
    text: str


@dataclass(frozen=True)
class Home:
    """What the page shows: things to do, how things stand, what changed.

    `notices`: what this person has to know of their changes of policy.
    """

    todo: list[Card]
    standing_heading: str = ""
    standing: tuple[Card, ...] = ()
    statement: str = ""
    recent: tuple[Happened, ...] = ()
    notices: tuple[Notice, ...] = ()
