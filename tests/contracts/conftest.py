import pytest

from tests.contracts.calls import Calls
from tests.localstore_process import localstore, running_store  # noqa: F401  (fixtures, found by name)


@pytest.fixture
def store(localstore) -> Calls:
    """Calls to the session's store."""
    return Calls(localstore)


@pytest.fixture
def new_store():
    """Calls to a store of which nothing is known yet: for pairs that name patients and ids themselves."""
    yield from (Calls(process) for process in running_store(LOCALSTORE_UNTRACED_NUMBERS="9999999998"))


@pytest.fixture(scope="module")
def guarded_store():
    """Calls to a store that asks for tokens, as the real service does."""
    tokens = {"LOCALSTORE_BEARER_TOKEN": "application", "LOCALSTORE_USER_TOKEN": "user"}
    yield from (Calls(process) for process in running_store(**tokens))
