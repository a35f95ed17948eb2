"""The way of a run of sending, as a table: every step from every state."""

import pytest

from spine.runs.codes import TRANSITIONS, UNDER_WAY, RunGroup, RunKind, RunState, RunStep, state_after

# What each step leads to; a dot: it is refused. Columns: the states in their order.
TABLE = """
    MADE       .        .          .          .        .
    STARTED    RUNNING  .          .          .        .
    PAUSED     .        PAUSED     .          .        .
    RESUMED    .        .          RUNNING    .        .
    RERUN      .        RUNNING    .          RUNNING  .
    CANCELLED  CANCELLED CANCELLED CANCELLED  CANCELLED .
    FINISHED   .        FINISHED   .          .        .
"""
LINES = {line.split()[0]: line.split()[1:] for line in TABLE.strip().splitlines()}


@pytest.mark.parametrize("step", RunStep)
def test_every_step_from_every_state(step):
    for state, after in zip(RunState, LINES[step.value], strict=True):
        assert state_after(state, step) == (None if after == "." else RunState(after)), state


def test_the_tables_are_whole():
    assert set(LINES) == {step.value for step in RunStep} and set(TRANSITIONS) == set(RunState)
    assert not TRANSITIONS[RunState.CANCELLED]
    assert all(RunStep.CANCELLED in TRANSITIONS[state] for state in UNDER_WAY)


def test_every_kind_says_what_it_does():
    assert all(kind.label and kind.sentence.endswith(".") for kind in RunKind)
    assert all(group.label for group in RunGroup)
