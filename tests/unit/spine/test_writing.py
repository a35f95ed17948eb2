"""Messages are written some in a row, in the order in which they leave, and each is taken once."""

import hashlib
import time

import pytest

from spine.sending import writing
from spine.sending.writing import Writing


class Unwritable(Exception):
    """No words for a record."""


@pytest.fixture
def written():
    return []


def writing_of(places, written, *, seconds=0.0, fails=(), long=()):
    def write(place):
        written.append(place)
        time.sleep(seconds)
        if place in fails:
            raise Unwritable
        return f"message {place}".encode()

    return Writing(write, places, lambda place: place in long)


def test_so_many_in_a_row_and_then_the_next(written, monkeypatch):
    monkeypatch.setattr(writing, "LONGEST_SECONDS", 60)
    messages = writing_of(range(200, 0, -1), written)
    assert written == [], "nothing before somebody wants one"
    messages.take(200)
    assert written == list(range(200, 200 - writing.IN_A_ROW, -1))
    for place in range(199, 200 - writing.IN_A_ROW, -1):
        messages.take(place)
    assert len(written) == writing.IN_A_ROW
    messages.take(200 - writing.IN_A_ROW)
    assert len(written) == 2 * writing.IN_A_ROW


def test_a_row_ends_when_its_time_is_over(written):
    messages = writing_of(range(10), written, seconds=2 * writing.LONGEST_SECONDS)
    messages.take(0)
    assert written == [0]
    messages.take(1)
    assert written == [0, 1]


def test_what_is_before_a_long_one_can_leave_before_it_is_written(written, monkeypatch):
    monkeypatch.setattr(writing, "LONGEST_SECONDS", 60)
    messages = writing_of(range(9), written, long={0, 4, 5})
    for place, so_far in [(0, 4), (1, 4), (2, 4), (3, 4), (4, 5), (5, 9), (6, 9)]:
        messages.take(place)
        assert len(written) == so_far
    assert written == list(range(9))


def test_bytes_and_their_hash(written):
    message = writing_of([7], written).take(7)
    assert message.body == b"message 7" and message.sha256 == hashlib.sha256(b"message 7").hexdigest()


def test_what_cannot_be_written_says_so_to_whoever_takes_it_and_to_nobody_else(written):
    messages = writing_of(range(4), written, fails={1})
    assert messages.take(0).body == b"message 0"
    with pytest.raises(Unwritable):
        messages.take(1)
    assert [messages.take(place).body for place in (2, 3)] == [b"message 2", b"message 3"]
    assert written == [0, 1, 2, 3]


def test_places_may_be_passed_over(written, monkeypatch):
    monkeypatch.setattr(writing, "IN_A_ROW", 2)
    assert writing_of(range(6), written).take(5).body == b"message 5"


@pytest.mark.parametrize("place", [0, 9], ids=["taken already", "none of these"])
def test_what_is_not_there_is_not_waited_for(written, place):
    messages = writing_of(range(3), written)
    messages.take(0)
    with pytest.raises(KeyError):
        messages.take(place)
