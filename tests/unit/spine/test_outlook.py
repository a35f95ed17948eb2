"""When a queue will be done: a table of what can be known, and words that make nothing up."""

import datetime

import pytest

from spine.uploads.outlook import Known, Pace, Queue, duration, most_a_minute, outlook

AT = datetime.datetime(2026, 3, 2, 15, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
LIMIT = most_a_minute(5)
EVEN = Pace(AT - HOUR, AT, [100] * 6)
UNEVEN = Pace(AT - HOUR, AT, [50, 100, 150, 100, 100, 200])
WITH_A_GAP = Pace(AT - HOUR, AT, [0, 100, 150, 100, 100, 200])
NOTHING_SENT = Pace(AT - HOUR, AT, [0] * 6)
TOO_SHORT = Pace(AT - datetime.timedelta(seconds=20), AT, [1, 0, 2, 1, 0, 0])
SHORT_BUT_FULL = Pace(AT - datetime.timedelta(seconds=30), AT, [20, 20, 20, 20, 20, 20])
TONIGHT = AT + 5 * HOUR

CASES = {
    "nothing waits": (Queue(), EVEN, LIMIT, Known.NOTHING, "Nothing waits to be sent.", None, None),
    "all held": (Queue(held=9), None, LIMIT, Known.HELD, "only once nobody holds it", None, None),
    "a paused run": (
        Queue(paused=9, held=4),
        EVEN,
        LIMIT,
        Known.PAUSED,
        "once its run is resumed",
        None,
        None,
    ),
    "a window at night": (
        Queue(later=9, next_at=TONIGHT, held=4),
        EVEN,
        LIMIT,
        Known.LATER,
        "The next is due on 2 March 2026 at 8pm.",
        None,
        None,
    ),
    "an even pace": (
        Queue(300, 600),
        EVEN,
        LIMIT,
        Known.RANGE,
        "Done in about 1 hour, at the pace in the last hour.",
        60,
        60,
    ),
    "an uneven pace": (
        Queue(300, 600),
        UNEVEN,
        LIMIT,
        Known.RANGE,
        "Done in 30 minutes to 2 hours, at the pace in the last hour.",
        30,
        120,
    ),
    "a pace with a gap": (
        Queue(300, 600),
        WITH_A_GAP,
        LIMIT,
        Known.EARLIEST,
        "Done in 30 minutes at the earliest, at the fastest pace in the last hour. For some of that time nothing "
        "was sent, so the latest is not known.",
        30,
        None,
    ),
    "nothing was sent": (
        Queue(300, 600),
        NOTHING_SENT,
        LIMIT,
        Known.IDLE,
        "Not known: nothing was sent in the last hour. The Spine takes at most 150 messages a minute, so it "
        "needs at least 4 minutes.",
        4,
        None,
    ),
    "nothing was sent, no limit": (
        Queue(300, 600),
        NOTHING_SENT,
        None,
        Known.IDLE,
        "Not known: nothing was sent in the last hour.",
        None,
        None,
    ),
    "not looked at for long": (
        Queue(300, 600),
        TOO_SHORT,
        LIMIT,
        Known.AT_MOST,
        "Not measured yet. The Spine takes at most 150 messages a minute, so it needs at least 4 minutes.",
        4,
        None,
    ),
    "not looked at": (Queue(300, 600), None, LIMIT, Known.AT_MOST, "Not measured yet.", 4, None),
    "neither pace nor limit": (Queue(300, 600), None, None, Known.NOT_MEASURED, "Not known", None, None),
    "a range of one unit": (Queue(60, 60), UNEVEN, LIMIT, Known.RANGE, "Done in 3 to 12 minutes", 3, 12),
    "short, but much was done": (
        Queue(300, 480),
        SHORT_BUT_FULL,
        None,
        Known.RANGE,
        "Done in about 2 minutes",
        2,
        2,
    ),
    "little, and quick": (
        Queue(64, 64),
        SHORT_BUT_FULL,
        None,
        Known.RANGE,
        "Done in under a minute, at the pace within the last minute.",
        0,
        0,
    ),
    "little, and not looked at": (
        Queue(1, 3),
        None,
        LIMIT,
        Known.AT_MOST,
        "The Spine takes at most 150 messages a minute, so it may be done within a minute.",
        0,
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_known(name):
    queue, pace, most, known, words, soonest, latest = CASES[name]
    found = outlook(queue, pace, most, AT)
    assert found.known is known
    assert words in found.sentence
    assert (_minutes(found.soonest), _minutes(found.latest)) == (soonest, latest)


def test_every_kind_of_knowledge_has_a_case():
    assert {case[3] for case in CASES.values()} == set(Known)


@pytest.mark.parametrize("name", CASES)
def test_no_moment_is_promised_without_a_measurement_or_a_limit(name):
    queue, pace, most, *_ = CASES[name]
    found = outlook(queue, pace, most, AT)
    if found.latest is not None:
        assert pace is not None and min(pace.parts) > 0
    if found.soonest is not None:
        assert queue.due and (most is not None or (pace is not None and pace.done))


@pytest.mark.parametrize(
    ("later", "next_at", "words"),
    [
        (0, None, ""),
        (
            1,
            TONIGHT,
            "1 more message is due later, on 2 March 2026 at 8pm: it waits for the end of the time to undo "
            "a decision, for a run's hours, or to be tried again.",
        ),
        (
            1948,
            TONIGHT,
            "1,948 more messages are due later, the next on 2 March 2026 at 8pm: they wait for the end of the "
            "time to undo a decision, for a run's hours, or to be tried again.",
        ),
    ],
)
def test_what_is_due_later_is_told_beside_what_is_due_now(later, next_at, words):
    assert Queue(4, 5, later=later, next_at=next_at).later_words == words


def test_the_limit_counts_the_question_and_the_message():
    assert most_a_minute(5) == 150
    assert most_a_minute(0) is None


def test_a_pace_of_no_time_is_none():
    assert Pace(AT, AT, [0] * 6).a_minute == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "under a minute"),
        (59, "under a minute"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (59 * 60, "59 minutes"),
        (60 * 60, "1 hour"),
        (61 * 60, "1 hour 5 minutes"),
        (119 * 60, "2 hours"),
        (23 * 3600 + 56 * 60, "1 day"),
        (24 * 3600, "1 day"),
        (25 * 3600, "1 day 1 hour"),
        (30 * 24 * 3600, "30 days"),
    ],
)
def test_durations_are_rounded_up(seconds, words):
    assert duration(datetime.timedelta(seconds=seconds)) == words


def _minutes(moment):
    return None if moment is None else round((moment - AT).total_seconds() / 60)
