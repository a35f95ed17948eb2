"""Whose messages leave: one batch's after another's where the store is quick."""

import threading
import time

import pytest

from spine.sending.one_by_one import OneByOne

CONNECTIONS = 32
QUICK, SLOW = 0.001, 0.05


def of(*answers):
    turns = OneByOne(CONNECTIONS)
    for batch in answers:
        for seconds in batch:
            turns.saw(seconds)
        turns.learn()
    return turns


@pytest.fixture
def waiting():
    """Starts threads that want to send; says which have their turn."""
    begun, threads = [], []

    def start(turns, name, *, waits=True):
        def send():
            with turns.turn(waits=waits):
                begun.append(name)

        threads.append(threading.Thread(target=send))
        threads[-1].start()

    def began(*, within=5.0):
        end = time.monotonic() + within
        while time.monotonic() < end and not begun:
            time.sleep(0.005)
        return begun

    yield start, began
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize("how", ["over", "gives up"])
def test_at_a_quick_store_the_next_begins_when_the_messages_have_begun(waiting, how):
    start, began = waiting
    turns = of([SLOW, QUICK, SLOW], [])
    with turns.turn(waits=True) as mine:
        start(turns, "next")
        assert began(within=0.1) == []
        if how == "over":
            mine.over()
            mine.over()
            assert began() == ["next"], "while this one waits for its answers"
    assert began() == ["next"]


def test_who_need_not_waits_for_nobody(waiting):
    start, began = waiting
    turns = of([SLOW, QUICK, SLOW], [])
    with turns.turn(waits=True):
        start(turns, "asks", waits=False)
        assert began() == ["asks"]


@pytest.mark.parametrize(
    "seen",
    [of([SLOW, 2 * SLOW]), of([QUICK], [SLOW]), of(), of([])],
    ids=["a slow store", "it was quick before", "nothing was sent yet", "nor in a batch"],
)
def test_else_all_send_at_once(waiting, seen):
    start, began = waiting
    with seen.turn(waits=True):
        start(seen, "beside")
        assert began() == ["beside"]


def test_who_keeps_its_turn_too_long_is_not_waited_for(waiting, monkeypatch):
    monkeypatch.setattr("spine.sending.one_by_one.LONGEST_WAIT_SECONDS", 0.05)
    start, began = waiting
    turns = of([SLOW, QUICK, SLOW], [])
    with turns.turn(waits=True) as mine:
        start(turns, "next")
        assert began() == ["next"]
        mine.over()
    monkeypatch.setattr("spine.sending.one_by_one.LONGEST_WAIT_SECONDS", 600)
    with turns.turn(waits=True):
        pass  # The turn came back: else this would wait until the test's own time is over.


def test_what_failed_gives_its_turn_back(waiting):
    start, began = waiting
    turns = of([SLOW, QUICK, SLOW], [])
    with pytest.raises(RuntimeError), turns.turn(waits=True):
        raise RuntimeError
    start(turns, "next")
    assert began() == ["next"]


def test_messages_take_from_when_they_were_ready_until_they_had_begun():
    with of([SLOW, QUICK, SLOW], []).turn(waits=True) as turn:
        ready = turn.began
        turn.over()
        took = turn.seconds_since(ready)
        time.sleep(0.02)
        assert 0 <= took < 0.02 and turn.seconds_since(ready) == took
