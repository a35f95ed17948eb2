"""Made-up histories of one patient, and what they amount to, worked out the slow way.

`answer_of` is an oracle for `consent.rules.state_from`: it shares no code with it, and asks of each
event by itself whether it counts.
"""

import datetime

from hypothesis import strategies as st

from consent.codes import Preference, Source
from consent.rules import Event

DAY_ONE = datetime.date(2008, 3, 1)
NINE = datetime.datetime(2008, 3, 1, 9, tzinfo=datetime.UTC)
GIVEN = {Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL}


def day(number):
    return DAY_ONE + datetime.timedelta(days=number)


def moment(number):
    """One event an hour, so that times follow the sequence."""
    return NINE + datetime.timedelta(hours=number)


def decision(sequence, preference, on=0, *, seen=None):
    return Event(
        sequence=sequence,
        preference=Preference(preference),
        source=Source.PHONE,
        decided_on=day(on),
        effective_from=day(on),
        recorded_at=moment(sequence),
        supersedes=seen,
    )


def reversal(sequence, of):
    return Event(
        sequence=sequence,
        preference=None,
        source=None,
        decided_on=None,
        effective_from=None,
        recorded_at=moment(sequence),
        reverses=of,
    )


@st.composite
def histories(draw, most=8):
    """Up to eight events of five days, some in knowledge of an earlier one, some taken back."""
    events = []
    for sequence in range(1, draw(st.integers(0, most)) + 1):
        taken_back = {event.reverses for event in events}
        open_ = [event.sequence for event in events if event.sequence not in taken_back]
        if open_ and draw(st.integers(0, 3)) == 0:
            events.append(reversal(sequence, draw(st.sampled_from(open_))))
            continue
        decided = [event.sequence for event in events if event.preference]
        seen = draw(st.none() | st.sampled_from(decided)) if decided else None
        preference = draw(st.sampled_from(Preference))
        events.append(decision(sequence, preference, draw(st.integers(0, 4)), seen=seen))
    return events


def answer_of(events, at, known_at=None):
    """The state's name and the sequence of the event that it rests on."""
    known = [event for event in events if known_at is None or event.recorded_at <= known_at]
    standing = [event for event in known if event.preference and stands(event, known)]
    past = said([event for event in standing if event.effective_from <= at])
    if past:
        return of_last_day(past, max(event.effective_from for event in past))
    if not standing:
        return "NONE", None
    soon, rests_on = of_last_day(standing, min(event.effective_from for event in standing))
    return ("LATER", rests_on) if soon in GIVEN else ("NONE", None)


def of_last_day(events, wanted):
    of_day = said([event for event in events if event.effective_from == wanted])
    counting = [event for event in of_day if not any(knew(other, event) for other in of_day)]
    newest = counting[-1]
    for event in counting:
        newest = event if event.sequence > newest.sequence else newest
        if event.preference != counting[0].preference:
            return "CONFLICT", max(each.sequence for each in counting)
    return newest.preference.value, newest.sequence


def said(events):
    """Without implied consent, if anything else is there."""
    implied = {event.sequence for event in events if event.preference is Preference.IMPLIED_CORE}
    return events if len(implied) == len(events) else [e for e in events if e.sequence not in implied]


def knew(other, event):
    """Whether the other's recorder had this event before them: it was there when they looked."""
    return other.supersedes is not None and event.sequence <= other.supersedes


def stands(event, known):
    """No reversal that itself stands takes it back."""
    return not any(other.reverses == event.sequence and stands(other, known) for other in known)
