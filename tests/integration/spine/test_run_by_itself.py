"""A run behind a real broker, with a real worker and clock: nothing is called by hand once it is started."""

import pytest
from django.utils import timezone

from carerecords.models import UploadJob
from carerecords.permissions import Role
from spine.runs import actions
from spine.runs.codes import RunKind
from spine.uploads.ledger import compare
from tests.factories import make_user
from tests.integration.spine.running import make_run
from tests.integration.spine.test_sending_runs import consenting
from tests.localstore_process import running_store, wait_until
from tests.whole_product import bell, broker, whole_product  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def localstore():
    """A store that nobody else sends to, so that its whole ledger can be compared."""
    yield from running_store()


def test_a_run_goes_to_its_end_by_itself(practice, whole_product):
    manager = make_user(Role.PRACTICE_MANAGER, practice)
    consenting(practice, 12)
    run = make_run(practice, RunKind.INITIAL, by=manager)
    actions.start(run, by=manager, at=timezone.now())
    wait_until(lambda: _state(run) == "FINISHED", seconds=120)
    assert UploadJob.objects.filter(sending_row__run=run, state="ACCEPTED").count() == 12
    assert len([line for line in whole_product.ledger() if line["kind"] == "upload"]) == 12
    assert compare(f"{whole_product.base_url}/ledger").differences == []


def _state(run):
    run.refresh_from_db()
    return run.state
