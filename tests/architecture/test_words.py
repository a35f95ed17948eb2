"""Every coded thing has its words, and codes named on a lower floor are codes of the higher one."""

import pytest

from carerecords import upload_queue
from carerecords.models import JobState
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES, TRANSITIONS
from carerecords.permissions import ROLES, Permission, Role
from spine.gate import Kind
from spine.reasons import Reason
from spine.states import diagram
from tests.architecture.source import ROOT
from tests.unit.spine.gate_cases import CASES


def test_every_reason_says_a_sentence():
    for reason in Reason:
        assert reason.sentence.endswith(".") and reason.actor.value
        assert Reason.of(reason.code) is reason


def test_every_reason_of_the_gate_stands_in_its_table():
    of_the_gate = {r.code for r in Reason if not r.code.startswith(("tech.", "store.", "job."))}
    assert of_the_gate == {code for case in CASES for code in case.reasons}


@pytest.mark.parametrize(
    "code",
    [
        upload_queue.WAITING_FOR_UNDO,
        upload_queue.SUPERSEDED,
        upload_queue.NOTHING_ASKED,
        upload_queue.PATIENT_LEFT,
    ],
)
def test_codes_of_the_ground_are_reasons(code):
    assert Reason.of(code)


def test_every_job_state_has_its_transitions():
    assert set(TRANSITIONS) == set(JobState)
    assert not set(OPEN_STATES) & set(BUSY_STATES)
    assert all(TRANSITIONS[state] for state in [*OPEN_STATES, *BUSY_STATES])


def test_every_permission_has_words_and_a_role():
    held = {permission for rule in ROLES.values() for permission in rule.permissions}
    assert held == set(Permission)
    assert all(permission.sentence for permission in Permission)
    assert set(ROLES) == set(Role)


def test_kinds_of_the_gate_are_kinds_of_jobs():
    from carerecords.models import JobKind

    assert {kind.value for kind in Kind} == set(JobKind.values)


def test_the_diagram_of_states_is_the_code():
    drawn = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert drawn == diagram(), "run manage.py draw_states > docs/states.md"
