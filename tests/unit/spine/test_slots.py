"""Slots: each serves one request, in its time or not at all; and how large a batch becomes."""

import asyncio
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
    assert not begins() and ask() is None
    may = True
    slots.close()
    assert ask() is None and taken(slots, 1)[0][0] is None


def test_many_stopped_jobs_are_taken_in_large_batches():
    size = BatchSize(32, 1)
    for _ in range(5):
        size.learn(taken=size.jobs, put_back=0, tried=0, done=0)
    assert (size.jobs, size.messages) == (LARGEST_BATCH, 1)


def test_where_all_may_go_no_more_are_taken_than_go():
    size = BatchSize(32, 1)
    for _ in range(4):
        size.learn(taken=size.jobs, put_back=size.jobs - 1, tried=1, done=1)
    assert size.jobs == 1


def test_messages_double_until_some_came_too_late_and_then_feel_their_way():
    size, sizes = BatchSize(32, 1000), []
    for room in [*[100] * 2, *[200] * 10]:
        size.learn(taken=size.jobs, put_back=0, tried=size.messages, done=min(size.messages, room))
        sizes.append(size.messages)
    assert sizes[:2] == [128, 100], "more than went"
    assert all(before < after <= before * 1.07 for before, after in pairwise(sizes[1:]))


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), max_size=30), st.integers(1, 600))
def test_sizes_stay_within_bounds(batches, most):
    size = BatchSize(32, most)
    for free, done in batches:
        tried = min(size.messages, free)
        size.learn(taken=size.jobs, put_back=max(0, size.jobs - tried), tried=tried, done=min(done, tried))
        assert 1 <= size.jobs <= LARGEST_BATCH and 1 <= size.messages <= most
