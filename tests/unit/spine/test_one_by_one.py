"""Whose messages leave: one batch's after another's where the store is quick."""

import threading
import time

import pytest

from spine.sending.one_by_one import OneByOne

FEWEST = 64


def of(messages, seconds):
    turns = OneByOne(FEWEST)
    turns.learn(messages, seconds)
    return turns


@pytest.fixture
def waiting():
    """Starts threads that want to send; says which have their turn."""
    begun, threads = [], []

    def start(turns, name, *, sends=True):
        def send():
            with turns.turn(sends=sends):
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
    turns = of(500, 0.1)
    with turns.turn(sends=True) as mine:
        start(turns, "next")
        assert began(within=0.1) == []
        if how == "over":
            mine.over()
            mine.over()
            assert began() == ["next"], "while this one waits for its answers"
    assert began() == ["next"]


def test_who_sends_nothing_waits_for_nobody(waiting):
    start, began = waiting
    turns = of(500, 0.1)
    with turns.turn(sends=True):
        start(turns, "asks", sends=False)
        assert began() == ["asks"]


@pytest.mark.parametrize(
    "seen",
    [of(100, 0.2), of(FEWEST - 1, 0.001), OneByOne(FEWEST)],
    ids=["a slow store", "too few messages to tell", "nothing was sent yet"],
)
def test_else_all_send_at_once(waiting, seen):
    start, began = waiting
    with seen.turn(sends=True):
        start(seen, "beside")
        assert began() == ["beside"]


def test_what_failed_gives_its_turn_back(waiting):
    start, began = waiting
    turns = of(500, 0.1)
    with pytest.raises(RuntimeError), turns.turn(sends=True):
        raise RuntimeError
    start(turns, "next")
    assert began() == ["next"]


def test_messages_take_from_when_they_were_ready_until_they_had_begun():
    with of(500, 0.1).turn(sends=True) as turn:
        ready = turn.began
        turn.over()
        took = turn.seconds_since(ready)
        time.sleep(0.02)
        assert 0 <= took < 0.02 and turn.seconds_since(ready) == took
