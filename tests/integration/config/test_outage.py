"""The database away: wherever it is noticed, the page says so and keeps what was typed."""

import re

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connections
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from carerecords.models import Practice
from config import outage

SEEN = []


def save(request):
    SEEN.append(request.POST.dict())
    return HttpResponse(str(Practice.objects.count()))


def busy(request):
    raise OperationalError("locked") from psycopg.errors.LockNotAvailable("locked")


def closed(request):
    raise InterfaceError("connection is closed")


def wrapped(request):
    try:
        raise OperationalError("gone")
    except OperationalError as error:
        raise RuntimeError("something else") from error


def breaks_after_the_view(request):
    request.session["note"] = "x"
    request.session.save = lambda: closed(request)
    return HttpResponse("saved")


def fault(request):
    raise ValueError


urlpatterns = [
    path("", include("config.account_urls")),
    *(
        path(f"{view.__name__}/", view)
        for view in (save, busy, closed, wrapped, breaks_after_the_view, fault)
    ),
    path("api/closed/", closed),
]
handler500 = "config.errors.server_error"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def as_gp(client, gp):
    client.force_login(gp)
    client.raise_request_exception = False
    SEEN.clear()
    return client


@pytest.fixture
def database_stopped(db):
    """Every statement fails as it does when the server is gone: session and log-in checks too."""

    def gone(*args, **kwargs):
        raise OperationalError("connection to server on socket failed: Connection refused")

    with pytest.MonkeyPatch.context() as patch:
        yield lambda: patch.setattr(type(connections["default"]), "cursor", gone)


FIELDS = {
    "preference": "EXPRESS_DISSENT",
    "decided_on_day": "3",
    "note": "Said so on the phone.\nAsked twice. <b>",
    "tick": ["1", "2"],
    "oldpassword": "my password",
    "code": "123456",
    "csrfmiddlewaretoken": "x",
}


def test_what_was_typed_is_shown_and_carried(as_gp, database_stopped):
    database_stopped()
    response = as_gp.post("/save/?page=2", FIELDS)
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    body = response.content.decode()
    assert "The service cannot reach its records" in body
    assert "Nothing you sent was saved." in body
    assert '<form action="/save/?page=2" method="post">' in body
    assert '<input type="hidden" name="preference" value="EXPRESS_DISSENT">' in body
    assert body.count('name="tick"') == 2
    assert "<dt" in body and "Date of decision" in body
    assert "Express dissent (opt out)" in body
    assert "&lt;b&gt;" in body
    assert SEEN == []


def test_secrets_are_neither_shown_nor_carried(as_gp, database_stopped):
    database_stopped()
    body = as_gp.post("/save/", FIELDS).content.decode()
    assert "my password" not in body
    assert "123456" not in body


def test_try_again_sends_the_same_and_is_accepted(gp, monkeypatch):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(gp)
    page = client.get("/account/").content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
    SEEN.clear()
    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "cursor", lambda *a, **k: closed(None))
        body = client.post("/save/", FIELDS | {"csrfmiddlewaretoken": token}).content.decode()
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', body)
    response = client.post("/save/", dict(hidden))
    assert response.status_code == 200
    (sent,) = SEEN
    assert sent["preference"] == "EXPRESS_DISSENT"
    assert "oldpassword" not in sent


def test_another_sites_form_gets_no_fresh_token(gp, database_stopped):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(gp)
    database_stopped()
    response = client.post("/save/", FIELDS, HTTP_ORIGIN="https://evil.example")
    assert response.status_code in (403, 503)
    assert "EXPRESS_DISSENT" not in response.content.decode()


def test_a_page_that_was_only_read(as_gp, database_stopped):
    database_stopped()
    body = as_gp.get("/save/").content.decode()
    assert "Nothing was changed." in body
    assert 'href="/save/">Try again</a>' in body


@pytest.mark.parametrize("address", ["/closed/", "/wrapped/"])
def test_whatever_the_database_error_was_turned_into(as_gp, address):
    assert as_gp.post(address, {}).status_code == 503


def test_a_locked_row_is_not_called_an_outage(as_gp):
    body = as_gp.post("/busy/", FIELDS).content.decode()
    assert "This record is being changed by somebody else" in body
    assert 'value="EXPRESS_DISSENT"' in body


def test_a_failure_after_the_view_is_not_told_as_nothing_saved(as_gp):
    response = as_gp.post("/breaks_after_the_view/", {"note": "x"})
    assert response.status_code == 503
    assert "may or may not have been saved" in response.content.decode()


def test_a_connection_lost_while_committing_is_not_told_as_nothing_saved():
    def _commit():
        raise OperationalError("lost")

    try:
        _commit()
    except OperationalError as error:
        assert outage._during_commit(error.__traceback__)


def test_a_fault_of_ours_is_not_called_an_outage(as_gp):
    assert as_gp.get("/fault/").status_code == 500


def test_the_api_gets_problem_details(as_gp):
    response = as_gp.get("/api/closed/")
    assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")


def test_nothing_typed_reaches_the_log(as_gp, database_stopped, caplog, capsys):
    database_stopped()
    as_gp.post("/save/", {"note": "Grace said no"})
    assert "Grace said no" not in caplog.text + "".join(capsys.readouterr())
