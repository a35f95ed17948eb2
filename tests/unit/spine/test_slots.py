"""Slots: each serves one request, in its time or not at all; and how large a batch becomes."""

import asyncio
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spine.sending.batch_size import LARGEST_BATCH, BatchSize
from spine.sending.slots import Slots, clock


def taken(slots, count):
    async def take():
        return [(await slots.take(), clock()) for _ in range(count)]

    return asyncio.run(take())


def test_requests_leave_evenly_and_no_more_than_there_are_slots():
    slots = Slots(clock(), 3, 0.03, 0.02)
    found = taken(slots, 4)
    assert found[3][0] is None and slots.unused == 0
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(found[:3])]
    assert all(gap >= 0.01 for gap in gaps)


def test_what_is_over_is_lost():
    slots = Slots(clock() - 1.05, 20, 0.1, 0.04)
    (until, _), *_ = taken(slots, 1)
    assert until == pytest.approx(slots.first + 11 * 0.1 + 0.04, abs=0.001)
    assert slots.unused == 8


def test_nothing_leaves_after_the_store_asked_to_wait():
    slots = Slots(clock(), 5, 0.001, 10.0)
    taken(slots, 2)
    slots.close()
    assert taken(slots, 1)[0][0] is None and slots.unused == 0


def test_without_a_rate_all_leave_at_once_until_the_store_asks_to_wait():
    slots, may = Slots.unlimited(), True

    def ask():
        return asyncio.run(slots.turn(lambda: may)())

    begins = ask()
    assert begins is not None and begins() and slots.unused == float("inf")
    may = False
    assert not begins() and not ask()(), "the right itself says so, when it is asked for"
    may = True
    slots.close()
    assert ask() is None and taken(slots, 1)[0][0] is None


def learn(size, *, tried, put_back=0, done=None, part=0.5):
    size.learn(
        taken=size.jobs, put_back=put_back, tried=tried, done=tried if done is None else done, part=part
    )


def test_many_stopped_jobs_are_taken_in_large_batches():
    size = BatchSize(32, 1)
    for _ in range(5):
        learn(size, tried=0)
    assert (size.jobs, size.messages) == (LARGEST_BATCH, 1)


def test_where_all_may_go_no_more_are_taken_than_go():
    size = BatchSize(32, 1)
    learn(size, tried=1, put_back=size.jobs - 1)
    assert size.jobs == 1
    size = BatchSize(32, 1000)
    for _ in range(30):
        learn(size, tried=size.jobs, part=size.messages / 300)
        assert size.jobs == size.messages, "none has to be put back"


def test_where_few_may_go_as_many_are_taken_as_give_the_messages():
    size = BatchSize(32, 1000)
    learn(size, tried=16)
    assert size.messages == 64 and size.jobs == 4 * size.messages, "a quarter went"
    learn(size, tried=64, put_back=100)
    assert size.messages == 128 and size.jobs == math.ceil(128 * (256 - 100) / 64)


def test_messages_double_until_most_of_the_time_was_used_and_then_feel_their_way():
    size, sizes = BatchSize(32, 1000), []
    for room in [*[100] * 2, *[200] * 20]:
        tried = size.messages
        learn(size, tried=tried, done=min(tried, room), part=min(1.0, tried / room))
        sizes.append(size.messages)
    assert sizes[:2] == [128, 80], "a little less than went"
    assert all(before < after <= before * 1.26 for before, after in pairwise(sizes[1:5])), (
        "where there is room"
    )
    assert all(0.9 * 160 <= each <= 1.07 * 160 for each in sizes[11:]), "and none is late"


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600), st.floats(0, 50)), max_size=30),
    st.integers(1, 600),
)
def test_sizes_stay_within_bounds(batches, most):
    size = BatchSize(32, most)
    for free, done, part in batches:
        tried = min(size.messages, free)
        put_back = max(0, size.jobs - tried)
        size.learn(taken=size.jobs, put_back=put_back, tried=tried, done=min(done, tried), part=part)
        assert 1 <= size.jobs <= LARGEST_BATCH and 1 <= size.messages <= most
