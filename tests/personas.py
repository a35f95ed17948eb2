"""The people of the product as fixtures: one for each role, and the stranger from next door."""

import pytest

from carerecords.permissions import Role
from tests.factories import make_patient, make_practice, make_user


@pytest.fixture
def practice(db):
    """The practice that all personas of a practice belong to, except the stranger."""
    return make_practice(name="The Market Surgery")


@pytest.fixture
def gp(practice):
    return make_user(Role.GP, practice)


@pytest.fixture
def staff(practice):
    return make_user(Role.STAFF, practice)


@pytest.fixture
def manager(practice):
    return make_user(Role.PRACTICE_MANAGER, practice)


@pytest.fixture
def privacy_officer(practice):
    return make_user(Role.PRIVACY_OFFICER, practice)


@pytest.fixture
def policy_admin(db):
    return make_user(Role.POLICY_ADMIN)


@pytest.fixture
def national_admin(db):
    return make_user(Role.NATIONAL_ADMIN)


@pytest.fixture
def auditor(db):
    return make_user(Role.AUDITOR)


@pytest.fixture
def api_client(practice):
    """The practice's own system, which calls the API."""
    return make_user(Role.API_CLIENT, practice)


@pytest.fixture
def stranger(db):
    """A GP of another practice, who must never learn that a patient exists."""
    return make_user(Role.GP, make_practice(name="The Other Surgery"))


@pytest.fixture
def patient(practice, gp):
    """A patient of `practice` whose usual GP is `gp`, and who has decided nothing."""
    return make_patient(practice, usual_gp=gp)
