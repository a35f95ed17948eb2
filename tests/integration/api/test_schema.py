"""The API's description: complete, valid, and shown by a page of our own."""

import json

import pytest
from django.core.management import call_command

from config.api_urls import version_1

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(client, gp):
    client.force_login(gp)
    return json.loads(
        client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).content
    )


def test_it_is_valid_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_it_has_every_route_and_every_error(schema):
    assert len(schema["paths"]) == len(version_1)
    for path, methods in schema["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in methods.items():
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)
            assert "{public_id}" not in path or "404" in operation["responses"], (method, path)
            assert operation["description"], (method, path)


def test_what_is_personal_stands_in_no_address(schema):
    for methods in schema["paths"].values():
        for operation in methods.values():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert not names & {"nhs_number", "born_on", "name", "postcode"}


def test_both_ways_to_log_in_are_told(schema):
    assert set(schema["components"]["securitySchemes"]) == {"cookieAuth", "tokenAuth"}


def test_the_page_needs_a_log_in_and_shows_no_inline_script(client, gp):
    assert client.get("/api/docs/")["Location"].startswith("/log-in/")
    client.force_login(gp)
    page = client.get("/api/docs/")
    text = page.content.decode()
    assert "<style" not in text and text.count("<script src=") == text.count("<script") == 3
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
    assert "http" not in text.replace("http-equiv", "")


def test_only_this_page_may_show_data_pictures(client, gp):
    client.force_login(gp)
    for address in ("/", "/api/schema/", "/api/v1/patients/"):
        assert "data:" not in client.get(address)["Content-Security-Policy"]
