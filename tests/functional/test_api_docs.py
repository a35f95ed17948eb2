"""Swagger's page under our content security policy, with nothing from elsewhere."""

import pytest

from tests.browser import shot

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_draws_the_api_and_can_ask_it(page, live_server, log_in, gp):
    """`page` fails this test if the browser reports anything that the policy forbade."""
    log_in(gp)
    page.goto(f"{live_server.url}/api/docs/")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() == 9
    page.click("#operations-patients-patients_list")
    page.click("#operations-patients-patients_list .try-out__btn")
    page.click("#operations-patients-patients_list .execute")
    page.wait_for_selector("#operations-patients-patients_list .live-responses-table")
    assert '"total": 0' in page.inner_text(".live-responses-table")
    shot(page, "api-docs")
