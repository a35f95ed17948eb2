"""Error pages in a browser; the database stopped in the middle of a form, and back again."""

import pytest
from django.db import OperationalError, connections

from tests.browser import look

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database(db):
    """`stop()` and `start()`: every statement fails between them, as when the server is gone."""

    class Database:
        def stop(self):
            def gone(*args, **kwargs):
                raise OperationalError("Connection refused")

            patch.setattr(type(connections["default"]), "cursor", gone)

        def start(self):
            patch.undo()

    with pytest.MonkeyPatch.context() as patch:
        yield Database()


def test_not_found(page, live_server, log_in, gp):
    page.expected_statuses = {404}
    log_in(gp)
    page.goto(f"{live_server.url}/nowhere/")
    look(page, "error-404")


@pytest.mark.urls("tests.functional.gallery")
def test_server_error(page, live_server):
    page.expected_statuses = {500}
    page.goto(f"{live_server.url}/fails/")
    look(page, "error-500")


def test_what_was_typed_outlives_an_outage(page, live_server, log_in, gp, database):
    page.expected_statuses = {503}
    log_in(gp)
    page.goto(f"{live_server.url}/account/password/reset/")
    page.get_by_label("Email address").fill("grace@test.example")
    database.stop()
    page.get_by_role("button", name="Send the link").click()
    assert page.get_by_role("heading", name="The service cannot reach its records").is_visible()
    assert page.get_by_text("grace@test.example").is_visible()
    look(page, "error-503")
    page.get_by_role("button", name="Try again").click()
    assert page.get_by_text("grace@test.example").is_visible()
    database.start()
    page.get_by_role("button", name="Try again").click()
    assert page.get_by_role("heading", name="Check your email").is_visible()


def test_a_page_that_was_only_read(page, live_server, log_in, gp, database):
    page.expected_statuses = {503}
    log_in(gp)
    database.stop()
    page.goto(f"{live_server.url}/account/")
    assert page.get_by_text("Nothing was changed.").is_visible()
    database.start()
    page.get_by_role("button", name="Try again").click()
    assert page.title().startswith("Your account")
