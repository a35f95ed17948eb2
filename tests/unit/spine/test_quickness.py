"""Whether connections or the processor are what is short."""

import pytest

from spine.sending.quickness import Quickness

QUICK, SLOW = 0.001, 0.05


def after(*batches):
    """What 32 connections have learnt from the answers of these batches, in seconds."""
    learnt = Quickness(32)
    for answers in batches:
        for seconds in answers:
            learnt.saw(seconds)
        learnt.learn()
    return learnt.is_quick


@pytest.mark.parametrize(
    ("batches", "quick"),
    [
        ([], False),
        ([[]], False),
        ([[SLOW, 2 * SLOW]], False),
        ([[SLOW, QUICK, SLOW]], True),
        ([[QUICK], [SLOW]], False),
        ([[SLOW], [QUICK]], True),
        ([[QUICK], []], True),
    ],
    ids=[
        "nothing was sent yet",
        "nor in a batch",
        "a slow store",
        "the quickest waited for nothing else",
        "it was quick before",
        "it was slow before",
        "a batch without messages says nothing",
    ],
)
def test_the_last_answers_say(batches, quick):
    assert after(*batches) is quick
