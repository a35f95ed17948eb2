"""Swagger's page under our content security policy, with nothing from elsewhere."""

import datetime
import json

import pytest

from tests.browser import shot
from tests.factories import make_patient

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_draws_the_api_and_can_ask_it(page, live_server, log_in, client, gp):
    """`page` fails this test if the browser reports anything that the policy forbade."""
    log_in(gp)
    page.goto(f"{live_server.url}/api/docs/")
    page.wait_for_selector(".opblock")
    client.force_login(gp)
    described = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    operations = [verb for path in json.loads(described.content)["paths"].values() for verb in path]
    assert page.locator(".opblock").count() == len(operations) > 8
    page.click("#operations-patients-patients_list")
    page.click("#operations-patients-patients_list .try-out__btn")
    page.click("#operations-patients-patients_list .execute")
    page.wait_for_selector("#operations-patients-patients_list .live-responses-table")
    assert '"total": 0' in page.inner_text(".live-responses-table")
    shot(page, "api-docs")


def test_a_person_may_write_from_it_too(page, live_server, log_in, gp, practice):
    """With the proof of origin that a session needs, and the example as it stands there."""
    make_patient(practice, nhs_number="9990000018", born_on=datetime.date(1970, 6, 12), given_name="Found")
    log_in(gp)
    page.goto(f"{live_server.url}/api/docs/")
    find = "#operations-patients-patients_find"
    page.click(find)
    page.click(f"{find} .try-out__btn")
    page.click(f"{find} .execute")
    page.wait_for_selector(f"{find} .live-responses-table")
    assert '"given_name": "Found"' in page.inner_text(f"{find} .live-responses-table")
