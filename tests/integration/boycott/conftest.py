"""Who else has a say."""

import pytest

from carerecords.permissions import Role
from tests.factories import make_user


@pytest.fixture
def colleague(db):
    return make_user(Role.POLICY_ADMIN)
