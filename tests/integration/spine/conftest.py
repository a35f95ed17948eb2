"""A real store process, a real database, and the sending run in this process."""

import datetime

import pytest
from django.utils import timezone

from carerecords.models import UploadJob
from spine.sending import pipeline, recovery
from spine.sending.store import Store
from tests.localstore_process import localstore, running_store  # noqa: F401 - a fixture


@pytest.fixture
def sending(transactional_db, settings, localstore):
    """Sends what is due, now or as if the undo window had passed."""
    yield from sending_to(localstore, settings)


@pytest.fixture(scope="session")
def odd_localstore():
    """A store that can be told to misbehave."""
    yield from running_store(LOCALSTORE_CONTROL="1")


def sending_to(localstore, settings, *, read_timeout=5):
    """`Sending` to a store, and the settings for it."""
    settings.SPINE_BASE_URL = localstore.fhir_url
    settings.SPINE_LEDGER_URL = f"{localstore.base_url}/ledger"
    settings.SPINE_READ_TIMEOUT_SECONDS = read_timeout
    sender = Sending(Store(), localstore)
    yield sender
    sender.store.close()


class Sending:
    def __init__(self, store, localstore):
        self.store, self.localstore = store, localstore
        self.from_line = localstore.last_sequence()

    def all_due(self, *, windows_over=True):
        """Sends batch after batch until nothing is due; returns what each did."""
        if windows_over:
            UploadJob.objects.filter(state="WAITING").update(due_at=timezone.now())
        reports = []
        while (report := pipeline.send_batch(self.store)).claimed:
            reports.append(report)
        return reports

    def resolve(self):
        recovery.release_expired()
        return recovery.resolve_doubt(self.store)

    def ledger(self, **wanted):
        """The uploads that reached the store since this test began."""
        lines = [line for line in self.localstore.ledger(after=self.from_line) if line["kind"] == "upload"]
        return [line for line in lines if all(line[key] == value for key, value in wanted.items())]


@pytest.fixture
def later():
    """A moment after every undo window."""
    return timezone.now() + datetime.timedelta(hours=1)
