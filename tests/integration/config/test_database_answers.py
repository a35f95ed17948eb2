"""A database that says nothing: a page gives up, says so, and the next one finds a new connection."""

import time

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.urls import include, path

from carerecords.models import Practice
from config.database.answers import limit, within
from tests.launcher import wait_for

NAPPING = "SELECT pg_sleep(30)"


def naps(request):
    Practice.objects.update(name="Half done")
    with connection.cursor() as cursor:
        cursor.execute(NAPPING)
    return HttpResponse("woke up")


def tells_its_limit(request):
    return HttpResponse(str(limit.get()))


urlpatterns = [
    path("", include("config.account_urls")),
    path("naps/", transaction.atomic(naps)),
    path("tells-its-limit/", tells_its_limit),
]
handler500 = "config.errors.server_error"
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


def nap():
    with connection.cursor() as cursor:
        cursor.execute(NAPPING)


def naps_going_on():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query = %s AND pid <> pg_backend_pid()", [NAPPING]
        )
        return cursor.fetchone()[0]


@pytest.fixture(autouse=True)
def all_awake(db):
    """The server gives a statement up too, soon after nobody waits for it."""
    yield
    connection.close()
    wait_for(lambda: naps_going_on() == 0, 10)


def test_an_answer_that_does_not_come_in_time_is_given_up_with_its_connection():
    began = time.monotonic()
    with within(0.3), pytest.raises(OperationalError, match=r"no answer within 0\.3 seconds"):
        nap()
    assert time.monotonic() - began < 10
    assert connection.connection.closed


def test_what_was_written_before_it_is_not_kept_and_the_next_transaction_is_well(practice):
    with within(0.3), pytest.raises(OperationalError), transaction.atomic():
        Practice.objects.update(name="Half done")
        nap()
    connection.close()  # As Django does at the end of every request.
    assert Practice.objects.get().name == practice.name


def test_an_error_that_the_server_tells_in_time_keeps_the_connection(practice):
    with within(5), pytest.raises(IntegrityError), transaction.atomic():
        Practice.objects.create(ods_code=practice.ods_code, name="Twice")
    assert not connection.connection.closed
    assert Practice.objects.count() == 1


def test_a_page_says_so_and_keeps_what_was_typed(client, gp, practice, settings):
    client.force_login(gp)
    client.raise_request_exception = False
    settings.DATABASE_ANSWER_SECONDS = 0.3

    response = client.post("/naps/", {"note": "Asked twice"})

    assert response.status_code == 503
    body = response.content.decode()
    assert "The database is not answering" in body
    assert "Nothing you sent was saved." in body
    assert 'name="note" value="Asked twice"' in body
    connection.close()
    assert Practice.objects.get().name == practice.name


def test_commands_and_workers_wait_as_long_as_it_takes(client, gp, settings):
    client.force_login(gp)
    assert client.get("/tells-its-limit/").content == str(settings.DATABASE_ANSWER_SECONDS).encode()
    assert limit.get() is None
