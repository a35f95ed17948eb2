"""The quiet that an admin is told: measured while another connection holds the fence as senders do."""

import datetime
import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from carerecords import fence, quiet
from carerecords.models.fact_clock import NATIONAL


@pytest.mark.django_db(transaction=True)
def test_waits_for_a_send_in_flight_and_says_how_long():
    holding, over = threading.Event(), threading.Event()

    def send():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                fence.share(cursor, [], idle_ms=60_000)
                holding.set()
                over.wait(5)
        finally:
            connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    holding.wait(5)
    threading.Timer(0.3, over.set).start()
    begun = time.monotonic()
    with quiet.changing(NATIONAL, timezone.now()) as silence:
        assert time.monotonic() - begun >= 0.29
    sender.join()
    assert datetime.timedelta(seconds=0.29) <= silence.waited < datetime.timedelta(seconds=4)
