"""One world for all tests of a module: what a test adds to it is rolled back, so the next finds it as it was."""

from dataclasses import dataclass

import pytest

from carerecords.models import Patient, Practice, User
from carerecords.permissions import Role
from tests.factories import make_patient, make_practice, make_user
from tests.kept_rows import kept_rows
from tests.named_things import named_things, with_sheet_of, with_survey_of


@dataclass(frozen=True)
class World:
    """A practice with one of each thing that an address can name; made anew for each test, it would take
    most of their time."""

    practice: Practice
    gp: User
    patient: Patient
    ids: dict


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    with pytest.MonkeyPatch.context() as patch:
        yield from kept_rows(django_db_blocker, lambda: _world(patch))


def _world(patch):
    practice = make_practice(name="The Market Surgery")
    gp = make_user(Role.GP, practice)
    patient = make_patient(practice, usual_gp=gp)
    ids = with_survey_of(gp, with_sheet_of(gp, named_things(patient, practice, patch)))
    return World(practice, gp, patient, ids)
