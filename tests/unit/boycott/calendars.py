"""Short ways to write positions and places for tests of rules."""

import datetime
import uuid

from boycott.positions import DataScope, Position
from boycott.rules import Place, Revision

NOW = datetime.datetime(2007, 9, 3, 9, 0, tzinfo=datetime.UTC)
LINES = {name: uuid.UUID(int=place) for place, name in enumerate("ABCDEF", start=1)}
COOPERATE, EXPLICIT, BOYCOTT = Position.COOPERATE, Position.EXPLICIT_CONSENT_ONLY, Position.NON_COOPERATION
DORSET = Place("J81012", "Y58", "QVV")
BRISTOL = Place("L81001", "Y58", "QUY")
LEEDS = Place("B86001", "Y63", "QWO")
ENGLAND = (DORSET, BRISTOL, LEEDS)


def day(number):
    """So many days from now, at nine in the morning."""
    return NOW + datetime.timedelta(days=number)


def position(
    line="A", number=1, position=BOYCOTT, start=-10, end=None, about=DataScope.ALL, made=None, **more
):
    """A revision; its id orders it among those of other lines as it was made."""
    return Revision(
        id=10 * number + list(LINES).index(line),
        line=LINES[line],
        number=number,
        position=position,
        data_scope=about,
        effective_from=day(start),
        effective_to=None if end is None else day(end),
        made_at=day(min(start, 0) if made is None else made),
        **more,
    )
